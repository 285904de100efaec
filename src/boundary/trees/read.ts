// Reads the content of files that changed, as objects of the store. No link on the way is followed:
// what a link leads to is not the workspace's. A file that changes while it is read is read again;
// one that never rests counts as changed at the next look.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readlinkSync,
  readSync,
} from "node:fs";
import { promisify } from "node:util";
import { beneath, codeOf, pathAt, type Spot } from "#boundary/beneath.ts";
import { below, type KnownFile, markOf, settled } from "#boundary/trees/look.ts";
import { objectOf } from "#boundary/trees/objects.ts";
import type { StoredObject } from "#boundary/trees/port.ts";
import { ok } from "#core/failure.ts";
import { type Entry, fileMode, leftEntry, linkMode } from "#core/tree/entry.ts";
import { fileLeft } from "#core/tree/kept.ts";

const readChunk = promisify(read);

/** A file up to this is read at once: handing it to another thread takes longer. In bytes. */
const AT_ONCE_BYTES = 256 * 1024;
/** Times that a file is read again because it changed meanwhile. */
const TRIES_MAX = 3;

/** What was read: the file as it is known now, and its content. Null: it is gone. */
export type ReadFile = { file: KnownFile; object: StoredObject | null } | null;

/** Reads files of one folder. */
export async function readIn(
  root: string,
  folder: string,
  files: readonly (readonly [name: string, file: KnownFile])[],
  each: (name: string, read: ReadFile) => Promise<void>,
): Promise<void> {
  const [first] = files;
  if (!first) return;
  const reached = await beneath(root, below(folder, first[0]), { links: "last" }, async (spot) => {
    for (const [name, file] of files) await each(name, await readOne({ ...spot, name }, file));
    return ok();
  });
  if (reached.ok) return;
  // A folder that is gone took its files along; in one that cannot be reached they still are.
  const isGone = reached.error.code === "not_found";
  for (const [name, file] of files) await each(name, isGone ? null : unread(file));
}

async function readOne(spot: Spot, file: KnownFile): Promise<ReadFile> {
  try {
    const stats = lstatSync(pathAt(spot.folder, spot.name), { throwIfNoEntry: false });
    if (!stats || stats.isDirectory()) return null;
    if (stats.isSymbolicLink()) return linkAt(spot, file);
    if (stats.isFile()) return await fileAt(spot, file);
    return leftOut(file, leftEntry("neither a file nor a folder"));
  } catch (error) {
    const code = codeOf(error);
    if (code === "") throw error;
    return code === "ENOENT" ? null : unread(file);
  }
}

function linkAt(spot: Spot, { ignored }: KnownFile): ReadFile {
  const path = pathAt(spot.folder, spot.name);
  const object = objectOf("blob", readlinkSync(path, { encoding: "buffer" }));
  const stats = lstatSync(path);
  const mark = settled(markOf(stats), Date.now());
  return {
    file: {
      mark,
      statMs: stats.ctimeMs,
      mode: stats.mode,
      ignored,
      entry: { mode: linkMode, id: object.id },
    },
    object,
  };
}

async function fileAt(spot: Spot, file: KnownFile): Promise<ReadFile> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = openSync(pathAt(spot.folder, spot.name), flags);
  try {
    for (let tries = 1; ; tries += 1) {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return leftOut(file, leftEntry("neither a file nor a folder"));
      const why = fileLeft(stats.size, { ignored: file.ignored });
      if (why) return leftOut(file, leftEntry(why));
      const bytes = await bytesIn(fd, stats.size);
      const after = fstatSync(fd);
      const rested = after.ctimeMs === stats.ctimeMs && bytes.length === after.size;
      if (!rested && tries < TRIES_MAX) continue;
      const object = objectOf("blob", bytes);
      const mode = fileMode(stats.mode, { ignored: file.ignored });
      const mark = rested
        ? settled(markOf(after), Date.now())
        : { ...markOf(after), changedMs: -1 };
      return {
        file: {
          ...file,
          mark,
          statMs: after.ctimeMs,
          mode: after.mode,
          entry: { mode, id: object.id },
        },
        object,
      };
    }
  } finally {
    closeSync(fd);
  }
}

async function bytesIn(fd: number, size: number): Promise<Buffer> {
  // One byte more than announced shows whether it grew.
  const bytes = Buffer.allocUnsafe(size + 1);
  let total = 0;
  while (total < bytes.length) {
    const rest = bytes.length - total;
    const bytesRead =
      size <= AT_ONCE_BYTES
        ? readSync(fd, bytes, total, rest, total)
        : (await readChunk(fd, bytes, total, rest, total)).bytesRead;
    if (bytesRead === 0) break;
    total += bytesRead;
  }
  return bytes.subarray(0, total);
}

const leftOut = (file: KnownFile, entry: Entry): ReadFile => ({
  file: { ...file, entry },
  object: null,
});

/** To be tried again at the next look, whatever its mark says. */
const unread = (file: KnownFile): ReadFile =>
  leftOut({ ...file, mark: { ...file.mark, changedMs: -1 } }, leftEntry("not readable"));
