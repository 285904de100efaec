// What passes between a process and the thread that holds its log. Both sides are ours and of one
// build: nothing of it is kept, and no other program speaks it.
import type { EventLog, SumQuery, Sums } from "#boundary/log/port.ts";
import type { Failed, Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";

/** The verbs of a log and of its tables that answer once. */
type Verb<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof T] &
  string;
export type LogVerb = Verb<EventLog> | `tables.${Verb<EventLog["tables"]>}` | "page" | "pageAll";

/** A guard without its judgement, which stays where its limits are known. */
export type GuardAsked = { table: string; sums: readonly SumQuery[] };

export type Asked =
  | { ask: number; verb: LogVerb; args: readonly unknown[]; guard?: GuardAsked }
  /** What was asked under this number is not wanted any more. */
  | { off: number };

export type Told =
  /** First of all: whether the log could be opened. */
  | { opened: Result<void> }
  | { ask: number; result: unknown }
  /** Asked in the middle of an append: the thread waits for the verdict on its own port. */
  | { judge: number; sums: readonly Sums[] };

/** Of the append whose number it bears: one that comes too late is for nobody. */
export type Verdict = { judge: number; refused: Failed | null };

/** What a worker is started with besides its own data: where verdicts come, and the bell for them. */
export type ThreadData = {
  verdicts: MessagePort;
  bell: Int32Array;
  /** How long a verdict is waited for with the lock, in milliseconds; absent: as long as for a lock. */
  verdictMs?: number;
};
type MessagePort = import("node:worker_threads").MessagePort;

export type Page = Result<LogRecord[]>;
