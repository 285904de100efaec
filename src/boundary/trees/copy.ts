// Writes the files of a tree into a folder of their own.
import { mkdirSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { codeOf, failureOf } from "#boundary/beneath.ts";
import { applyChanges } from "#boundary/trees/apply.ts";
import { changesBetween } from "#boundary/trees/compare.ts";
import type { Objects } from "#boundary/trees/port.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { isInside } from "#core/security/paths.ts";
import { type LeftPath, leftIn } from "#core/tree/undo.ts";

export async function copyTo(
  objects: Objects,
  asked: {
    tree: string;
    /** The workspace that the tree is of. */
    root: string;
    into: string;
    open: (folder: string) => Result<Workspace>;
    signal: AbortSignal;
  },
): Promise<Result<{ left: LeftPath[] }>> {
  const { tree, root, into, open, signal } = asked;
  const changes = await changesBetween(objects, null, tree);
  if (!changes.ok) return changes;
  const folder = emptyFolder(resolve(into), root);
  if (!folder.ok) return folder;
  const workspace = open(folder.value);
  if (!workspace.ok) return workspace;
  const held = changes.value.filter(({ after }) => leftIn(after) === null);
  const applied = await applyChanges(workspace.value, objects, { changes: held, signal });
  return applied.ok ? ok({ left: applied.value.left }) : applied;
}

/** Made where it is missing, and not before it is known to be outside. */
function emptyFolder(path: string, root: string): Result<string> {
  try {
    if (isInside(root, realPathOf(path))) return isWithinItself(path, root);
    mkdirSync(path, { recursive: true });
    const real = realpathSync(path);
    // A link that came meanwhile, or whose end was missing before.
    if (isInside(root, real)) return isWithinItself(path, root);
    return readdirSync(real).length === 0
      ? ok(real)
      : fail("bad_input", `${path} is not empty`, { fix: "name a new or an empty folder" });
  } catch (error) {
    return failureOf(error, path);
  }
}

const isWithinItself = (path: string, root: string) =>
  fail("bad_input", `${path} is inside the folder it would be a copy of`, {
    fix: `name one outside, as ${dirname(root)}/…`,
  });

/** Where a path leads, or would lead once its missing folders are made. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    return join(realPathOf(dirname(path)), basename(path));
  }
}
