// What a command in the sandbox sees, as a list of mounts laid over a read-only view of the whole
// file system; a later one covers an earlier one. Pure: the list in, bubblewrap's arguments out.
import { isInside } from "#core/security/paths.ts";

export type Mount =
  /**
   * Visible, read-only or writable. `from` is what is shown there, by default the path itself;
   * `held` is a descriptor of it, where the way to it could be changed meanwhile.
   */
  | { kind: "read" | "write"; path: string; from?: string; held?: number }
  /** An empty folder in memory, which may be written and is gone afterwards. */
  | { kind: "empty"; path: string };

/**
 * The arguments for bubblewrap, without those of the command. `numberOf` says under which number
 * the program gets a held descriptor.
 */
export function mountArguments(
  mounts: readonly Mount[],
  numberOf: (held: number) => number,
): string[] {
  return mounts.flatMap((mount) => {
    if (mount.kind === "empty") return ["--tmpfs", mount.path];
    const { kind, path, from = path, held } = mount;
    if (held !== undefined) {
      return [kind === "write" ? "--bind-fd" : "--ro-bind-fd", String(numberOf(held)), path];
    }
    // What vanished since it was listed need not be covered any more.
    return [kind === "write" ? "--bind" : "--ro-bind-try", from, path];
  });
}

/** Whether what the host has at an absolute path can be seen under these mounts. */
export function isVisible(mounts: readonly Mount[], path: string): boolean {
  const covering = mounts.findLast((mount) => isInside(mount.path, path));
  if (covering === undefined) return true;
  return covering.kind !== "empty" && (covering.from ?? covering.path) === covering.path;
}
