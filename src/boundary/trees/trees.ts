// The trees of one location: recorded by one process at a time, kept in a store of their own
// outside the workspace.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "#boundary/digest.ts";
import type { Lease, Leases } from "#boundary/lease/port.ts";
import { applyChanges } from "#boundary/trees/apply.ts";
import { changesBetween, statesIn } from "#boundary/trees/compare.ts";
import { wholeContents } from "#boundary/trees/contents.ts";
import { copyTo } from "#boundary/trees/copy.ts";
import { installedIn } from "#boundary/trees/installed.ts";
import { folderOf, keepKnown, loadKnown } from "#boundary/trees/known.ts";
import { below, type Known } from "#boundary/trees/look.ts";
import type { Objects, StoredObject, Trees, Wrote } from "#boundary/trees/port.ts";
import { recentIn } from "#boundary/trees/recent.ts";
import { recordTree } from "#boundary/trees/record.ts";
import { type Writer, writersIn } from "#boundary/trees/writers.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { kindOf, type LeftReason, reasonOf } from "#core/tree/entry.ts";

/** How often a store that another process works on is asked for again, in milliseconds. */
const RETRY_MS = 10;
/** How long it is waited for at most, in milliseconds: a first recording of a large folder. */
const WAIT_MS_MAX = 120_000;
/** What stands for a writer that no process of ours is. */
const SOMEBODY = "another program";
/** The longest tick of the clock that Linux stamps files with, in milliseconds. */
const JIFFY_MS = 10;
/** Bytes of trees that are remembered, so that most comparisons ask no store. */
const TREES_BYTES_MAX = 32 << 20;

export type TreesOptions = {
  workspace: Workspace;
  objects: Objects;
  leases: Leases;
  /** Where what is known of the files is kept; null: nowhere. */
  folder: string | null;
  /** Opens another folder, to copy files into. */
  open(folder: string): Result<Workspace>;
};

export function treesAt({ workspace, objects, leases, folder, open }: TreesOptions): Trees {
  const { root } = workspace;
  const remembered = rememberingTrees(objects);
  const file = folder === null ? null : join(folder, "known.json");
  const marker = folder === null ? null : join(folder, "swept");
  const writers = writersIn(folder);
  const recent = recentIn(folder);
  let known: Known | null = null;
  let kept: Known | null = null;
  let sweeps = "";

  /**
   * What is known counts only while its tree is in the store: another process may have swept it.
   * Everything below a tree is there as long as the tree is.
   */
  async function knownNow(): Promise<Known> {
    const now = marker === null ? "" : await readFile(marker, "utf8").catch(() => "");
    if (known && now === sweeps) return known;
    sweeps = now;
    if (known === null && file !== null) {
      known = await loadKnown(file);
      kept = known;
    }
    const tree = known?.get(".")?.tree ?? null;
    const isThere = tree !== null && (await objects.get([tree])).ok;
    return isThere && known ? known : new Map();
  }

  /** Work that changes the store: one at a time, in this process and in others. */
  async function alone<T>(signal: AbortSignal, work: () => Promise<Result<T>>): Promise<Result<T>> {
    const lease = await leaseFor(leases, `trees ${root}`, signal);
    if (!lease.ok) return lease;
    try {
      return await work();
    } finally {
      lease.value.release();
    }
  }

  /** A folder with too many files has them in a minute, too: nobody looks through it again. */
  let refused: Failed | null = null;
  const record: Trees["record"] = (signal, progress) =>
    alone(signal, async () => {
      if (refused) return refused;
      const before = await knownNow();
      const recorded = await recordTree(root, before, { objects, signal, progress });
      if (!recorded.ok && recorded.error.code === "too_large") refused = recorded;
      if (!recorded.ok) return recorded;
      const noted = recent.add(recorded.value.tree);
      if (!noted.ok) return noted;
      known = recorded.value.known;
      remembered.add(recorded.value.trees);
      return ok(recorded.value.tree);
    });

  return {
    record,
    async before(writing, signal, progress) {
      // Begun first: whoever writes while the tree is recorded writes beside this writer, too.
      const writer = writers.begin(writing);
      const tree = await record(signal, progress);
      if (tree.ok) return ok({ tree: tree.value, writer });
      writers.end(writer);
      return tree;
    },
    async after(writer, wrote, signal) {
      const tree = await record(signal);
      const others = writers.end(writer);
      if (!tree.ok) return tree;
      const changes = await changesBetween(remembered, wrote.before, tree.value);
      if (!changes.ok) return changes;
      const named = others.flatMap(({ paths }) => paths ?? []);
      const untimely = changes.value.filter(({ path }) => isOutside(changedMs(known, path), wrote));
      const theirs = [...new Set([...named, ...untimely.map(({ path }) => path)])];
      const besides = titlesOf(others);
      // Somebody whom nobody knows is at work here: an editor, a person's own shell.
      if (untimely.some(({ path }) => !named.includes(path))) besides.push(SOMEBODY);
      return ok({ tree: tree.value, changes: changes.value, theirs, besides });
    },
    began: (writer) => writers.write(writer),
    dropped: (writer) => void writers.end(writer),
    leftOut: () => leftIn(known ?? new Map()),
    installed(signal) {
      const left = leftIn(known ?? new Map());
      const folders = left.filter(({ why }) => why === "dependencies").map(({ path }) => path);
      return installedIn(root, folders, signal);
    },
    writing(writing) {
      const { call } = writing;
      const writer = writers.begin(writing);
      writers.write(writer);
      return () => titlesOf(writers.end(writer).filter((other) => !call || other.call !== call));
    },
    changes: (before, after) => changesBetween(remembered, before, after),
    states: (tree, paths) => statesIn(remembered, tree, paths),
    sizes: (ids) => objects.sizes([...new Set(ids)]),
    contents: (ids) => wholeContents(objects, [...new Set(ids)]),
    apply: (changes, signal) => applyChanges(workspace, objects, { changes, signal }),
    copyTo: (tree, into, signal) => copyTo(remembered, { tree, root, into, open, signal }),
    sweep: (roots, signal) =>
      alone(signal, async () => {
        const last = (await knownNow()).get(".")?.tree;
        remembered.forget();
        if (marker !== null) await writeFile(marker, newId(), { mode: 0o600 });
        const unnamed = recent.all();
        if (!unnamed.ok) return unnamed;
        return await objects.sweep([...roots, ...unnamed.value, ...(last ? [last] : [])], signal);
      }),
    check: (signal) => objects.check(signal),
    isCluttered: () => objects.isCluttered(),
    async close() {
      if (file !== null && known !== null && known !== kept) await keepKnown(file, known);
      kept = known;
    },
  };
}

