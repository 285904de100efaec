// Worlds of the crash suites: a home, a folder and what lies outside both, and the program that
// lives in them as a process of its own, bundled once for all.
import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "rolldown";

export type World = {
  name: string;
  folder: string;
  home: string;
  /** Where witnesses are, that no command of the sandbox reaches by its name. */
  outside: string;
  env: Record<string, string>;
  rules: readonly object[];
  /** What is done: a turn, or a turn and its undo. */
  does: "turn" | "undo";
  /** Once that is done or gone on with: a further prompt, or the undo taken back. */
  andMore?: "prompt" | "redo";
  /** What takes the world's place before it is lived in, and is there again, changed, afterwards. */
  from?: string;
};

export type Lived = {
  name: string;
  session: string;
  turns: number;
  ms: number;
  moments: number;
  killed: number;
  failed?: string;
};

export type Ran = { code: number | null; signal: string | null; lived: Lived[]; err: string };

const project = dirname(dirname(import.meta.dirname));

/** Everything of one suite: its worlds, and the program. */
export class Scene {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-crash-")));
  readonly #brain = join(this.root, "program", "brain.js");
  /** The command line, bundled. */
  readonly main = join(this.root, "program", "main.js");

  /** The program as one bundle: a start costs a third of what the sources cost. */
  async prepare(): Promise<void> {
    await build({
      cwd: project,
      input: { brain: "test/crash/brain.ts", main: "src/main.ts" },
      platform: "node",
      external: ["@vscode/ripgrep", "@napi-rs/keyring"],
      transform: {
        target: "node26",
        define: { AIEX_BUILD: JSON.stringify({ version: "0.0.0", fingerprint: "crash" }) },
      },
      output: { dir: dirname(this.#brain), format: "esm" },
      checks: { ineffectiveDynamicImport: false, eval: false },
      logLevel: "warn",
    });
    writeFileSync(join(this.root, "program", "package.json"), '{"type":"module"}');
    symlinkSync(join(project, "node_modules"), join(this.root, "node_modules"));
  }

  world(name: string, more: Pick<World, "env" | "rules" | "does">): World {
    const [folder, outside] = [join(this.root, name, "work"), join(this.root, name, "outside")];
    mkdirSync(folder, { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(folder, "a.txt"), "before\n");
    writeFileSync(join(folder, "b.txt"), "b\n");
    writeFileSync(join(folder, "gate"), "open\n");
    // What the command counts in, seen from outside by a name that it does not know.
    writeFileSync(join(outside, "ran"), "");
    linkSync(join(outside, "ran"), join(folder, "ran.txt"));
    return { name, folder, home: join(this.root, name, "home"), outside, ...more };
  }

  /** Lets the program live in these worlds, one after the other, to its end or its death. */
  run(
    worlds: readonly World[],
    env: Record<string, string> = {},
    tracer: readonly string[] = [],
  ): Promise<Ran> {
    const [program = "", ...args] = [...tracer, process.execPath, this.#brain];
    return new Promise((resolve) => {
      const child = spawn(program, args, {
        cwd: project,
        stdio: ["pipe", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          HOME: this.root,
          NODE_COMPILE_CACHE: join(this.root, "compiled"),
          AIEX_PROBE: "never",
          ...env,
        },
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk));
      child.on("close", (code, signal) => {
        const lines = out.split("\n").filter((line) => line !== "");
        resolve({ code, signal, lived: lines.map((line) => JSON.parse(line)), err });
      });
      child.stdin.on("error", () => {});
      child.stdin.end(JSON.stringify(worlds));
    });
  }

  drop(world: World): void {
    rmSync(dirname(world.folder), { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const linesOf = (file: string): string[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];

/** How a process dies: at the nth moment of a name, or at a moment by its number. */
export type Dying = { moment: string; nth?: number; death?: string };

export const dyingIn = (world: World, { moment, nth = 1, death = "program" }: Dying) => ({
  DIE_AT: moment,
  DIE_NTH: String(nth),
  DEATH: death,
  ACKED: join(world.outside, "acked"),
});

/** Runs `work` for each, so many at a time. */
export async function inLanes<T>(
  all: readonly T[],
  lanes: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...all];
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
