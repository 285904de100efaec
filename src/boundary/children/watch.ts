// Watching a child until it is over. A child ends by itself when its turn does; what ends it otherwise
// is decided here, from its own events and the clock: its time is over, its steps bring nothing, or
// nobody runs it any more. Each is first asked of its runner, which ends it in good order, and is
// done without it shortly afterwards. Nothing is kept but in the log, so a watch can begin anew.
import type { Channel } from "#boundary/channel/port.ts";
import { callOff, endChild, tellChild } from "#boundary/child-ends.ts";
import { waitedBelow } from "#boundary/children/seen.ts";
import { sha256 } from "#boundary/digest.ts";
import type { Leases } from "#boundary/lease/port.ts";
import type { EventLog } from "#boundary/log/port.ts";
import type { Sessions } from "#boundary/sessions.ts";
import { until } from "#boundary/until.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { CallingOff } from "#core/session/child.ts";
import { type ChildSeen, childSeen, dueAt, lateAt, unseenChild } from "#core/session/child-seen.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { IDLE_TOLD, idleMax } from "#core/session/progress.ts";

/** A runner that says nothing for so long is asked for again; for twice as long, it is lost. */
const SILENT_MS = 15_000;
/** How long a child may take to end in good order at its deadline, and else, in milliseconds. */
const ENDING_MS = { deadline: 500, else: 2_500 };

export type WatchParts = { sessions: Sessions; log: EventLog; channel: Channel; leases: Leases };

export type Watching = {
  child: string;
  /** Whose call waits for it; without one, the signal alone calls it off. */
  parent?: { stream: string; callId: string };
  signal: AbortSignal;
  /** This node closes: a child that is called off then is left as it is. */
  closing: AbortSignal;
  /** Sees to it that somebody runs it. */
  wake(child: string): void;
  /** A line on what it does. */
  progress(text: string): void;
};

/** Until it is over; null where it is left to whoever goes on, since this node closes. */
export async function watchChild(
  parts: WatchParts,
  watching: Watching,
): Promise<Result<ChildSeen | null>> {
  return await new Watch(parts, watching).run();
}

class Watch {
  #seen: ChildSeen = unseenChild;
  /**
   * The last sign of life, and when somebody was asked to run it: by a clock that stands still
   * while the machine sleeps, as its runner does.
   */
  #lifeAt = performance.now();
  #wokenAt: number | null = null;
  /** How long children of its own waited for the user, as far as that was looked at. */
  #belowMs = 0;
  /** What ends it, and by when it is done without its runner. */
  #ending: { why: CallingOff | "cancelled"; atMost: number } | null = null;
  readonly #parts: WatchParts;
  readonly #watching: Watching;

  constructor(parts: WatchParts, watching: Watching) {
    this.#parts = parts;
    this.#watching = watching;
  }

  async run(): Promise<Result<ChildSeen | null>> {
    const { closing } = this.#watching;
    const over = new AbortController();
    const heard = this.#hear(over.signal);
    try {
      while (true) {
        const waiting = new AbortController();
        // Before the look: what comes in between is news.
        const news = this.#parts.log.changed(AbortSignal.any([closing, waiting.signal]));
        try {
          const read = await this.#readOn();
          if (!read.ok) return read;
          if (this.#seen.ended) return ok(this.#seen);
          if (closing.aborted) return ok(null);
          const done = await this.#decide(Date.now());
          if (!done.ok) return done;
          if (!done.value) await this.#wait(news, waiting.signal);
        } finally {
          waiting.abort();
        }
      }
    } finally {
      over.abort();
      await heard;
    }
  }

  /** Signs of life that no event tells of. */
  async #hear(signal: AbortSignal): Promise<void> {
    for await (const item of this.#parts.channel.listen(this.#watching.child, signal)) {
      if (item.type !== "stopped") this.#lifeAt = performance.now();
    }
  }

