// The files of a real folder. Every operation walks from the root's own descriptor (beneath.ts), so
// a link that is swapped in meanwhile makes it fail and never makes it leave. Writing replaces a
// file by rename: a hard link to it keeps the old bytes, and extended attributes are not carried.
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  openSync,
  read,
  readdirSync,
  realpathSync,
  renameSync,
  type Stats,
  unlinkSync,
  write,
} from "node:fs";
import { promisify } from "node:util";
import {
  becameLink,
  beneath,
  codeOf,
  failureOf,
  pathAt,
  pathOf,
  placeNew,
  type Spot,
} from "#boundary/beneath.ts";
import { draftName } from "#boundary/drafts.ts";
import type {
  Expected,
  FileKind,
  FolderEntry,
  Workspace,
  WriteOptions,
} from "#boundary/workspace/port.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { quoted, relativeTo } from "#core/security/paths.ts";
import { isSecretFile } from "#core/security/secret-files.ts";

const readChunk = promisify(read);
const writeChunk = promisify(write);
const sync = promisify(fsync);

/** Bytes asked for by one read of a file whose size is not known. */
const CHUNK_BYTES = 1 << 20;
/** Entries of one folder; a folder with more is no place for a listing. */
const ENTRIES_MAX = 100_000;

/** The files below `root`, an existing folder; links in `root` itself are worked out once, here. */
export function localWorkspace(root: string): Result<Workspace> {
  let real: string;
  try {
    real = realpathSync(root);
    if (!lstatSync(real).isDirectory()) return fail("bad_input", `${quoted(root)} is not a folder`);
  } catch (error) {
    return failureOf(error, root);
  }
  return ok(workspaceAt(real));
}

function workspaceAt(root: string): Workspace {
  const at = async <T>(
    path: string,
    use: (spot: Spot) => Promise<Result<T>>,
    more?: { makeFolders: true },
  ): Promise<Result<T>> => {
    const name = relativeTo(root, path);
    return name.ok ? beneath(root, name.value, { links: "inside", ...more }, use) : name;
  };
  return {
    root,
    relative: (path) => relativeTo(root, path),
    stat: (path) =>
      at(path, async (spot) => {
        const found = lstatSync(pathAt(spot.folder, spot.name));
        return ok({
          kind: kindOf(found),
          bytes: found.size,
          mode: found.mode & 0o7777,
          modifiedMs: found.mtimeMs,
        });
      }),
    read: (path, { bytesMax }) =>
      at(path, async (spot) => secretBehind(root, path, spot) ?? (await readFile(spot, bytesMax))),
    hash: (path) => hashAt(path, at),
    list: (path) => at(path, async (spot) => listFolder(spot)),
    write: (path, bytes, options) =>
      at(path, (spot) => replaceFile(spot, bytes, options), { makeFolders: true }),
    remove: (path, { expect }) => removeAt(root, path, expect),
  };
}

/** A secret file under another name: leave for that name would be none for the file. */
function secretBehind(root: string, path: string, { relative }: Spot): Failed | null {
  const named = relativeTo(root, path);
  if (!isSecretFile(relative) || (named.ok && named.value === relative)) return null;
  return fail("denied", `${quoted(path)} leads to ${quoted(relative)}, which holds secrets`, {
    fix: "name that file itself, and the user is asked",
  });
}

type At = <T>(path: string, use: (spot: Spot) => Promise<Result<T>>) => Promise<Result<T>>;

async function hashAt(path: string, at: At): Promise<Result<Expected>> {
  const found = await at(path, async (spot) => {
    const state = await stateOf(spot);
    return state.ok ? ok(state.value.hash) : state;
  });
  // A folder missing on the way means the file is missing too.
  return !found.ok && found.error.code === "not_found" ? ok("absent") : found;
}

async function removeAt(root: string, path: string, expect: string): Promise<Result<void>> {
  const name = relativeTo(root, path);
  if (!name.ok) return name;
  // A link is not followed here: removing what it names would leave it dangling, and removing the
  // link would not remove the bytes that were compared.
  return beneath(root, name.value, { links: "none" }, async (spot) => {
    const state = await stateOf(spot);
    if (!state.ok) return state;
    if (state.value.hash !== expect) return stale(spot, expect, state.value.hash);
    if (!isUnchanged(spot, state.value)) return stale(spot, expect, "another file");
    unlinkSync(pathAt(spot.folder, spot.name));
    fsyncSync(spot.folder.fd);
    return ok();
  });
}

/** Opens a regular file for reading; anything else is refused before it is opened, and after. */
function openFile(spot: Spot): Result<{ fd: number; stats: Stats }> {
  const path = pathAt(spot.folder, spot.name);
  // Merely opening a device or a pipe can have effects, so look first; the look after the opening
  // is the one that cannot be raced.
  const seen = refusalOf(lstatSync(path), spot);
  if (seen) return seen;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  const refused = refusalOf(stats, spot);
  if (!refused) return ok({ fd, stats });
  closeSync(fd);
  return refused;
}

function refusalOf(stats: Stats, spot: Spot) {
  const kind = kindOf(stats);
  if (kind === "file") return null;
  if (kind === "folder") {
    return fail("denied", `${quoted(spot.relative)} is a folder`, { fix: "name a file in it" });
  }
  if (kind === "link") return becameLink(spot.relative);
  return fail("denied", `${quoted(spot.relative)} is neither a file nor a folder`, {
    fix: "pipes, sockets and devices are not opened",
  });
}

