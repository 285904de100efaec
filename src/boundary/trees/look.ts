// Looks at all files of a workspace and says what is another than at the last look. A folder that
// did not change is not listed again, and a file that did not change need not be read again. What
// changed a moment before it was looked at counts as changed the next time, too.
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { codeOf, readSmall } from "#boundary/beneath.ts";
import { passedOver } from "#boundary/drafts.ts";
import {
  isIgnoredBy,
  isSameRules,
  noRules,
  RULES_BYTES_MAX,
  RULES_FILE,
  type Rules,
  withRules,
} from "#boundary/trees/ignored.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { type Entry, type LeftReason, leftEntry } from "#core/tree/entry.ts";
import { CACHE_TAG, fileLeft, folderLeft, nameLeft } from "#core/tree/kept.ts";

/** Files and folders of a workspace; one with more is better opened at one of its parts. */
const ENTRIES_MAX = 1_000_000;
/** How long a look keeps the thread before it lets others run, in milliseconds. */
const SLICE_MS = 10;
/**
 * A second change shortly after the first may fall into the same tick of the file system's clock:
 * 10 ms at most on Linux's own (the kernel's jiffy).
 */
const RACY_MS = 50;

/** What tells whether a file is still the one that was read. */
export type Mark = { ino: number; bytes: number; modifiedMs: number; changedMs: number };

export type KnownFile = {
  mark: Mark;
  /** When the file system says that it was changed. */
  statMs: number;
  mode: number;
  ignored: boolean;
  /** Null until its content was read and kept. */
  entry: Entry | null;
};

export type KnownFolder = {
  ino: number;
  dev: number;
  mode: number;
  /** Time of the last change of its names; -1 where they have to be listed again. */
  changedMs: number;
  ignored: boolean;
  rules: Rules;
  files: Map<string, KnownFile>;
  folders: Map<string, { ignored: boolean }>;
  /** Folders and names that are not looked into. */
  left: Map<string, LeftReason>;
  /** The id of its tree; null until it is made. */
  tree: string | null;
};

/** What is known of a workspace, by folder, `.` for the root. */
export type Known = Map<string, KnownFolder>;

export const markOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): Mark => ({
  ino,
  bytes: size,
  modifiedMs: mtimeMs,
  changedMs: ctimeMs,
});

const isSameMark = (a: Mark, b: Mark): boolean =>
  a.ino === b.ino &&
  a.bytes === b.bytes &&
  a.modifiedMs === b.modifiedMs &&
  a.changedMs === b.changedMs;

/** A mark that may be trusted later; else one that equals no file's. */
export const settled = (mark: Mark, nowMs: number): Mark =>
  nowMs - mark.changedMs > RACY_MS ? mark : { ...mark, changedMs: -1 };

/** Looks at everything below `root`. Files whose `entry` is null are to be read. */
export async function look(
  root: string,
  known: Known,
  signal: AbortSignal,
): Promise<Result<Known>> {
  const seen: Known = new Map();
  const slice = sliced(signal);
  const todo = [{ path: ".", rules: noRules, ignored: false }];
  let entries = 0;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const folder = await lookInto({ root, known: known.get(at.path), slice, ...at });
    if (signal.aborted) return fail("cancelled", "the look at the files was called off");
    if (folder === null) continue;
    if (at.path === "." && isUnreadable(folder)) return notReadable(root);
    seen.set(at.path, folder);
    entries += folder.files.size + folder.folders.size + folder.left.size;
    if (entries > ENTRIES_MAX) return tooMany(root);
    for (const [name, { ignored }] of folder.folders) {
      todo.push({ path: below(at.path, name), rules: folder.rules, ignored });
    }
  }
  return seen.has(".") ? ok(seen) : fail("not_found", `${root} is gone`);
}

const tooMany = (root: string) =>
  fail("too_large", `${root} has more than ${ENTRIES_MAX} files and folders`, {
    fix: "open one of its parts instead, or add what can be made again to .gitignore",
  });

const notReadable = (root: string) =>
  fail("denied", `${root} cannot be read`, { fix: "make it readable, or open another folder" });

export const below = (folder: string, name: string): string =>
  folder === "." ? name : `${folder}/${name}`;

/** Lets others run now and then; answers at once otherwise. */
export function sliced(signal: AbortSignal): () => Promise<void> | null {
  let until = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < until || signal.aborted) return null;
    return new Promise((resolve) => {
      setImmediate(() => {
        until = performance.now() + SLICE_MS;
        resolve();
      });
    });
  };
}

type Visit = {
  root: string;
  path: string;
  known: KnownFolder | undefined;
  /** The rules above it. */
  rules: Rules;
  ignored: boolean;
  slice: () => Promise<void> | null;
};

