// The store of what trees are made of: objects by the hash of their content, as git names them in a
// repository of format sha256. Promises, proved for every adapter by contract.ts:
// - `put` answers only when the objects would survive a power cut, so that an event may name them;
// - `get` answers the bytes that were put, by id, or fails: `not_found`, or `corrupt` where what is
//   kept is not what the id says; it never answers other bytes;
// - `sizes` answers the bytes of each object that is there, and nothing of what is missing; it opens
//   none, so that a damaged one may be among them;
// - `sweep` removes what neither `roots` nor the trees below them name, and nothing else; a root
//   that is not in the store is passed over;
// - `check` names what is damaged, and is empty where nothing is.
import type { Result } from "#core/failure.ts";
import type { LeftReason, PathChange, PathState } from "#core/tree/entry.ts";
import type { LeftPath } from "#core/tree/undo.ts";

export type ObjectType = "blob" | "tree";
export type StoredObject = { id: string; type: ObjectType; bytes: Uint8Array };

export type Objects = {
  put(objects: readonly StoredObject[]): Promise<Result<void>>;
  get(ids: readonly string[]): Promise<Result<Map<string, Uint8Array>>>;
  sizes(ids: readonly string[]): Promise<Result<Map<string, number>>>;
  sweep(roots: readonly string[], signal: AbortSignal): Promise<Result<Sizes>>;
  check(signal: AbortSignal): Promise<Result<string[]>>;
  /** Whether a sweep would make it quicker. */
  isCluttered(): Promise<boolean>;
};

/** Bytes that the store takes on disk, before a sweep and after it. */
export type Sizes = { before: number; after: number };

/** How far a long recording is: files read, of how many. */
export type Progress = (done: number, of: number) => void;

/**
 * Who is about to write: what it is called, the paths it may change (null: any), and the tool call
 * that it belongs to.
 */
export type Writing = { title: string; paths: readonly string[] | null; call?: string };

/** The tree before somebody wrote, and when they did: milliseconds since 1970. */
export type Wrote = { before: string; from: number; to: number };

/** What a writer left, and what others wrote meanwhile. */
export type Written = {
  tree: string;
  changes: readonly PathChange[];
  /** Paths that others changed: by edits that name them, or before or after the writer ran. */
  theirs: readonly string[];
  /** Titles of what else ran in that time and could change any path, also where nothing changed. */
  besides: readonly string[];
};

/** The trees of one location. */
export type Trees = {
  /** Records the workspace as it is now; answers the id of its tree once that is durable. */
  record(signal: AbortSignal, progress?: Progress): Promise<Result<string>>;
  /** The same, before somebody writes. */
  before(
    writing: Writing,
    signal: AbortSignal,
    progress?: Progress,
  ): Promise<Result<{ tree: string; writer: string }>>;
  /** From now on the writer may write. One that never does is beside nobody. */
  began(writer: string): void;
  /** Ends a writer without a look at what it left. */
  dropped(writer: string): void;
  /** Records what a writer left. Ends it also where the recording fails. */
  after(writer: string, wrote: Wrote, signal: AbortSignal): Promise<Result<Written>>;
  /** What the last recording left out, and why. */
  leftOut(): readonly { path: string; why: LeftReason }[];
  /**
   * What is installed (folders of dependencies, of which no tree holds the files), each with a mark
   * that is another whenever a file in it is: by its names, sizes and times. Caches in them are
   * left out. Of the state of the last recording.
   */
  installed(signal: AbortSignal): Promise<Result<{ path: string; mark: string }[]>>;
  /**
   * Somebody writes who is not waited for; ends by a call of what it answers. That says what else
   * ran meanwhile and could change any path, besides the call that it belongs to.
   */
  writing(writing: Writing): () => readonly string[];
  /** Every path that is another in `after`, sorted; null is a tree without anything. */
  changes(before: string | null, after: string | null): Promise<Result<PathChange[]>>;
  /** What each path is in a tree. */
  states(tree: string, paths: readonly string[]): Promise<Result<Map<string, PathState>>>;
  /** How many bytes files and links have, by the ids of their states; what is missing is left out. */
  sizes(ids: readonly string[]): Promise<Result<Map<string, number>>>;
  /**
   * The bytes of files and links, by the ids of their states; what is missing or damaged is left
   * out. All are in memory at once: whoever asks looks at their sizes first.
   */
  contents(ids: readonly string[]): Promise<Result<Map<string, Uint8Array>>>;
  /**
   * Makes changes in the workspace. Each is made only where its path is what `before` says, at the
   * very moment; what is not, and what has no whole content in the store, is left as it is and
   * named. Fails only where the disk is full or the store as a whole does not answer; to make the
   * same changes again then goes on.
   */
  apply(
    changes: readonly PathChange[],
    signal: AbortSignal,
  ): Promise<Result<{ done: PathChange[]; left: LeftPath[] }>>;
  /** Writes the files of a tree into a new or empty folder outside the workspace. */
  copyTo(tree: string, folder: string, signal: AbortSignal): Promise<Result<{ left: LeftPath[] }>>;
  /** Drops what no root names and nobody recorded within the hour, and packs the rest anew. */
  sweep(roots: readonly string[], signal: AbortSignal): Promise<Result<Sizes>>;
  /** What is damaged; empty where nothing is. */
  check(signal: AbortSignal): Promise<Result<string[]>>;
  /** Whether a sweep would make it quicker. */
  isCluttered(): Promise<boolean>;
  /** Keeps what makes the next recording quick. */
  close(): Promise<void>;
};
