// Marks of what is installed in a workspace: no tree holds it, since it can be made again, and yet a
// test run goes by it. A mark is the hash of every name below a folder with what the file system says
// of it; the time of the last change of a file cannot be set, so one that was put back shows, too.
import { createHash, type Hash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "#boundary/beneath.ts";
import { sliced } from "#boundary/trees/look.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** Files that are looked at, of all folders together. */
const ENTRIES_MAX = 1_000_000;
/** What runs leave in them: caches, compiled files. */
const CACHES = new Set([".cache", ".vite", ".vite-temp", ".vitest", "__pycache__"]);

export async function installedIn(
  root: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<Result<{ path: string; mark: string }[]>> {
  const slice = sliced(signal);
  const marks: { path: string; mark: string }[] = [];
  let entries = 0;
  for (const path of folders.toSorted()) {
    const hash = createHash("sha256");
    const todo = [join(root, path)];
    for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
      entries += addFolder(folder, hash, todo);
      if (entries > ENTRIES_MAX) return tooMany;
      const pause = slice();
      if (pause) await pause;
      if (signal.aborted) return fail("cancelled", "the look at what is installed was called off");
    }
    marks.push({ path: `${path}/`, mark: hash.digest("hex").slice(0, 32) });
  }
  return ok(marks);
}

const tooMany = fail("too_large", `more than ${ENTRIES_MAX} files are installed here`);

/** The names of one folder, in order, with what is told of each. Answers how many there are. */
function addFolder(folder: string, hash: Hash, todo: string[]): number {
  hash.update(`${folder}\0`);
  const names = namesIn(folder).filter(({ name }) => !CACHES.has(name));
  for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      todo.push(path);
      hash.update(`${entry.name}/\0`);
      continue;
    }
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats)
      hash.update(`${entry.name} ${stats.ino} ${stats.size} ${stats.mode} ${stats.ctimeMs}\0`);
  }
  return names.length;
}

function namesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return [];
  }
}
