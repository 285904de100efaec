// What differs between two trees, and what a path is in one of them. Folders that are the same tree
// are not opened.
import { below } from "#boundary/trees/look.ts";
import { entriesIn } from "#boundary/trees/objects.ts";
import type { Objects } from "#boundary/trees/port.ts";
import { ok, type Result } from "#core/failure.ts";
import { type Entry, kindOf, type PathChange, type PathState, stateOf } from "#core/tree/entry.ts";

/** A folder in both trees; null where one of them has none there. */
type Pair = { path: string; before: string | null; after: string | null };
type Entries = ReadonlyMap<string, Entry>;

/** Every path that is another in `after`, sorted. `null` is a tree without anything. */
export async function changesBetween(
  objects: Objects,
  before: string | null,
  after: string | null,
): Promise<Result<PathChange[]>> {
  const changes: PathChange[] = [];
  let level: Pair[] = before === after ? [] : [{ path: ".", before, after }];
  while (level.length > 0) {
    const trees = await objects.get(idsOf(level));
    if (!trees.ok) return trees;
    const entries = (id: string | null): Entries =>
      id === null ? new Map() : entriesIn(trees.value.get(id) ?? new Uint8Array());
    const next: Pair[] = [];
    for (const pair of level) {
      compareFolders(pair, entries(pair.before), entries(pair.after), { changes, next });
    }
    level = next;
  }
  return ok(changes.sort((a, b) => (a.path < b.path ? -1 : 1)));
}

const idsOf = (level: readonly Pair[]): string[] =>
  [...new Set(level.flatMap(({ before, after }) => [before, after]))].filter(
    (id): id is string => id !== null,
  );

function compareFolders(
  { path }: Pair,
  before: Entries,
  after: Entries,
  found: { changes: PathChange[]; next: Pair[] },
): void {
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const a = before.get(name) ?? null;
    const b = after.get(name) ?? null;
    if (a?.id === b?.id && a?.mode === b?.mode) continue;
    const at = below(path, name);
    const change = { path: at, before: stateOf(a), after: stateOf(b) };
    if (change.before !== change.after) found.changes.push(change);
    const [treeA, treeB] = [folderIn(a), folderIn(b)];
    if (treeA !== treeB) found.next.push({ path: at, before: treeA, after: treeB });
  }
}

const folderIn = (entry: Entry | null): string | null =>
  entry && kindOf(entry) === "folder" ? entry.id : null;

/** What each path is in a tree; below what it left out, as little is known as of that. */
export async function statesIn(
  objects: Objects,
  tree: string,
  paths: readonly string[],
): Promise<Result<Map<string, PathState>>> {
  const known = new Map<string, Entry | null>([[".", { mode: 0o040000, id: tree }]]);
  const opened = new Map<string, Entries>();
  const deepest = Math.max(0, ...paths.map((path) => path.split("/").length));
  for (let depth = 1; depth <= deepest; depth += 1) {
    const wanted = new Set<string>();
    const reached = paths.filter((path) => path.split("/").length >= depth);
    for (const path of reached) {
      const folder = folderIn(known.get(prefix(path, depth - 1)) ?? null);
      if (folder !== null && !opened.has(folder)) wanted.add(folder);
    }
    const trees = await objects.get([...wanted]);
    if (!trees.ok) return trees;
    for (const [id, bytes] of trees.value) opened.set(id, entriesIn(bytes));
    for (const path of reached) {
      const above = known.get(prefix(path, depth - 1)) ?? null;
      const folder = folderIn(above);
      const name = path.split("/")[depth - 1] ?? "";
      const isLeft = above !== null && kindOf(above) === "left";
      const entry = isLeft ? above : folder && opened.get(folder)?.get(name);
      known.set(prefix(path, depth), entry || null);
    }
  }
  return ok(new Map(paths.map((path) => [path, stateOf(known.get(path) ?? null)])));
}

const prefix = (path: string, depth: number): string =>
  depth === 0 ? "." : path.split("/").slice(0, depth).join("/");
