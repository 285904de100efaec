// Blobs as files of a private folder, two levels deep, named by the SHA-256 of their content. A
// blob is written beside its place, synced, renamed into it, and the folder synced: a name that is
// there has all its bytes.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, stat, unlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Blobs } from "#boundary/blobs/port.ts";
import { newId, sha256 } from "#boundary/digest.ts";
import { makeFolders } from "#boundary/durable.ts";
import { type Failed, fail, ok } from "#core/failure.ts";

/** Bytes of a blob that are held at once while it is checked. */
const PIECE_BYTES = 1 << 20;
/** Without waiting: the opening of a pipe in its place would wait for a writer. */
const READ_NOW = constants.O_RDONLY | constants.O_NONBLOCK;

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

export function folderBlobs(root: string): Blobs {
  const folderOf = (hash: string) => join(root, hash.slice(0, 2));
  const fileOf = (hash: string) => join(folderOf(hash), hash.slice(2));

  return {
    async put(bytes) {
      const hash = sha256(bytes);
      try {
        if (await renewed(fileOf(hash))) return ok(hash);
        await makeFolders(folderOf(hash));
        const draft = join(folderOf(hash), `.${newId()}`);
        try {
          await withFile(await open(draft, "wx", 0o600), async (file) => {
            await file.writeFile(bytes);
            await file.sync();
          });
          await rename(draft, fileOf(hash));
        } catch (error) {
          // A draft of a full disk would keep the room that the next start needs.
          await unlink(draft).catch(() => {});
          throw error;
        }
        await withFile(await open(folderOf(hash), "r"), (folder) => folder.sync());
        return ok(hash);
      } catch (error) {
        return storageFailure(error);
      }
    },
    async get(hash, range) {
      if (!isHash(hash)) return fail("bad_input", "a blob is named by 64 hex digits");
      try {
        const bytes = await withFile(await open(fileOf(hash), "r"), (file) => file.readFile());
        if (sha256(bytes) !== hash) return fail("corrupt", `the blob ${hash} was changed on disk`);
        return ok(range ? bytes.subarray(range.from, range.from + range.bytes) : bytes);
      } catch (error) {
        return isMissing(error)
          ? fail("not_found", `there is no blob ${hash}`)
          : storageFailure(error);
      }
    },
    async has(hash) {
      return isHash(hash) && (await exists(fileOf(hash)));
    },
    async check(hash) {
      if (!isHash(hash)) return ok("missing");
      try {
        const digest = await withFile(await open(fileOf(hash), READ_NOW), digestOf);
        return ok(digest === hash ? "whole" : "changed");
      } catch (error) {
        return isMissing(error) ? ok("missing") : storageFailure(error);
      }
    },
    async sweep(live, { graceMs, signal }) {
      try {
        return ok({ removed: await sweep(root, { live, before: Date.now() - graceMs, signal }) });
      } catch (error) {
        return isMissing(error) ? ok({ removed: 0 }) : storageFailure(error);
      }
    },
  };
}

async function sweep(
  root: string,
  options: { live: (hash: string) => boolean; before: number; signal: AbortSignal },
): Promise<number> {
  let removed = 0;
  for (const two of await readdir(root)) {
    for (const rest of await readdir(join(root, two))) {
      if (options.signal.aborted) return removed;
      const file = join(root, two, rest);
      const dead = rest.startsWith(".") || !options.live(two + rest);
      if (dead && (await ageOf(file)) < options.before && (await remove(file, options.before))) {
        removed += 1;
      }
    }
  }
  return removed;
}

/** Out of the way first: whoever put the same bytes at this very moment made it young again. */
async function remove(file: string, before: number): Promise<boolean> {
  const aside = join(dirname(file), `.${newId()}`);
  const gone = await rename(file, aside).then(
    () => false,
    () => true,
  );
  if (gone) return false;
  if ((await ageOf(aside)) < before) {
    await unlink(aside);
    return true;
  }
  await rename(aside, file);
  return false;
}

/** When a file was put the last time; never, where it is gone. */
const ageOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );

/** Whether the blob is there; its age begins anew, so that no sweep takes it before it is named. */
async function renewed(file: string): Promise<boolean> {
  const now = new Date();
  return await utimes(file, now, now).then(
    () => true,
    () => false,
  );
}

/** The hash of a file, read in pieces; null for what is no file. */
async function digestOf(file: FileHandle): Promise<string | null> {
  if (!(await file.stat()).isFile()) return null;
  const digest = createHash("sha256");
  const piece = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return digest.digest("hex");
    digest.update(piece.subarray(0, bytesRead));
  }
}

async function withFile<T>(file: FileHandle, work: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

const isMissing = (error: unknown): boolean => (error as { code?: string }).code === "ENOENT";

const storageFailure = (error: unknown): Failed =>
  fail("storage", `blobs cannot be written or read: ${(error as Error).message}`, {
    fix: "free disk space or check the disk, then start Aiex again",
  });
