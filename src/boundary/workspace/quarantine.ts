// Takes what a command wrote at a protected path out of the workspace, and puts back what was
// there. Nothing is lost: what was taken out is kept in a private folder, under its own path.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beneath, codeOf, pathAt } from "#boundary/beneath.ts";
import { ok, type Result } from "#core/failure.ts";

/** What a protected path was before a command ran; a folder by its files, under their own paths. */
export type Snapshot =
  | { kind: "file"; bytes: Uint8Array; mode: number }
  | { kind: "link"; target: string }
  | { kind: "folder"; files: ReadonlyMap<string, Snapshot> };

/**
 * Moves a path of the workspace, whatever it is, to the same path below `into`. Where that cannot
 * be done (a full disk), it gets another name in its own folder, which nobody obeys.
 */
export function moveAside(root: string, path: string, into: string): Promise<Result<void>> {
  return beneath(root, path, { links: "last" }, async ({ folder, name }) => {
    const from = pathAt(folder, name);
    try {
      moveTo(from, join(into, path));
    } catch (error) {
      if (codeOf(error) === "" || codeOf(error) === "ENOENT") throw error;
      renameSync(from, pathAt(folder, `quarantined-${randomBytes(4).toString("hex")}`));
    }
    return ok();
  });
}

function moveTo(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "EXDEV") throw error;
    cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: isKept });
    rmSync(from, { recursive: true, force: true });
  }
}

/** Links are kept as links; pipes, sockets and devices hold nothing to keep. */
function isKept(path: string): boolean {
  const found = lstatSync(path);
  return found.isFile() || found.isDirectory() || found.isSymbolicLink();
}

/** Writes a path as it was; what is there now must have been moved aside. */
export async function putBack(
  root: string,
  path: string,
  snapshot: Snapshot,
): Promise<Result<void>> {
  if (snapshot.kind === "folder") {
    for (const [below, file] of snapshot.files) {
      const done = await putBack(root, below, file);
      if (!done.ok) return done;
    }
    return ok();
  }
  return beneath(root, path, { links: "last", makeFolders: true }, async (spot) => {
    const at = pathAt(spot.folder, spot.name);
    if (snapshot.kind === "link") symlinkSync(snapshot.target, at);
    else {
      writeFileSync(at, snapshot.bytes, { flag: "wx", mode: 0o600 });
      chmodSync(at, snapshot.mode & 0o777);
    }
    return ok();
  });
}
