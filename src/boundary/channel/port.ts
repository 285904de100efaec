// What is live and may be lost: deltas of answers, output of commands, notices. Promises:
// - what is published on a topic reaches those who listen to it then, in order;
// - a listener that is slow loses the oldest items beyond `QUEUE_ITEMS_MAX`, never the publisher's
//   time; it learns of the loss by a gap in `seq`;
// - whoever begins to listen first gets the text so far of the attempt that is under way, or why the
//   session could not be run on, until it is run again.

import type { Failure } from "#core/failure.ts";

/** `seq` counts the items of an attempt from 1; a new attempt voids the text of the one before. */
export type Live =
  | {
      type: "delta";
      kind: "text" | "reasoning";
      step: number;
      attempt: number;
      seq: number;
      text: string;
    }
  | {
      type: "call";
      step: number;
      attempt: number;
      seq: number;
      callId: string;
      tool: string;
      input: string;
    }
  | { type: "output"; callId: string; seq: number; text: string }
  | { type: "waiting"; forMs: number; why: string }
  /** A child is being run: said again and again as long as it is. */
  | { type: "alive" }
  /** The session cannot be run on: the log or the lease failed. */
  | { type: "stopped"; failure: Failure };

/** Items held for a listener that does not take them. */
export const QUEUE_ITEMS_MAX = 10_000;

export type Channel = {
  publish(topic: string, item: Live): void;
  listen(topic: string, signal: AbortSignal): AsyncIterable<Live>;
  /** Forgets the text so far of a topic: its turn ended. */
  clear(topic: string): void;
};
