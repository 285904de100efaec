// Running the program as a user does: bin/aiex, a home and a folder of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { spoken } from "../peers/dialects.ts";
import type { Dialect } from "../peers/strict-answers.ts";

const root = dirname(dirname(import.meta.dirname));
export const program = join(root, "bin", "aiex");

export type Ran = { code: number | null; out: string; err: string };

export type Desk = {
  folder: string;
  home: string;
  env: Record<string, string>;
  /** Runs `aiex` with these arguments in the folder, to its end. */
  aiex(...args: string[]): Promise<Ran>;
  run(
    args: string[],
    options?: { stdin?: string; env?: Record<string, string>; cwd?: string },
  ): Promise<Ran>;
  /** Starts it and leaves it running. */
  start(...args: string[]): ReturnType<typeof spawn>;
};

/** A desk: an empty home, a project folder with these files, an environment with nothing else in it. */
export function desk(files: Record<string, string> = {}, more: Record<string, string> = {}): Desk {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "aiex-e2e-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, "project");
  const home = join(base, "home");
  mkdirSync(folder);
  mkdirSync(home);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    // Scripted servers answer what they are asked in order: a probe would take an answer.
    AIEX_PROBE: "never",
    // The tests' programs compile the bundle once, not once each.
    XDG_CACHE_HOME: join(tmpdir(), "aiex-e2e-cache"),
    ...more,
  };
  const start = (args: string[], extra: Record<string, string> = {}, cwd = folder) =>
    spawn(program, args, { cwd, env: { ...env, ...extra }, stdio: ["pipe", "pipe", "pipe"] });
  const run: Desk["run"] = (args, options = {}) =>
    new Promise((resolve) => {
      const child = start(args, options.env, options.cwd);
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk));
      child.on("close", (code) => resolve({ code, out, err }));
      child.stdin.on("error", () => {});
      child.stdin.end(options.stdin ?? "");
    });
  return {
    folder,
    home,
    env,
    run,
    aiex: (...args) => run(args),
    start(...args) {
      const child = start(args);
      child.stdin.end();
      return child;
    },
  };
}

/** The events of `--json`: one object a line. */
export const eventsOf = (out: string): Record<string, unknown>[] =>
  out
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** Environment of a model with our plain tools (large, of no known family), at a URL with `/v1`. */
export function modelAt(url: string, dialect: Dialect = "chat"): Record<string, string> {
  const { provider, settings } = spoken[dialect];
  return { ...settings(url), AIEX_MODEL: `${provider}/stub-100b` };
}
