// The local workspace on a real disk: the contract, what only a real disk has (links, pipes,
// modes), and every known shape of a path that leads out, with a witness file outside that must not
// change.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { workspaceContract } from "#boundary/workspace/contract.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import type { Workspace } from "#boundary/workspace/port.ts";

const base = mkdtempSync(join(tmpdir(), "aiex-files-"));
let count = 0;

afterAll(() => rmSync(base, { recursive: true, force: true }));

function openAt(root: string): Workspace {
  const files = localWorkspace(root);
  if (!files.ok) throw new Error(files.error.say);
  return files.value;
}

/** A world of its own: the root, a sibling with a like name, and a witness outside. */
function world() {
  count += 1;
  const top = join(base, String(count));
  const root = join(top, "app");
  for (const folder of [root, `${root}-evil`, join(top, "out")]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "witness"), "witness");
  }
  rmSync(join(root, "witness"));
  mkdirSync(join(root, "in"));
  writeFileSync(join(root, "in/file"), "inside");
  return { top, root, files: openAt(root) };
}

workspaceContract("local", async () => {
  count += 1;
  const root = join(base, String(count));
  mkdirSync(root);
  return openAt(root);
});

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (path: string) => readFileSync(path, "utf8");

describe("a local workspace", () => {
  let here: ReturnType<typeof world>;
  beforeEach(() => {
    here = world();
  });

  it("follows links that stay inside, however they go there", async () => {
    const { root, files } = here;
    symlinkSync("in", join(root, "folder"));
    symlinkSync("../in/file", join(root, "in/up"));
    symlinkSync(join(root, "in/file"), join(root, "absolute"));
    symlinkSync("folder/up", join(root, "chain"));
    symlinkSync(".", join(root, "self"));
    for (const path of ["folder/file", "in/up", "absolute", "chain", "self/self/in/file"]) {
      expect(await files.read(path, { bytesMax: 99 }), path).toEqual({
        ok: true,
        value: bytes("inside"),
      });
    }
    const before = await files.hash("chain");
    const expected = before.ok ? before.value : "";
    expect(await files.write("chain", bytes("new"), { expect: expected })).toMatchObject({
      ok: true,
    });
    expect(text(join(root, "in/file"))).toBe("new");
    expect((await files.list(".")).ok).toBe(true);
    expect(await files.list("self/folder")).toMatchObject({ ok: true });
  });

  it("keeps the mode of a file, and honours the umask for a new one", async () => {
    const { root, files } = here;
    chmodSync(join(root, "in/file"), 0o750);
    const before = await files.hash("in/file");
    await files.write("in/file", bytes("x"), { expect: before.ok ? before.value : "" });
    expect(statSync(join(root, "in/file")).mode & 0o7777).toBe(0o750);
    await files.write("in/fresh", bytes("x"), { expect: "absent" });
    expect(statSync(join(root, "in/fresh")).mode & 0o7777).toBe(0o644 & ~process.umask());
  });

  it("leaves the other name of a hard link alone", async () => {
    const { root, top, files } = here;
    linkSync(join(top, "out/witness"), join(root, "hard"));
    const before = await files.hash("hard");
    const done = await files.write("hard", bytes("x"), { expect: before.ok ? before.value : "" });
    expect(done.ok).toBe(true);
    expect(text(join(top, "out/witness"))).toBe("witness");
  });

  it("leaves no temporary file and no open descriptor behind", async () => {
    const { root, files } = here;
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    await files.write("in/a", bytes("x"), { expect: "absent" });
    await files.write("in/a", bytes("x"), { expect: "absent" });
    await files.read("in/nothing", { bytesMax: 9 });
    await files.list("in");
    await files.remove("in/a", { expect: "wrong" });
    expect(readdirSync(join(root, "in")).sort()).toEqual(["a", "file"]);
    expect(open()).toBe(before);
  });

  it("opens no pipe, socket or device, and does not wait for one", async () => {
    const { root, files } = here;
    execFileSync("mkfifo", [join(root, "pipe")]);
    const server = createServer().listen(join(root, "socket"));
    symlinkSync("/dev/zero", join(root, "zero"));
    await new Promise((resolve) => server.once("listening", resolve));
    for (const path of ["pipe", "socket", "zero"]) {
      const refused = { ok: false, error: { code: "denied" } };
      expect(await files.read(path, { bytesMax: 9 }), path).toMatchObject(refused);
      expect(await files.hash(path), path).toMatchObject(refused);
      expect(await files.write(path, bytes("x"), { expect: "absent" })).toMatchObject(refused);
    }
    server.close();
  });

  it("is refused for a root that is no folder", () => {
    expect(localWorkspace(join(here.root, "in/file"))).toMatchObject({ ok: false });
    expect(localWorkspace(join(here.root, "nothing"))).toMatchObject({ ok: false });
  });
});

