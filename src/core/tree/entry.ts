// What one name in a tree is. A tree is kept as git keeps one (gitformat-pack, "tree objects"): so
// git itself can pack, check and show it. Where git has room, more is kept: all nine permission
// bits, folders with nothing in them, and the names of what was left out.

/** The kind of a name, in the upper bits of its mode as in `st_mode`. */
const KIND = 0o170000;
const FILE = 0o100000;
const LINK = 0o120000;
const FOLDER = 0o040000;
/** Git's mode of a submodule, whose id names nothing in the store: what is there was left out. */
const LEFT = 0o160000;
/** The sticky bit, which git never sets: an ignored file, which never leaves this machine. */
const IGNORED = 0o001000;
/** The same bit of a folder: one with no permissions at all, which would look like a usual one. */
const CLOSED = 0o001000;

/** `id` names the content: of a file its bytes, of a link its target, of a folder its tree. */
export type Entry = { mode: number; id: string };

export type EntryKind = "file" | "link" | "folder" | "left";

export function kindOf({ mode }: Pick<Entry, "mode">): EntryKind {
  switch (mode & KIND) {
    case FOLDER:
      return "folder";
    case LINK:
      return "link";
    case LEFT:
      return "left";
    default:
      return "file";
  }
}

export const permissionsOf = ({ mode }: Pick<Entry, "mode">): number => mode & 0o777;

export const fileMode = (permissions: number, { ignored }: { ignored: boolean }): number =>
  FILE | (permissions & 0o777) | (ignored ? IGNORED : 0);
export const linkMode = LINK;
/** The usual permissions of a folder are written as git writes every folder: none. */
export function folderMode(permissions: number): number {
  const own = permissions & 0o777;
  return FOLDER | (own === 0o755 ? 0 : own || CLOSED);
}

export const folderPermissions = ({ mode }: Pick<Entry, "mode">): number =>
  (mode & CLOSED) === 0 ? permissionsOf({ mode }) || 0o755 : 0;

/** Why something is in the workspace and not in its tree. The order is kept in trees: append only. */
export const leftReasons = [
  "repository data",
  "dependencies",
  "build output",
  "ignored and large",
  "large",
  "neither a file nor a folder",
  "not readable",
  "a name that is not UTF-8",
] as const;
export type LeftReason = (typeof leftReasons)[number];

/** The entry of what was left out: its id tells why. */
export function leftEntry(why: LeftReason): Entry {
  const number = (leftReasons.indexOf(why) + 1).toString(16).padStart(2, "0");
  return { mode: LEFT, id: number.padEnd(64, "0") };
}

export const reasonOf = ({ id }: Pick<Entry, "id">): LeftReason =>
  leftReasons[Number.parseInt(id.slice(0, 2), 16) - 1] ?? "not readable";

/**
 * What is at a path, as one word of the log: `absent`, or mode in octal and id (`100644 <id>`). A
 * folder's id is left away: what is in it has paths of its own. Whether a file is ignored is left
 * away too: it is the same file.
 */
export type PathState = string;
export const ABSENT: PathState = "absent";

export const stateOf = (entry: Entry | null): PathState => {
  if (entry === null) return ABSENT;
  const isFile = kindOf(entry) === "file";
  const mode = (isFile ? entry.mode & ~IGNORED : entry.mode).toString(8).padStart(6, "0");
  return kindOf(entry) === "folder" ? mode : `${mode} ${entry.id}`;
};

/** The entry that a state names; null for `absent`. */
export function entryOf(state: PathState): Entry | null {
  if (state === ABSENT) return null;
  const [mode = "", id = ""] = state.split(" ");
  return { mode: Number.parseInt(mode, 8), id };
}

/** One path that is another in two trees. Folders are named only where they come, go or change. */
export type PathChange = { path: string; before: PathState; after: PathState };

/** The id of the content that a state names; null for a folder, and where nothing is kept. */
export function contentOf(state: PathState): string | null {
  const entry = entryOf(state);
  return entry !== null && ["file", "link"].includes(kindOf(entry)) ? entry.id : null;
}
