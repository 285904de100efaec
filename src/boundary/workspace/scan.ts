// Finds the protected paths of a workspace, at any depth. The first scan reads every folder; later
// ones read again only the folders that changed, which is what makes a scan before and after each
// command cheap.
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { codeOf } from "#boundary/beneath.ts";
import type { FileKind } from "#boundary/workspace/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import {
  isObeyedInRepository,
  isRepository,
  mayBeProtected,
  protectionOf,
} from "#core/security/protected.ts";
import { secrecyOf } from "#core/security/secret-files.ts";

/** Folders of a workspace; one with more is better opened at one of its parts. */
const FOLDERS_MAX = 500_000;
/** How long a scan keeps the thread before it lets others run. */
const SLICE_MS = 5;
/**
 * A folder that changed this shortly before it was read is read again next time: a second change
 * may have fallen into the same tick of the file system's clock (10 ms at most on Linux).
 */
const RACY_MS = 50;

export type Found = {
  /** Workspace-relative. */
  path: string;
  kind: FileKind;
  /** The repository's folder, where the path is protected because git obeys it there. */
  repository?: string;
};

export type Scan = {
  found: readonly Found[];
  repositories: readonly Repository[];
  /** Workspace-relative files and links that hold secrets by their names, or may. */
  secrets: readonly string[];
};
/** A folder that git takes for a repository; `bare` where it is not called `.git`. */
export type Repository = { path: string; bare: boolean };

type Folder = {
  ino: number;
  dev: number;
  /** Time of the last change of its entries; -1 where the folder has to be read again. */
  changedMs: number;
  folders: readonly string[];
  found: readonly Found[];
  repository: Repository | null;
  secrets: readonly string[];
};

/** A scanner of the workspace at `root`; scans must not overlap. */
export function protectedScanner(root: string): () => Promise<Result<Scan>> {
  let known = new Map<string, Folder>();
  return async () => {
    const seen = new Map<string, Folder>();
    const found: Found[] = [];
    const repositories: Repository[] = [];
    const secrets: string[] = [];
    const todo = ["."];
    let until = performance.now() + SLICE_MS;
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (seen.size >= FOLDERS_MAX) {
        return fail("too_large", `the workspace has more than ${FOLDERS_MAX} folders`, {
          fix: "open one of its parts instead",
        });
      }
      const folder = look(root, path, known.get(path));
      if (folder) {
        seen.set(path, folder);
        found.push(...folder.found);
        secrets.push(...folder.secrets);
        if (folder.repository) repositories.push(folder.repository);
        for (const name of folder.folders) todo.push(path === "." ? name : `${path}/${name}`);
      }
      if (performance.now() < until) continue;
      await new Promise((resolve) => setImmediate(resolve));
      until = performance.now() + SLICE_MS;
    }
    known = seen;
    return ok({ found, repositories, secrets });
  };
}

function look(root: string, path: string, known: Folder | undefined): Folder | null {
  const real = `${root}/${path}`;
  try {
    const stats = lstatSync(real);
    if (!stats.isDirectory()) return null;
    const { ino, dev, ctimeMs } = stats;
    if (known && known.ino === ino && known.dev === dev && known.changedMs === ctimeMs) {
      return known;
    }
    const settled = Date.now() - ctimeMs > RACY_MS;
    const entries = readdirSync(real, { withFileTypes: true });
    return { ino, dev, changedMs: settled ? ctimeMs : -1, ...judge(path, entries) };
  } catch (error) {
    // Gone meanwhile, or closed to this user and so to every program of theirs that would obey it.
    if (codeOf(error) === "") throw error;
    return null;
  }
}

function judge(path: string, entries: readonly Dirent[]) {
  const named = /(^|\/)\.git$/i.test(path);
  const repository = named || isRepository(new Set(entries.map((entry) => entry.name)));
  const folders: string[] = [];
  const found: Found[] = [];
  const secrets: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    const below = path === "." ? name : `${path}/${name}`;
    if (!entry.isDirectory() && secrecyOf(below) !== null) secrets.push(below);
    if (repository && isObeyedInRepository(name)) {
      found.push({ path: below, kind: kindOf(entry), repository: path });
    } else if (entry.isDirectory() && /^\.git$/i.test(name)) {
      folders.push(name);
    } else if (mayBeProtected(name) && protectionOf(below) === "deny") {
      found.push({ path: below, kind: kindOf(entry) });
    } else if (entry.isDirectory() && isWalked(name, repository)) {
      folders.push(name);
    }
  }
  return { folders, found, secrets, repository: repository ? { path, bare: !named } : null };
}

/**
 * Of a repository only the repositories inside it matter; the rest is its data. What is below
 * `node_modules` is not walked: all of it is code that runs with the project's own scripts, so a
 * setting hidden there gains nothing, and installing packages must be able to replace it.
 */
function isWalked(name: string, inRepository: boolean): boolean {
  if (inRepository && ["objects", "refs", "logs", "lfs"].includes(name)) return false;
  return name !== "node_modules";
}

function kindOf(entry: Dirent): FileKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}
