// The five named deadlines of a model call, on clocks that nobody can set. Whatever passes first is
// reported once, by name; a machine that slept is told apart from a server that was silent.
import { uptime } from "node:os";
import type { Deadlines } from "#boundary/models/port.ts";
import { type Failure, fail } from "#core/failure.ts";

/** How the deadlines are named to users and in the log. */
export type DeadlineName = "connect" | "firstToken" | "silence" | "idle" | "total";

export type Passed =
  | { type: "deadline"; name: DeadlineName; ms: number }
  /** Timers came later than they should by this much: the machine slept or the process was stopped. */
  | { type: "slept"; ms: number }
  /** The grace after the last word of an answer is over; nothing is wrong. */
  | { type: "graceOver" };

/** What the watch reads time from; tests bring their own. */
export type Clock = {
  /** Monotonic milliseconds that stand still while the machine sleeps, on most systems. */
  nowMs(): number;
  /** Monotonic milliseconds since boot that count sleep too. Neither follows the wall clock. */
  bootMs(): number;
};

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  bootMs: () => uptime() * 1_000,
};

/** Drift of a timer that counts as sleep, in milliseconds: `reliability` §4. */
export const SLEPT_MS = 30_000;
/** The longest nap of the watch itself, so that sleep is noticed soon. Milliseconds. */
const TICK_MS = 5_000;

export type Watch = {
  /** The response headers are here. */
  headers(): void;
  /** Some bytes came. */
  bytes(): void;
  /** A meaningful event came. */
  progress(): void;
  /** The reader is busy with what came: what it does not read meanwhile is not silence. */
  hold(): void;
  release(): void;
  /** The answer is whole; the stream may end by itself within `ms`. */
  grace(ms: number): void;
  stop(): void;
};

/** Watches one call. `passed` is called at most once, and never after `stop`. */
export function watchDeadlines(
  deadlines: Deadlines,
  passed: (what: Passed) => void,
  clock: Clock = systemClock,
): Watch {
  const startMs = clock.nowMs();
  let headersMs: number | undefined;
  let bytesMs = startMs;
  let progressMs: number | undefined;
  let graceMs: number | undefined;
  let heldMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let armed = { bootMs: clock.bootMs(), forMs: 0 };

  /** Every deadline that runs now, with the moment it passes. */
  function running(): { name: DeadlineName; ms: number; atMs: number }[] {
    const total = due("total", startMs, deadlines.totalMs);
    if (headersMs === undefined) return [due("connect", startMs, deadlines.connectMs), total];
    if (heldMs !== undefined) return [total];
    const silence = due("silence", bytesMs, deadlines.silenceMs);
    if (progressMs === undefined) {
      return [due("firstToken", headersMs, deadlines.firstTokenMs), silence, total];
    }
    return [silence, due("idle", progressMs, deadlines.idleMs), total];
  }

  function check(): void {
    const what = passedNow();
    if (what) passed(what);
    else arm();
  }

  function passedNow(): Passed | undefined {
    const nowMs = clock.nowMs();
    const lateMs = clock.bootMs() - armed.bootMs - armed.forMs;
    if (lateMs > SLEPT_MS) return { type: "slept", ms: lateMs };
    if (graceMs !== undefined && nowMs >= graceMs) return { type: "graceOver" };
    const over = running().find((deadline) => nowMs >= deadline.atMs);
    return over && { type: "deadline", name: over.name, ms: over.ms };
  }

  function arm(): void {
    clearTimeout(timer);
    const next = Math.min(graceMs ?? Number.POSITIVE_INFINITY, ...running().map((d) => d.atMs));
    const forMs = Math.max(1, Math.min(TICK_MS, Math.ceil(next - clock.nowMs())));
    armed = { bootMs: clock.bootMs(), forMs };
    timer = setTimeout(check, forMs);
  }

  arm();
  return {
    headers() {
      headersMs = bytesMs = clock.nowMs();
      arm();
    },
    // Later bytes only move a deadline away: the timer finds that out when it fires.
    bytes() {
      bytesMs = clock.nowMs();
    },
    progress() {
      const isFirst = progressMs === undefined;
      progressMs = clock.nowMs();
      if (isFirst && heldMs === undefined) arm();
    },
    hold() {
      heldMs ??= clock.nowMs();
    },
    // The deadlines go on where they stood: what was read may have been no more than a ping.
    release() {
      bytesMs = clock.nowMs();
      const pausedMs = bytesMs - (heldMs ?? bytesMs);
      heldMs = undefined;
      if (progressMs !== undefined) progressMs = Math.min(bytesMs, progressMs + pausedMs);
      else if (headersMs !== undefined) headersMs += pausedMs;
      arm();
    },
    grace(ms) {
      graceMs ??= clock.nowMs() + ms;
      if (heldMs === undefined) arm();
    },
    stop: () => clearTimeout(timer),
  };
}

const due = (name: DeadlineName, fromMs: number, ms: number) => ({ name, ms, atMs: fromMs + ms });

const meanings: Record<DeadlineName, (who: string, time: string) => string> = {
  connect: (who, time) => `${who} did not start to answer within ${time} (connect)`,
  firstToken: (who, time) => `${who} sent no first word within ${time} (first token)`,
  silence: (who, time) => `${who} sent nothing at all for ${time} (silence)`,
  idle: (who, time) => `${who} sent no word of the answer for ${time} (idle)`,
  total: (who, time) => `${who} had not ended its answer after ${time} (total)`,
};

/** What passed, as the failure of a call. `detail.deadline` is the name, for programs. */
export function passedFailure(who: string, what: Exclude<Passed, { type: "graceOver" }>): Failure {
  if (what.type === "slept") {
    const say = `this machine slept for ${timeOf(what.ms)} while ${who} answered`;
    return fail("broken", say, { detail: { sleptMs: Math.round(what.ms) } }).error;
  }
  return fail("timeout", meanings[what.name](who, timeOf(what.ms)), {
    fix: "try again, or allow more time in the model's deadlines",
    detail: { deadline: what.name, ms: what.ms },
  }).error;
}

function timeOf(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
