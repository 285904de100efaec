// Objects of trees in a private bare git repository. Writing is ours: the objects of one recording
// are one pack (gitformat-pack), which `git index-pack` checks, syncs and indexes. Reading, packing
// anew and checking are git's. No configuration of the user or the system, no hook and no attribute
// is in force, and nothing of the user's own repositories is touched.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate, deflateSync } from "node:zlib";
import { newId } from "#boundary/digest.ts";
import { makeFolders, syncFolder } from "#boundary/durable.ts";
import { idOf } from "#boundary/trees/objects.ts";
import type { Objects, ObjectType, Sizes, StoredObject } from "#boundary/trees/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";

const deflateElsewhere = promisify(deflate);

/** The first version that knows repositories of format sha256. */
export const GIT_NEEDED = "2.29";
/** Compression while the user waits; a sweep packs again, with deltas. */
const LEVEL = 1;
/** Objects up to this are deflated at once: handing them to another thread takes longer. In bytes. */
const AT_ONCE_BYTES = 32 * 1024;
/** How long packing keeps the thread before it lets others run, in milliseconds. */
const SLICE_MS = 10;
/** A draft of git's own that is older than this belongs to nobody any more, in milliseconds. */
const DRAFT_MS = 3_600_000;
/** Packs from which on git takes longer to find an object than to pack anew. */
const PACKS_MAX = 200;
/** Objects deflated at the same time. */
const AT_ONCE = 8;

const CONFIG = `[core]
\trepositoryformatversion = 1
\tbare = true
\tfilemode = true
\tlogallrefupdates = false
\tfsmonitor = false
\thooksPath = /dev/null
[extensions]
\tobjectformat = sha256
[gc]
\tauto = 0
[maintenance]
\tauto = false
[pack]
\twindowMemory = 128m
\tthreads = 1
`;

/** A store below `folder`, made where it is missing. Fails where git is missing or too old. */
export async function gitObjects(folder: string): Promise<Result<Objects>> {
  const made = await makeRepository(folder);
  return made.ok ? ok(objectsIn(folder)) : made;
}

async function makeRepository(folder: string): Promise<Result<void>> {
  const known = await stat(join(folder, "HEAD")).catch(() => null);
  if (known) return ok();
  const version = await git(folder, ["version"], "");
  if (!version.ok) return version;
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(version.value.toString()) ?? [];
  const [wantedMajor = 0, wantedMinor = 0] = GIT_NEEDED.split(".").map(Number);
  if (
    Number(major) < wantedMajor ||
    (Number(major) === wantedMajor && Number(minor) < wantedMinor)
  ) {
    return fail("not_supported", `git ${major}.${minor} cannot keep trees`, {
      fix: `install git ${GIT_NEEDED} or newer`,
    });
  }
  try {
    for (const below of ["objects/pack", "objects/info", "refs"]) {
      await makeFolders(join(folder, below));
    }
    await writeFile(join(folder, "config"), CONFIG, { mode: 0o600, flush: true });
    const draft = join(folder, `HEAD.${newId()}`);
    await writeFile(draft, "ref: refs/heads/none\n", { mode: 0o600, flush: true });
    await rename(draft, join(folder, "HEAD"));
    syncFolder(folder);
    return ok();
  } catch (error) {
    return storage(folder, error);
  }
}

function objectsIn(folder: string): Objects {
  return {
    async put(objects) {
      const fresh = [...new Map(objects.map((object) => [object.id, object])).values()];
      if (fresh.length === 0) return ok();
      const done = await git(folder, ["index-pack", "--stdin"], await packOf(fresh));
      return done.ok ? synced(folder) : done;
    },
    async get(ids) {
      if (ids.length === 0) return ok(new Map());
      const output = await git(folder, ["cat-file", "--batch"], `${ids.join("\n")}\n`);
      return output.ok ? objectsOf(ids, output.value) : output;
    },
    async sizes(ids) {
      const listed = await listing(folder, ids);
      return listed.ok ? ok(new Map(listed.value)) : listed;
    },
    sweep: (roots, signal) => sweep(folder, roots, signal),
    async isCluttered() {
      const names = await readdir(join(folder, "objects", "pack")).catch(() => []);
      return names.filter((name) => name.endsWith(".pack")).length > PACKS_MAX;
    },
    async check(signal) {
      const checked = await git(folder, ["fsck", "--full", "--no-dangling"], "", {
        signal,
        codes: [0, 1, 2, 3, 4, 5, 6, 7],
      });
      if (!checked.ok) return checked;
      const lines = checked.value.toString().split("\n");
      // Git warns of modes that it would not write itself; those are ours on purpose.
      return ok(lines.filter((line) => /^(error|missing|fatal|broken|hash mismatch)/i.test(line)));
    },
  };
}

/** Git syncs a pack, but not the folder that its name is in. */
function synced(folder: string): Result<void> {
  try {
    syncFolder(join(folder, "objects", "pack"));
    return ok();
  } catch (error) {
    return storage(folder, error);
  }
}

