// What a protected path is at a moment: enough to tell later whether it is still the same, to put
// it back, and to find the other names under which its bytes could be written.
import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { relative } from "node:path";
import { codeOf, readSmall } from "#boundary/beneath.ts";
import type { Snapshot } from "#boundary/workspace/quarantine.ts";
import { isInside } from "#core/security/paths.ts";

/** Entries looked at below one protected folder. */
const ENTRIES_MAX = 2_000;
/** Bytes of a protected file that are kept to put it back; a larger one is only taken away. */
const SNAPSHOT_BYTES_MAX = 256 * 1024;
/** The same for all files of a protected folder. */
const FOLDER_BYTES_MAX = 4 * SNAPSHOT_BYTES_MAX;

export type Survey = {
  /** The object itself, whatever it holds: device, inode, time of birth. */
  object: string;
  /** The object and all below it, with sizes and times of change. */
  content: string;
  snapshot: Snapshot | null;
  /** Workspace-relative files below it that have a second name somewhere. */
  linked: string[];
  /** Workspace-relative paths outside it that it leads to by links. */
  targets: string[];
};

/** Surveys a workspace-relative path; null where there is nothing. */
export function survey(root: string, path: string): Survey | null {
  const stats = look(`${root}/${path}`);
  if (stats === null) return null;
  const linked: string[] = [];
  const targets: string[] = [];
  const marks: string[] = [];
  const todo = [path];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const found = name === path ? stats : look(`${root}/${name}`);
    if (found === null) continue;
    marks.push(`${name}\0${objectOf(found)} ${found.size} ${found.ctimeMs}`);
    if (marks.length >= ENTRIES_MAX) break;
    if (found.isFile() && found.nlink > 1) linked.push(name);
    if (found.isSymbolicLink()) targets.push(...targetOf(root, name));
    if (found.isDirectory()) todo.push(...entriesOf(root, name));
  }
  return {
    object: objectOf(stats),
    content: marks.sort().join("\n"),
    snapshot: snapshotOf(`${root}/${path}`, stats),
    linked,
    targets: targets.filter((target) => !isInside(`/${path}`, `/${target}`)),
  };
}

/**
 * What is needed to put a folder back, for one that could not be mounted; null where there is too
 * much of it.
 */
export function folderSnapshot(root: string, path: string): Snapshot | null {
  const files = new Map<string, Snapshot>();
  const todo = [path];
  let bytes = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const found = look(`${root}/${name}`);
    if (found === null) continue;
    if (found.isDirectory()) todo.push(...entriesOf(root, name));
    const snapshot = snapshotOf(`${root}/${name}`, found);
    if (snapshot) files.set(name, snapshot);
    if (snapshot?.kind === "file") bytes += snapshot.bytes.length;
    if (bytes > FOLDER_BYTES_MAX || files.size + todo.length > ENTRIES_MAX) return null;
  }
  return { kind: "folder", files };
}

/** The object at a path, as in `Survey`; null where there is nothing. */
export function objectAt(root: string, path: string): string | null {
  const stats = look(`${root}/${path}`);
  return stats && objectOf(stats);
}

const objectOf = (found: Stats): string =>
  `${found.dev}:${found.ino}:${found.birthtimeMs}:${found.mode & 0o170000}`;

function look(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  }
}

function entriesOf(root: string, path: string): string[] {
  try {
    return readdirSync(`${root}/${path}`).map((name) => `${path}/${name}`);
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return [];
  }
}

/** Where a link leads, if that is inside the workspace and below its root. */
function targetOf(root: string, path: string): string[] {
  try {
    const real = realpathSync(`${root}/${path}`);
    return real !== root && isInside(root, real) ? [relative(root, real)] : [];
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return [];
  }
}

function snapshotOf(path: string, stats: Stats): Snapshot | null {
  if (stats.isFile()) {
    const bytes = readSmall(path, SNAPSHOT_BYTES_MAX);
    return bytes && { kind: "file", bytes, mode: stats.mode & 0o777 };
  }
  if (!stats.isSymbolicLink()) return null;
  try {
    return { kind: "link", target: readlinkSync(path) };
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  }
}
