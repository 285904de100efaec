// The event log in SQLite: one file, any number of processes. Each append is one transaction that
// takes the write lock before it reads the version; a failed write stops the store, because what
// the disk holds is then unknown until it is opened again.
import type { DatabaseSync } from "node:sqlite";
import { newId, newSalt, sha256 } from "#boundary/digest.ts";
import {
  type AtOnce,
  type EventLog,
  FEED_RECORDS,
  type Guard,
  PAGE_RECORDS,
  type Pages,
} from "#boundary/log/port.ts";
import { codeOf, damaged, damagedBy, messageOf, openDatabase } from "#boundary/log/sqlite-open.ts";
import { dropOld, refill } from "#boundary/log/sqlite-refill.ts";
import { sqlTables } from "#boundary/log/sqlite-tables.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import {
  BODY_BYTES_MAX,
  chain,
  type Draft,
  emptyHead,
  type Head,
  type LogRecord,
} from "#core/record.ts";

/** How often other processes' appends are looked for, in milliseconds. */
const POLL_MS = 40;

/** SQLite's result codes that mean "try later", not "the disk failed" (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;

/** Databases of stopped stores: one that nobody refers to would be closed by the collector. */
const abandoned = new Set<DatabaseSync>();

const columns =
  "position, stream, version, id, type, schema, at, actor, node, epoch, cause, correlation, " +
  "bodyHash, prev, hash, CAST(body AS TEXT) AS body, salt";

export function sqliteLog(
  file: string,
  options: { node: string; atOnce: AtOnce; now: () => number },
): Result<EventLog> {
  const opened = openDatabase(file);
  if (!opened.ok) return opened;
  try {
    return ok(logOver(opened.value, options));
  } catch (error) {
    // Statements name columns that were made with the file: without one, it is not what was made.
    opened.value.close();
    return damagedBy(error);
  }
}

