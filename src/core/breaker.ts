// Keeps a failing endpoint from being asked over and over: a pure reducer, one value per provider,
// model and key, so that one bad key or model never closes the way for the others.

/** Failures in a row that open it: `reliability` §4. */
export const FAILURES_IN_A_ROW = 5;
/** Share of failures that opens it, once enough calls ended within the window. */
export const FAILED_SHARE = 0.5;
export const CALLS_MIN = 20;
export const WINDOW_MS = 30_000;
/** How long it stays open before one probe is let through, give or take a fifth. */
export const OPEN_MS = 30_000;
export const OPEN_SPREAD = 0.2;

/** The window in slices, so that its size does not grow with the traffic. */
const SLICE_MS = 1_000;
type Slice = { sinceMs: number; ended: number; failed: number };

export type Breaker =
  | { state: "closed"; inARow: number; slices: readonly Slice[] }
  /** With `probing` the one probe is under way. */
  | { state: "open"; untilMs: number; why: string; probing: boolean };

export type BreakerEvent =
  /** A call wants through; ask `letsThrough` first. */
  | { type: "asked"; nowMs: number }
  | { type: "succeeded"; nowMs: number }
  /** `random` in [0, 1) spreads the probes of many clients. */
  | { type: "failed"; nowMs: number; random: number }
  /** It ended without telling anything about the endpoint: cancelled, or refused for its content. */
  | { type: "untold"; nowMs: number };

export const breakerClosed: Breaker = { state: "closed", inARow: 0, slices: [] };

/** Whether a call may go now; if not, for how long not, and why. */
export function letsThrough(
  breaker: Breaker,
  nowMs: number,
): { go: true } | { go: false; inMs: number; why: string } {
  if (breaker.state === "closed") return { go: true };
  if (breaker.probing) return { go: false, inMs: SLICE_MS, why: `${breaker.why}; a probe runs` };
  if (nowMs >= breaker.untilMs) return { go: true };
  return { go: false, inMs: breaker.untilMs - nowMs, why: breaker.why };
}

export function evolveBreaker(breaker: Breaker, event: BreakerEvent): Breaker {
  if (breaker.state === "open") return evolveOpen(breaker, event);
  if (event.type === "asked" || event.type === "untold") return breaker;
  const failed = event.type === "failed";
  const slices = counted(breaker.slices, event.nowMs, failed);
  const inARow = failed ? breaker.inARow + 1 : 0;
  if (event.type === "failed") {
    const why = reasonToOpen(inARow, slices);
    if (why) return opened(event, why);
  }
  return { state: "closed", inARow, slices };
}

function evolveOpen(open: Extract<Breaker, { state: "open" }>, event: BreakerEvent): Breaker {
  switch (event.type) {
    case "asked":
      return event.nowMs >= open.untilMs ? { ...open, probing: true } : open;
    case "succeeded":
      // Also a call that was under way when it opened: an answer is an answer.
      return breakerClosed;
    case "failed":
      return open.probing ? opened(event, "the probe failed too") : open;
    case "untold":
      return { ...open, probing: false };
  }
}

function opened(event: { nowMs: number; random: number }, why: string): Breaker {
  const spread = 1 - OPEN_SPREAD + 2 * OPEN_SPREAD * event.random;
  return { state: "open", untilMs: event.nowMs + OPEN_MS * spread, why, probing: false };
}

function reasonToOpen(inARow: number, slices: readonly Slice[]): string | undefined {
  if (inARow >= FAILURES_IN_A_ROW) return `failed ${inARow} times in a row`;
  const ended = slices.reduce((sum, slice) => sum + slice.ended, 0);
  const failed = slices.reduce((sum, slice) => sum + slice.failed, 0);
  if (ended < CALLS_MIN || failed / ended < FAILED_SHARE) return undefined;
  return `failed ${failed} of ${ended} times within ${WINDOW_MS / 1000} s`;
}

function counted(slices: readonly Slice[], nowMs: number, failed: boolean): Slice[] {
  const sinceMs = Math.floor(nowMs / SLICE_MS) * SLICE_MS;
  const live = slices.filter((slice) => slice.sinceMs > nowMs - WINDOW_MS);
  const last = live.at(-1);
  const now = last?.sinceMs === sinceMs ? last : { sinceMs, ended: 0, failed: 0 };
  const rest = now === last ? live.slice(0, -1) : live;
  return [...rest, { sinceMs, ended: now.ended + 1, failed: now.failed + (failed ? 1 : 0) }];
}
