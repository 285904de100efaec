// Puts one kind of thing in the place of another: a link where a file was, a folder where a link
// was. The new one is made beside the old one first and takes its place by a rename, so that a crash
// or a failure leaves the one or the other. No file system renames a folder over a file, or anything
// over a folder: there the old one is moved aside until the new one is there, or, being an empty
// folder, can be made again.
import {
  fsyncSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { codeOf, pathAt, placeNew, type Spot } from "#boundary/beneath.ts";
import { sha256 } from "#boundary/digest.ts";
import { draftName } from "#boundary/drafts.ts";
import { folderOf } from "#boundary/trees/known.ts";
import { below } from "#boundary/trees/look.ts";
import { openPermissions, setPermissions } from "#boundary/trees/modes.ts";
import { at, isStill, type Present, presentAt } from "#boundary/trees/present.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import {
  ABSENT,
  type Entry,
  entryOf,
  folderPermissions,
  kindOf,
  type PathChange,
  permissionsOf,
} from "#core/tree/entry.ts";

/**
 * What is to come in the place of something of another kind, which is there `now`. A folder is open
 * then, until it is filled.
 */
export type Swap = { old: Entry; target: Entry; bytes: Uint8Array; now: Present };

export async function swap(workspace: Workspace, path: string, to: Swap): Promise<Result<unknown>> {
  if (kindOf(to.target) === "folder") {
    return await at(workspace, path, {}, async (spot) => folderFor(spot, path, to));
  }
  const name = draftName();
  const drafted = await draft(workspace, below(folderOf(path), name), to);
  if (!drafted.ok) return drafted;
  return await at(workspace, path, {}, async (spot) => {
    try {
      if (!isStill(spot, to.now)) return changedSince;
      return kindOf(to.old) === "folder" ? inPlaceOfFolder(spot, name, to) : over(spot, name);
    } finally {
      discard({ ...spot, name });
    }
  });
}

const changedSince = fail("stale", "changed since");

/** The new file or link, whole and durable, under a name of its own. */
function draft(workspace: Workspace, path: string, { target, bytes }: Swap) {
  if (kindOf(target) === "file") {
    return workspace.write(path, bytes, { expect: ABSENT, mode: permissionsOf(target) });
  }
  return at(workspace, path, {}, async (spot) => {
    symlinkSync(Buffer.from(bytes), pathAt(spot.folder, spot.name));
    return ok("");
  });
}

function over(spot: Spot, name: string): Result<void> {
  renameSync(pathAt(spot.folder, name), pathAt(spot.folder, spot.name));
  fsyncSync(spot.folder.fd);
  return ok();
}

function inPlaceOfFolder(spot: Spot, name: string, { old, target, bytes }: Swap): Result<void> {
  const real = pathAt(spot.folder, spot.name);
  const gone = removeFolder(spot);
  if (!gone.ok) return gone;
  try {
    if (kindOf(target) === "link") symlinkSync(Buffer.from(bytes), real);
    else placeNew(pathAt(spot.folder, name), real);
  } catch (error) {
    mkdirSync(real);
    setPermissions(spot, folderPermissions(old));
    throw error;
  }
  fsyncSync(spot.folder.fd);
  return ok();
}

export const NOT_EMPTY = "something else is in it";

/** Removes a folder with nothing in it. */
export function removeFolder(spot: Spot): Result<void> {
  try {
    rmdirSync(pathAt(spot.folder, spot.name));
    fsyncSync(spot.folder.fd);
    return ok();
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) throw error;
    return fail("stale", NOT_EMPTY);
  }
}

/** Where a file or a link waits while a folder takes its place; whoever comes next knows it by that. */
const asideName = (path: string): string => `.aiex-${sha256(path).slice(0, 20)}.old`;

function folderFor(spot: Spot, path: string, { target, now }: Swap): Result<void> {
  const real = pathAt(spot.folder, spot.name);
  const aside = pathAt(spot.folder, asideName(path));
  if (!isStill(spot, now) || isThere(aside)) return changedSince;
  renameSync(real, aside);
  try {
    mkdirSync(real, openPermissions(target));
    setPermissions(spot, openPermissions(target));
    fsyncSync(spot.folder.fd);
  } catch (error) {
    if (isThere(real)) return fail("stale", `something came in its place: see ${asideName(path)}`);
    renameSync(aside, real);
    throw error;
  }
  unlinkSync(aside);
  fsyncSync(spot.folder.fd);
  return ok();
}

/** Ends what a crash left between the two: what waits aside goes back, or goes for good. */
export async function settleAside(
  workspace: Workspace,
  { path, before }: PathChange,
): Promise<Result<void>> {
  const aside = below(folderOf(path), asideName(path));
  const old = await presentAt(workspace, aside);
  if (!old.ok || old.value.state !== before) return ok();
  const now = await presentAt(workspace, path);
  if (!now.ok) return now;
  return await at(workspace, aside, {}, async (spot) => {
    const waits = pathAt(spot.folder, spot.name);
    if (!isStill(spot, old.value)) return changedSince;
    const entry = entryOf(now.value.state);
    if (entry === null)
      renameSync(waits, pathAt(spot.folder, path.slice(path.lastIndexOf("/") + 1)));
    else if (kindOf(entry) === "folder") unlinkSync(waits);
    fsyncSync(spot.folder.fd);
    return ok();
  });
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

function discard(spot: Spot): void {
  try {
    unlinkSync(pathAt(spot.folder, spot.name));
  } catch (error) {
    // It has its place.
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