/** `PACK`, version 2, how many; each object's type and size, then its deflated bytes; a checksum. */
async function packOf(objects: readonly StoredObject[]): Promise<Buffer[]> {
  const header = Buffer.alloc(12);
  header.write("PACK", 0, "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const parts: Buffer[] = [header];
  let until = performance.now() + SLICE_MS;
  for (let at = 0; at < objects.length; at += AT_ONCE) {
    const some = objects.slice(at, at + AT_ONCE);
    const bodies = await Promise.all(some.map(({ bytes }) => deflated(bytes)));
    some.forEach(({ type, bytes }, i) => {
      parts.push(sizeHeader(type, bytes.length), bodies[i] ?? Buffer.alloc(0));
    });
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + SLICE_MS;
  }
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return [...parts, hash.digest()];
}

const deflated = (bytes: Uint8Array): Buffer | Promise<Buffer> =>
  bytes.length <= AT_ONCE_BYTES
    ? deflateSync(bytes, { level: LEVEL })
    : deflateElsewhere(bytes, { level: LEVEL });

/** Three bits of type and the size, seven bits a byte but four in the first, lowest first. */
function sizeHeader(type: ObjectType, size: number): Buffer {
  const bytes: number[] = [];
  let first = ((type === "tree" ? 2 : 3) << 4) | (size & 0x0f);
  let rest = Math.floor(size / 16);
  while (rest > 0) {
    bytes.push(first | 0x80);
    first = rest & 0x7f;
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, first]);
}

/** Reads `<id> <type> <size>\n<bytes>\n` for each id, or `<id> missing\n`. */
function objectsOf(ids: readonly string[], output: Buffer): Result<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  let at = 0;
  for (const id of ids) {
    const end = output.indexOf(0x0a, at);
    const [, type, size] = output.toString("latin1", at, end).split(" ");
    if (end < 0 || type === "missing") return fail("not_found", `there is no object ${id}`);
    const from = end + 1;
    const bytes = output.subarray(from, from + Number(size));
    if (bytes.length !== Number(size) || idOf(type as ObjectType, bytes) !== id) {
      return fail("corrupt", `the object ${id} was changed on disk`);
    }
    found.set(id, bytes);
    at = from + Number(size) + 1;
  }
  return ok(found);
}

/** Those objects that are there, with their sizes in bytes. */
async function listing(
  folder: string,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Result<[id: string, bytes: number][]>> {
  const check = ["cat-file", "--batch-check"];
  const output = await git(folder, check, ids.map((id) => `${id}\n`).join(""), { signal });
  if (!output.ok) return output;
  const lines = output.value.toString().split("\n");
  return ok(
    lines.flatMap((line): [string, number][] => {
      const [, id, bytes] = /^([0-9a-f]{64}) (?:tree|blob) (\d+)$/.exec(line) ?? [];
      return id === undefined ? [] : [[id, Number(bytes)]];
    }),
  );
}

async function sweep(
  folder: string,
  roots: readonly string[],
  signal: AbortSignal,
): Promise<Result<Sizes>> {
  const packs = join(folder, "objects", "pack");
  const before = await sizeOf(packs);
  await dropDrafts(packs);
  const old = (await readdir(packs)).filter((name) => /\.(pack|idx|rev)$/.test(name));
  const known = await listing(folder, roots, signal);
  if (!known.ok) return known;
  const there = known.value.map(([id]) => id);
  const listed =
    there.length === 0
      ? ok(Buffer.alloc(0))
      : await git(folder, ["rev-list", "--objects", "--stdin"], `${there.join("\n")}\n`, {
          signal,
        });
  if (!listed.ok) return listed;
  // Names go with the ids: git compares the versions of one file with each other.
  if (listed.value.length > 0) {
    const pack = ["pack-objects", "-q", "--no-reuse-delta", "--window=20", "--depth=50"];
    const packed = await git(folder, [...pack, join(packs, "pack")], listed.value, { signal });
    if (!packed.ok) return packed;
    const name = packed.value.toString().trim();
    for (const file of old) if (!file.includes(name)) await rm(join(packs, file), { force: true });
  } else {
    for (const file of old) await rm(join(packs, file), { force: true });
  }
  return ok({ before, after: await sizeOf(packs) });
}

/** What a git that was killed left behind. */
async function dropDrafts(packs: string): Promise<void> {
  const before = Date.now() - DRAFT_MS;
  for (const name of (await readdir(packs)).filter((one) => one.startsWith("tmp_"))) {
    const file = join(packs, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < before) await rm(file, { force: true });
  }
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

type GitOptions = { signal?: AbortSignal | undefined; codes?: readonly number[] };

/** Runs git on the store, with nothing in force that anybody else configured. */
function git(
  folder: string,
  args: readonly string[],
  input: string | Uint8Array | readonly Uint8Array[],
  { signal, codes = [0] }: GitOptions = {},
): Promise<Result<Buffer>> {
  return new Promise((resolve) => {
    const child = spawn("git", args, { env: environment(folder), stdio: "pipe", signal });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.on("error", (error) => resolve(notRun(folder, error, signal)));
    child.on("close", (code) => {
      if (code !== null && codes.includes(code))
        return resolve(ok(Buffer.concat([...output, ...(codes.length > 1 ? errors : [])])));
      const said = Buffer.concat(errors).toString().trim().slice(0, 500);
      resolve(storage(folder, new Error(`git ${args[0]} failed (${code}): ${said}`)));
    });
    // Git that has ended early closes its input: what it said then is what counts.
    child.stdin.on("error", () => {});
    for (const part of Array.isArray(input) ? input : [input]) child.stdin.write(part);
    child.stdin.end();
  });
}

const environment = (folder: string): Record<string, string> => ({
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: folder,
  GIT_DIR: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C",
});

function notRun(folder: string, error: Error & { code?: string }, signal?: AbortSignal) {
  if (signal?.aborted) return fail("cancelled", "the work on trees was called off");
  return error.code === "ENOENT"
    ? fail("not_supported", "git is not installed, so no trees are kept", {
        fix: `install git ${GIT_NEEDED} or newer`,
      })
    : storage(folder, error);
}

const storage = (folder: string, error: unknown) =>
  fail("storage", `trees cannot be kept in ${folder}: ${(error as Error).message}`, {
    fix: "free disk space or check the disk",
  });
