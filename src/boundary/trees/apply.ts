// Makes changes in a workspace that bring paths to the states of a tree. Nothing is written over
// that is not, at that very moment, what the change says it is.
import {
  chmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import {
  type BeneathOptions,
  beneath,
  codeOf,
  isFull,
  pathAt,
  type Spot,
} from "#boundary/beneath.ts";
import { sha256 } from "#boundary/digest.ts";
import { wholeContents } from "#boundary/trees/contents.ts";
import { idOf } from "#boundary/trees/objects.ts";
import type { Objects } from "#boundary/trees/port.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { batches } from "#core/tree/batches.ts";
import {
  ABSENT,
  contentOf,
  type Entry,
  entryOf,
  folderMode,
  folderPermissions,
  kindOf,
  type PathChange,
  permissionsOf,
  stateOf,
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
  return ok({ ...applied, left: applied.left.filter(saysMore) });
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
  return await make(workspace, change, contents);
}

/** A folder that stays because of a file in it that stays needs no word of its own. */
function saysMore({ path, why }: LeftPath, _: number, all: readonly LeftPath[]): boolean {
  return why !== NOT_EMPTY || !all.some((other) => other.path.startsWith(`${path}/`));
}

const NOT_EMPTY = "something else is in it";

async function make(
  workspace: Workspace,
  { path, before, after }: PathChange,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<Result<unknown>> {
  const now = await presentAt(workspace, path);
  if (!now.ok) return now;
  // Done already, by one who could not say so any more.
  if (now.value.state === after) return ok();
  if (now.value.state !== before) return fail("stale", "changed since");
  const target = entryOf(after);
  const old = entryOf(before);
  const isSameKind = target !== null && old !== null && kindOf(target) === kindOf(old);
  if (old && !isSameKind) {
    const gone = await take(workspace, path, { old, hash: now.value.hash });
    if (!gone.ok || target === null) return gone;
  }
  if (target === null) return ok();
  const bytes = contents.get(target.id) ?? new Uint8Array();
  const hash = isSameKind ? now.value.hash : ABSENT;
  return await put(workspace, path, { target, bytes, hash, replaces: isSameKind });
}

/** What is at a path now: as a state, and a file's plain hash. */
type Present = { state: string; hash: string };

async function presentAt(workspace: Workspace, path: string): Promise<Result<Present>> {
  const found = await at(workspace, path, {}, async (spot) =>
    ok(lstatSync(pathAt(spot.folder, spot.name), { throwIfNoEntry: false }) ?? null),
  );
  if (!found.ok) return found.error.code === "not_found" ? ok(absent) : found;
  const stats = found.value;
  if (stats === null) return ok(absent);
  if (stats.isDirectory()) {
    return ok({ state: stateOf({ mode: folderMode(stats.mode), id: "" }), hash: ABSENT });
  }
  if (stats.isSymbolicLink()) {
    const target = await linkAt(workspace, path);
    return target.ok ? ok({ state: `120000 ${idOf("blob", target.value)}`, hash: ABSENT }) : target;
  }
  const bytes = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
  if (!bytes.ok) return bytes;
  const id = idOf("blob", bytes.value);
  return ok({ state: fileState(stats.mode, id), hash: sha256(bytes.value) });
}

const absent: Present = { state: ABSENT, hash: ABSENT };

const fileState = (mode: number, id: string): string =>
  stateOf({ mode: 0o100000 | (mode & 0o777), id });

const linkAt = (workspace: Workspace, path: string): Promise<Result<Buffer>> =>
  at(workspace, path, {}, async (spot) =>
    ok(readlinkSync(pathAt(spot.folder, spot.name), { encoding: "buffer" })),
  );

const at = <T>(
  workspace: Workspace,
  path: string,
  options: Omit<BeneathOptions, "links">,
  use: (spot: Spot) => Promise<Result<T>>,
): Promise<Result<T>> => beneath(workspace.root, path, { links: "last", ...options }, use);

async function take(
  workspace: Workspace,
  path: string,
  { old, hash }: { old: Entry; hash: string },
): Promise<Result<void>> {
  const kind = kindOf(old);
  switch (kind) {
    case "file":
      return await workspace.remove(path, { expect: hash });
    case "link":
      return await at(workspace, path, {}, async (spot) => {
        const real = pathAt(spot.folder, spot.name);
        const target = readlinkSync(real, { encoding: "buffer" });
        if (idOf("blob", target) !== old.id) return fail("stale", "changed since");
        unlinkSync(real);
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "folder":
      return await at(workspace, path, {}, async (spot) => removeFolder(spot));
    case "left":
      return fail("denied", "its content was not kept");
    default:
      return unreachable(kind);
  }
}

function removeFolder(spot: Spot): Result<void> {
  try {
    rmdirSync(pathAt(spot.folder, spot.name));
    fsyncSync(spot.folder.fd);
    return ok();
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) throw error;
    return fail("stale", NOT_EMPTY);
  }
}

async function put(
  workspace: Workspace,
  path: string,
  to: { target: Entry; bytes: Uint8Array; hash: string; replaces: boolean },
): Promise<Result<unknown>> {
  const { target, bytes, hash, replaces } = to;
  const kind = kindOf(target);
  switch (kind) {
    case "file":
      return await workspace.write(path, bytes, { expect: hash, mode: permissionsOf(target) });
    case "link":
      return await at(workspace, path, { makeFolders: true }, async (spot) => {
        const real = pathAt(spot.folder, spot.name);
        if (replaces) unlinkSync(real);
        symlinkSync(Buffer.from(bytes), real);
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "folder":
      return await at(workspace, path, { makeFolders: true }, async (spot) => {
        const real = pathAt(spot.folder, spot.name);
        if (!replaces) mkdirSync(real);
        chmodSync(real, folderPermissions(target));
        fsyncSync(spot.folder.fd);
        return ok();
      });
    case "left":
      return fail("denied", "its content was not kept");
    default:
      return unreachable(kind);
  }
}
