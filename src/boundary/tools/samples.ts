// What the tests of the tools stand on: a real temporary folder, blobs in a map, and a context.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { onTestFinished } from "vitest";
import type { Blobs } from "#boundary/blobs/port.ts";
import type { Tool, ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import type { FileKind, Workspace } from "#boundary/workspace/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { textOf } from "#core/model/message.ts";

/** A folder of its own that is gone after the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-tools-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

export const contentOf = (root: string, name: string): string =>
  readFileSync(join(root, name), "utf8");

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/** What the log would know after all those files were read. */
export function seenIn(root: string, ...names: string[]): Map<string, string> {
  return new Map(names.map((name) => [name, sha256(readFileSync(join(root, name)))]));
}

export function contextOf(root: string, more: Partial<ToolContext> = {}): ToolContext {
  return {
    callId: "call",
    session: "session",
    mode: "ask",
    seen: new Map(),
    todo: [],
    workspace: folderWorkspace(root),
    sandbox: { kind: "none", start: async () => fail("not_supported", "no commands here") },
    blobs: mapBlobs(),
    signal: new AbortController().signal,
    ...more,
  };
}

/** Prepares and runs, as the runner does once the call is allowed. */
export async function called(
  tool: Tool,
  input: unknown,
  context: ToolContext,
): Promise<{ refused?: string; outcome?: ToolOutcome; text: string; code?: string }> {
  const raw = typeof input === "string" ? input : JSON.stringify(input);
  const prepared = await tool.prepare(raw, context);
  if (!prepared.ok) {
    const { code, say, fix } = prepared.error;
    return { refused: say, text: `${say}; ${fix ?? ""}`, code };
  }
  const { signal } = context;
  const outcome = await prepared.value.run({ signal, opened: {}, progress: () => {} });
  return { outcome, text: textOf(outcome.parts) };
}

function mapBlobs(): Blobs {
  const held = new Map<string, Uint8Array>();
  return {
    async put(bytes) {
      held.set(sha256(bytes), bytes);
      return ok(sha256(bytes));
    },
    async get(hash, range) {
      const bytes = held.get(hash);
      if (!bytes) return fail("not_found", "no such blob");
      return ok(range ? bytes.subarray(range.from, range.from + range.bytes) : bytes);
    },
    has: async (hash) => held.has(hash),
    sweep: async () => ok({ removed: 0 }),
  };
}

/** The promises of the port over a folder that nobody attacks. */
function folderWorkspace(root: string): Workspace {
  const name = (path: string): Result<string> => {
    const from = relative(root, isAbsolute(path) ? path : join(root, path));
    if (path.includes("\0") || from === ".." || from.startsWith(`..${sep}`)) {
      return fail("denied", `${path} is outside the workspace`);
    }
    return ok(from === "" ? "." : from);
  };
  const real = async (path: string): Promise<Result<string>> => {
    const inside = name(path);
    if (!inside.ok) return inside;
    try {
      const found = await realpath(join(root, inside.value));
      if (found !== root && !found.startsWith(root + sep))
        return fail("denied", "a link leads out");
      return ok(found);
    } catch {
      return fail("not_found", `${path} does not exist`);
    }
  };
  const hash = async (path: string) => {
    const found = await real(path);
    if (!found.ok) return found.error.code === "not_found" ? ok("absent") : found;
    if ((await stat(found.value)).isDirectory()) return fail("denied", `${path} is a folder`);
    return ok(sha256(await readFile(found.value)));
  };
  const changing = async (path: string, expect: string): Promise<Result<string>> => {
    const now = await hash(path);
    if (!now.ok) return now;
    if (now.value !== expect) return fail("stale", `${path} is not as expected`);
    return ok(join(root, path));
  };
  return {
    root,
    relative: name,
    async stat(path) {
      const found = await real(path);
      if (!found.ok) return found;
      const file = await lstat(found.value).catch(() => undefined);
      if (!file) return fail("not_found", `${path} went away`);
      const { size: bytes, mode, mtimeMs: modifiedMs } = file;
      return ok({ kind: kindOf(file), bytes, mode: mode & 0o777, modifiedMs });
    },
    async read(path, { bytesMax }) {
      const found = await real(path);
      if (!found.ok) return found;
      const file = await stat(found.value);
      if (!file.isFile()) return fail("denied", `${path} is not a file`);
      if (file.size > bytesMax) return fail("too_large", `${path} has ${file.size} bytes`);
      return ok(new Uint8Array(await readFile(found.value)));
    },
    hash,
    async list(path) {
      const found = await real(path);
      if (!found.ok) return found;
      if (!(await stat(found.value)).isDirectory())
        return fail("not_found", `${path} is no folder`);
      const entries = await readdir(found.value, { withFileTypes: true });
      return ok(entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })));
    },
    async write(path, bytes, { expect }) {
      const target = await changing(path, expect);
      if (!target.ok) return target;
      await mkdir(dirname(target.value), { recursive: true });
      await writeFile(target.value, bytes);
      return ok(sha256(bytes));
    },
    async remove(path, { expect }) {
      const target = await changing(path, expect);
      if (!target.ok) return target;
      await rm(target.value);
      return ok();
    },
  };
}

function kindOf(file: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): FileKind {
  if (file.isSymbolicLink()) return "link";
  return file.isFile() ? "file" : file.isDirectory() ? "folder" : "other";
}
