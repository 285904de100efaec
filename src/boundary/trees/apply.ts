// Makes changes in a workspace that bring paths to the states of a tree. Nothing is written over
// that is not, at that very moment, what the change says it is.
import { fsyncSync, mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import { isFull, pathAt } from "#boundary/beneath.ts";
import { wholeContents } from "#boundary/trees/contents.ts";
import {
  inOpened,
  openPermissions,
  openState,
  setLast,
  setPermissions,
} from "#boundary/trees/modes.ts";
import type { Objects } from "#boundary/trees/port.ts";
import { at, isStill, type Present, presentAt } from "#boundary/trees/present.ts";
import { NOT_EMPTY, removeFolder, type Swap, settleAside, swap } from "#boundary/trees/swap.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { batches } from "#core/tree/batches.ts";
import {
  ABSENT,
  contentOf,
  type Entry,
  entryOf,
  folderPermissions,
  kindOf,
  type PathChange,
  permissionsOf,
} from "#core/tree/entry.ts";
import { FILE_BYTES_MAX, isNeverHeld } from "#core/tree/kept.ts";
import { inOrder, type LeftPath, LOST } from "#core/tree/undo.ts";

/** Bytes of contents that are in memory together; a larger file is there alone. */
const CONTENTS_BYTES_MAX = 32 << 20;
/** Files whose content is fetched together. */
const CONTENTS_MAX = 256;

type Applied = { done: PathChange[]; left: LeftPath[] };

export async function applyChanges(
  workspace: Workspace,
  objects: Objects,
  { changes, signal }: { changes: readonly PathChange[]; signal: AbortSignal },
): Promise<Result<Applied>> {
  const applied: Applied = { done: [], left: [] };
  const made = await makeAll(workspace, objects, { changes, signal, applied });
  // Also where it was called off: no folder stays open.
  const closed = await setLast(workspace, lastPermissions(applied.done));
  if (!made.ok) return made;
  const open = new Set(closed.map(({ path }) => path));
  return ok({
    done: applied.done.filter(({ path }) => !open.has(path)),
    left: [...applied.left.filter(saysMore), ...closed],
  });
}

/** What folders end with that are open while they are worked in. */
function lastPermissions(done: readonly PathChange[]): Map<string, number> {
  const folders = done.flatMap(({ path, after }): [string, number][] => {
    const target = entryOf(after);
    if (!target || !isFolder(target)) return [];
    const last = folderPermissions(target);
    return last === openPermissions(target) ? [] : [[path, last]];
  });
  return new Map(folders);
}

async function makeAll(
  workspace: Workspace,
  objects: Objects,
  given: { changes: readonly PathChange[]; signal: AbortSignal; applied: Applied },
): Promise<Result<void>> {
  const { changes, signal, applied } = given;
  const sizes = await objects.sizes([...new Set(changes.flatMap(wanted))]);
  if (!sizes.ok) return sizes;
  const bytesOf = (change: PathChange) => sizes.value.get(contentOf(change.after) ?? "") ?? 0;
  const bounds = { bytesMax: CONTENTS_BYTES_MAX, countMax: CONTENTS_MAX };
  for (const some of batches(inOrder(changes), bytesOf, bounds)) {
    const ids = [...new Set(some.flatMap(wanted))].filter((id) => isFetched(sizes.value, id));
    const contents = await wholeContents(objects, ids);
    if (!contents.ok) return contents;
    for (const change of some) {
      if (signal.aborted) return fail("cancelled", "called off; what was not done stays as it is");
      const made = await makeHeld(workspace, change, contents.value);
      if (made.ok) applied.done.push(change);
      else if (isFull(made.error)) return made;
      else applied.left.push({ path: change.path, why: made.error.say });
    }
  }
  return ok();
}

const wanted = ({ after }: PathChange): string[] => {
  const id = contentOf(after);
  return id === null ? [] : [id];
};

/** No content of ours is larger: one that is was not put here by a recording. */
const isFetched = (sizes: ReadonlyMap<string, number>, id: string): boolean =>
  (sizes.get(id) ?? Number.POSITIVE_INFINITY) <= FILE_BYTES_MAX;

async function makeHeld(
  workspace: Workspace,
  change: PathChange,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<Result<unknown>> {
  if (isNeverHeld(change.path)) return fail("denied", "no tree holds it");
  const id = contentOf(change.after);
  // Before anything is touched: what is there now stays.
  if (id !== null && !contents.has(id)) return fail("corrupt", LOST);
  return await inOpened(workspace, change.path, () => make(workspace, change, contents));
}

/** A folder that stays because of a file in it that stays needs no word of its own. */
function saysMore({ path, why }: LeftPath, _: number, all: readonly LeftPath[]): boolean {
  return why !== NOT_EMPTY || !all.some((other) => other.path.startsWith(`${path}/`));
}

async function make(
  workspace: Workspace,
  change: PathChange,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<Result<unknown>> {
  const { path, before, after } = change;
  const [old, target] = [entryOf(before), entryOf(after)];
  if (isFolderFor(old, target)) {
    const settled = await settleAside(workspace, change);
    if (!settled.ok) return settled;
  }
  const now = await presentAt(workspace, path);
  if (!now.ok) return now;
  // Done already, by one who could not say so any more.
  if (now.value.state === after) return ok();
  // The folders are there and only lack their last permissions.
  if (target && isFolder(target) && now.value.state === openState(target)) return ok();
  const bytes = contents.get(target?.id ?? "") ?? new Uint8Array();
  const isOpen = old !== null && isFolder(old) && now.value.state === openState(old);
  if (now.value.state !== before && !isOpen) {
    // The empty folder is gone and what comes in its place is not there yet: a crash in between.
    const isBetween = isForFolder(old, target) && now.value.state === ABSENT;
    if (!isBetween || target === null) return fail("stale", "changed since");
    return await put(workspace, path, { target, bytes });
  }
  if (target === null) return old ? await take(workspace, path, { old, now: now.value }) : ok();
  if (old === null) return await put(workspace, path, { target, bytes });
  if ([old, target].some((entry) => kindOf(entry) === "left")) return fail("denied", NOT_KEPT);
  return await replace(workspace, path, { old, target, bytes, now: now.value });
}

const NOT_KEPT = "its content was not kept";

const isFolder = (entry: Entry | null): boolean => entry !== null && kindOf(entry) === "folder";
const isFolderFor = (old: Entry | null, target: Entry | null): boolean =>
  old !== null && !isFolder(old) && isFolder(target);
const isForFolder = (old: Entry | null, target: Entry | null): boolean =>
  isFolder(old) && target !== null && !isFolder(target);

async function replace(workspace: Workspace, path: string, to: Swap): Promise<Result<unknown>> {
  const { old, target, bytes, now } = to;
  const kind = kindOf(target);
  if (kind !== kindOf(old) || kind === "link") return await swap(workspace, path, to);
  if (kind === "file") {
    const options = { expect: now.hash, mode: permissionsOf(target) };
    return await workspace.write(path, bytes, options);
  }
  return await at(workspace, path, {}, async (spot) => {
    if (!isStill(spot, now)) return fail("stale", "changed since");
    setPermissions(spot, openPermissions(target));
    return ok();
  });
}

async function take(
  workspace: Workspace,
  path: string,
  { old, now }: { old: Entry; now: Present },
): Promise<Result<void>> {
  const kind = kindOf(old);
  switch (kind) {
    case "file":
      return await workspace.remove(path, { expect: now.hash });
    case "link":
      return await at(workspace, path, {}, async (spot) => {
        if (!isStill(spot, now)) return fail("stale", "changed since");
        unlinkSync(pathAt(spot.folder, spot.name));
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "folder":
      return await at(workspace, path, {}, async (spot) => removeFolder(spot));
    case "left":
      return fail("denied", NOT_KEPT);
    default:
      return unreachable(kind);
  }
}

/** Where nothing is. */
async function put(
  workspace: Workspace,
  path: string,
  { target, bytes }: { target: Entry; bytes: Uint8Array },
): Promise<Result<unknown>> {
  const kind = kindOf(target);
  switch (kind) {
    case "file":
      return await workspace.write(path, bytes, { expect: ABSENT, mode: permissionsOf(target) });
    case "link":
      return await at(workspace, path, { makeFolders: true }, async (spot) => {
        symlinkSync(Buffer.from(bytes), pathAt(spot.folder, spot.name));
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "folder":
      return await at(workspace, path, { makeFolders: true }, async (spot) => {
        const real = pathAt(spot.folder, spot.name);
        mkdirSync(real, openPermissions(target));
        setPermissions(spot, openPermissions(target));
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "left":
      return fail("denied", NOT_KEPT);
    default:
      return unreachable(kind);
  }
}
