// What a command in the sandbox sees, as a list of mounts laid over a read-only view of the whole
// file system; a later one covers an earlier one. Pure: the list in, bubblewrap's arguments out.
import { isInside } from "#core/security/paths.ts";

export type Mount =
  /** Visible and read-only; `from` is what is shown there, by default the path itself. */
  | { kind: "read"; path: string; from?: string }
  | { kind: "write"; path: string; from?: string }
  /** An empty folder in memory, which may be written and is gone afterwards. */
  | { kind: "empty"; path: string };

/** The arguments for bubblewrap, without those of the command. */
export function mountArguments(mounts: readonly Mount[]): string[] {
  return mounts.flatMap((mount) => {
    if (mount.kind === "empty") return ["--tmpfs", mount.path];
    const from = mount.from ?? mount.path;
    // What vanished since it was listed need not be covered any more.
    return [mount.kind === "write" ? "--bind" : "--ro-bind-try", from, mount.path];
  });
}

/** Whether what the host has at an absolute path can be seen under these mounts. */
export function isVisible(mounts: readonly Mount[], path: string): boolean {
  const covering = mounts.findLast((mount) => isInside(mount.path, path));
  if (covering === undefined) return true;
  return covering.kind !== "empty" && (covering.from ?? covering.path) === covering.path;
}