  async #readOn(): Promise<Result<void>> {
    const { child, progress } = this.#watching;
    const after = this.#seen.version;
    const never = new AbortController().signal;
    for await (const page of this.#parts.sessions.read(child, { after }, never)) {
      if (!page.ok) return page;
      for (const { record, decoded } of page.value) {
        this.#lifeAt = performance.now();
        if (decoded.kind !== "event") continue;
        this.#seen = childSeen(this.#seen, record, decoded.event, sha256);
        const line = lineOf(decoded.event);
        if (line) progress(`${line}\n`);
      }
    }
    return ok();
  }

  /** Does what is due. True where that changed the child. */
  async #decide(now: number): Promise<Result<boolean>> {
    const { child } = this.#watching;
    const silentMs = await this.#silence();
    if (this.#ending) {
      if (now < this.#ending.atMost) return ok(false);
      this.#ending.atMost = now + ENDING_MS.else;
      return await this.#endNow(this.#ending.why);
    }
    const isLate = await this.#isLate(now);
    if (!isLate.ok) return isLate;
    if (isLate.value) return await this.#end("deadline", now + ENDING_MS.deadline);
    const isOff = await this.#isCalledOff();
    if (!isOff.ok) return isOff;
    if (isOff.value) return await this.#end("cancelled", now + ENDING_MS.else);
    if (silentMs >= 2 * SILENT_MS) return await this.#end("lost", now);
    if (this.#seen.progress.idle >= idleMax(this.#seen.progress)) {
      return await this.#end("stuck", now + ENDING_MS.else);
    }
    const notice = noticeFor(this.#seen, now, this.#belowMs);
    return notice ? await tellChild(this.#parts, child, notice) : ok(false);
  }

  /** How long nobody gave a sign of life; whoever is silent is asked for once in a while. */
  async #silence(): Promise<number> {
    const { child, wake } = this.#watching;
    const now = performance.now();
    const since = Math.max(this.#lifeAt, this.#wokenAt ?? 0);
    if (this.#wokenAt !== null && now - since < SILENT_MS) return now - this.#lifeAt;
    this.#wokenAt = now;
    wake(child);
    // Another process that runs it gives its signs to itself; that it is there, its lease tells.
    if (now - this.#lifeAt >= SILENT_MS && isRun(this.#parts, child)) this.#lifeAt = now;
    return now - this.#lifeAt;
  }

  /** Whether its time is over, but for what it, or a child of its own, waited for the user. */
  async #isLate(now: number): Promise<Result<boolean>> {
    if (now < dueAt(this.#seen) + this.#belowMs) return ok(false);
    const below = await waitedBelow(this.#parts, this.#watching.child, now);
    if (!below.ok) return below;
    this.#belowMs = below.value;
    return ok(now >= dueAt(this.#seen) + this.#belowMs);
  }

  /** A runner that stops calls off all that it waits for: only its turn's end is meant by that. */
  async #isCalledOff(): Promise<Result<boolean>> {
    const { signal, parent } = this.#watching;
    if (!signal.aborted || !parent) return ok(signal.aborted);
    const state = await this.#parts.sessions.fold(parent.stream);
    if (!state.ok) return state;
    const { turn, calls } = state.value;
    const call = calls.find((one) => one.call.id === parent.callId);
    return ok(turn === null || turn.cancelled !== null || !call || call.state === "ended");
  }

  /** Whether its runner hears of it or not. */
  async #endNow(why: CallingOff | "cancelled"): Promise<Result<boolean>> {
    const { child } = this.#watching;
    const ended = await endChild(this.#parts, child, why);
    if (!ended.ok || ended.value) return ended;
    const read = await this.#readOn();
    if (!read.ok || this.#seen.ended) return read.ok ? ok(true) : read;
    return fail("corrupt", `the log of the child ${child} cannot be read, so it cannot be ended`);
  }

  async #end(why: CallingOff | "cancelled", atMost: number): Promise<Result<boolean>> {
    // The deadline counts also for an end that is under way.
    const due = dueAt(this.#seen) + this.#belowMs;
    this.#ending = { why, atMost: Math.min(atMost, due + ENDING_MS.deadline) };
    const asked = await callOff(this.#parts, this.#watching.child, why);
    return asked.ok ? ok(true) : asked;
  }

  async #wait(news: Promise<void>, over: AbortSignal): Promise<void> {
    const now = Date.now();
    const silentMs = performance.now() - Math.max(this.#lifeAt, this.#wokenAt ?? 0);
    const soon = [
      this.#ending ? this.#ending.atMost - now : Number.POSITIVE_INFINITY,
      ...[lateAt(this.#seen), dueAt(this.#seen)].map((at) => at + this.#belowMs - now),
    ].filter((ms) => ms > 0);
    const due = sleep(Math.max(1, Math.min(...soon, SILENT_MS - silentMs)), over);
    const off = this.#watching.signal;
    // Once it is called off, only what becomes of its parent's turn is news.
    await until(Promise.race([news, due]), off.aborted ? new AbortController().signal : off);
  }
}

/** Whether somebody holds the lease of a session. */
function isRun({ leases }: WatchParts, child: string): boolean {
  const lease = leases.take(child);
  if (lease.ok) lease.value.release();
  return !lease.ok && lease.error.code === "busy";
}

/** What the child is to be told now, once each. */
function noticeFor(seen: ChildSeen, now: number, belowMs: number): string | null {
  const { progress, told } = seen;
  const isNew = (text: string) => !told.some((one) => one === text);
  if (now >= lateAt(seen) + belowMs && isNew(lateNotice)) return lateNotice;
  if (progress.idle >= IDLE_TOLD && progress.jobs === 0 && isNew(idleNotice)) return idleNotice;
  return null;
}

const lateNotice =
  "Most of your time is over. Finish what you are at and end with your report; what you did not get to belongs in it.";

const idleNotice =
  "Your last steps brought nothing new: no other file, no other outcome, no other answer. Try a way that is really another one, or end with a report of what stands in the way.";

/** What is shown of a child where its parent's call runs. */
function lineOf(event: SessionEvent): string | null {
  switch (event.type) {
    case "ToolStarted":
      return event.title;
    case "PermissionAsked":
      return `waits for your leave: ${event.title}`;
    case "StepBroken":
      return `no answer: ${event.failure.say}`;
    default:
      return null;
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, 2_147_483_647));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
