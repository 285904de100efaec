// Reaching a name below a folder so that no link on the way can lead out of it, also when links are
// swapped in at that moment. On Linux each component is opened through `/proc/self/fd/N/name`,
// which behaves as `openat` does; elsewhere see `stillThere`.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
} from "node:fs";
import { join } from "node:path";
import { assert } from "#core/assert.ts";
import { type Failed, type Failure, fail, ok, type Result } from "#core/failure.ts";
import { quoted } from "#core/security/paths.ts";

/** Links followed on the way to one name: the limit of the Linux kernel. */
const LINKS_MAX = 40;
/** Folders open at once on the way to one name. */
const DEPTH_MAX = 256;

const anchored = process.platform === "linux" && existsSync("/proc/self/fd");

export type OpenFolder = { fd: number; path: string };

/** A name and the open folder it is in; `.` is the folder itself. No link is left on the way. */
export type Spot = {
  folder: OpenFolder;
  name: string;
  /** The root-relative name, with the links worked out. */
  relative: string;
};

export type BeneathOptions = {
  /**
   * `inside` follows links that stay below the root; `none` refuses every link; `last` refuses
   * them on the way and answers a link at the end as itself, to be moved or replaced.
   */
  links: "inside" | "none" | "last";
  /** Makes folders that are missing on the way. */
  makeFolders?: true;
};

/**
 * Calls `use` with the spot of `relative` (as `relativeTo` answers it), and closes whatever was
 * opened for it. What the file system refuses becomes a failure. The last component may still
 * turn into a link, so it is to be opened with `O_NOFOLLOW`.
 */
export async function beneath<T>(
  root: string,
  relative: string,
  options: BeneathOptions,
  use: (spot: Spot) => Promise<Result<T>>,
): Promise<Result<T>> {
  const open: OpenFolder[] = [];
  try {
    open.push(openFolder(root));
    const todo = relative.split("/").reverse();
    const spot = walk({ root, relative, options, open, todo, trail: [], links: 0 });
    if (!spot.ok) return spot;
    if (!anchored && !stillThere(open)) return movedMeanwhile(relative);
    return await use(spot.value);
  } catch (error) {
    return failureOf(error, relative);
  } finally {
    retreat(open, 0);
  }
}

/** The path by which the system is asked about an entry of an open folder. */
export function pathAt(folder: OpenFolder, name: string): string {
  return anchored ? `/proc/self/fd/${folder.fd}/${name}` : join(folder.path, name);
}

/** The same for the folder itself, for instance to list it. */
export function pathOf(folder: OpenFolder): string {
  return anchored ? `/proc/self/fd/${folder.fd}` : folder.path;
}

/** A walk under way: the folders open so far, their names, and what is left to go. */
type Walk = {
  root: string;
  relative: string;
  options: BeneathOptions;
  open: OpenFolder[];
  trail: string[];
  /** Names still to go, the next one last. */
  todo: string[];
  links: number;
};

function walk(way: Walk): Result<Spot> {
  const { todo, trail, open, relative, options } = way;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      // Only a link's target has these; the open folders are real, so this is the real parent.
      if (trail.length === 0) return leadsOut(relative);
      retreat(open, open.length - 1);
      trail.pop();
      continue;
    }
    const here = last(open);
    const isLast = todo.every((rest) => rest === "" || rest === ".");
    const target = isLast && options.links === "last" ? null : linkTarget(pathAt(here, name));
    if (target !== null) {
      const refused = follow(way, target);
      if (refused) return refused;
      continue;
    }
    trail.push(name);
    if (isLast) return ok({ folder: here, name, relative: trail.join("/") });
    if (open.length > DEPTH_MAX) {
      return fail("too_large", `${quoted(relative)} is more than ${DEPTH_MAX} folders deep`);
    }
    open.push(stepInto(here, name, options));
  }
  return ok({ folder: last(open), name: ".", relative: trail.join("/") || "." });
}

/** Puts a link's target before what is left to go; an absolute one starts again at the root. */
function follow(way: Walk, target: string): Failed | null {
  const { root, relative } = way;
  way.links += 1;
  if (way.options.links !== "inside") return isLink(relative);
  if (way.links > LINKS_MAX) return fail("denied", `${quoted(relative)} is a loop of links`);
  if (!target.startsWith("/")) {
    way.todo.push(...target.split("/").reverse());
    return null;
  }
  if (target !== root && !target.startsWith(`${root}/`)) return leadsOut(relative);
  retreat(way.open, 1);
  way.trail.length = 0;
  way.todo.push(...target.slice(root.length).split("/").reverse());
  return null;
}