/** Links an attacker may have left in the workspace, by name. */
function leaveLinks(root: string, top: string): void {
  const out = join(top, "out");
  const links: Record<string, string> = {
    leaf: join(out, "witness"),
    "leaf-relative": "../out/witness",
    folder: out,
    "folder-relative": "../out",
    up: "..",
    top: "/",
    dangling: join(out, "fresh"),
    "dangling-relative": "../out/fresh",
    sibling: `${root}-evil`,
    "sibling-leaf": `${root}-evil/witness`,
    chain1: "chain2",
    chain2: "chain3",
    chain3: "../out/witness",
    loop1: "loop2",
    loop2: "loop1",
    self: "self",
    "proc-root": `/proc/self/root${out}`,
    "proc-cwd": "/proc/self/cwd",
    "proc-fd": "/proc/self/fd/0",
    "dev-fd": "/dev/fd/0",
    null: "/dev/null",
    "through-root": `${root}/../out/witness`,
    "through-inside": "in/../../out/witness",
    "in/deep": "../../out",
    "in/deep-leaf": "../../out/witness",
    slashes: `//${out}//witness`,
    mixed: "./in/.././../out/./witness",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
}

const escapes = [
  "../out/witness",
  "../../out/witness",
  "in/../../out/witness",
  "./../out/witness",
  "..//out//witness",
  "in/./../../out/witness",
  "@top/out/witness",
  "@root-evil/witness",
  "@root/../out/witness",
  "@root/../app-evil/witness",
  "@root/in/../../out/witness",
  "/@top/out/witness",
  "/proc/self/root@top/out/witness",
  "/proc/self/cwd/package.json",
  "/dev/fd/0",
  "/dev/null",
  "/etc/passwd",
  "/",
  "..",
  "../app-evil",
  "../app-evil/witness",
  "leaf",
  "leaf-relative",
  "folder",
  "folder/witness",
  "folder/fresh",
  "folder/new/fresh",
  "folder-relative/witness",
  "up",
  "up/out/witness",
  "up/app-evil/witness",
  "top/etc/passwd",
  "top@top/out/witness",
  "dangling",
  "dangling-relative",
  "dangling/below",
  "sibling/witness",
  "sibling-leaf",
  "chain1",
  "loop1",
  "loop1/x",
  "self",
  "self/x",
  "proc-root/witness",
  "proc-cwd/package.json",
  "proc-fd",
  "dev-fd",
  "null",
  "through-root",
  "through-inside",
  "in/deep/witness",
  "in/deep-leaf",
  "slashes",
  "mixed",
  "leaf/",
  "leaf/.",
  "folder/../out/witness\0",
  "leaf\0.txt",
  "folder\0/../witness",
];

describe("a path that leads out", () => {
  const { top, root, files } = world();
  leaveLinks(root, top);
  const listing = () => execFileSync("find", [top, "-printf", "%p %s %T@ %l\n"]).toString();
  const before = listing();

  it.each(escapes)("%j is refused by every operation and touches nothing", async (shape) => {
    const path = shape.replace("@top", top).replace("@root", root);
    const tried = [
      await files.stat(path),
      await files.read(path, { bytesMax: 1e6 }),
      await files.hash(path),
      await files.list(path),
      await files.write(path, bytes("pwned"), { expect: "absent" }),
      await files.remove(path, { expect: "absent" }),
    ];
    for (const result of tried) {
      expect(result.ok).toBe(false);
      if (!result.ok) expect(["denied", "bad_input"]).toContain(result.error.code);
    }
    expect(existsSync(join(top, "out/fresh"))).toBe(false);
    expect(listing()).toBe(before);
  });

  it.each([
    "~/.bashrc",
    "%2e%2e/out/witness",
    "..%2fout%2fwitness",
    "..\\out\\witness",
    "in /file",
    "in/file.",
    "in/file ",
    "IN/FILE",
    "in/ﬁle",
    "ｉn/file",
    "．．/out/witness",
    "$HOME/x",
    "file:///etc/passwd",
  ])("%j is an ordinary name, and is not there", async (path) => {
    expect(await files.hash(path)).toEqual({ ok: true, value: "absent" });
    expect(await files.read(path, { bytesMax: 9 })).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });
});
