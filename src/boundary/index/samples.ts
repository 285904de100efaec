// Folders, repositories and indexes for tests, taken away after each of them.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import type { CodeIndex } from "#boundary/index/port.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import type { Result } from "#core/failure.ts";

const entry = new URL("../../start-index.ts", import.meta.url);
export const never = new AbortController().signal;
const bases: string[] = [];
const open: CodeIndex[] = [];

afterEach(() => {
  for (const index of open.splice(0)) index.close();
  for (const base of bases.splice(0)) rmSync(base, { recursive: true, force: true });
});

export function valued<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.say);
  return result.value;
}

export function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

export function git(root: string, ...args: string[]): string {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" }).trim();
}

/** A folder with these files, and one around it for what goes with it. */
export function folder(files: Readonly<Record<string, string>>): { base: string; root: string } {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "aiex-index-")));
  bases.push(base);
  const root = join(base, "files");
  mkdirSync(root);
  write(root, files);
  return { base, root };
}

/** An index in this file, or in memory. */
export function indexOf(root: string, file: string | null): CodeIndex {
  const index = valued(codeIndexAt(root, file, { parsing: syntaxParser, entry }));
  open.push(index);
  return index;
}

export const sample = {
  "src/retry.ts": `/** Waits longer after each failure. */\nexport function backoffDelay(tries: number) {\n  return 2 ** tries;\n}\n`,
  "src/parse.py": `def parse_header(line):\n    """Splits a header line into name and value."""\n    return line.split(":")\n`,
  "lib/store.ex": `defmodule Store do\n  @doc "Keeps a value"\n  def put(key, value), do: {key, value}\nend\n`,
  "test/retry.test.ts": `import { backoffDelay } from "../src/retry";\ntest("waits longer", () => backoffDelay(2));\n`,
};
