// The files of a location in a map: for tests, and for sessions without a folder. There are no
// links in it, and folders exist as long as a file is in them.
import { createHash } from "node:crypto";
import type { FolderEntry, Workspace } from "#boundary/workspace/port.ts";
import { type Failed, fail, ok } from "#core/failure.ts";
import { quoted, relativeTo } from "#core/security/paths.ts";

type MemoryFile = { bytes: Uint8Array; mode: number; modifiedMs: number };

/** A workspace at `/workspace` that holds `files`, given as text by relative path. */
export function memoryWorkspace(
  files: Readonly<Record<string, string>> = {},
  now: () => number = Date.now,
): Workspace {
  const root = "/workspace";
  const held = new Map<string, MemoryFile>();
  const put = (name: string, bytes: Uint8Array, given?: number): string => {
    const mode = given ?? held.get(name)?.mode ?? 0o644;
    held.set(name, { bytes: bytes.slice(), mode, modifiedMs: now() });
    return hashOf(bytes);
  };
  for (const [name, text] of Object.entries(files)) put(name, new TextEncoder().encode(text));

  const isFolder = (name: string): boolean =>
    name === "." || [...held.keys()].some((path) => path.startsWith(`${name}/`));
  const fileAt = (name: string): MemoryFile | Failed => {
    const file = held.get(name);
    if (file) return file;
    if (isFolder(name)) return fail("denied", `${quoted(name)} is a folder`);
    return fail("not_found", `${quoted(name)} does not exist`);
  };
  const relative = (path: string) => relativeTo(root, path);

  return {
    root,
    relative,
    async stat(path) {
      const name = relative(path);
      if (!name.ok) return name;
      if (isFolder(name.value)) return ok({ kind: "folder", bytes: 0, mode: 0o755, modifiedMs: 0 });
      const file = fileAt(name.value);
      if ("ok" in file) return file;
      const { mode, modifiedMs } = file;
      return ok({ kind: "file", bytes: file.bytes.length, mode, modifiedMs });
    },
    async read(path, { bytesMax }) {
      const name = relative(path);
      if (!name.ok) return name;
      const file = fileAt(name.value);
      if ("ok" in file) return file;
      const bytes = file.bytes.length;
      if (bytes <= bytesMax) return ok(file.bytes.slice());
      return fail("too_large", `${quoted(name.value)} has ${bytes} bytes, more than ${bytesMax}`, {
        detail: { bytes, bytesMax },
      });
    },
    async hash(path) {
      const name = relative(path);
      if (!name.ok) return name;
      const file = fileAt(name.value);
      if (!("ok" in file)) return ok(hashOf(file.bytes));
      return file.error.code === "not_found" ? ok("absent") : file;
    },
    async list(path) {
      const name = relative(path);
      if (!name.ok) return name;
      if (!isFolder(name.value)) return fail("not_found", `${quoted(name.value)} is not a folder`);
      const entries = new Map<string, FolderEntry>();
      const start = name.value === "." ? "" : `${name.value}/`;
      for (const file of held.keys()) {
        if (!file.startsWith(start)) continue;
        const [first = "", ...below] = file.slice(start.length).split("/");
        entries.set(first, { name: first, kind: below.length > 0 ? "folder" : "file" });
      }
      return ok([...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
    },
    async write(path, bytes, { expect, mode }) {
      const name = relative(path);
      if (!name.ok) return name;
      if (isFolder(name.value)) return fail("denied", `${quoted(name.value)} is a folder`);
      const blocked = foldersOf(name.value).find((folder) => held.has(folder));
      if (blocked) return fail("not_found", `${quoted(blocked)} is not a folder`);
      const file = held.get(name.value);
      const found = file ? hashOf(file.bytes) : "absent";
      if (found !== expect) return stale(name.value, found);
      return ok(put(name.value, bytes, mode));
    },
    async remove(path, { expect }) {
      const name = relative(path);
      if (!name.ok) return name;
      const file = fileAt(name.value);
      if ("ok" in file) return file.error.code === "not_found" ? stale(name.value, "absent") : file;
      if (hashOf(file.bytes) !== expect) return stale(name.value, hashOf(file.bytes));
      held.delete(name.value);
      return ok();
    },
  };
}

function foldersOf(name: string): string[] {
  const names = name.split("/");
  return names.slice(1).map((_, at) => names.slice(0, at + 1).join("/"));
}

function stale(name: string, found: string): Failed {
  return fail("stale", `${quoted(name)} is not in the expected state`, {
    fix: "read it again",
    detail: { found },
  });
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