/** Of those that could change any path. */
const titlesOf = (writers: readonly Writer[]): string[] =>
  writers.filter(({ paths }) => paths === null).map(({ title }) => title);

/** When the file system says that a file was changed; null where it does not say. */
function changedMs(known: Known | null, path: string): number | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return known?.get(folderOf(path))?.files.get(name)?.statMs ?? null;
}

/** Whether a change was made before the writer ran or after it, by a clock of jiffies. */
const isOutside = (atMs: number | null, { from, to }: Wrote): boolean =>
  atMs !== null && (atMs < from - JIFFY_MS || atMs > to + JIFFY_MS);

function leftIn(known: Known): { path: string; why: LeftReason }[] {
  return [...known].flatMap(([folder, { files, left }]) => [
    // `.` is the folder itself, which could not be looked into.
    ...[...left].map(([name, why]) => ({ path: name === "." ? folder : below(folder, name), why })),
    ...[...files].flatMap(([name, { entry }]) =>
      entry && kindOf(entry) === "left"
        ? [{ path: below(folder, name), why: reasonOf(entry) }]
        : [],
    ),
  ]);
}

async function leaseFor(leases: Leases, name: string, signal: AbortSignal): Promise<Result<Lease>> {
  const until = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const lease = leases.take(name);
    if (lease.ok || lease.error.code !== "busy") return lease;
    if (signal.aborted) return fail("cancelled", "called off while another process records");
    if (performance.now() > until) {
      return fail("busy", "another process has been recording these files for two minutes", {
        fix: "end it, or try again later",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

type Remembering = Objects & { add(trees: readonly StoredObject[]): void; forget(): void };

/** The same objects, with the trees that were made here answered from memory. */
function rememberingTrees(objects: Objects): Remembering {
  const trees = new Map<string, Uint8Array>();
  let bytes = 0;
  return {
    ...objects,
    add(fresh) {
      for (const tree of fresh) {
        if (trees.has(tree.id)) continue;
        trees.set(tree.id, tree.bytes);
        bytes += tree.bytes.length;
      }
      for (const [id, old] of trees) {
        if (bytes <= TREES_BYTES_MAX) break;
        trees.delete(id);
        bytes -= old.length;
      }
    },
    forget() {
      trees.clear();
      bytes = 0;
    },
    async get(ids) {
      const found = new Map<string, Uint8Array>();
      const missing: string[] = [];
      for (const id of ids) {
        const tree = trees.get(id);
        if (tree) found.set(id, tree);
        else missing.push(id);
      }
      if (missing.length === 0) return ok(found);
      const rest = await objects.get(missing);
      return rest.ok ? ok(new Map([...found, ...rest.value])) : rest;
    },
  };
}
