// Opening a session of 100,000 events against one of 100: what a screen shows first must not
// depend on how long the history is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { grow } from "./grow.ts";
import { type Compared, compare } from "./measure.ts";

const root = dirname(import.meta.dirname);
const RUNS = 15;
const LIMIT = 1.5;

export async function open(): Promise<Compared[]> {
  const home = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const env = { AIEX_HOME: join(home, "aiex"), XDG_CACHE_HOME: join(home, "cache"), HOME: home };
  try {
    await grow(env.AIEX_HOME, { sessions: 1, events: 100_000, path: home, prefix: "long" });
    await grow(env.AIEX_HOME, { sessions: 1, events: 100, path: home, prefix: "short" });
    const show = (session: string) => ({
      command: join(root, "bin", "aiex"),
      args: ["session", "show", session],
      env,
      cwd: home,
    });
    return await compare(show("long"), show("short"), {
      runs: RUNS,
      what: "session show, 100,000 events against 100",
      wallMax: LIMIT,
      memoryMax: LIMIT,
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
