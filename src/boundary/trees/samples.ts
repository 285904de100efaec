// Folders to record, and an own look at what is in them, independent of the code that is tested.
import {
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { memoryLeases } from "#boundary/lease/memory.ts";
import { gitObjects } from "#boundary/trees/git.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { treesAt } from "#boundary/trees/trees.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import type { Result } from "#core/failure.ts";

export const never = new AbortController().signal;

export const freshFolder = (): string => realpathSync(mkdtempSync(join(tmpdir(), "aiex-tree-")));

/** A folder with these files, `/` at the end of a name for an empty folder. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const root = freshFolder();
  for (const [path, text] of Object.entries(files)) put(root, path, text);
  return root;
}

export function put(root: string, path: string, text: string): void {
  const real = join(root, path);
  mkdirSync(path.endsWith("/") ? real : dirname(real), { recursive: true });
  if (!path.endsWith("/")) writeFileSync(real, text);
}

export async function treesOf(root: string, store = join(freshFolder(), "store")): Promise<Trees> {
  const objects = valued(await gitObjects(store));
  const workspace = valued(localWorkspace(root));
  return treesAt({
    workspace,
    objects,
    leases: memoryLeases(),
    folder: store,
    open: localWorkspace,
  });
}

export function valued<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

/** A user without a name, as `nobody` is on most systems. */
const NOBODY = 65_534;

/**
 * Does it as somebody whom permissions bind, which they do not bind root, to whom these folders and
 * what is in them are given first.
 */
export async function unprivileged<T>(
  folders: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  for (const folder of folders) give(folder);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

function give(path: string): void {
  lchownSync(path, NOBODY, NOBODY);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) give(join(path, name));
}

/** Every path below a folder with its kind, permissions and content. */
export function listing(root: string, path = ""): string[] {
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => {
      const below = path === "" ? name : `${path}/${name}`;
      const stats = lstatSync(join(root, below));
      const mode = (stats.mode & 0o777).toString(8);
      if (stats.isDirectory()) return [`${below}/ ${mode}`, ...listing(root, below)];
      if (stats.isSymbolicLink()) return [`${below} -> ${readlinkSync(join(root, below))}`];
      if (!stats.isFile()) return [`${below} other`];
      return [`${below} ${mode} ${readFileSync(join(root, below), "latin1")}`];
    });
}