async function lookInto(visit: Visit): Promise<KnownFolder | null> {
  const real = visit.path === "." ? visit.root : `${visit.root}/${visit.path}`;
  const stats = statsAt(real);
  if (stats === UNREADABLE) return unreadable(visit);
  if (!stats?.isDirectory()) return null;
  const { known, slice } = visit;
  const isListed = known?.ino === stats.ino && known.dev === stats.dev;
  const isSameList = isListed && known.changedMs === stats.ctimeMs;
  const rules = rulesIn(visit, real, isSameList);
  const isSameJudgement =
    isSameList && known.ignored === visit.ignored && isSameRules(known.rules, rules);
  const names = isSameJudgement ? known : judged(visit, { real, rules });
  if (names === null) return null;
  if (names === UNREADABLE) return unreadable(visit);
  let isSame = isSameJudgement && known.mode === stats.mode;
  const files = new Map<string, KnownFile>();
  for (const [name, file] of names.files) {
    const found = statsAt(`${real}/${name}`);
    // It can be listed and not entered: what is in it is not known, and is not gone.
    if (found === UNREADABLE) return unreadable(visit);
    const before = known?.files.get(name);
    // Turned into a folder since it was listed: the next look lists it again.
    const fresh = found && !found.isDirectory() ? fileOf(found, file.ignored, before) : null;
    if (fresh !== before) isSame = false;
    if (fresh) files.set(name, fresh);
    const pause = slice();
    if (pause) await pause;
  }
  if (isSame && files.size === known?.files.size) return known;
  const { ino, dev, mode } = stats;
  const changedMs = settled(markOf(stats), Date.now()).changedMs;
  const { folders, left } = names;
  return {
    ino,
    dev,
    mode,
    changedMs,
    ignored: visit.ignored,
    rules,
    files,
    folders,
    left,
    tree: null,
  };
}

/** What is known of a folder that cannot be looked into: only that, until the next look. */
function unreadable({ ignored, rules }: Visit): KnownFolder {
  const left = new Map<string, LeftReason>([[".", "not readable"]]);
  const names = { files: new Map(), folders: new Map(), left };
  return { ino: 0, dev: 0, mode: 0, changedMs: -1, ignored, rules, ...names, tree: null };
}

/** Whether a folder could not be looked into: an empty tree would say that nothing is in it. */
export const isUnreadable = ({ left }: KnownFolder): boolean => left.has(".");

/** The rules of a folder: its own file is read again where it is not the one that was read. */
function rulesIn({ path, known, rules }: Visit, real: string, isSameList: boolean): Rules {
  if (isSameList && !known?.files.has(RULES_FILE)) return withRules(rules, path, null);
  const own = known?.rules.at(-1);
  const before = known?.files.get(RULES_FILE);
  const now = lookAt(`${real}/${RULES_FILE}`);
  if (!now?.isFile()) return rules;
  if (own?.folder === path && before && isSameMark(before.mark, markOf(now))) {
    const same = isSameRules(known?.rules.slice(0, -1) ?? noRules, rules);
    return same && known ? known.rules : [...rules, own];
  }
  const bytes = readSmall(`${real}/${RULES_FILE}`, RULES_BYTES_MAX);
  return withRules(rules, path, bytes && Buffer.from(bytes).toString());
}

type Names = Pick<KnownFolder, "folders" | "left"> & { files: Map<string, { ignored: boolean }> };

/** The names of a folder, each judged; null where it is gone. */
function judged(
  visit: Visit,
  { real, rules }: { real: string; rules: Rules },
): Names | null | typeof UNREADABLE {
  const names: Names = { files: new Map(), folders: new Map(), left: new Map() };
  const entries = seen(() => readdirSync(real, { withFileTypes: true }));
  if (entries === null || entries === UNREADABLE) return entries;
  for (const entry of entries) {
    const { name } = entry;
    if (passedOver(real, name)) continue;
    if (name.includes("\ufffd")) {
      names.left.set(name, "a name that is not UTF-8");
      continue;
    }
    const isFolder = entry.isDirectory();
    const path = below(visit.path, name);
    const ignored = visit.ignored || isIgnoredBy(rules, path, { folder: isFolder });
    const left = isFolder ? whyLeft(`${real}/${name}`, name, ignored) : nameLeft(name);
    if (left) names.left.set(name, left);
    else (isFolder ? names.folders : names.files).set(name, { ignored });
  }
  return names;
}

/** A folder may say of itself that it is a cache; that counts where the project ignores it, too. */
function whyLeft(real: string, name: string, ignored: boolean): LeftReason | null {
  const why = folderLeft(name, { ignored });
  if (why || !ignored) return why;
  return lookAt(`${real}/${CACHE_TAG}`) ? "build output" : null;
}

/** The same value as before where the file is still the one that was read. */
function fileOf(stats: Stats, ignored: boolean, before: KnownFile | undefined): KnownFile {
  const mark = markOf(stats);
  const { mode } = stats;
  const isSame =
    before !== undefined &&
    before.ignored === ignored &&
    before.mode === mode &&
    before.entry !== null &&
    isSameMark(before.mark, mark);
  if (isSame) return before;
  const isHeld = stats.isFile() || stats.isSymbolicLink();
  const why = isHeld ? fileLeft(stats.size, { ignored }) : "neither a file nor a folder";
  return { mark, statMs: stats.ctimeMs, mode, ignored, entry: why && leftEntry(why) };
}

/** What the system does not show, though it is there. */
const UNREADABLE = "unreadable";
/** What the system says of a path where nothing is. */
const NOTHING = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

function seen<T>(look: () => T): T | null | typeof UNREADABLE {
  try {
    return look();
  } catch (error) {
    const code = codeOf(error);
    if (code === "") throw error;
    return NOTHING.has(code) ? null : UNREADABLE;
  }
}

const statsAt = (path: string): Stats | null | typeof UNREADABLE =>
  seen(() => lstatSync(path, { throwIfNoEntry: false }) ?? null);

function lookAt(path: string): Stats | null {
  const stats = statsAt(path);
  return stats === UNREADABLE ? null : stats;
}
