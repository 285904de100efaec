// Brings an index up to date with a folder: looks what changed, and has threads read it, each
// writing its own segments. What is written stays: called off or killed, the next one goes on there.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { addingTo, insertSegment } from "#boundary/index/adding.ts";
import { type Looked, lookAt, statOf } from "#boundary/index/look.ts";
import { isMergeDue, mergeSegments } from "#boundary/index/merge.ts";
import type { FromWorker, ToWorker, WorkerGiven } from "#boundary/index/messages.ts";
import type { Parsing } from "#boundary/index/port.ts";
import { type Commit, commitsOf, headOf } from "#boundary/index/repository.ts";
import { transaction } from "#boundary/index/store.ts";
import { segmentBuilder } from "#core/context/postings.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** Bytes of the files that a thread is given at once. */
const BATCH_BYTES = 400_000;
const BATCH_FILES = 200;
/** Work that is not worth a thread: it takes 50 ms to begin. */
const HERE_BYTES_MAX = 300_000;
/** Files that may break a thread's parser in one build. */
const THREADS_BROKEN_MAX = 50;
/** Batches that a thread has before it, so that it never waits for the next. */
const AHEAD = 2;

/** Memory of a thread for what lives long and for what lives short, in MiB. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 6 };

export type Progress = { files: number; of: number; bytes: number; ofBytes: number };

export type Filled = {
  /** Files that the folder has; those that were read; contents that were new. */
  files: number;
  read: number;
  contents: number;
  bytes: number;
  commits: number;
};

export type FillOptions = {
  /** The index's file, which threads open anew. */
  file: string;
  root: string;
  /** How many threads read and parse, and where each begins; without an entry it is done here. */
  threads: number;
  entry: URL | null;
  parsing: Parsing;
  signal: AbortSignal;
  progress?(progress: Progress): void;
};

/** Brings files and commits up to date. */
export async function fill(db: DatabaseSync, options: FillOptions): Promise<Result<Filled>> {
  const { root, signal } = options;
  const looked = await lookAt(db, root, signal);
  if (!looked.ok) return looked;
  const { changed, gone, files } = looked.value;
  forget(db, root, gone);
  const bytes = bytesOf(changed);
  const added = await add(db, options, changed);
  if (!added.ok) return added;
  forgetRoots(db);
  const commits = await addCommits(db, root, signal);
  const merged = isMergeDue(db) && !signal.aborted ? await merge(db, options) : ok();
  if (!merged.ok) return merged;
  if (signal.aborted) return fail("cancelled", "the index was called off; what is done stays");
  return ok({ files, read: changed.length, contents: added.value, bytes, commits });
}

/** Reads files again that are in the index; those that are away are forgotten. */
export async function addAgain(
  db: DatabaseSync,
  options: Omit<FillOptions, "progress">,
  paths: readonly string[],
): Promise<Result<number>> {
  const sizes = paths.map((path) => ({ path, stat: statOf(join(options.root, path)) }));
  const gone = sizes.filter(({ stat }) => stat === null).map(({ path }) => path);
  forget(db, options.root, gone);
  const there = sizes.flatMap(({ path, stat }) => (stat ? [{ path, bytes: stat.size }] : []));
  return await add(db, options, there);
}

/** Few files in this thread, many in others. */
async function add(
  db: DatabaseSync,
  options: FillOptions,
  changed: Looked["changed"],
): Promise<Result<number>> {
  const bytes = bytesOf(changed);
  const isHere = options.entry === null || bytes <= HERE_BYTES_MAX;
  return await (isHere ? addHere(db, options, changed) : addInThreads(options, changed, bytes));
}

/** Folders that are gone, worktrees among them: what only they had may be dropped. */
function forgetRoots(db: DatabaseSync): void {
  const roots = db.prepare("SELECT root FROM looks").all();
  for (const { root } of roots) {
    if (existsSync(String(root))) continue;
    db.prepare("DELETE FROM files WHERE root = ?").run(root as string);
    db.prepare("DELETE FROM looks WHERE root = ?").run(root as string);
  }
}

