// Whether a failed model call is tried again, and after how long. The turn runner asks between
// attempts and logs each one; nothing here waits, reads a clock or rolls dice.
import type { FailureCode } from "#core/failure.ts";

/** Tries after the first one: `reliability` §4. */
export const RETRIES_MAX = 4;
/** The ceiling of the first wait; it doubles with each attempt. Milliseconds. */
export const BASE_MS = 500;
/** No single wait is longer, and a `Retry-After` beyond it fails at once. Milliseconds. */
export const WAIT_MS_MAX = 30_000;
/** All waits of one step together. Milliseconds. */
export const WAITED_MS_MAX = 60_000;
/**
 * A server that says "in 20 s" says so to everybody at once, so what is added to its word must
 * spread its clients: over 4 s, 100 of them put about three into each 100 ms. Milliseconds.
 */
export const HERD_MS = 4_000;

/** Failures that pass by themselves. Every other code says that asking again changes nothing. */
const passing: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "rate_limited",
  "overloaded",
  "unreachable",
  "timeout",
  "broken",
]);

/**
 * Failures of an endpoint, which another model may not have: after the tries that are worth it, the
 * next of the chain is asked. What is left speaks of the request, or of the user's own will.
 */
const ofTheEndpoint: ReadonlySet<FailureCode> = new Set<FailureCode>([
  ...passing,
  "quota",
  "unauthorised",
  "no_model",
]);

export const mayFallBack = (code: FailureCode): boolean => ofTheEndpoint.has(code);

export type Attempted = {
  code: FailureCode;
  /** Attempts made so far, this failed one included: 1 after the first. */
  attempt: number;
  /** What the other end asked for, where it did. */
  retryAfterMs?: number;
  /** The name of the deadline behind a `timeout`; after `total` nothing is tried again. */
  deadline?: string;
  /** A fresh random number in [0, 1). */
  random: number;
  /** Sum of the waits of this step so far. */
  waitedMs: number;
  /** Another key of the same provider can be asked at once. */
  otherKey?: true;
};

export type Retry = { do: "retry"; inMs: number } | { do: "stop"; why: string };

/** Full jitter below a doubling ceiling; the other end's `Retry-After` is a floor under it. */
export function retryAfter(tried: Attempted): Retry {
  const { code, attempt, deadline, waitedMs } = tried;
  if (tried.otherKey && deadline !== "total" && attempt <= RETRIES_MAX) {
    return { do: "retry", inMs: 0 };
  }
  if (!passing.has(code)) return stop("asking again would not change this answer");
  if (deadline === "total") return stop("the time for the whole call is used up");
  if (attempt > RETRIES_MAX) return stop(`tried ${attempt} times`);
  const leftMs = WAITED_MS_MAX - waitedMs;
  if (leftMs <= 0) return stop(`waited ${seconds(waitedMs)} for it already`);
  const asked = Math.max(0, tried.retryAfterMs ?? 0);
  if (asked > WAIT_MS_MAX) {
    return stop(
      `the other end asks to wait ${seconds(asked)}, longer than ${seconds(WAIT_MS_MAX)}`,
    );
  }
  if (asked > leftMs) {
    return stop(`the other end asks to wait ${seconds(asked)} more, after ${seconds(waitedMs)}`);
  }
  const ceiling = asked > 0 ? HERD_MS : Math.min(WAIT_MS_MAX, BASE_MS * 2 ** (attempt - 1));
  return { do: "retry", inMs: Math.min(leftMs, asked + Math.floor(tried.random * ceiling)) };
}

const stop = (why: string): Retry => ({ do: "stop", why });

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
