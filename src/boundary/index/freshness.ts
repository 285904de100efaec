// Keeps an index fresh: one refresh at a time, however many ask; a watch that spares the look at all
// files, as long as it can be believed; and one end for all of it.
import type { DatabaseSync } from "node:sqlite";
import { addAgain, type FillOptions, fill } from "#boundary/index/fill.ts";
import type { CodeIndex, Refreshed, RefreshProgress, Watching } from "#boundary/index/port.ts";
import { watching } from "#boundary/index/watch.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import { ok, type Result } from "#core/failure.ts";

/** How long a watch is believed before everything is looked at again, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

export type Freshness = Pick<CodeIndex, "refresh"> & {
  watch(signal: AbortSignal): Watching;
  /** Ends the watch; the next refresh looks at everything. */
  forget(): void;
  /** Ends all of it, a refresh under way too. */
  close(): void;
};

export type FreshnessOptions = Omit<FillOptions, "signal" | "progress"> & {
  /** Watches from the first refresh on: for a process that stays. */
  follows: boolean;
};

export function freshnessOf(db: DatabaseSync, options: FreshnessOptions): Freshness {
  const { root } = options;
  const closing = new AbortController();
  let running: Promise<Result<Refreshed>> | null = null;
  let live: { watching: Watching; signal: AbortSignal } | null = null;
  let parser: Promise<SyntaxParser> | null = null;
  /** One for all that is read in this thread: a grammar takes as long to load as a file to read. */
  const parsing = () => {
    parser ??= options.parsing();
    return parser;
  };
  const filling = { ...options, parsing };

  function watch(signal: AbortSignal): Watching {
    const rows = db.prepare("SELECT path FROM files WHERE root = ?");
    const started = watching({
      root,
      signal,
      paths: () => rows.all(root).map(({ path }) => String(path)),
      again: (paths) => addAgain(db, { ...filling, signal }, paths),
      look: () => fill(db, { ...filling, signal }),
    });
    live = { watching: started, signal };
    return started;
  }

  async function filled(signal: AbortSignal, progress?: (now: RefreshProgress) => void) {
    const until = AbortSignal.any([signal, closing.signal]);
    const done = await fill(db, { ...filling, signal: until, ...(progress ? { progress } : {}) });
    if (done.ok && options.follows && !live && !closing.signal.aborted) watch(closing.signal);
    return done;
  }

  /** The files, where the watch alone keeps them fresh: all of them, and proved so lately. */
  async function followed(): Promise<Refreshed | null> {
    if (!live || live.signal.aborted) return null;
    await live.watching.settled();
    const at = db.prepare("SELECT at FROM looks WHERE root = ?").get(root)?.at;
    const isOld = typeof at !== "number" || Date.now() - at >= LOOK_EVERY_MS;
    if (isOld || live.watching.isPartial()) return null;
    const count = "SELECT count(*) AS n FROM files WHERE root = ? AND content IS NOT NULL";
    const files = Number(db.prepare(count).get(root)?.n ?? 0);
    return { files, read: 0, contents: 0, bytes: 0, commits: 0 };
  }

  return {
    watch,
    async refresh(signal, progress) {
      const kept = await followed();
      if (kept) return ok(kept);
      // One at a time: who comes while one is under way has what it brings.
      while (running) {
        const before = await running;
        if (before.ok || signal.aborted || closing.signal.aborted) return before;
      }
      running = filled(signal, progress).finally(() => {
        running = null;
      });
      return await running;
    },
    forget() {
      live?.watching.close();
      live = null;
    },
    close() {
      closing.abort();
      live?.watching.close();
      parser?.then((one) => one.close()).catch(() => {});
    },
  };
}