function forget(db: DatabaseSync, root: string, gone: readonly string[]): void {
  if (gone.length === 0) return;
  const remove = db.prepare("DELETE FROM files WHERE root = ? AND path = ?");
  transaction(db, () => {
    for (const path of gone) remove.run(root, path);
  });
}

/** Adds files in this thread, as long as its parser holds. Answers how many contents were new. */
async function addHere(
  db: DatabaseSync,
  options: Omit<FillOptions, "progress">,
  changed: Looked["changed"],
): Promise<Result<number>> {
  if (changed.length === 0) return ok(0);
  const parser = await options.parsing();
  const adding = addingTo(db, parser, options.root);
  let contents = 0;
  for (const [i, { path }] of changed.entries()) {
    // Others get their turn between the files.
    await new Promise((resolve) => setImmediate(resolve));
    if (options.signal.aborted) break;
    if (parser.isBroken() && options.entry !== null) {
      adding.flush();
      const rest = changed.slice(i);
      const added = await addInThreads(options, rest, bytesOf(rest));
      return added.ok ? ok(contents + added.value) : added;
    }
    contents += (await adding.add([path])).contents;
  }
  adding.flush();
  return ok(contents);
}

const bytesOf = (files: Looked["changed"]): number =>
  files.reduce((sum, file) => sum + file.bytes, 0);

function batches(changed: Looked["changed"]): { paths: string[]; bytes: number }[] {
  const all: { paths: string[]; bytes: number }[] = [];
  let last = { paths: [] as string[], bytes: 0 };
  for (const { path, bytes } of changed) {
    const isFull = last.bytes + bytes > BATCH_BYTES || last.paths.length >= BATCH_FILES;
    if (isFull && last.paths.length > 0) {
      all.push(last);
      last = { paths: [], bytes: 0 };
    }
    last.paths.push(path);
    last.bytes += bytes;
  }
  return last.paths.length > 0 ? [...all, last] : all;
}

async function addInThreads(
  { file, root, threads, entry, signal, progress }: FillOptions,
  changed: Looked["changed"],
  ofBytes: number,
): Promise<Result<number>> {
  const waiting = batches(changed).reverse();
  const done = { files: 0, bytes: 0, contents: 0 };
  const count = Math.min(threads, waiting.length);
  const work: Work = {
    signal,
    next: () => waiting.pop()?.paths ?? null,
    added(message) {
      done.files += message.files;
      done.bytes += message.bytes;
      done.contents += message.contents;
      if (message.left.length > 0) waiting.push({ paths: [...message.left], bytes: 0 });
      progress?.({ files: done.files, of: changed.length, bytes: done.bytes, ofBytes });
    },
  };
  const threadAfterThread = async (): Promise<Result<void>> => {
    for (let i = 0; i < THREADS_BROKEN_MAX; i += 1) {
      const workerData: WorkerGiven = { file, root };
      const worker = new Worker(entry ?? "", { workerData, resourceLimits: LIMITS });
      const ended = await working(worker, work).finally(() => worker.terminate());
      if (!ended.ok) return ended;
      if (ended.value === "done") return ok();
    }
    return fail("bug", "too many files break the parser", { fix: "name them in .aiexignore" });
  };
  const ends = await Promise.all(Array.from({ length: count }, threadAfterThread));
  const failed = ends.find((end) => !end.ok);
  return failed && !failed.ok ? failed : ok(done.contents);
}

