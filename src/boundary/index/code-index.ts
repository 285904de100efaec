// The code index of a folder, kept in SQLite: on disk for all branches and worktrees of a repository,
// or in memory.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import type { FillOptions } from "#boundary/index/fill.ts";
import { freshnessOf } from "#boundary/index/freshness.ts";
import { impactOf, mapOf } from "#boundary/index/graph.ts";
import type { CodeHit, CodeIndex, FileHit } from "#boundary/index/port.ts";
import { indexReader, type Loaded } from "#boundary/index/reader.ts";
import { emptied, openIndex } from "#boundary/index/store.ts";
import { referencesOf, symbolsOf, textAt } from "#boundary/index/symbols.ts";
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
  const { parsing, follows = false } = options;
  const fresh = freshnessOf(db, {
    ...{ file: file ?? "", root, parsing, follows },
    threads: options.threads ?? Math.min(THREADS_MAX, availableParallelism()),
    entry: file === null ? null : options.entry,
  });
  return guarded({
    refresh: fresh.refresh,
    async watch(signal) {
      return ok(fresh.watch(signal));
    },
    async clear() {
      fresh.forget();
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
      fresh.close();
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
