// Watches the folders that have files in the index: a saved file is read again at once, what is new
// or gone is looked at together. Folders that ignore files hide are not watched, so that a build that
// writes thousands of files there costs nothing.
import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import { statOf } from "#boundary/index/look.ts";
import type { Watching } from "#boundary/index/port.ts";
import type { Result } from "#core/failure.ts";

/** Folders that are watched; the system has a limit of its own, often 8,192 or more. */
const FOLDERS_MAX = 6_000;
/** Folders made since the watch began that are watched before a file of them is known. */
const FRESH_MAX = 500;
/** What decides which files there are: a change of it is a change of all below. */
const IGNORE_FILE = /^\.(?:gitignore|ignore|rgignore|aiexignore)$/;
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
  /** Folders that were made since, whether or not there are files in them by now. */
  const fresh = new Set<string>();
  /** Not everything could be watched. */
  let isPartial = false;
  let saved = new Set<string>();
  let isLookDue = false;
  let timer: NodeJS.Timeout | null = null;
  let working: Promise<void> = Promise.resolve();
  let isClosed = false;

  function follow(): void {
    known = new Set(parts.paths());
    const folders = new Set(["", ...fresh]);
    // Those above, too: a new folder beside is told by them.
    for (const path of known) {
      for (let at = folderOf(path); at !== "" && !folders.has(at); at = folderOf(at)) {
        folders.add(at);
      }
    }
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of folders) begin(folder);
  }

  function begin(folder: string): void {
    if (watchers.has(folder)) return;
    if (watchers.size >= FOLDERS_MAX) {
      isPartial = true;
      return;
    }
    try {
      const watcher = watch(join(root, folder), (_, name) => note(folder, name));
      watcher.on("error", () => watcher.close());
      // A process that has nothing else to do does not stay for it.
      watcher.unref();
      watchers.set(folder, watcher);
    } catch {
      // It is gone, or the system has no watches left.
      isPartial ||= statOf(join(root, folder)) !== null;
    }
  }

  function note(folder: string, name: string | null): void {
    const path = folder === "" ? (name ?? "") : `${folder}/${name ?? ""}`;
    if (name === ".git") return;
    if (name !== null && known.has(path) && !IGNORE_FILE.test(name)) saved.add(path);
    else isLookDue = true;
    if (name !== null && !known.has(path) && fresh.size < FRESH_MAX) follows(path);
    timer ??= setTimeout(due, isLookDue ? LOOK_MS : SETTLE_MS);
  }

  /** A folder that was just made is watched at once: files may come into it before it is looked at. */
  function follows(path: string): void {
    if (statOf(join(root, path))?.isDirectory() !== true) return;
    fresh.add(path);
    begin(path);
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
    isPartial: () => isPartial,
    changed: () =>
      isClosed ? Promise.resolve() : new Promise((resolve) => waiting.add(() => resolve())),
    close,
  };
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === "." ? "" : folder;
}
