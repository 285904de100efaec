// The event log, and the tables that are fed from it. Its promises, proved for every adapter by
// contract.ts:
// - `append` is all or nothing, and fails with `conflict` unless `expected` is the current version;
// - the versions of one stream are 1, 2, 3 … without gaps, and `read` yields them in that order;
// - an unknown stream reads as empty and is at version 0;
// - what was acknowledged survives a killed process and a power cut;
// - `readAll` yields every record in order of position and never skips one, also while others
//   append; positions only grow;
// - reads are paged: memory does not grow with the length of what is read; a page is a result, and
//   a failed one is the last;
// - an append with a guard is made only where the guard does not refuse, and what the guard sees is
//   every append before this one and nothing of any after it, whichever process made them;
// - rows that `atOnce` names are written in the append's own transaction: they agree or neither is;
// - after a failed write to the disk the store refuses everything: `storage`;
// - what `erase` removed cannot be read from the file afterwards.
import type { Failed, Result } from "#core/failure.ts";
import type { Draft, Head, LogRecord } from "#core/record.ts";
import type { Row, RowChange, TableShape } from "#core/views/view.ts";

/** Which records of a stream: those after `after`, up to and including `until`. */
export type Window = { after: number; until?: number };

/** How many rows of a table, which, and in which order. */
export type RowQuery = {
  where?: Row;
  /** A column whose text contains this, without regard to case. */
  contains?: { column: string; text: string };
  orderBy?: { column: string; descending: boolean };
  limit: number;
  offset?: number;
};

/** The sums of these columns over the rows with these values; 0 where there are none. */
export type SumQuery = { where: Row; columns: readonly string[] };
export type Sums = Readonly<Record<string, number>>;

/** What must hold of a table that is fed at once for an append to be made. */
export type Guard = {
  table: string;
  sums: readonly SumQuery[];
  /** Why not, by the sums in their order; or null. Pure and quick: the log is locked meanwhile. */
  refuses(sums: readonly Sums[]): Failed | null;
};

/** What changed a table: its rows, and from which position up to which it is fed. */
export type Feeding = {
  table: string;
  after: number;
  position: number;
  changes: readonly RowChange[];
};

export type Tables = {
  /** Makes the table, or empties it when its version changed. Answers how far it is fed. */
  ensure(shape: TableShape): Promise<Result<number>>;
  /** Applies changes and the position together; `conflict` where it is not fed up to `after`. */
  feed(feeding: Feeding): Promise<Result<void>>;
  clear(table: string): Promise<Result<void>>;
  /**
   * Feeds a table that `atOnce` feeds again from the first record, and puts the new rows in the
   * place of the old ones at once. Appends of any process get in between and are counted once; none
   * waits for more than `FEED_RECORDS` records at a time, unless they append faster than it reads.
   * Answers the position it is fed up to.
   */
  refill(table: string, signal: AbortSignal): Promise<Result<number>>;
  rows(table: string, query: RowQuery): Promise<Result<Row[]>>;
  /** Of each query its sums, in their order. */
  sums(table: string, queries: readonly SumQuery[]): Promise<Result<Sums[]>>;
};

/** A fold kept to open a long session quickly; may be lost at any time. */
export type Snapshot = { version: number; fingerprint: string; body: string };

/** Row changes that belong into the append's transaction. */
export type AtOnce = (records: readonly LogRecord[]) => { table: string; changes: RowChange[] }[];

/** Records in order, at most `PAGE_RECORDS` at a time. Ends early when the signal is aborted. */
export type Pages = AsyncIterable<Result<LogRecord[]>>;

export const PAGE_RECORDS = 500;

/** Records that a long feeding of a table takes into one transaction: a few milliseconds. */
export const FEED_RECORDS = 2_000;
/**
 * How long such a feeding lets others have the lock before it takes it again, in milliseconds: who
 * waits for it in SQLite looks more and more seldom, and would find it taken each time.
 */
export const FEED_GAP_MS = 10;

export type EventLog = {
  append(
    stream: string,
    expected: number,
    drafts: readonly Draft[],
    guard?: Guard,
  ): Promise<Result<LogRecord[]>>;
  head(stream: string): Promise<Result<Head>>;
  read(stream: string, window: Window, signal: AbortSignal): Pages;
  /** All streams, after a position. */
  readAll(after: number, signal: AbortSignal): Pages;
  /** The last position there is; 0 for an empty log. */
  last(): Promise<Result<number>>;
  /** Streams whose name begins so, at most `limit`. */
  streams(prefix: string, limit: number): Promise<Result<string[]>>;
  /** Takes body and salt from these versions of a stream. */
  erase(stream: string, window: Window): Promise<Result<void>>;
  /** Resolves when something may have been appended since the call, by any process; or aborted. */
  changed(signal: AbortSignal): Promise<void>;
  snapshot(stream: string, fingerprint: string): Promise<Result<Snapshot | null>>;
  /** Keeps nothing where the record at the snapshot's version was erased meanwhile. */
  keepSnapshot(stream: string, snapshot: Snapshot): Promise<Result<void>>;
  readonly tables: Tables;
  close(): Promise<void>;
};
