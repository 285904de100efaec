// Watching a child until it is over. A child ends by itself when its turn does; what ends it otherwise
// is decided here, from its own events and the clock: its time is over, its steps bring nothing, or
// nobody runs it any more. Each is first asked of its runner, which ends it in good order, and is
// done without it shortly afterwards. Nothing is kept but in the log, so a watch can begin anew.
import type { Channel } from "#boundary/channel/port.ts";
import { callOff, endChild, tellChild } from "#boundary/child-ends.ts";
import { sha256 } from "#boundary/digest.ts";
import type { EventLog } from "#boundary/log/port.ts";
import type { Sessions } from "#boundary/sessions.ts";
import { until } from "#boundary/until.ts";
import { ok, type Result } from "#core/failure.ts";
import type { CallingOff } from "#core/session/child.ts";
import { type ChildSeen, childSeen, dueAt, lateAt, unseenChild } from "#core/session/child-seen.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { IDLE_TOLD, idleMax } from "#core/session/progress.ts";

/** A runner that says nothing for so long is asked for again; for twice as long, it is lost. */
const SILENT_MS = 15_000;
/** How long a child may take to end in good order at its deadline, and else, in milliseconds. */
const ENDING_MS = { deadline: 500, else: 2_500 };

export type WatchParts = { sessions: Sessions; log: EventLog; channel: Channel };

export type Watching = {
  child: string;
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
  /** The last sign of life, and when somebody was asked to run it, by this node's clock. */
  #lifeAt = Date.now();
  #wokenAt = 0;
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
      if (item.type !== "stopped") this.#lifeAt = Date.now();
    }
  }

  async #readOn(): Promise<Result<void>> {
    const { child, progress } = this.#watching;
    const after = this.#seen.version;
    const never = new AbortController().signal;
    for await (const page of this.#parts.sessions.read(child, { after }, never)) {
      if (!page.ok) return page;
      for (const { record, decoded } of page.value) {
        this.#lifeAt = Date.now();
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
    const { child, signal, wake } = this.#watching;
    if (this.#wokenAt === 0 || now - Math.max(this.#lifeAt, this.#wokenAt) >= SILENT_MS) {
      this.#wokenAt = now;
      wake(child);
    }
    if (this.#ending) {
      if (now < this.#ending.atMost) return ok(false);
      this.#ending.atMost = now + ENDING_MS.else;
      return await endChild(this.#parts, child, this.#ending.why);
    }
    if (now >= dueAt(this.#seen)) return await this.#end("deadline", now + ENDING_MS.deadline);
    if (signal.aborted) return await this.#end("cancelled", now + ENDING_MS.else);
    if (now - this.#lifeAt >= 2 * SILENT_MS) return await this.#end("lost", now);
    if (this.#seen.progress.idle >= idleMax(this.#seen.progress)) {
      return await this.#end("stuck", now + ENDING_MS.else);
    }
    const notice = noticeFor(this.#seen, now);
    return notice ? await tellChild(this.#parts, child, notice) : ok(false);
  }

  async #end(why: CallingOff | "cancelled", atMost: number): Promise<Result<boolean>> {
    // The deadline counts also for an end that is under way.
    this.#ending = { why, atMost: Math.min(atMost, dueAt(this.#seen) + ENDING_MS.deadline) };
    const asked = await callOff(this.#parts, this.#watching.child, why);
    return asked.ok ? ok(true) : asked;
  }

  async #wait(news: Promise<void>, over: AbortSignal): Promise<void> {
    const now = Date.now();
    const times = this.#ending
      ? [this.#ending.atMost]
      : [
          lateAt(this.#seen),
          dueAt(this.#seen),
          Math.max(this.#lifeAt, this.#wokenAt) + SILENT_MS,
          this.#lifeAt + 2 * SILENT_MS,
        ].filter((at) => at > now);
    const due = sleep(Math.max(1, Math.min(...times) - now), over);
    const off = this.#ending ? new AbortController().signal : this.#watching.signal;
    await until(Promise.race([news, due]), off);
  }
}

/** What the child is to be told now, once each. */
function noticeFor(seen: ChildSeen, now: number): string | null {
  const { progress, told } = seen;
  const isNew = (text: string) => !told.some((one) => one === text);
  if (now >= lateAt(seen) && isNew(lateNotice)) return lateNotice;
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
