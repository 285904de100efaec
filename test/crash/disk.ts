// A disk that loses its power, from a trace of what a run really asked of the system (strace): files
// have what was synced, names what their folder's sync, or the file system's journal, made durable.
// Three readings of what is allowed to be lost:
// - `strict`: POSIX at its worst, a name is there only once its own folder was synced;
// - `ordered`: as journaling file systems do, each sync makes all names durable that were made
//   before it, and a file that was never synced is there and empty;
// - `torn`: as `ordered`, and of what was written since a file's last sync a part has arrived.
// Its limits: writes through memory maps (SQLite's -shm, which no recovery needs) are not seen, a
// disk that lies about syncs is not imagined, and a torn part is always a beginning.
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

export type Reading = "strict" | "ordered" | "torn";

export type Op =
  | { do: "open"; path: string; truncates: boolean }
  | { do: "write"; path: string; at: number | null; bytes: Buffer }
  | { do: "truncate"; path: string; bytes: number }
  | { do: "rename"; from: string; to: string }
  | { do: "link"; from: string; to: string }
  | { do: "symlink"; target: string; path: string }
  | { do: "mkdir"; path: string }
  | { do: "remove"; path: string }
  | { do: "sync"; path: string };

/** What is traced, for strace's `-e trace=`. */
export const TRACED = [
  ..."openat creat write pwrite64 ftruncate rename renameat renameat2 unlink unlinkat".split(" "),
  ..."mkdir mkdirat rmdir link linkat symlink symlinkat fsync fdatasync".split(" "),
].join(",");

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll("\\x", ""), "hex");

