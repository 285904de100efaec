// Feeding the views from the log: those that must agree with it in the append's own transaction,
// the others by position when they are asked for. A view that fails is rebuilt; the log stands.
import { setTimeout as passed } from "node:timers/promises";
import { type AtOnce, type EventLog, FEED_GAP_MS, FEED_RECORDS } from "#boundary/log/port.ts";
import type { Sessions } from "#boundary/sessions.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import { decode } from "#core/session/upcast.ts";
import { views } from "#core/views/index.ts";
import type { RowChange, View } from "#core/views/view.ts";

/** How often a view is fed again from where another process left it. */
const CONFLICTS_MAX = 50;

/** What an append changes in the views that are fed with it. Streams that are no sessions: nothing. */
export const feedAtOnce: AtOnce = (records) =>
  views
    .filter((view) => view.atOnce)
    .map((view) => ({
      table: view.name,
      changes: records.flatMap((record) =>
        concerns(view, record) ? view.apply(record, decode(record)) : [],
      ),
    }));

const concerns = (view: View, record: LogRecord): boolean =>
  view.types.has(record.type) && (isSession(record.stream) || record.stream === view.beside);

const isSession = (stream: string): boolean => !stream.includes(":");

export type Views = {
  /** Makes the tables; call once before the first append. */
  open(signal: AbortSignal): Promise<Result<void>>;
  /** Brings a view up to the end of the log. */
  catchUp(name: string, signal: AbortSignal): Promise<Result<void>>;
  /** Empties every view and feeds it again from the first record. Answers how many records. */
  rebuild(progress: (fed: number) => void, signal: AbortSignal): Promise<Result<number>>;
};

export function viewsOver(log: EventLog, sessions: Sessions): Views {
  /** Feeds a view from where it stands to the end. Another process may do the same meanwhile. */
  async function feed(view: View, progress: (fed: number) => void, signal: AbortSignal) {
    for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
      const at = await log.tables.ensure(view);
      if (!at.ok) return at;
      const fed = await feedAfter(view, at.value, { progress, signal });
      if (fed.ok || fed.error.code !== "conflict") return fed;
    }
    return fail("busy", `others kept feeding the view ${view.name}`, { fix: "try again" });
  }

  async function changesIn(view: View, page: LogRecord[]): Promise<Result<RowChange[]>> {
    const changes: RowChange[] = [];
    for (const record of page) {
      if (!concerns(view, record)) continue;
      const decoded = await sessions.decode(record);
      if (!decoded.ok) return decoded;
      changes.push(...view.apply(record, decoded.value));
    }
    return ok(changes);
  }

  async function feedAfter(
    view: View,
    start: number,
    { progress, signal }: { progress: (fed: number) => void; signal: AbortSignal },
  ): Promise<Result<number>> {
    let fed = 0;
    let after = start;
    let position = start;
    let held = 0;
    let changes: RowChange[] = [];
    const flush = async (): Promise<Result<void>> => {
      const done = await log.tables.feed({ table: view.name, after, position, changes });
      if (!done.ok) return done;
      [after, fed, held, changes] = [position, fed + held, 0, []];
      progress(fed);
      return ok();
    };
    for await (const page of log.readAll(start, signal)) {
      if (!page.ok) return page;
      // Between two transactions of a long feeding others get the lock.
      if (after !== start && held === 0) await passed(FEED_GAP_MS);
      const made = await changesIn(view, page.value);
      if (!made.ok) return made;
      changes.push(...made.value);
      position = page.value.at(-1)?.position ?? position;
      held += page.value.length;
      const flushed = held >= FEED_RECORDS ? await flush() : ok();
      if (!flushed.ok) return flushed;
    }
    const flushed = held > 0 ? await flush() : ok();
    return flushed.ok ? ok(fed) : flushed;
  }

  return {
    async open(signal) {
      for (const view of views) {
        const fed = await log.tables.ensure(view);
        if (!fed.ok) return fed;
        // Just made, for a new log or because its version was raised: appends alone do not fill it.
        const isNew = view.atOnce && fed.value === 0;
        const filled = isNew ? await log.tables.refill(view.name, signal) : fed;
        if (!filled.ok) return filled;
      }
      return ok();
    },
    async catchUp(name, signal) {
      const view = views.find((one) => one.name === name && !one.atOnce);
      if (!view) return ok();
      const done = await feed(view, () => {}, signal);
      return done.ok ? ok() : done;
    },
    async rebuild(progress, signal) {
      let most = 0;
      for (const view of views) {
        if (view.atOnce) {
          const filled = await log.tables.refill(view.name, signal);
          if (!filled.ok) return filled;
          continue;
        }
        const cleared = await log.tables.clear(view.name);
        if (!cleared.ok) return cleared;
        const done = await feed(view, progress, signal);
        if (!done.ok) return done;
        most = Math.max(most, done.value);
      }
      return ok(most);
    },
  };
}