function logOver(
  db: DatabaseSync,
  { node, atOnce, now }: { node: string; atOnce: AtOnce; now: () => number },
): EventLog {
  const tables = sqlTables(db);
  const waiting = new Set<() => void>();
  let stopped: Failed | null = null;
  const headOf = db.prepare(
    "SELECT version, hash FROM records WHERE stream = ? ORDER BY version DESC LIMIT 1",
  );
  const insert = db.prepare(
    `INSERT INTO records (stream, version, id, type, schema, at, actor, node, epoch, cause,
     correlation, bodyHash, prev, hash, body, salt)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB), ?)`,
  );
  const readStream = db.prepare(
    `SELECT ${columns} FROM records WHERE stream = ? AND version > ? AND version <= ?
     ORDER BY version LIMIT ${PAGE_RECORDS}`,
  );
  const readPositions = db.prepare(
    `SELECT ${columns} FROM records WHERE position > ? ORDER BY position LIMIT ${PAGE_RECORDS}`,
  );
  const readToFeed = db.prepare(
    `SELECT ${columns} FROM records WHERE position > ? ORDER BY position LIMIT ${FEED_RECORDS}`,
  );
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const dataVersion = db.prepare("PRAGMA data_version");
  const head = (stream: string): Head => (headOf.get(stream) as Head | undefined) ?? emptyHead;

  /** Runs `work` in one write transaction; whatever SQLite throws becomes a failure. */
  function write<T>(work: () => Result<T>): Result<T> {
    if (stopped) return stopped;
    try {
      begin.run();
    } catch (error) {
      return failed(error);
    }
    try {
      const result = work();
      (result.ok ? commit : rollback).run();
      return result;
    } catch (error) {
      if (db.isTransaction) rollback.run();
      return failed(error);
    }
  }

  function failed(error: unknown): Failed {
    if (codeOf(error) === SQLITE_BUSY) {
      return fail("busy", "another process kept the log locked for too long", {
        fix: "try again; `aiex doctor` shows who uses it",
      });
    }
    stopped = damaged(error);
    stopped ??= fail("storage", `the log cannot be written or read: ${messageOf(error)}`, {
      fix: "free disk space or check the disk, then start Aiex again; nothing acknowledged is lost",
    });
    return stopped;
  }

  function query<T>(work: () => T): Result<T> {
    if (stopped) return stopped;
    try {
      return ok(work());
    } catch (error) {
      return failed(error);
    }
  }

  function insertAll(stream: string, expected: number, drafts: readonly Draft[], guard?: Guard) {
    const at = head(stream);
    if (at.version !== expected) {
      return fail("conflict", `${stream} is at version ${at.version}, not ${expected}`);
    }
    const refused = guard?.refuses(tables.sums(guard.table, guard.sums));
    if (refused) return refused;
    const stamp = { at: now(), node, newId, newSalt };
    const added = chain(drafts, stream, at, stamp, sha256).map((r): LogRecord => {
      const values = [r.stream, r.version, r.id, r.type, r.schema, r.at, r.actor, r.node, r.epoch];
      const rest = [r.cause, r.correlation, r.bodyHash, r.prev, r.hash, r.body, r.salt];
      const { lastInsertRowid } = insert.run(...values, ...rest);
      return { position: Number(lastInsertRowid), ...r };
    });
    for (const { table, changes } of atOnce(added)) tables.apply(table, changes);
    return ok(added);
  }

  const newest = (): number =>
    Number(db.prepare("SELECT coalesce(max(position), 0) AS n FROM records").get()?.n);

  const refilling = {
    tables,
    atOnce,
    pageAfter: (position: number) => readToFeed.all(position) as unknown as LogRecord[],
    last: newest,
    write,
    query,
  };

  async function* pages(take: (last?: LogRecord) => LogRecord[], signal: AbortSignal): Pages {
    let last: LogRecord | undefined;
    while (!signal.aborted) {
      const page = query(() => take(last));
      if (!page.ok || page.value.length > 0) yield page;
      if (!page.ok || page.value.length < PAGE_RECORDS) return;
      last = page.value.at(-1);
    }
  }

  const wakeAll = () => {
    for (const wake of [...waiting]) wake();
  };

  return {
    async append(stream, expected, drafts, guard) {
      const tooLong = drafts.find((draft) => Buffer.byteLength(draft.body ?? "") > BODY_BYTES_MAX);
      if (tooLong) return fail("too_large", `${tooLong.type} is over ${BODY_BYTES_MAX} bytes`);
      const result = write(() => insertAll(stream, expected, drafts, guard));
      if (result.ok) wakeAll();
      return result;
    },
    async head(stream) {
      return query(() => head(stream));
    },
    read(stream, { after, until = Number.MAX_SAFE_INTEGER }, signal) {
      const take = (last?: LogRecord) =>
        readStream.all(stream, last?.version ?? after, until) as unknown as LogRecord[];
      return pages(take, signal);
    },
    readAll(after, signal) {
      const take = (last?: LogRecord) =>
        readPositions.all(last?.position ?? after) as unknown as LogRecord[];
      return pages(take, signal);
    },
    last: async () => query(newest),
    async streams(prefix, limit) {
      const sql = "SELECT DISTINCT stream FROM records WHERE stream >= ? AND stream < ? LIMIT ?";
      const end = `${prefix}\u{10ffff}`;
      return query(() =>
        db
          .prepare(sql)
          .all(prefix, end, limit)
          .map((row) => String(row.stream)),
      );
    },
    async erase(stream, { after, until = Number.MAX_SAFE_INTEGER }) {
      const sql =
        "UPDATE records SET body = NULL, salt = NULL WHERE stream = ? AND version > ? AND version <= ?";
      const erased = write(() => {
        db.prepare(sql).run(stream, after, until);
        db.prepare("DELETE FROM snapshots WHERE stream = ?").run(stream);
        return ok();
      });
      if (!erased.ok) return erased;
      return query(() => void db.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    },
    changed(signal) {
      return waitForChange({ waiting, signal, version: () => query(() => dataVersion.get()) });
    },
    async snapshot(stream, fingerprint) {
      const sql = "SELECT version, fingerprint, body FROM snapshots WHERE stream = ?";
      const found = query(() => db.prepare(sql).get(stream));
      if (!found.ok) return found;
      const kept = found.value as
        | { version: number; fingerprint: string; body: string }
        | undefined;
      return ok(kept?.fingerprint === fingerprint ? kept : null);
    },
    async keepSnapshot(stream, { version, fingerprint, body }) {
      // Another process may have erased the session after this one folded it.
      const sql = `INSERT OR REPLACE INTO snapshots SELECT ?, ?, ?, ? WHERE EXISTS
        (SELECT 1 FROM records WHERE stream = ? AND version = ? AND body IS NOT NULL)`;
      return write(() => {
        db.prepare(sql).run(stream, version, fingerprint, body, stream, version);
        return ok();
      });
    },
    tables: {
      async ensure(shape) {
        const fed = query(() => ({ fed: tables.fed(shape), old: tables.hasOld(shape.name) }));
        if (!fed.ok) return fed;
        // What a crash left of a rebuild may hold what was erased since.
        const cleaned = fed.value.old ? await dropOld(shape.name, refilling) : ok();
        if (!cleaned.ok) return cleaned;
        const { fed: position } = fed.value;
        return position === null ? write(() => ok(tables.make(shape))) : ok(position);
      },
      feed: async ({ table, after, position, changes }) =>
        write(() =>
          tables.position(table) === after
            ? ok(tables.feed(table, position, changes))
            : fail("conflict", `${table} was fed meanwhile`),
        ),
      async clear(table) {
        const cleared = write(() => ok(tables.clear(table)));
        return cleared.ok ? await dropOld(table, refilling) : cleared;
      },
      refill: (table, signal) => refill(table, refilling, signal),
      rows: async (table, rowQuery) => query(() => tables.rows(table, rowQuery)),
      sums: async (table, queries) => query(() => tables.sums(table, queries)),
    },
    async close() {
      if (stopped === null && db.isOpen) db.close();
      // Closing copies the log into the database and syncs both: what failed once would be tried
      // again, and could falsely succeed. The next start finds all that was acknowledged.
      else if (stopped?.error.code !== "closed") abandoned.add(db);
      stopped = fail("closed", "the log was closed");
      wakeAll();
    },
  };
}

/** Resolves at our own next append, at another process's (by `data_version`), or on abort. */
function waitForChange(watch: {
  waiting: Set<() => void>;
  signal: AbortSignal;
  version: () => Result<Record<string, unknown> | undefined>;
}): Promise<void> {
  const { waiting, signal, version } = watch;
  const seen = () => {
    const now = version();
    return now.ok ? now.value?.data_version : null;
  };
  const before = seen();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = seen();
      if (now !== before) wake();
    }, POLL_MS);
    const wake = () => {
      clearInterval(timer);
      waiting.delete(wake);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    if (signal.aborted || before === null) return wake();
    waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}
