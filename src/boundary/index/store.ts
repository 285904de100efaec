// The index of a workspace on disk: segments with their postings, the contents that are in them by
// hash, and which content lies under which path of which folder. Contents are shared by branches and
// worktrees. It can be made anew at any time, so a lost write costs time and nothing else; each
// transaction leaves an index that is whole for the files it holds.
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fail, ok, type Result } from "#core/failure.ts";

/** Raised whenever what is stored, or how files are cut and read, becomes another. */
export const INDEX_VERSION = 4;
/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_MS = 15_000;

const schema = `
CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  chunks INTEGER NOT NULL,
  lengths BLOB NOT NULL
) STRICT;
CREATE TABLE postings (
  segment INTEGER NOT NULL,
  term TEXT NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (segment, term)
) STRICT, WITHOUT ROWID;
CREATE TABLE contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL,
  language TEXT NOT NULL,
  segment INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  detail TEXT NOT NULL,
  UNIQUE (hash, language)
) STRICT;
CREATE TABLE files (
  root TEXT NOT NULL,
  path TEXT NOT NULL,
  mark TEXT NOT NULL,
  content INTEGER,
  PRIMARY KEY (root, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE commits (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  segment INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  files TEXT NOT NULL
) STRICT;
CREATE INDEX files_content ON files (content);
CREATE TABLE looks (
  root TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  head TEXT NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${INDEX_VERSION};
`;

/** Opens the index; one that is damaged, or of another version, is begun anew. */
export function openIndex(file: string): Result<DatabaseSync> {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    try {
      return ok(opened(file));
    } catch (error) {
      // Whatever else is wrong (no room, too many files) is no reason to take it from others.
      if (!isDamaged(error)) throw error;
      removeIndex(file);
      return ok(opened(file));
    }
  } catch (error) {
    return fail("storage", `the index ${file} cannot be opened: ${String(error)}`, {
      fix: "see that its folder can be written and the disk has room",
    });
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html), or a version that is not this one. */
function isDamaged(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 255 : 0;
  return code === 11 || code === 26 || String(error).includes(OTHER_VERSION);
}

const OTHER_VERSION = "the index is of another version";

/** Removes everything that is in an index. */
export function emptied(db: DatabaseSync): void {
  const tables = ["segments", "postings", "contents", "files", "commits", "looks"];
  transaction(db, () => {
    for (const table of tables) db.exec(`DELETE FROM ${table}`);
  });
}

/** Removes the files of an index. */
export function removeIndex(file: string): void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true });
}

function opened(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    if (versionOf(db) === INDEX_VERSION) return db;
    db.exec("BEGIN IMMEDIATE");
    // Another process may have made it while this one waited.
    const version = versionOf(db);
    if (version === 0) db.exec(schema);
    db.exec("COMMIT");
    if (version !== 0 && version !== INDEX_VERSION) throw new Error(OTHER_VERSION);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const versionOf = (db: DatabaseSync): number =>
  Number(db.prepare("PRAGMA user_version").get()?.user_version ?? 0);

/** Runs in one transaction, taken for writing from its beginning. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const done = work();
    db.exec("COMMIT");
    return done;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
