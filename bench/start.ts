// Starting: `aiex --version` against an empty Node, and the list of sessions over a large log
// against `--version`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { grow } from "./grow.ts";
import { type Compared, compare } from "./measure.ts";

const root = dirname(import.meta.dirname);
const RUNS = 25;
const SESSIONS = 10_000;
const EVENTS_EACH = 100;

export async function start(): Promise<Compared[]> {
  const home = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const env = { AIEX_HOME: join(home, "aiex"), XDG_CACHE_HOME: join(home, "cache"), HOME: home };
  try {
    await grow(env.AIEX_HOME, { sessions: SESSIONS, events: EVENTS_EACH, path: home, prefix: "b" });
    const aiex = (...args: string[]) => ({
      command: join(root, "bin", "aiex"),
      args,
      env,
      cwd: home,
    });
    const node = { command: process.execPath, args: ["-e", "0"] };
    return [
      ...(await compare(aiex("--version"), node, { runs: RUNS, what: "--version", wallMax: 1.5 })),
      ...(await compare(aiex("session", "list"), aiex("--version"), {
        runs: RUNS,
        what: "session list over 10⁶ events",
        wallMax: 2,
      })),
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
