// Filling a view's table again from the first record while others append. The new rows grow in a
// table of their own, a page at a time, each page in a short transaction; at the end, under the
// lock, the last few records are added and the tables change places. Until then readers see the old
// rows, and appends feed those. Several processes may do it at once: each takes the next page.
import { setTimeout as passed } from "node:timers/promises";
import { type AtOnce, FEED_GAP_MS, FEED_RECORDS } from "#boundary/log/port.ts";
import type { SqlTables } from "#boundary/log/sqlite-tables.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";

/** Rows that one transaction removes: with `secure_delete` each is overwritten. */
const DROP_ROWS = 2_000;

/** Others may append now. */
const others = (): Promise<void> => passed(FEED_GAP_MS);

type Refilling = {
  tables: SqlTables;
  atOnce: AtOnce;
  /** The first `FEED_RECORDS` records after a position. */
  pageAfter(position: number): LogRecord[];
  /** The newest position. */
  last(): number;
  /** Runs work in one write transaction. */
  write<T>(work: () => Result<T>): Result<T>;
  query<T>(work: () => T): Result<T>;
};

type Step = "more" | "done";

/** Answers the position up to which the table was filled when it took its place. */
export async function refill(
  table: string,
  parts: Refilling,
  signal: AbortSignal,
): Promise<Result<number>> {
  const { tables, write } = parts;
  const cleaned = await dropOld(table, parts);
  if (!cleaned.ok) return cleaned;
  const begun = write(() => ok(tables.beginNext(table)));
  if (!begun.ok) return begun;
  const most = pagesAtMost(parts);
  if (!most.ok) return most;
  for (let pages = 0; ; pages += 1) {
    if (signal.aborted) return cancelled;
    const isLate = pages >= most.value;
    const stepped = isLate ? write(() => ok(rest(table, parts))) : fillPage(table, parts);
    if (!stepped.ok) return stepped;
    if (stepped.value === "done") break;
    await others();
  }
  const dropped = await dropOld(table, parts);
  return dropped.ok ? parts.query(() => tables.position(table)) : dropped;
}

/** Pages that others may add meanwhile, for each one that there was: beyond that they must wait. */
const GROWTH = 2;
/** The same for a log that is short. */
const PAGES_MIN = 20;

/** After so many pages the rest is done under the lock: others may append faster than this reads. */
function pagesAtMost({ query, last }: Refilling): Result<number> {
  const end = query(last);
  return end.ok ? ok(PAGES_MIN + GROWTH * Math.ceil(end.value / FEED_RECORDS)) : end;
}

/** All that is left, under one lock. */
function rest(table: string, parts: Refilling): Step {
  const { tables, pageAfter } = parts;
  for (;;) {
    if (lastPage(table, parts) === "done") return "done";
    const after = tables.nextPosition(table);
    if (after === null) return "done";
    const page = pageAfter(after);
    tables.feedNext(table, page.at(-1)?.position ?? after, changesOf(table, parts, page));
  }
}

const cancelled = fail("cancelled", "the rebuilding was called off", {
  fix: "`aiex views rebuild` goes on with it",
});

/** A page is read and looked through before the lock is taken; only its changes are made under it. */
function fillPage(table: string, parts: Refilling): Result<Step> {
  const { tables, query, write, pageAfter } = parts;
  const read = query(() => {
    const after = tables.nextPosition(table);
    return after === null ? null : { after, page: pageAfter(after) };
  });
  if (!read.ok) return read;
  // Somebody else came to the end first.
  if (read.value === null) return ok("done");
  const { after, page } = read.value;
  if (page.length < FEED_RECORDS) return write(() => ok(lastPage(table, parts)));
  const changes = changesOf(table, parts, page);
  return write(() => {
    const isMine = tables.nextPosition(table) === after;
    if (isMine) tables.feedNext(table, page.at(-1)?.position ?? after, changes);
    return ok<Step>("more");
  });
}

/** Under the lock, so that no append can come between the last record and the change of places. */
function lastPage(table: string, parts: Refilling): Step {
  const { tables, pageAfter } = parts;
  const after = tables.nextPosition(table);
  if (after === null) return "done";
  const page = pageAfter(after);
  if (page.length === FEED_RECORDS) return "more";
  // One past the last: an empty log's table is known as filled, too.
  const end = (page.at(-1)?.position ?? after) + 1;
  tables.feedNext(table, end, changesOf(table, parts, page));
  tables.swap(table);
  return "done";
}

const changesOf = (table: string, { atOnce }: Refilling, page: LogRecord[]) =>
  atOnce(page).flatMap((feeding) => (feeding.table === table ? feeding.changes : []));

/** What the table was before, or was before a crash, in pieces. */
export async function dropOld(
  table: string,
  { tables, write }: Pick<Refilling, "tables" | "write">,
): Promise<Result<void>> {
  for (;;) {
    const left = write(() => ok(tables.dropOld(table, DROP_ROWS)));
    if (!left.ok) return left;
    if (left.value === 0) return ok();
    await others();
  }
}
