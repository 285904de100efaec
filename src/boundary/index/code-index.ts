// The code index of a folder, kept in SQLite: on disk for all branches and worktrees of a repository,
// or in memory.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { addAgain, type FillOptions, fill } from "#boundary/index/fill.ts";
import { impactOf, mapOf } from "#boundary/index/graph.ts";
import type {
  CodeHit,
  CodeIndex,
  FileHit,
  Refreshed,
  RefreshProgress,
  Watching,
} from "#boundary/index/port.ts";
import { indexReader, type Loaded } from "#boundary/index/reader.ts";
import { emptied, openIndex } from "#boundary/index/store.ts";
import { referencesOf, symbolsOf, textAt } from "#boundary/index/symbols.ts";
import { watching } from "#boundary/index/watch.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import type { FoundChunk } from "#core/context/find.ts";
import { questionOf } from "#core/context/question.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** Threads that read and parse: more of them only wait for the one disk and database. */
const THREADS_MAX = 4;

export type IndexOptions = Pick<FillOptions, "parsing" | "entry"> & {
  threads?: number;
  /** Watches from the first refresh on: for a process that stays. */
  follows?: boolean;
};

/** How long a watch is believed before everything is looked at again, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

const nothingRead = { read: 0, contents: 0, bytes: 0, commits: 0 };

/** Keeps the index in this file; null keeps it in memory, which takes one thread. */
export function codeIndexAt(
  root: string,
  file: string | null,
  options: IndexOptions,
): Result<CodeIndex> {
  const opened = openIndex(file ?? ":memory:");
  if (!opened.ok) return opened;
  const db = opened.value;
  const reader = indexReader(db, root);
  const never = new AbortController().signal;
  const closing = new AbortController();
  let running: Promise<Result<Refreshed>> | null = null;
  let live: { watching: Watching; signal: AbortSignal } | null = null;
  const { entry, threads = Math.min(THREADS_MAX, availableParallelism()) } = options;
  let parser: Promise<SyntaxParser> | null = null;
  /** One for all that is read in this thread: a grammar takes as long to load as a file to read. */
  const parsing = () => {
    parser ??= options.parsing();
    return parser;
  };
  const filling = { file: file ?? "", root, threads, parsing, entry: file === null ? null : entry };

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

  async function brought(signal: AbortSignal, progress?: (now: RefreshProgress) => void) {
    const until = AbortSignal.any([signal, closing.signal]);
    const told = progress ? { progress } : {};
    const filled = await fill(db, { ...filling, signal: until, ...told });
    if (filled.ok && options.follows && !live && !closing.signal.aborted) watch(never);
    return filled;
  }

  /** Whether the watch alone keeps it fresh: of all of it, and as long as that was proved lately. */
  function isFollowed(by: Watching): boolean {
    const at = db.prepare("SELECT at FROM looks WHERE root = ?").get(root)?.at;
    return !by.isPartial() && typeof at === "number" && Date.now() - at < LOOK_EVERY_MS;
  }

  return guarded({
    async refresh(signal, progress) {
      if (live && !live.signal.aborted) await live.watching.settled();
      if (live && !live.signal.aborted && isFollowed(live.watching)) {
        return ok({ files: statusOf(db, root, null).files, ...nothingRead });
      }
      // One at a time: who comes while one is under way has what it brings.
      while (running) {
        const before = await running;
        if (before.ok || signal.aborted || closing.signal.aborted) return before;
      }
      running = brought(signal, progress).finally(() => {
        running = null;
      });
      return await running;
    },
    async watch(signal) {
      return ok(watch(signal));
    },
    async clear() {
      live?.watching.close();
      live = null;
      emptied(db);
      return ok();
    },
    async files(text, limit) {
      const loaded = await reader.load(never);
      const found = loaded.finder.files(questionOf(text), limit);
      const hits = found.flatMap(({ file: at, score, why }): FileHit[] =>
        (loaded.corpus.files[at]?.paths ?? []).map((path) => ({ path, score, why })),
      );
      return ok(hits.slice(0, limit));
    },
    async search(text, limit) {
      const loaded = await reader.load(never);
      const found = loaded.finder.chunks(questionOf(text), limit);
      const hits = await Promise.all(found.map((chunk) => hitOf(root, loaded, chunk)));
      return ok(hits.filter((hit) => hit !== null));
    },
    ...graphAnswers(root, () => reader.load(never)),
    async status() {
      return ok(statusOf(db, root, file));
    },
    close() {
      closing.abort();
      live?.watching.close();
      parser?.then((one) => one.close()).catch(() => {});
      db.close();
    },
  });
}

