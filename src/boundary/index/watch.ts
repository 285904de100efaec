// Watches the folders that have files in the index: a saved file is read again at once, what is new
// or gone is looked at together. Folders that ignore files hide are not watched, so that a build that
// writes thousands of files there costs nothing.
import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import type { Watching } from "#boundary/index/port.ts";
import type { Result } from "#core/failure.ts";

/** Folders that are watched; the system has a limit of its own, often 8,192 or more. */
const FOLDERS_MAX = 6_000;
/** A save is several events: what comes within this time is one, in milliseconds. */
const SETTLE_MS = 8;
/** The same for what is new or gone: a checkout of a branch is many of them. */
const LOOK_MS = 150;

export type WatchParts = {
  root: string;
  /** The paths that are in the index now. */
  paths(): readonly string[];
  /** Reads these again; they are in the index. */
  again(paths: readonly string[]): Promise<Result<unknown>>;
  /** Looks at all of the folder. */
  look(): Promise<Result<unknown>>;
  signal: AbortSignal;
};

/** Watches until it is closed or called off. */
export function watching(parts: WatchParts): Watching {
  const { root, signal } = parts;
  const watchers = new Map<string, FSWatcher>();
  const waiting = new Set<() => void>();
  let known = new Set<string>();
  let saved = new Set<string>();
  let isLookDue = false;
  let timer: NodeJS.Timeout | null = null;
  let working: Promise<void> = Promise.resolve();
  let isClosed = false;

  function follow(): void {
    known = new Set(parts.paths());
    const folders = new Set(["", ...known.values().map(folderOf)]);
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of folders) {
      if (watchers.has(folder) || watchers.size >= FOLDERS_MAX) continue;
      try {
        const watcher = watch(join(root, folder), (_, name) => note(folder, name));
        watcher.on("error", () => watcher.close());
        // A process that has nothing else to do does not stay for it.
        watcher.unref();
        watchers.set(folder, watcher);
      } catch {
        // It is gone, or the system has no watches left: the next look finds what changed.
      }
    }
  }

  function note(folder: string, name: string | null): void {
    const path = folder === "" ? (name ?? "") : `${folder}/${name ?? ""}`;
    if (name !== null && known.has(path)) saved.add(path);
    else if (name !== ".git") isLookDue = true;
    else return;
    timer ??= setTimeout(due, isLookDue ? LOOK_MS : SETTLE_MS);
  }

  function due(): void {
    timer = null;
    working = working.then(work).catch(() => {});
  }

  async function work(): Promise<void> {
    if (isClosed) return;
    const paths = [...saved];
    const isLook = isLookDue;
    saved = new Set();
    isLookDue = false;
    if (isLook) {
      await parts.look();
      follow();
    } else await parts.again(paths);
    for (const tell of waiting) tell();
    waiting.clear();
  }

  function close(): void {
    isClosed = true;
    if (timer) clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
    for (const tell of waiting) tell();
    waiting.clear();
  }

  follow();
  signal.addEventListener("abort", close, { once: true });
  return {
    async settled() {
      // What was saved just now is told at the next turn of the loop.
      await new Promise((resolve) => setImmediate(resolve));
      while (timer !== null && !isClosed) await new Promise((resolve) => setTimeout(resolve, 2));
      await working;
    },
    changed: () =>
      isClosed ? Promise.resolve() : new Promise((resolve) => waiting.add(() => resolve())),
    close,
  };
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === "." ? "" : folder;
}
