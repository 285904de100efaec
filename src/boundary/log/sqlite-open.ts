// Opens the database of a node so that several processes can share it and nothing acknowledged is
// lost: every setting is made before the first statement that could need it, and read back.
import { chmodSync, closeSync, mkdirSync, openSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_MS = 15_000;
/** Size to which the write-ahead log is cut back after a checkpoint, in bytes. */
const JOURNAL_BYTES_MAX = 16_777_216;
/** Pages (4 KiB) of log after which SQLite copies them into the database: two syncs each time. */
const CHECKPOINT_PAGES = 4_000;
/** The first SQLite that cannot corrupt a WAL with two connections (sqlite.org/wal.html). */
const SQLITE_MIN = [3, 51, 3] as const;

/** File systems on which locks or fsync do not hold, by the magic number of statfs(2). */
const networkFileSystems: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB2",
  1397113167: "AFS",
  12805120: "Ceph",
};

const SCHEMA_VERSION = 1;

const schema = `
CREATE TABLE records (
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  schema INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  node TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  cause TEXT,
  correlation TEXT,
  bodyHash TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL,
  body BLOB,
  salt TEXT,
  UNIQUE (stream, version)
) STRICT;
CREATE TABLE snapshots (
  stream TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE views (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL
) STRICT;
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens or makes the database. Never leaves one behind that is half made. */
export function openDatabase(file: string): Result<DatabaseSync> {
  try {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const network = networkFileSystems[statfsSync(folder).type];
    if (network) {
      return fail("not_supported", `${folder} is on a network file system (${network})`, {
        fix: "set AIEX_HOME to a folder on a local disk",
      });
    }
    makePrivate(file);
    return opened(file);
  } catch (error) {
    const damage = damaged(error);
    if (damage) return damage;
    return fail("storage", `the log ${file} cannot be opened: ${messageOf(error)}`, {
      fix: "check that the folder can be written and the disk is not full",
    });
  }
}

/**
 * The first change to a write-ahead log needs the file alone. Where several processes begin at the
 * same time, SQLite refuses some of them and does not let them wait: two that hold a read lock and
 * both want more would wait for ever (sqlite.org/c3ref/busy_handler.html). Here they come again.
 */
function opened(file: string): Result<DatabaseSync> {
  const until = performance.now() + BUSY_MS;
  for (;;) {
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      const fault = prepare(db);
      if (!fault) return ok(db);
      db.close();
      return fault;
    } catch (error) {
      db.close();
      if (codeOf(error) !== SQLITE_BUSY || performance.now() > until) throw error;
      pause(AGAIN_MS * (1 + Math.random()));
    }
  }
}

/** SQLite's code for a lock that somebody else has (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
/** Pause before a database is opened again, in milliseconds, at least. */
const AGAIN_MS = 5;

/** Without giving the thread back: nothing of this process works before its log is open. */
const pause = (ms: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/**
 * The log is its user's alone, as its folder is; SQLite gives the files beside it the same mode. A
 * file that is there is never opened here: closing it would drop SQLite's own locks on it (POSIX).
 */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    chmodSync(file, 0o600);
  }
}

function prepare(db: DatabaseSync): ReturnType<typeof fail> | null {
  const version = String(read(db, "SELECT sqlite_version() AS v").v);
  if (!isNewEnough(version)) {
    return fail("not_supported", `SQLite ${version} can corrupt a log that two processes share`, {
      fix: `use a Node with SQLite ${SQLITE_MIN.join(".")} or newer`,
    });
  }
  db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  db.exec("PRAGMA journal_mode = WAL");
  db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1");
  db.exec("PRAGMA secure_delete = ON; PRAGMA mmap_size = 0");
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.exec(`PRAGMA journal_size_limit = ${JOURNAL_BYTES_MAX}`);
  const mode = read(db, "PRAGMA journal_mode").journal_mode;
  const sync = read(db, "PRAGMA synchronous").synchronous;
  if (mode !== "wal" || sync !== 2) {
    return fail("storage", `SQLite refused to be durable (journal ${mode}, synchronous ${sync})`, {
      fix: "set AIEX_HOME to a folder on a local disk",
    });
  }
  return makeTables(db);
}

function makeTables(db: DatabaseSync): ReturnType<typeof fail> | null {
  const versionNow = () => Number(read(db, "PRAGMA user_version").user_version);
  if (versionNow() === 0) {
    db.exec("BEGIN IMMEDIATE");
    if (versionNow() === 0) db.exec(schema);
    db.exec("COMMIT");
  }
  const found = versionNow();
  if (found === SCHEMA_VERSION) return null;
  return fail("not_supported", `the log was written by a newer Aiex (shape ${found})`, {
    fix: "use that version, or set AIEX_HOME to another folder",
  });
}

const read = (db: DatabaseSync, sql: string): Record<string, unknown> =>
  db.prepare(sql).get() ?? {};

function isNewEnough(version: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [i, least] of SQLITE_MIN.entries()) {
    const part = parts[i] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** SQLite's codes for a file that is damaged, or no database (sqlite.org/rescode.html). */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** The primary result code of what SQLite threw; 0 where it did not. */
export const codeOf = (error: unknown): number =>
  Number((error as { errcode?: number }).errcode ?? 0) & 0xff;

/** What to say of a file that is damaged, or null where that is not what is wrong. */
export function damaged(error: unknown): Failed | null {
  return DAMAGED.has(codeOf(error)) ? damagedBy(error) : null;
}

/** What to say of a file that is damaged, as an error showed. */
export const damagedBy = (error: unknown): Failed =>
  fail("corrupt", `the log is damaged: ${messageOf(error)}`, {
    fix: "restore log.db from a backup, or set AIEX_HOME to another folder and keep this one",
  });

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
