// Permissions of folders while a restore works in them: who may not write in a folder can neither
// fill nor empty it. A folder that comes or changes gets its own permissions last, after all that is
// below it; one that only something in it changes is opened for that moment, and a crash just then
// leaves it open for its owner.
import { closeSync, constants, fchmodSync, fstatSync, openSync, type Stats } from "node:fs";
import { pathAt, type Spot } from "#boundary/beneath.ts";
import { folderOf } from "#boundary/trees/known.ts";
import { at } from "#boundary/trees/present.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { ok, type Result } from "#core/failure.ts";
import {
  type Entry,
  folderMode,
  folderPermissions,
  type PathState,
  stateOf,
} from "#core/tree/entry.ts";
import type { LeftPath } from "#core/tree/undo.ts";

/** What its owner needs to list, enter and change a folder. */
const OPEN = 0o700;
/** What its owner needs to change one that is listed. */
const WRITABLE = 0o300;

/** What a folder has while it is worked in. */
export const openPermissions = (folder: Entry): number => folderPermissions(folder) | OPEN;

/** A folder in that state, which a crash may have left. */
export const openState = (folder: Entry): PathState =>
  stateOf({ mode: folderMode(openPermissions(folder)), id: "" });

/** Gives a folder these permissions; a link in its place fails. */
export function setPermissions(spot: Spot, permissions: number): void {
  inFolder(spot, (fd) => fchmodSync(fd, permissions));
}

function inFolder<T>(spot: Spot, use: (fd: number) => T): T {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const fd = openSync(pathAt(spot.folder, spot.name), flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Gives folders the permissions they end with, deepest first; answers those that could not get them. */
export async function setLast(
  workspace: Workspace,
  folders: ReadonlyMap<string, number>,
): Promise<LeftPath[]> {
  const left: LeftPath[] = [];
  for (const [path, permissions] of [...folders].sort(([a], [b]) => (a < b ? 1 : -1))) {
    const set = await at(workspace, path, {}, async (spot) => {
      setPermissions(spot, permissions);
      return ok();
    });
    if (!set.ok) left.push({ path, why: `its permissions stay: ${set.error.say}` });
  }
  return left;
}

/** Does something to a path, in a folder that is opened for it where that is ours and closed. */
export async function inOpened<T>(
  workspace: Workspace,
  path: string,
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const user = process.geteuid?.() ?? 0;
  // Nothing is closed to root.
  if (user === 0) return await work();
  const folder = folderOf(path);
  const closed = await at(workspace, folder, {}, async (spot) => ok(opened(spot, user)));
  if (!closed.ok || closed.value === null) return await work();
  const { mode } = closed.value;
  try {
    return await work();
  } finally {
    await at(workspace, folder, {}, async (spot) => {
      setPermissions(spot, mode & 0o7777);
      return ok();
    });
  }
}

/** Opens a folder; answers what it was, null where it did not have to be. */
function opened(spot: Spot, user: number): Stats | null {
  return inFolder(spot, (fd) => {
    const stats = fstatSync(fd);
    if ((stats.mode & WRITABLE) === WRITABLE || stats.uid !== user) return null;
    fchmodSync(fd, (stats.mode & 0o7777) | OPEN);
    return stats;
  });
}