/** What a trace (`strace -f -y -xx`) says was done, in the order in which it was done. */
export function opsIn(trace: string): Op[] {
  const begun = new Map<string, string>();
  const folders = new Map<string, string>();
  const offsets = new Map<string, number | null>();
  const ops: Op[] = [];
  for (const line of trace.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const cut = rest.indexOf(" <unfinished ...>");
    if (cut >= 0) {
      begun.set(pid, rest.slice(0, cut));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const call = resumed ? `${begun.get(pid) ?? ""}${resumed[1]}` : rest;
    const op = opOf(call, { folders, offsets });
    if (op) ops.push(...op);
  }
  return ops;
}

type Known = { folders: Map<string, string>; offsets: Map<string, number | null> };

function opOf(call: string, known: Known): Op[] | null {
  const [, name = "", args = "", returned = ""] = /^(\w+)\((.*)\)\s+= (.*)$/.exec(call) ?? [];
  if (name === "" || returned.startsWith("-1") || returned === "?") return null;
  const texts = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((found) =>
    unhex(found[1] ?? ""),
  );
  const bases = [...args.matchAll(/(?:^|, )(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>/g)];
  const base = (at: number) => unhex(bases[at]?.[1] ?? bases[0]?.[1] ?? "").toString();
  const path = (at: number) => {
    const given = texts[at]?.toString() ?? "";
    const [, fd = "", below = ""] = /^\/proc\/self\/fd\/(\d+)\/?(.*)$/.exec(given) ?? [];
    if (fd !== "") return join(known.folders.get(fd) ?? "/unknown", below);
    return given.startsWith("/") ? given : join(base(at), given);
  };
  switch (name) {
    case "creat":
    case "openat":
      return openedBy({ args, returned, path: path(0) }, known);
    case "write":
    case "pwrite64":
      return writtenBy({ name, args, returned, file: base(0), bytes: texts[0] }, known);
    case "ftruncate":
      return [{ do: "truncate", path: base(0), bytes: Number(args.split(", ").at(-1)) }];
    case "rename":
    case "renameat":
    case "renameat2":
      return [{ do: "rename", from: path(0), to: path(1) }];
    case "link":
    case "linkat":
      return [{ do: "link", from: path(0), to: path(1) }];
    case "symlink":
    case "symlinkat":
      return [{ do: "symlink", target: texts[0]?.toString() ?? "", path: path(1) }];
    case "mkdir":
    case "mkdirat":
      return [{ do: "mkdir", path: path(0) }];
    case "fsync":
    case "fdatasync":
      return [{ do: "sync", path: base(0) }];
    default:
      return [{ do: "remove", path: path(0) }];
  }
}

function openedBy(
  { args, returned, path }: { args: string; returned: string; path: string },
  { folders, offsets }: Known,
): Op[] | null {
  const [, fd = "", real = ""] = /^(\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(returned) ?? [];
  folders.set(fd, unhex(real).toString());
  offsets.set(fd, args.includes("O_APPEND") ? null : 0);
  if (!/O_CREAT|O_TRUNC/.test(args)) return null;
  const opened = real === "" ? path : unhex(real).toString();
  return [{ do: "open", path: opened, truncates: args.includes("O_TRUNC") }];
}

function writtenBy(
  call: { name: string; args: string; returned: string; file: string; bytes: Buffer | undefined },
  { offsets }: Known,
): Op[] | null {
  const { name, args, returned, file, bytes = Buffer.alloc(0) } = call;
  if (!file.startsWith("/")) return null;
  const count = Number.parseInt(returned, 10);
  const fd = /^\d+/.exec(args)?.[0] ?? "";
  const at = name === "pwrite64" ? Number(args.split(", ").at(-1)) : (offsets.get(fd) ?? null);
  if (name === "write" && at !== null) offsets.set(fd, at + count);
  return [{ do: "write", path: file, at, bytes: bytes.subarray(0, count) }];
}

type Node = { kind: "file" | "folder" | "link"; data: Buffer; durable: Buffer; since: Op[] };

/** A disk with what is below `root` now on it, all of it durable. */
export class Disk {
  readonly #live = new Map<string, Node>();
  #durable: Map<string, Node>;
  readonly #root: string;
  readonly #reading: Reading;

  readonly #elsewhere: string;

  /** `elsewhere` is a folder below the root that is on no disk of ours: nothing of it is lost. */
  constructor(root: string, reading: Reading, elsewhere: string) {
    this.#root = root;
    this.#elsewhere = `${elsewhere}/`;
    this.#reading = reading;
    this.#take(root);
    this.#durable = new Map(this.#live);
  }

  #take(path: string): void {
    const stat = lstatSync(path);
    const node = (kind: Node["kind"], data: Buffer): Node => ({
      kind,
      data,
      durable: data,
      since: [],
    });
    if (stat.isDirectory()) {
      this.#live.set(path, node("folder", Buffer.alloc(0)));
      for (const name of readdirSync(path)) this.#take(join(path, name));
    } else if (stat.isSymbolicLink()) {
      this.#live.set(path, node("link", Buffer.from(readlinkSync(path))));
    } else if (stat.isFile()) this.#live.set(path, node("file", readFileSync(path)));
  }

  /** Does what was done. What is not below the root is somewhere else. */
  apply(op: Op): void {
    const to = "to" in op ? op.to : op.path;
    if (to !== this.#root && !to.startsWith(`${this.#root}/`)) return;
    this.#do(op);
    const node = this.#live.get(to);
    if (!to.startsWith(this.#elsewhere) || !node) return;
    node.durable = node.data;
    node.since = [];
    this.#durable.set(to, node);
  }

  #do(op: Op): void {
    switch (op.do) {
      case "open":
        this.#open(op.path, op);
        break;
      case "write":
      case "truncate":
        this.#change(op);
        break;
      case "rename":
        this.#move(op.from, op.to);
        break;
      case "link": {
        const node = this.#live.get(op.from);
        if (node) this.#live.set(op.to, node);
        break;
      }
      case "symlink":
        this.#live.set(op.path, fresh("link", Buffer.from(op.target)));
        break;
      case "mkdir":
        this.#live.set(op.path, fresh("folder"));
        break;
      case "remove":
        this.#live.delete(op.path);
        break;
      case "sync":
        this.#sync(op.path);
    }
  }

  #open(path: string, op: Extract<Op, { do: "open" }>): void {
    const node = this.#live.get(path);
    if (!node) this.#live.set(path, fresh("file"));
    else if (op.truncates) this.#change({ do: "truncate", path, bytes: 0 });
  }

  #change(op: Extract<Op, { do: "write" | "truncate" }>): void {
    const node = this.#live.get(op.path);
    if (!node) return;
    node.data = changed(node.data, op);
    node.since.push(op);
  }

  #move(from: string, to: string): void {
    for (const [path, node] of [...this.#live]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#live.delete(path);
      this.#live.set(to + path.slice(from.length), node);
    }
  }

  #sync(path: string): void {
    const node = this.#live.get(path);
    if (node?.kind === "file") {
      node.durable = node.data;
      node.since = [];
    }
    if (this.#reading !== "strict") this.#durable = new Map(this.#live);
    else if (node?.kind === "folder") this.#syncFolder(path);
  }

  #syncFolder(folder: string): void {
    for (const path of [...this.#durable.keys()]) {
      if (dirname(path) === folder && !this.#live.has(path)) this.#durable.delete(path);
    }
    for (const [path, node] of this.#live) {
      if (dirname(path) === folder) this.#durable.set(path, node);
    }
  }

  /** Writes to a folder what is there once the power is back; `random` is below 1. */
  restore(into: string, random: () => number): void {
    for (const path of [...this.#durable.keys()].sort()) {
      if (path.endsWith("-shm") || !this.#isReached(path)) continue;
      const node = this.#durable.get(path) as Node;
      const file = into + path.slice(this.#root.length);
      if (node.kind === "folder") mkdirSync(file, { recursive: true, mode: 0o700 });
      else if (node.kind === "link") symlinkSync(node.data, file);
      else writeFileSync(file, this.#contentOf(node, random), { mode: 0o600 });
    }
  }

  #isReached(path: string): boolean {
    return path === this.#root || (this.#durable.has(path) && this.#isReached(dirname(path)));
  }

  #contentOf({ durable, since }: Node, random: () => number): Buffer {
    if (this.#reading !== "torn" || since.length === 0) return durable;
    const whole = Math.floor(random() * (since.length + 1));
    const part = since[whole];
    const arrived = since.slice(0, whole).reduce((data, op) => changed(data, op), durable);
    if (part?.do !== "write") return arrived;
    const bytes = part.bytes.subarray(0, Math.floor(random() * part.bytes.length));
    return changed(arrived, { ...part, bytes });
  }
}

const fresh = (kind: Node["kind"], data = Buffer.alloc(0)): Node => ({
  kind,
  data,
  durable: kind === "link" ? data : Buffer.alloc(0),
  since: [],
});

function changed(data: Buffer, op: Op): Buffer {
  if (op.do === "truncate") {
    const longer = Buffer.alloc(Math.max(0, op.bytes - data.length));
    return Buffer.concat([data.subarray(0, op.bytes), longer]);
  }
  if (op.do !== "write") return data;
  const at = op.at ?? data.length;
  const after = Buffer.alloc(Math.max(data.length, at + op.bytes.length));
  data.copy(after);
  op.bytes.copy(after, at);
  return after;
}
