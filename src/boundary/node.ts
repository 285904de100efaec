// A node: the App over this machine's own log. It runs the turns that are started through it, and
// follows the ones that another process runs; should that process die, it takes over. Sending and
// running are loaded when they are wanted: reading needs neither.
import type { App, Entry } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { entryOf, read } from "#boundary/door/read.ts";
import type { Children } from "#boundary/turn/parts.ts";
import { bugIn, type Failure, ok, type Result } from "#core/failure.ts";
import { next } from "#core/session/next.ts";

/** How often a session that another process runs is looked at, in milliseconds. */
const RETRY_MS = 500;

export function nodeOver(parts: DoorParts): App {
  const closing = new AbortController();
  const driving = new Map<string, Promise<void>>();
  const wanted = new Set<string>();
  const children = childrenLater(parts, { wake, closing: closing.signal });

  /** Sees to it that the session is run, here or elsewhere, until it rests. */
  function wake(session: string): void {
    wanted.add(session);
    if (driving.has(session)) return;
    // A bug that even the runner could not end the turn for stays with its session, too.
    const run = runUntilRest(session)
      .catch((error: unknown) => tellStopped(session, bugIn(error)))
      .finally(() => {
        driving.delete(session);
        if (wanted.has(session) && !closing.signal.aborted) wake(session);
      });
    driving.set(session, run);
  }

  async function runUntilRest(session: string): Promise<void> {
    const { drive } = await import("#boundary/turns.ts");
    while (!closing.signal.aborted) {
      wanted.delete(session);
      const news = new AbortController();
      const changed = parts.log.changed(AbortSignal.any([news.signal, closing.signal]));
      try {
        const outcome = await drive({ ...parts, children }, session, closing.signal);
        const isElsewhere =
          outcome.ok && (outcome.value === "deposed" || outcome.value === "elsewhere");
        if (!isElsewhere) {
          if (!outcome.ok) tellStopped(session, outcome.error);
          else tidying = tidying.then(tidy);
          return;
        }
        await Promise.race([changed, sleep(RETRY_MS, closing.signal)]);
        const resting = await atRest(session);
        if (!resting.ok) tellStopped(session, resting.error);
        if (!resting.ok || resting.value) return;
      } finally {
        news.abort();
      }
    }
  }

  /** What ended the drive is not in the log, where nobody can read it: so it is said live. */
  function tellStopped(session: string, failure: Failure): void {
    parts.channel.publish(session, { type: "stopped", failure });
  }

  async function atRest(session: string): Promise<Result<boolean>> {
    const state = await parts.sessions.fold(session);
    return state.ok ? ok(next(state.value).do === "rest") : state;
  }

  /** What is left of erased sessions is removed behind the first command, once for each node. */
  let sweeping: Promise<unknown> | null = null;
  async function sweep(): Promise<void> {
    const { sweepErased } = await import("#boundary/door/sweep.ts");
    // What fails here is tried again at the next start; nobody waits for it.
    await sweepErased(parts, Date.now(), closing.signal).catch(() => {});
    const open = await parts.log.tables.rows("children", { where: { open: 1 }, limit: 1 });
    if (!open.ok || open.value.length === 0 || closing.signal.aborted) return;
    const { endOverdue } = await import("#boundary/children/overdue.ts");
    await endOverdue(parts, Date.now()).catch(() => {});
  }

  /** The trees of a folder, once they are many packs: behind a turn, nobody waits for it. */
  let tidying: Promise<unknown> = Promise.resolve();
  async function tidy(): Promise<void> {
    if ((await parts.treesInUse()).length === 0) return;
    const { tidyCluttered } = await import("#boundary/door/tidy-trees.ts");
    await tidyCluttered(parts, closing.signal).catch(() => {});
  }

  return {
    async send(command) {
      sweeping ??= sweep();
      const { send } = await import("#boundary/door/send.ts");
      return await send(parts, command, wake);
    },
    read: (query) => read(parts, query) as ReturnType<App["read"]> as never,
    follow: (from, signal) => follow(parts, from, AbortSignal.any([signal, closing.signal])),
    listen: ({ session }, signal) =>
      parts.channel.listen(session, AbortSignal.any([signal, closing.signal])),
    async close() {
      closing.abort();
      await Promise.allSettled([...driving.values(), sweeping, tidying]);
      parts.leases.close();
      await parts.log.close();
    },
  };
}

/** The children of this node's sessions, loaded when there is one. */
function childrenLater(
  parts: DoorParts,
  node: { wake(session: string): void; closing: AbortSignal },
): Children {
  const load = async () =>
    (await import("#boundary/children/children.ts")).childrenOver(parts, node);
  return {
    of: async (parent, task) => await (await load()).of(parent, task),
    end: async (child) => await (await load()).end(child),
  };
}

async function* follow(
  parts: DoorParts,
  from: { stream: string; after: number },
  signal: AbortSignal,
): AsyncIterable<Result<Entry>> {
  let { after } = from;
  while (!signal.aborted) {
    const waiting = new AbortController();
    const news = parts.log.changed(AbortSignal.any([signal, waiting.signal]));
    try {
      for await (const page of parts.sessions.read(from.stream, { after }, signal)) {
        if (!page.ok) return yield page;
        for (const row of page.value) {
          after = row.record.version;
          yield ok(entryOf(row));
        }
      }
      await news;
    } finally {
      waiting.abort();
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
