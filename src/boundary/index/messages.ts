// What the index and its threads tell each other.
import type { Added } from "#boundary/index/adding.ts";

export type WorkerGiven = {
  /** The index's file. */
  file: string;
  /** The folder that paths are below. */
  root: string;
};

export type ToWorker =
  | { type: "add"; paths: readonly string[] }
  | { type: "flush" }
  | { type: "merge" };

export type FromWorker =
  /** With `isBroken` the thread can do no more: what is `left` is for another. */
  | ({ type: "added"; isBroken: boolean } & Added)
  | { type: "flushed" }
  | { type: "merged" }
  | { type: "failed"; say: string };