function last(open: readonly OpenFolder[]): OpenFolder {
  const folder = open.at(-1);
  assert(folder, "the root stays open during a walk");
  return folder;
}

/** Closes all but the first `keep` folders. */
function retreat(open: OpenFolder[], keep: number): void {
  for (const folder of open.splice(keep)) closeSync(folder.fd);
}

function stepInto(here: OpenFolder, name: string, options: BeneathOptions): OpenFolder {
  const path = pathAt(here, name);
  try {
    return { ...openFolder(path), path: join(here.path, name) };
  } catch (error) {
    if (!options.makeFolders || codeOf(error) !== "ENOENT") throw error;
  }
  try {
    mkdirSync(path, 0o755);
    fsyncSync(here.fd);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  return { ...openFolder(path), path: join(here.path, name) };
}

function openFolder(path: string): OpenFolder {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return { fd: openSync(path, flags), path };
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    // Not a link, or nothing there: what follows finds out which.
    if (["EINVAL", "ENOENT", "ENOTDIR"].includes(codeOf(error))) return null;
    throw error;
  }
}

/**
 * Where nothing behaves like `openat` (macOS), paths are looked up anew by each call, so the chain
 * is compared once more with what was opened, right before it is used. This leaves a moment in
 * which a swap can succeed: best effort, and the sandbox is what holds.
 */
function stillThere(open: readonly OpenFolder[]): boolean {
  return open.every(({ fd, path }) => {
    const held = fstatSync(fd);
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found !== undefined && found.ino === held.ino && found.dev === held.dev;
  });
}

function leadsOut(relative: string) {
  return fail("denied", `${quoted(relative)} leads out of the workspace through a link`, {
    fix: "name a file inside the workspace",
  });
}

function isLink(relative: string) {
  return fail("denied", `${quoted(relative)} is reached through a link`);
}

function movedMeanwhile(relative: string) {
  return fail("denied", `the folders of ${quoted(relative)} were moved meanwhile`, {
    fix: "try again",
  });
}

/**
 * The bytes of a regular file at a path, without following a link at its end and without waiting
 * for a pipe; null for anything else, for more than `bytesMax`, and where it cannot be read.
 */
export function readSmall(path: string, bytesMax: number): Uint8Array | null {
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > bytesMax) return null;
    const bytes = Buffer.alloc(stats.size);
    const got = readSync(fd, bytes, 0, bytes.length, 0);
    return new Uint8Array(bytes.subarray(0, got));
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** A last component that turned into a link between the walk and the opening. */
export function becameLink(path: string): Failed {
  return fail("denied", `${quoted(path)} became a link while it was opened`, { fix: "try again" });
}

/** The system's name of an error, as `ENOENT`; empty for what the system did not say. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** Whether a failure says that there is no room: trying again once there is would do. */
export function isFull({ detail }: Failure): boolean {
  const system = (detail as { system?: string } | undefined)?.system;
  return system === "ENOSPC" || system === "EDQUOT";
}

/** What the file system refused, in our words; anything else is a bug and is thrown on. */
export function failureOf(error: unknown, path: string): Failed {
  const name = quoted(path);
  switch (codeOf(error)) {
    case "ENOENT":
      return fail("not_found", `${name} does not exist`, { fix: "list its folder to see names" });
    case "ENOTDIR":
      return fail("not_found", `a part of ${name} is not a folder`);
    case "ELOOP":
      return becameLink(path);
    case "EROFS":
      return fail("denied", `${name} is in a folder that is mounted read-only (EROFS)`, {
        fix: "say what you would change; the user can make it writable",
      });
    case "EACCES":
    case "EPERM":
    case "EBUSY":
      return fail("denied", `the system refuses access to ${name} (${codeOf(error)})`, {
        fix: "go on without it, or tell the user, who can change its permissions",
      });
    case "EISDIR":
    case "ENOTEMPTY":
      return fail("denied", `${name} is a folder`, { fix: "name a file" });
    case "ENXIO":
    case "ENODEV":
      return fail("denied", `${name} is neither a file nor a folder`);
    case "ENAMETOOLONG":
      return fail("bad_input", `${name} is too long for this file system`);
    case "EEXIST":
      return fail("stale", `${name} came into being meanwhile`, { fix: "read it first" });
    case "":
      throw error;
    default:
      return fail("storage", `the system cannot work on ${name} (${codeOf(error)})`, {
        detail: { system: codeOf(error) },
      });
  }
}

/** Gives a file a name that nothing has yet: linking fails where something has appeared meanwhile. */
export function placeNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // File systems without hard links; the look just before must do there, as a rename replaces.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error)))
      throw error;
    renameSync(from, to);
  }
}
