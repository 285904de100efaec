// What is at a path of a workspace at this very moment, said as a tree says it.
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { type BeneathOptions, beneath, pathAt, type Spot } from "#boundary/beneath.ts";
import { sha256 } from "#boundary/digest.ts";
import { idOf } from "#boundary/trees/objects.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { ok, type Result } from "#core/failure.ts";
import { ABSENT, folderMode, linkMode, type PathState, stateOf } from "#core/tree/entry.ts";
import { FILE_BYTES_MAX } from "#core/tree/kept.ts";

/** A state, a file's plain hash, and what tells whether it is still that. */
export type Present = { state: PathState; hash: string; stats: Stats | null };

const absent: Present = { state: ABSENT, hash: ABSENT, stats: null };

export async function presentAt(workspace: Workspace, path: string): Promise<Result<Present>> {
  const found = await at(workspace, path, {}, async (spot) => ok(lookAt(spot)));
  if (!found.ok) return found.error.code === "not_found" ? ok(absent) : found;
  const stats = found.value;
  if (stats === null) return ok(absent);
  if (stats.isDirectory()) {
    const state = stateOf({ mode: folderMode(stats.mode), id: "" });
    return ok({ state, hash: ABSENT, stats });
  }
  if (stats.isSymbolicLink()) {
    const target = await at(workspace, path, {}, async (spot) =>
      ok(readlinkSync(pathAt(spot.folder, spot.name), { encoding: "buffer" })),
    );
    if (!target.ok) return target;
    const state = stateOf({ mode: linkMode, id: idOf("blob", target.value) });
    return ok({ state, hash: ABSENT, stats });
  }
  const bytes = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
  if (!bytes.ok) return bytes;
  const mode = 0o100000 | (stats.mode & 0o777);
  const state = stateOf({ mode, id: idOf("blob", bytes.value) });
  return ok({ state, hash: sha256(bytes.value), stats });
}

/** Whether a path still is what was found there; synchronous, to be asked right before a change. */
export function isStill(spot: Spot, { stats }: Present): boolean {
  const now = lookAt(spot);
  if (now === null || stats === null) return now === stats;
  const isSame = now.ino === stats.ino && now.dev === stats.dev && now.mode === stats.mode;
  // What comes and goes in a folder makes it no other one.
  if (stats.isDirectory()) return isSame;
  return isSame && now.size === stats.size && now.ctimeMs === stats.ctimeMs;
}

const lookAt = (spot: Spot): Stats | null =>
  lstatSync(pathAt(spot.folder, spot.name), { throwIfNoEntry: false }) ?? null;

/** Reaches a path without following a link, not even at its end. */
export const at = <T>(
  workspace: Workspace,
  path: string,
  options: Omit<BeneathOptions, "links">,
  use: (spot: Spot) => Promise<Result<T>>,
): Promise<Result<T>> => beneath(workspace.root, path, { links: "last", ...options }, use);