/** What is asked of symbols and of how files hang together. */
function graphAnswers(
  root: string,
  load: () => Promise<Loaded>,
): Pick<CodeIndex, "symbols" | "references" | "map" | "impact"> {
  return {
    async symbols(name, wanted) {
      return ok(await symbolsOf(root, await load(), { name, ...wanted }));
    },
    async references(name, limit) {
      return ok(await referencesOf(root, await load(), { name, limit }));
    },
    async map(options) {
      return ok(await mapOf(root, await load(), options));
    },
    async impact(wanted, limit) {
      return ok(await impactOf(root, await load(), { wanted, limit }));
    },
  };
}

/** A chunk with its text; null where its file is away, or was changed since it was read. */
async function hitOf(root: string, loaded: Loaded, found: FoundChunk): Promise<CodeHit | null> {
  const path = loaded.corpus.files[found.file]?.paths[0];
  const detail = loaded.detail(found.file);
  const place = detail.chunks[found.chunk];
  if (path === undefined || !place) return null;
  const whole = await textAt(root, loaded, found.file);
  if (whole === null) return null;
  const text = whole.slice(place.start, place.end).trimEnd();
  const symbols = detail.symbols.filter(({ start }) => start >= place.start && start < place.end);
  return {
    path,
    score: found.score,
    why: found.why,
    line: place.line,
    endLine: place.line + text.split("\n").length - 1,
    inside: place.path,
    symbols: symbols.map(({ name }) => name),
    text,
  };
}

function statusOf(db: DatabaseSync, root: string, file: string | null) {
  const count = (sql: string, ...values: string[]) =>
    Number(db.prepare(sql).get(...values)?.n ?? 0);
  const at = db.prepare("SELECT at FROM looks WHERE root = ?").get(root)?.at;
  const mine = "FROM files f JOIN contents c ON c.id = f.content WHERE f.root = ?";
  return {
    at: typeof at === "number" ? at : null,
    files: count(`SELECT count(*) AS n ${mine}`, root),
    chunks: count(`SELECT coalesce(sum(c.count), 0) AS n ${mine}`, root),
    symbols: count(
      `SELECT coalesce(sum(json_array_length(c.detail, '$[1]')), 0) AS n ${mine}`,
      root,
    ),
    segments: count("SELECT count(*) AS n FROM segments"),
    commits: count("SELECT count(*) AS n FROM commits"),
    bytes: file === null ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    file: file ?? "in memory",
  };
}

/** No exception of the database crosses the port. */
function guarded(index: CodeIndex): Result<CodeIndex> {
  const safe =
    <A extends unknown[], T>(work: (...given: A) => Promise<Result<T>>) =>
    async (...given: A): Promise<Result<T>> => {
      try {
        return await work(...given);
      } catch (error) {
        return fail("storage", `the code index failed: ${String(error)}`, {
          fix: "`aiex index --rebuild` makes it anew",
        });
      }
    };
  return ok({
    refresh: safe(index.refresh),
    watch: safe(index.watch),
    clear: safe(index.clear),
    files: safe(index.files),
    search: safe(index.search),
    symbols: safe(index.symbols),
    references: safe(index.references),
    map: safe(index.map),
    impact: safe(index.impact),
    status: safe(index.status),
    close: index.close,
  });
}
