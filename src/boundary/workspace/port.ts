// The files of one location. Its promises, proved for every adapter by contract.ts:
// - a path is text relative to the root, or absolute and inside it; it is never percent-decoded,
//   and a backslash separates only on Windows; what resolves outside the root fails as `denied`;
// - no component of a path is followed through a link that leads out of the root, also when the
//   link is swapped in while the operation runs;
// - `write` and `remove` compare with `expect` first and fail as `stale` when the file is not in
//   that state; a reader sees the bytes before or the bytes after, never a mixture, and what was
//   acknowledged survives a power cut (temporary file in the same folder, fsync, rename, fsync);
// - modes survive a write; a new file gets 0644 less the umask; whoever names a mode gets that;
// - nothing but regular files and folders is opened: pipes, sockets and devices fail as `denied`;
// - a file is named by the lower-case hex SHA-256 of its bytes.
import type { Result } from "#core/failure.ts";

export type FileKind = "file" | "folder" | "link" | "other";

export type FileStat = { kind: FileKind; bytes: number; mode: number; modifiedMs: number };

export type FolderEntry = { name: string; kind: FileKind };

/** The state a file must be in for a change to be made: a content hash, or `absent`. */
export type Expected = string | "absent";

/** `mode` is the nine permission bits the file gets, as after a move; else a file keeps its own. */
export type WriteOptions = { expect: Expected; mode?: number };

export type Workspace = {
  /** The real path of the root folder. */
  readonly root: string;
  /**
   * The workspace-relative name of a path (`.` for the root, `/` between components), or why it is
   * refused. Lexical: nothing is looked up.
   */
  relative(path: string): Result<string>;
  stat(path: string): Promise<Result<FileStat>>;
  /** All bytes of a file, at most `bytesMax`; more fails as `too_large` and says how many. */
  read(path: string, options: { bytesMax: number }): Promise<Result<Uint8Array>>;
  /** The hash of a file's bytes, `absent` where there is none. */
  hash(path: string): Promise<Result<Expected>>;
  list(path: string): Promise<Result<FolderEntry[]>>;
  /** Makes missing parent folders. Answers the hash of what is there now. */
  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<Result<string>>;
  remove(path: string, options: { expect: string }): Promise<Result<void>>;
};
