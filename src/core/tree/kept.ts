// Which files of a workspace a tree holds. What a tool can make again (dependencies, build output)
// and what would fill the disk is left out and named; everything else is held, ignored files too,
// because configuration with secrets is just what nobody can make again.
import { folded } from "#core/security/protected.ts";
import type { LeftReason } from "#core/tree/entry.ts";

/** An ignored file above this is left out, in bytes. */
export const IGNORED_BYTES_MAX = 1 << 20;
/** Any file above this is left out, in bytes. */
export const FILE_BYTES_MAX = 64 << 20;
/** A folder with this file in it says of itself that it is a cache (bford.info/cachedir). */
export const CACHE_TAG = "CACHEDIR.TAG";

/**
 * Where version control keeps its own data: theirs to change, never ours. `.git` may be a file or a
 * link, too, and then leads git to another repository, whose settings it obeys. `git~1` is the
 * short name that Windows gives `.git`.
 */
const REPOSITORY = new Set([".git", "git~1", ".hg", ".svn", ".jj", ".bzr", "_darcs", ".pijul"]);

/** Folders that a package program fills, whatever the project ignores. */
const DEPENDENCIES = new Set([
  "node_modules",
  "bower_components",
  "jspm_packages",
  ".pnpm-store",
  ".venv",
  ".tox",
  ".nox",
  "site-packages",
  "__pypackages__",
  ".bundle",
  "Pods",
  "Carthage",
  ".dart_tool",
  "elm-stuff",
  ".stack-work",
  ".cabal-sandbox",
  ".terraform",
]);

/** Folders that a build, a test or a cache fills, whatever the project ignores. */
const OUTPUT = new Set([
  "__pycache__",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".ipynb_checkpoints",
  ".gradle",
  ".next",
  ".nuxt",
  ".svelte-kit",
  ".turbo",
  ".parcel-cache",
  ".angular",
  ".vite",
  ".nyc_output",
  "DerivedData",
  "dist-newstyle",
  "zig-cache",
  ".zig-cache",
]);

/** Folders that are either, where the project ignores them; where it does not they are sources. */
const DEPENDENCIES_IF_IGNORED = new Set(["vendor", "deps", "venv"]);
const OUTPUT_IF_IGNORED = new Set([
  "target",
  "build",
  "_build",
  "dist",
  "out",
  "bin",
  "obj",
  "coverage",
  "cover",
  "tmp",
  "temp",
  "log",
  "logs",
  ".cache",
  "cmake-build-debug",
  "cmake-build-release",
  "Debug",
  "Release",
  ".output",
  "storybook-static",
]);

/**
 * Whether some file system takes this for the name of a repository's own data. As git refuses them
 * (`verify_path`, `is_ntfs_dotgit`, `is_hfs_dotgit`): in any case, with characters that are dropped,
 * with what NTFS takes for a stream behind it, and behind what Windows takes for a `/`.
 */
export const isRepositoryName = (name: string): boolean =>
  name.split("\\").some((part) => REPOSITORY.has(folded(part.replace(/:.*$/s, ""))));

/** Why a name is left out, whatever it is of; null where it is held as what it is. */
export const nameLeft = (name: string): LeftReason | null =>
  isRepositoryName(name) ? "repository data" : null;

/** Why a folder is left out; null where it is held. */
export function folderLeft(name: string, { ignored }: { ignored: boolean }): LeftReason | null {
  if (isRepositoryName(name)) return "repository data";
  if (DEPENDENCIES.has(name)) return "dependencies";
  if (OUTPUT.has(name)) return "build output";
  if (!ignored) return null;
  if (DEPENDENCIES_IF_IGNORED.has(name)) return "dependencies";
  return OUTPUT_IF_IGNORED.has(name) ? "build output" : null;
}

/**
 * Whether no tree ever holds this path: it is a repository's own data, or in a folder that is left
 * out whatever a project says.
 */
export function isNeverHeld(path: string): boolean {
  const folders = path.split("/");
  const name = folders.pop() ?? "";
  if (isRepositoryName(name)) return true;
  return folders.some((folder) => folderLeft(folder, { ignored: false }) !== null);
}

/** Why a file is left out; null where it is held. */
export function fileLeft(bytes: number, { ignored }: { ignored: boolean }): LeftReason | null {
  if (ignored && bytes > IGNORED_BYTES_MAX) return "ignored and large";
  return bytes > FILE_BYTES_MAX ? "large" : null;
}
