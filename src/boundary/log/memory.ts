// The event log in maps: for tests, and for `aiex --ephemeral`. Keeps every promise but one: it
// does not survive its process.
import { newId, newSalt, sha256 } from "#boundary/digest.ts";
import { memoryTables } from "#boundary/log/memory-tables.ts";
import { type AtOnce, type EventLog, PAGE_RECORDS, type Pages } from "#boundary/log/port.ts";
import { type Failed, fail, ok } from "#core/failure.ts";
import { BODY_BYTES_MAX, chain, emptyHead, type LogRecord } from "#core/record.ts";

export function memoryLog(options: { node: string; atOnce: AtOnce; now: () => number }): EventLog {
  const all: LogRecord[] = [];
  const byStream = new Map<string, LogRecord[]>();
  const snapshots = new Map<string, { version: number; fingerprint: string; body: string }>();
  const waiting = new Set<() => void>();
  const tables = memoryTables();
  let closed: Failed | null = null;
  const rowsOf = (stream: string) => byStream.get(stream) ?? [];

  async function* pages(take: (from: number) => LogRecord[], signal: AbortSignal): Pages {
    for (let from = 0; !signal.aborted; from += PAGE_RECORDS) {
      if (closed) return yield closed;
      const page = take(from);
      if (page.length > 0) yield ok(page);
      if (page.length < PAGE_RECORDS) return;
    }
  }

  return {
    tables: {
      ...tables,
      async refill(table) {
        if (closed) return closed;
        const fed = options.atOnce(all).filter((feeding) => feeding.table === table);
        tables.fillNow(table, all.length + 1, fed);
        return ok(all.length);
      },
    },
    async append(stream, expected, drafts, guard) {
      if (closed) return closed;
      const tooLong = drafts.find((draft) => Buffer.byteLength(draft.body ?? "") > BODY_BYTES_MAX);
      if (tooLong) return fail("too_large", `${tooLong.type} is over ${BODY_BYTES_MAX} bytes`);
      const rows = rowsOf(stream);
      if (rows.length !== expected) {
        return fail("conflict", `${stream} is at version ${rows.length}, not ${expected}`);
      }
      const refused = guard?.refuses(tables.sumsNow(guard.table, guard.sums));
      if (refused) return refused;
      const stamp = { at: options.now(), node: options.node, newId, newSalt };
      const added = chain(drafts, stream, rows.at(-1) ?? emptyHead, stamp, sha256).map((r, i) => ({
        ...r,
        position: all.length + i + 1,
      }));
      tables.applyNow(options.atOnce(added));
      byStream.set(stream, [...rows, ...added]);
      all.push(...added);
      for (const wake of [...waiting]) wake();
      return ok(added);
    },
    async head(stream) {
      return closed ?? ok(rowsOf(stream).at(-1) ?? emptyHead);
    },
    read(stream, { after, until = Number.MAX_SAFE_INTEGER }, signal) {
      const take = (from: number) =>
        rowsOf(stream).slice(after + from, Math.min(after + from + PAGE_RECORDS, until));
      return pages(take, signal);
    },
    readAll(after, signal) {
      return pages((from) => all.slice(after + from, after + from + PAGE_RECORDS), signal);
    },
    async last() {
      return closed ?? ok(all.length);
    },
    async streams(prefix, limit) {
      const names = [...byStream.keys()].filter((name) => name.startsWith(prefix));
      return closed ?? ok(names.slice(0, limit));
    },
    async erase(stream, { after, until = Number.MAX_SAFE_INTEGER }) {
      for (const row of rowsOf(stream)) {
        if (row.version > after && row.version <= until)
          Object.assign(row, { body: null, salt: null });
      }
      snapshots.delete(stream);
      return closed ?? ok();
    },
    changed(signal) {
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        if (signal.aborted || closed) return resolve();
        waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    },
    async snapshot(stream, fingerprint) {
      const kept = snapshots.get(stream);
      return closed ?? ok(kept?.fingerprint === fingerprint ? kept : null);
    },
    async keepSnapshot(stream, snapshot) {
      const kept = rowsOf(stream)[snapshot.version - 1];
      if (kept && kept.body !== null) snapshots.set(stream, snapshot);
      return closed ?? ok();
    },
    async close() {
      closed = fail("closed", "the log was closed");
      for (const wake of [...waiting]) wake();
    },
  };
}
