// Records a workspace as a tree: what changed since the last look is read and kept, and only the
// folders above it get new trees. At most one recording at a time; the caller sees to it.
import { folderOf } from "#boundary/trees/known.ts";
import {
  below,
  isUnreadable,
  type Known,
  type KnownFile,
  type KnownFolder,
  look,
  sliced,
} from "#boundary/trees/look.ts";
import { treeOf } from "#boundary/trees/objects.ts";
import type { Objects, Progress, StoredObject } from "#boundary/trees/port.ts";
import { readIn } from "#boundary/trees/read.ts";
import { assert } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { type Entry, folderMode, leftEntry } from "#core/tree/entry.ts";

/** Bytes of content that are held before they are written as one pack. */
const BATCH_BYTES = 32 << 20;

export type Recorded = {
  tree: string;
  known: Known;
  /** The trees that are new with this recording. */
  trees: readonly StoredObject[];
};

export async function recordTree(
  root: string,
  before: Known,
  options: { objects: Objects; signal: AbortSignal; progress?: Progress },
): Promise<Result<Recorded>> {
  const seen = await look(root, before, options.signal);
  if (!seen.ok) return seen;
  const batch = batchInto(options.objects);
  const read = await readChanged(root, seen.value, { ...options, batch });
  if (!read.ok) return read;
  const trees = compose(seen.value);
  for (const tree of trees) {
    const added = await batch.add(tree);
    if (!added.ok) return added;
  }
  const flushed = await batch.flush();
  if (!flushed.ok) return flushed;
  const tree = seen.value.get(".")?.tree;
  assert(tree, "the root was composed");
  return ok({ tree, known: seen.value, trees });
}

type Batch = { add(object: StoredObject): Promise<Result<void>>; flush(): Promise<Result<void>> };

function batchInto(objects: Objects): Batch {
  let held: StoredObject[] = [];
  let bytes = 0;
  const flush = async () => {
    const some = held;
    held = [];
    bytes = 0;
    return await objects.put(some);
  };
  return {
    flush,
    async add(object) {
      held.push(object);
      bytes += object.bytes.length;
      return bytes < BATCH_BYTES ? ok() : await flush();
    },
  };
}

/** Reads every file without an entry, folder by folder. */
async function readChanged(
  root: string,
  seen: Known,
  options: { batch: Batch; signal: AbortSignal; progress?: Progress },
): Promise<Result<void>> {
  const { batch, signal, progress } = options;
  const isNew = ([, file]: [string, KnownFile]) => file.entry === null;
  const todo = [...seen].flatMap(([path, folder]) => {
    const files = folder.tree === null ? [...folder.files].filter(isNew) : [];
    return files.length > 0 ? [{ path, folder, files }] : [];
  });
  const total = todo.reduce((sum, { files }) => sum + files.length, 0);
  const slice = sliced(signal);
  let done = 0;
  let failed: Result<void> = ok();
  for (const { path, folder, files } of todo) {
    await readIn(root, path, files, async (name, read) => {
      if (!failed.ok || signal.aborted) return;
      if (read === null) folder.files.delete(name);
      else folder.files.set(name, read.file);
      const added = read?.object ? await batch.add(read.object) : ok();
      if (!added.ok) failed = added;
      done += 1;
      progress?.(done, total);
      const pause = slice();
      if (pause) await pause;
    });
    if (signal.aborted) return fail("cancelled", "the recording of the files was called off");
    if (!failed.ok) return failed;
  }
  return ok();
}

/** Gives each changed folder, and those above it, a new tree; answers these. */
function compose(seen: Known): StoredObject[] {
  const trees: StoredObject[] = [];
  const changed = new Set<string>();
  // Children come after their parents in `seen`.
  for (const [path, folder] of [...seen].reverse()) {
    if (folder.tree !== null && !changed.has(path)) continue;
    changed.add(folderOf(path));
    if (isUnreadable(folder)) continue;
    const tree = treeOf(entriesOf(seen, path, folder));
    trees.push(tree);
    seen.set(path, { ...folder, tree: tree.id });
  }
  return trees;
}

function entriesOf(seen: Known, path: string, folder: KnownFolder): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [name, { entry }] of folder.files) if (entry) entries.set(name, entry);
  for (const name of folder.folders.keys()) {
    const child = seen.get(below(path, name));
    // Gone since its parent was listed.
    if (!child) continue;
    if (isUnreadable(child)) entries.set(name, leftEntry("not readable"));
    else if (child.tree) entries.set(name, { mode: folderMode(child.mode), id: child.tree });
  }
  for (const [name, why] of folder.left) entries.set(name, leftEntry(why));
  return entries;
}