/** In a thread where there is one: it takes seconds for a large index. */
async function merge(
  db: DatabaseSync,
  { file, root, entry }: Pick<FillOptions, "file" | "root" | "entry">,
): Promise<Result<void>> {
  if (entry === null) {
    mergeSegments(db);
    return ok();
  }
  const workerData: WorkerGiven = { file, root };
  const worker = new Worker(entry, { workerData, resourceLimits: LIMITS });
  worker.postMessage({ type: "merge" } satisfies ToWorker);
  try {
    return await new Promise((resolve) => {
      const lost = (say: string) =>
        resolve(fail("storage", `the index could not be written: ${say}`, { fix: "try again" }));
      worker.on("error", (error) => lost(String(error)));
      worker.on("message", (message: FromWorker) =>
        message.type === "failed" ? lost(message.say) : resolve(ok()),
      );
    });
  } finally {
    await worker.terminate();
  }
}

type Work = {
  signal: AbortSignal;
  next(): string[] | null;
  added(message: Extract<FromWorker, { type: "added" }>): void;
};

/** Feeds one thread until there is nothing more, or it is called off; then it writes what it has. */
function working(
  worker: Worker,
  { signal, next, added }: Work,
): Promise<Result<"done" | "broken">> {
  const tell = (message: ToWorker): void => worker.postMessage(message);
  let open = 0;
  let isLast = false;
  let isBroken = false;
  const more = () => {
    const paths = signal.aborted || isLast ? null : next();
    if (paths) {
      open += 1;
      tell({ type: "add", paths });
    } else if (open === 0 && !isLast) {
      isLast = true;
      tell({ type: "flush" });
    }
  };
  return new Promise((resolve) => {
    const lost = (say: string) =>
      resolve(fail("storage", `the index could not be written: ${say}`, { fix: "try again" }));
    worker.on("error", (error) => lost(String(error)));
    worker.on("exit", (code) => lost(`a thread ended with ${code}`));
    worker.on("message", (message: FromWorker) => {
      if (message.type === "failed") return lost(message.say);
      if (message.type !== "added") return resolve(ok("done"));
      open -= 1;
      added(message);
      isBroken ||= message.isBroken;
      if (!isBroken) more();
      else if (open === 0) resolve(ok("broken"));
    });
    for (let i = 0; i < AHEAD; i += 1) more();
  });
}

/** Adds the commits that the checked-out one stands on and that are not known yet. */
async function addCommits(db: DatabaseSync, root: string, signal: AbortSignal): Promise<number> {
  const now = await headOf(root, signal);
  const before = db.prepare("SELECT head FROM looks WHERE root = ?").get(root)?.head;
  const known = typeof before === "string" && before !== "" ? before : null;
  let count = 0;
  let head = now;
  if (now !== null && now !== known) {
    const isKnown = db.prepare("SELECT 1 FROM commits WHERE id = ?");
    // The one before may be gone: then all of them are asked for.
    const found =
      (await commitsOf(root, { id: now, known }, signal)) ??
      (known === null ? null : await commitsOf(root, { id: now, known: null }, signal));
    const fresh = (found ?? []).filter(({ id }) => !isKnown.get(id));
    if (fresh.length > 0) writeCommits(db, fresh);
    count = fresh.length;
    // What could not be read is asked for again at the next look.
    if (found === null) head = known;
  }
  if (!signal.aborted) {
    db.prepare("INSERT OR REPLACE INTO looks (root, at, head) VALUES (?, ?, ?)").run(
      root,
      Date.now(),
      head ?? "",
    );
  }
  return count;
}

function writeCommits(db: DatabaseSync, commits: readonly Commit[]): void {
  const builder = segmentBuilder();
  const rows = commits.map(({ id, title, text, files }) => {
    const { first } = builder.addText(title, text);
    return { id, first, files: JSON.stringify(files) };
  });
  transaction(db, () => {
    const segment = insertSegment(db, "commits", builder.build());
    const insert = db.prepare(
      "INSERT OR IGNORE INTO commits (id, segment, chunk, files) VALUES (?, ?, ?, ?)",
    );
    for (const { id, first, files } of rows) insert.run(id, segment, first, files);
  });
}
