// Aiex as a user starts it: a real process with a home, a folder and a scripted model of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn as spawnTerminal } from "@lydell/node-pty";

const main = join(import.meta.dirname, "..", "..", "src", "main.ts");

export type Ended = { code: number | null; out: string; err: string };

export type Started = {
  ended: Promise<Ended>;
  /** Resolves once this text was written to either stream. */
  wrote(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
};

/** A machine of its own: nothing of it is shared with another test or with the user. */
export class Machine {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-e2e-")));
  readonly folder = join(this.root, "project");
  readonly home = join(this.root, "home");
  readonly #env: Record<string, string>;

  constructor() {
    mkdirSync(this.folder);
    this.#env = {
      PATH: process.env.PATH ?? "",
      HOME: this.root,
      AIEX_HOME: this.home,
      XDG_CONFIG_HOME: join(this.root, "config"),
      LANG: "C.UTF-8",
      TERM: "xterm",
    };
  }

  /** Writes a script of answers and gives the name of its model. */
  model(name: string, answers: readonly object[]): string {
    const file = join(this.root, `${name}.json`);
    writeFileSync(file, JSON.stringify({ answers }));
    return `scripted/${file}`;
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Starts `aiex` without a terminal; a standard input of null stays open and says nothing. */
  start(args: readonly string[], options: { stdin?: string | null; home?: string } = {}): Started {
    const env = { ...this.#env, ...(options.home ? { AIEX_HOME: options.home } : {}) };
    const child = spawn(process.execPath, [main, ...args], { cwd: this.folder, env });
    let out = "";
    let err = "";
    const waiting: { text: string; resolve: () => void }[] = [];
    const look = () => {
      for (const { text, resolve } of waiting) if ((out + err).includes(text)) resolve();
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      look();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      look();
    });
    child.stdin.on("error", () => {});
    if (options.stdin !== null) child.stdin.end(options.stdin ?? "");
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out, err }));
    });
    return {
      ended,
      kill: (signal) => void child.kill(signal),
      wrote: (text) =>
        new Promise((resolve, reject) => {
          waiting.push({ text, resolve });
          look();
          void ended.then(() => reject(new Error(`it ended without "${text}":\n${out}${err}`)));
        }),
    };
  }

  run(args: readonly string[], options: { stdin?: string; home?: string } = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Types into a terminal: each step waits for a text on the screen, then sends its keys. */
  async type(args: readonly string[], steps: readonly (readonly [string, string])[]) {
    const terminal = spawnTerminal(process.execPath, [main, ...args], {
      cols: 80,
      rows: 24,
      cwd: this.folder,
      env: this.#env,
    });
    let screen = "";
    let from = 0;
    let step = 0;
    const next = () => {
      const [wait, keys] = steps[step] ?? [];
      if (wait === undefined || keys === undefined) return;
      const at = screen.indexOf(wait, from);
      if (at < 0) return;
      from = at + wait.length;
      step += 1;
      terminal.write(keys);
      next();
    };
    return await new Promise<{ code: number; screen: string }>((resolve) => {
      terminal.onData((text) => {
        screen += text;
        next();
      });
      terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen }));
    });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The lines of `--json` output. */
export const linesOf = (out: string): Record<string, unknown>[] =>
  out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