async function readFile(spot: Spot, bytesMax: number): Promise<Result<Uint8Array>> {
  const file = openFile(spot);
  if (!file.ok) return file;
  const { fd, stats } = file.value;
  try {
    if (stats.size > bytesMax) return tooLarge(spot, stats.size, bytesMax);
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      // One byte more than announced, so that the end of an ordinary file is seen at once.
      const room = Math.min(Math.max(stats.size - total, 0) + 1, CHUNK_BYTES);
      const chunk = Buffer.allocUnsafe(room);
      const { bytesRead } = await readChunk(fd, chunk, 0, room, null);
      if (bytesRead === 0) break;
      total += bytesRead;
      if (total > bytesMax) return tooLarge(spot, total, bytesMax);
      chunks.push(chunk.subarray(0, bytesRead));
    }
    return ok(new Uint8Array(Buffer.concat(chunks, total)));
  } finally {
    closeSync(fd);
  }
}

/** What a file was when its hash was taken, so that a later look can tell whether it still is. */
type FileState = { hash: Expected; stats: Stats | null };

async function stateOf(spot: Spot): Promise<Result<FileState>> {
  const path = pathAt(spot.folder, spot.name);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    return ok({ hash: "absent", stats: null });
  }
  const file = openFile(spot);
  if (!file.ok) return file;
  const { fd, stats } = file.value;
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, stats.size + 1));
    for (let total = 0; ; ) {
      const { bytesRead } = await readChunk(fd, chunk, 0, chunk.length, null);
      if (bytesRead === 0) break;
      total += bytesRead;
      // Or a file that grows as fast as it is read would never be done.
      if (total > stats.size) return fail("busy", `${quoted(spot.relative)} is being written`);
      hash.update(chunk.subarray(0, bytesRead));
    }
    return ok({ hash: hash.digest("hex"), stats });
  } finally {
    closeSync(fd);
  }
}

/** Synchronous, and called right before the change: nothing of ours can come in between. */
function isUnchanged(spot: Spot, state: FileState): boolean {
  const now = lstatSync(pathAt(spot.folder, spot.name), { throwIfNoEntry: false });
  const then = state.stats;
  if (now === undefined || then === null) return now === undefined && then === null;
  return (
    now.ino === then.ino &&
    now.dev === then.dev &&
    now.size === then.size &&
    now.mtimeMs === then.mtimeMs &&
    now.ctimeMs === then.ctimeMs
  );
}

async function replaceFile(
  spot: Spot,
  bytes: Uint8Array,
  { expect, mode }: WriteOptions,
): Promise<Result<string>> {
  if (spot.name === ".") return fail("denied", "the workspace's root is a folder");
  const state = await stateOf(spot);
  if (!state.ok) return state;
  if (state.value.hash !== expect) return stale(spot, expect, state.value.hash);
  const temporary = draftName();
  const from = pathAt(spot.folder, temporary);
  const to = pathAt(spot.folder, spot.name);
  await writeTemporary(from, bytes, { old: state.value.stats, mode });
  try {
    if (!isUnchanged(spot, state.value)) return stale(spot, expect, "another file");
    if (state.value.stats !== null) renameSync(from, to);
    else placeNew(from, to);
  } finally {
    discard(from);
  }
  await sync(spot.folder.fd);
  return ok(createHash("sha256").update(bytes).digest("hex"));
}

async function writeTemporary(
  path: string,
  bytes: Uint8Array,
  { old, mode = old?.mode }: { old: Stats | null; mode: number | undefined },
): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  // A new file gets what the umask leaves of 0644; one whose mode is known is private until it has
  // that mode.
  const first = mode === undefined ? 0o644 : 0o600;
  const fd = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, first);
  try {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await writeChunk(fd, bytes, at, bytes.length - at, null);
      at += bytesWritten;
    }
    if (old) keepOwner(fd, old);
    if (mode !== undefined) fchmodSync(fd, mode & 0o777);
    await sync(fd);
  } catch (error) {
    discard(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function keepOwner(fd: number, old: Stats): void {
  const now = fstatSync(fd);
  if (now.uid === old.uid && now.gid === old.gid) return;
  try {
    fchownSync(fd, old.uid, old.gid);
  } catch (error) {
    if (codeOf(error) !== "EPERM") throw error;
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // After a rename the temporary name is gone, as it should be.
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function listFolder(spot: Spot): Result<FolderEntry[]> {
  const { folder, name } = spot;
  const open = name === "." ? null : openSync(pathAt(folder, name), FOLDER_FLAGS);
  try {
    const path = open === null ? pathOf(folder) : pathOf({ fd: open, path: pathAt(folder, name) });
    const entries = readdirSync(path, { withFileTypes: true });
    if (entries.length > ENTRIES_MAX) {
      return fail("too_large", `${quoted(spot.relative)} has ${entries.length} entries`, {
        fix: `the limit is ${ENTRIES_MAX}; search in it instead`,
      });
    }
    const listed = entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    return ok(listed.sort((a, b) => (a.name < b.name ? -1 : 1)));
  } finally {
    if (open !== null) closeSync(open);
  }
}

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

type Kinded = Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink">;

function kindOf(found: Kinded): FileKind {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "folder";
  return found.isSymbolicLink() ? "link" : "other";
}

function stale(spot: Spot, expected: Expected, found: string) {
  const name = quoted(spot.relative);
  if (found === "absent") {
    return fail("stale", `${name} is gone`, { fix: "look at its folder again", detail: { found } });
  }
  const say =
    expected === "absent" ? `${name} exists already` : `${name} is not as this session read it`;
  return fail("stale", say, { fix: "read it again", detail: { expected, found } });
}

function tooLarge(spot: Spot, bytes: number, bytesMax: number) {
  return fail("too_large", `${quoted(spot.relative)} has ${bytes} bytes, more than ${bytesMax}`, {
    detail: { bytes, bytesMax },
  });
}
