// Trees that were recorded a moment ago: the event that names one is appended after it was recorded,
// so a sweep in between, in this process or another, would find it named by nobody.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "#boundary/digest.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** How long a tree stays without an event that names it, in milliseconds. */
const UNNAMED_MS = 3_600_000;

/** Both are called by whoever holds the store's lease, so no two write at a time. */
export type Recent = {
  add(tree: string): Result<void>;
  /** Those of the last hour; older ones are forgotten. */
  all(): Result<readonly string[]>;
};

/** `folder` is where the processes of the machine tell each other; null: this process alone. */
export function recentIn(folder: string | null): Recent {
  return folder === null ? recentInMemory() : recentAt(join(folder, "recent"));
}

function recentInMemory(): Recent {
  let lines: string[] = [];
  return {
    add(tree) {
      lines.push(lineOf(tree));
      return ok();
    },
    all() {
      lines = lines.filter(isYoung);
      return ok(treesOf(lines));
    },
  };
}

function recentAt(file: string): Recent {
  return {
    add: (tree) =>
      tried(file, () => writeFileSync(file, `${lineOf(tree)}\n`, { mode: 0o600, flag: "a" })),
    all: () =>
      tried(file, () => {
        const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
        const young = lines.filter(isYoung);
        const draft = `${file}.${newId()}`;
        writeFileSync(draft, young.map((line) => `${line}\n`).join(""), { mode: 0o600 });
        renameSync(draft, file);
        return treesOf(young);
      }),
  };
}

const lineOf = (tree: string): string => `${tree} ${Date.now()}`;

const treesOf = (lines: readonly string[]): string[] => [
  ...new Set(lines.map((line) => line.slice(0, line.indexOf(" ")))),
];

/** A line that a crash cut short names no tree that anybody waits for. */
function isYoung(line: string): boolean {
  const [, at] = /^[0-9a-f]{64} (\d+)$/.exec(line) ?? [];
  return at !== undefined && Date.now() - Number(at) < UNNAMED_MS;
}

function tried<T>(file: string, work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (error) {
    return fail("storage", `cannot keep ${file}: ${(error as Error).message}`, {
      fix: "free disk space or check the disk",
    });
  }
}
