// Aiex as a user starts it: a real process with a home, a folder and a scripted model of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn as spawnTerminal } from "@lydell/node-pty";

/** How a process is started besides its arguments: more environment, another home or folder. */
export type Starting = {
  /** Null stays open and says nothing. */
  stdin?: string | null;
  home?: string;
  env?: Record<string, string>;
};

export const main = join(import.meta.dirname, "..", "..", "src", "main.ts");

export type Ended = { code: number | null; out: string; err: string };

export type Started = {
  ended: Promise<Ended>;
  /** Resolves once this text was written to either stream. */
  wrote(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
};

/** Aiex in a terminal of 80 columns and 24 rows. */
export type Shown = {
  ended: Promise<{ code: number; screen: string }>;
  /** Resolves once this was written after what was waited for before. */
  shows(text: string): Promise<void>;
  types(keys: string): void;
  resize(columns: number): void;
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
      AIEX_PROBE: "never",
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

  #envWith({ home, env = {} }: Starting): Record<string, string> {
    return { ...this.#env, ...(home ? { AIEX_HOME: home } : {}), ...env };
  }

  /** Starts `aiex` without a terminal. */
  start(args: readonly string[], options: Starting = {}): Started {
    const env = this.#envWith(options);
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

  run(args: readonly string[], options: Starting = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Starts `aiex` in a terminal. */
  terminal(args: readonly string[], options: Starting = {}): Shown {
    const terminal = spawnTerminal(process.execPath, [main, ...args], {
      cols: 80,
      rows: 24,
      cwd: this.folder,
      env: this.#envWith(options),
    });
    let screen = "";
    let from = 0;
    let waiting: { text: string; resolve: () => void } | null = null;
    const look = () => {
      const at = waiting ? screen.indexOf(waiting.text, from) : -1;
      if (!waiting || at < 0) return;
      from = at + waiting.text.length;
      waiting.resolve();
      waiting = null;
    };
    terminal.onData((text) => {
      screen += text;
      look();
    });
    const ended = new Promise<{ code: number; screen: string }>((resolve) => {
      terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen }));
    });
    return {
      ended,
      shows: (text) =>
        new Promise((resolve, reject) => {
          waiting = { text, resolve };
          look();
          void ended.then(() => reject(new Error(`it ended without "${text}":\n${screen}`)));
        }),
      types: (keys) => terminal.write(keys),
      resize: (columns) => terminal.resize(columns, 24),
      kill: (signal) => terminal.kill(signal),
    };
  }

  /** Types into a terminal: each step waits for a text on the screen, then sends keys or acts. */
  async type(
    args: readonly string[],
    steps: readonly (readonly [string, string | (() => void)])[],
  ) {
    const terminal = this.terminal(args);
    const typing = async () => {
      for (const [wait, keys] of steps) {
        await terminal.shows(wait);
        if (typeof keys === "string") terminal.types(keys);
        else keys();
      }
    };
    // What was never shown is seen by the test itself, on the whole screen.
    await typing().catch(() => {});
    return await terminal.ended;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The lines of `--json` output. */
export const linesOf = (out: string): Record<string, unknown>[] =>
  out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
