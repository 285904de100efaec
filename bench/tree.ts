// Recording a workspace of 50,000 files: the first time, after one change, and what 500 edits take
// on disk. The peer is `git add -A` with `git write-tree` on the same files, in a repository of the
// same format.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { never, treesOf, valued } from "../src/boundary/trees/samples.ts";
import { type Compared, median } from "./measure.ts";

const FOLDERS = 500;
const FILES = 100;
const CHANGES = 15;
const EDITS = 500;
const EDIT_BYTES = 1_024;
/** The bound of one recording after one change, in milliseconds. */
const RECORD_MS_MAX = 200;
/** What an edit may take on disk besides its compressed bytes. */
const EDIT_BYTES_MORE = 64 * 1_024;

export async function tree(): Promise<Compared[]> {
  const base = mkdtempSync(join(tmpdir(), "aiex-bench-tree-"));
  try {
    const root = join(base, "files");
    fill(root);
    const store = join(base, "store");
    const trees = await treesOf(root, store);
    const git = peerIn(join(base, "peer"), root);
    const firstPeer = await timed(git);
    const first = await timed(async () => valued(await trees.record(never)));
    const pairs: [number, number][] = [];
    for (let i = 0; i < CHANGES; i += 1) {
      writeFileSync(fileAt(root, i), randomBytes(EDIT_BYTES));
      pairs.push([await timed(async () => valued(await trees.record(never))), await timed(git)]);
    }
    const once = median(pairs.map(([ours]) => ours));
    const peer = median(pairs.map(([, theirs]) => theirs));
    return [
      row("one change among 50,000 files, against its bound", once, RECORD_MS_MAX, "ms", 1),
      row("one change among 50,000 files, against git", once, peer, "ms", 2),
      row("the first recording, against git", first, firstPeer, "ms", 3),
      await edits(root, store),
    ];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const row = (what: string, ours: number, floor: number, unit: string, limit: number): Compared => ({
  what,
  ours,
  floor,
  unit,
  ratio: ours / floor,
  limit,
});

/** What is on disk after so many edits and a sweep that keeps every tree of them. */
async function edits(root: string, store: string): Promise<Compared> {
  const trees = await treesOf(root, store);
  const roots = [valued(await trees.record(never))];
  valued(await trees.sweep(roots, never));
  const before = bytesOf(store);
  let compressed = 0;
  for (let i = 0; i < EDITS; i += 1) {
    const text = randomBytes(EDIT_BYTES).toString("base64").slice(0, EDIT_BYTES);
    compressed += deflateSync(text).length;
    writeFileSync(fileAt(root, i), text);
    roots.push(valued(await trees.record(never)));
  }
  valued(await trees.sweep(roots, never));
  const allowed = 1.3 * compressed + EDITS * EDIT_BYTES_MORE;
  return row(
    `${EDITS} edits on disk, against their bound`,
    kib(bytesOf(store) - before),
    kib(allowed),
    "KiB",
    1,
  );
}

const kib = (bytes: number): number => bytes / 1_024;

const folderAt = (root: string, folder: number): string =>
  join(root, `part${folder % 25}`, `folder${folder}`);

const fileAt = (root: string, i: number): string =>
  join(folderAt(root, (i * 7) % FOLDERS), `file${i % FILES}.ts`);

function fill(root: string): void {
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const at = folderAt(root, folder);
    mkdirSync(at, { recursive: true });
    for (let file = 0; file < FILES; file += 1) {
      const line = `export const value${file} = ${folder};\n`;
      writeFileSync(join(at, `file${file}.ts`), line.repeat(10 + file));
    }
  }
}

function peerIn(folder: string, root: string): () => Promise<void> {
  const env = {
    PATH: process.env.PATH ?? "",
    GIT_DIR: folder,
    GIT_WORK_TREE: root,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  execFileSync("git", ["init", "-q", "--object-format=sha256"], { env });
  return async () => {
    execFileSync("git", ["add", "-A"], { env, cwd: root });
    execFileSync("git", ["write-tree"], { env, cwd: root });
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
