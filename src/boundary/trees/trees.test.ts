// A recorded workspace can be brought back byte for byte, and recording touches nothing of it.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  folderWith,
  freshFolder,
  listing,
  never,
  put,
  treesOf,
  valued,
} from "#boundary/trees/samples.ts";
import { leftEntry, stateOf } from "#core/tree/entry.ts";

const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
    cwd,
    stdio: "pipe",
  });

async function backTo(root: string, change: () => void) {
  const trees = await treesOf(root);
  const before = valued(await trees.record(never));
  const was = listing(root);
  change();
  const after = valued(await trees.record(never));
  const changes = valued(await trees.changes(after, before));
  const applied = valued(await trees.apply(changes, never));
  return { was, now: listing(root), applied, again: valued(await trees.record(never)), before };
}

describe("a recorded workspace", () => {
  it("comes back whole after a recursive delete, ignored configuration included", async () => {
    const root = folderWith({
      ".gitignore": ".env\n*.key\n",
      ".env": "TOKEN=canary\n",
      "deep/er/secret.key": "k\0\r\n",
      "src/a.ts": "export {};\r\n",
      "src/empty/": "",
    });
    chmodSync(join(root, ".env"), 0o600);
    chmodSync(join(root, "deep"), 0o700);
    symlinkSync("../src/a.ts", join(root, "deep/link"));
    symlinkSync("nowhere", join(root, "dangling"));
    const { was, now, applied } = await backTo(root, () => {
      spawnSync("bash", ["-c", "rm -rf -- .env .gitignore deep dangling src"], { cwd: root });
    });
    expect(now).toEqual(was);
    expect(applied.left).toEqual([]);
  });

  it("keeps what git would change: line ends, filters, encodings and identities", async () => {
    const root = folderWith({
      ".gitattributes": "* text=auto eol=crlf\n*.id ident\n*.u working-tree-encoding=UTF-16\n",
      "a.txt": "one\r\ntwo\nthree\r",
      "b.id": "$Id$\n",
      "c.u": "plain",
    });
    git(root, "init", "-q");
    git(root, "config", "filter.x.clean", "echo filtered");
    put(root, ".gitattributes", "* filter=x text eol=lf\n");
    const { was, now } = await backTo(root, () => {
      for (const name of ["a.txt", "b.id", "c.u"]) writeFileSync(join(root, name), "other");
    });
    expect(now).toEqual(was);
  });

  it("holds the files of nested repositories, submodules and worktrees, but never their `.git`", async () => {
    const root = folderWith({ "inner/a.txt": "inner", "b.txt": "outer" });
    git(root, "init", "-q");
    git(join(root, "inner"), "init", "-q");
    git(join(root, "inner"), "add", ".");
    git(join(root, "inner"), "commit", "-qm", "x");
    put(root, "tree/.git", "gitdir: /nowhere/else\n");
    put(root, "tree/c.txt", "worktree");
    const { was, now, applied } = await backTo(root, () => {
      rmSync(join(root, "inner/a.txt"));
      rmSync(join(root, "tree"), { recursive: true });
    });
    expect(now).toEqual(was.filter((line) => !line.startsWith("tree/.git ")));
    expect(applied.left).toEqual([{ path: "tree/.git", why: "no tree holds it" }]);
  });

  it("never touches the user's own git state", async () => {
    const root = folderWith({ "a.txt": "one" });
    git(root, "init", "-q");
    git(root, "add", ".");
    git(root, "commit", "-qm", "x");
    put(root, "a.txt", "staged");
    git(root, "add", ".");
    put(root, "a.txt", "worked on");
    const state = () => listing(join(root, ".git"));
    const before = state();
    const trees = await treesOf(root);
    const first = valued(await trees.record(never));
    put(root, "a.txt", "again");
    const second = valued(await trees.record(never));
    valued(await trees.apply(valued(await trees.changes(second, first)), never));
    expect(state()).toEqual(before);
    expect(git(root, "status", "--porcelain").toString()).toBe("MM a.txt\n");
  });

  it("turns files into folders and links and back", async () => {
    const root = folderWith({ "x/y/z.txt": "deep", file: "f", "empty/": "" });
    symlinkSync("file", join(root, "link"));
    const { was, now, applied } = await backTo(root, () => {
      rmSync(join(root, "x"), { recursive: true });
      writeFileSync(join(root, "x"), "now a file");
      rmSync(join(root, "file"));
      mkdirSync(join(root, "file/deeper"), { recursive: true });
      writeFileSync(join(root, "file/deeper/g"), "g");
      rmSync(join(root, "link"));
      writeFileSync(join(root, "link"), "file");
      rmSync(join(root, "empty"), { recursive: true });
      symlinkSync("x", join(root, "empty"));
    });
    expect(now).toEqual(was);
    expect(applied.left).toEqual([]);
  });

  it("keeps the old where the new cannot be made in its place", async () => {
    const root = folderWith({ file: "f", "folder/": "", source: "s" });
    const trees = await treesOf(root);
    const was = listing(root);
    // No file system takes a link of that length.
    put(root, "source", "x".repeat(5_000));
    const states = new Map(
      valued(await trees.changes(null, valued(await trees.record(never)))).map((one) => [
        one.path,
        one.after,
      ]),
    );
    put(root, "source", "s");
    const after = (states.get("source") ?? "").replace(/^\d+/, "120000");
    const changes = ["file", "folder"].map((path) => ({
      path,
      before: states.get(path) ?? "",
      after,
    }));
    const applied = valued(await trees.apply(changes, never));
    expect(applied.left.map(({ path }) => path)).toEqual(["file", "folder"]);
    expect(listing(root)).toEqual(was);
  });

  it("sees a change that keeps size and time", async () => {
    const root = folderWith({ a: "one" });
    const trees = await treesOf(root);
    const { atime, mtime } = statSync(join(root, "a"));
    const first = valued(await trees.record(never));
    writeFileSync(join(root, "a"), "two");
    utimesSync(join(root, "a"), atime, mtime);
    const second = valued(await trees.record(never));
    expect(valued(await trees.changes(first, second)).map(({ path }) => path)).toEqual(["a"]);
  });

  it("sees a file that was renamed over another, and one in place of a hard link", async () => {
    const root = folderWith({ a: "same", b: "same" });
    const trees = await treesOf(root);
    linkSync(join(root, "a"), join(root, "c"));
    const first = valued(await trees.record(never));
    renameSync(join(root, "b"), join(root, "a"));
    writeFileSync(join(root, "c"), "other");
    const changes = valued(await trees.changes(first, valued(await trees.record(never))));
    expect(changes.map(({ path }) => path)).toEqual(["b", "c"]);
  });

  it("is the same tree in another process that begins from what was kept", async () => {
    const root = folderWith({
      "a/b.txt": "b",
      "c.txt": "c",
      ".gitignore": "x\n",
      "a/.gitignore": "!x",
    });
    const store = join(freshFolder(), "store");
    const trees = await treesOf(root, store);
    const first = valued(await trees.record(never));
    await trees.close();
    const other = await treesOf(root, store);
    expect(valued(await other.record(never))).toBe(first);
    put(root, "a/b.txt", "B");
    const second = valued(await other.record(never));
    expect(valued(await other.changes(first, second)).map(({ path }) => path)).toEqual(["a/b.txt"]);
  });

  it("survives a sweep by another process that knows nothing of its last tree", async () => {
    const root = folderWith({ "a/b.txt": "b" });
    const store = join(freshFolder(), "store");
    const [one, two] = [await treesOf(root, store), await treesOf(root, store)];
    valued(await one.record(never));
    valued(await two.sweep([], never));
    put(root, "c.txt", "c");
    const tree = valued(await one.record(never));
    const whole = valued(await one.changes(null, tree));
    const ids = whole.flatMap(({ after }) => after.split(" ")[1] ?? []);
    expect(valued(await one.contents(ids)).size).toBe(2);
    expect(valued(await one.check(never))).toEqual([]);
  });
});

describe("what is not the workspace's own", () => {
  it("is left out by name: dependencies, build output, repository data, large ignored files", async () => {
    const root = folderWith({
      ".gitignore": "target\nbig.bin\nsmall.bin\n",
      "node_modules/x/index.js": "x",
      "target/debug/a.o": "o",
      "big.bin": "b".repeat(2 << 20),
      "small.bin": "s",
    });
    git(root, "init", "-q");
    execFileSync("mkfifo", [join(root, "pipe")]);
    const trees = await treesOf(root);
    const tree = valued(await trees.record(never));
    const all = new Map(
      valued(await trees.changes(null, tree)).map(({ path, after }) => [path, after]),
    );
    expect(all.get("node_modules")).toBe(stateOf(leftEntry("dependencies")));
    expect(all.get("target")).toBe(stateOf(leftEntry("build output")));
    expect(all.get(".git")).toBe(stateOf(leftEntry("repository data")));
    expect(all.get("big.bin")).toBe(stateOf(leftEntry("ignored and large")));
    expect(all.get("pipe")).toBe(stateOf(leftEntry("neither a file nor a folder")));
    expect(all.get("small.bin")).toMatch(/^100644 /);
    expect([...all.keys()].filter((path) => /^(node_modules|target|\.git)\//.test(path))).toEqual(
      [],
    );
  });

  it("is never read through a link that leads out of the workspace", async () => {
    const outside = folderWith({ secret: "canary" });
    const root = folderWith({ "a/b.txt": "b" });
    symlinkSync(outside, join(root, "out"));
    const trees = await treesOf(root);
    const tree = valued(await trees.record(never));
    const paths = valued(await trees.changes(null, tree)).map(({ path }) => path);
    expect(paths).toEqual(["a", "a/b.txt", "out"]);
  });

  it("stays as it is where it came into a folder that should go", async () => {
    const root = folderWith({ "a.txt": "a" });
    const trees = await treesOf(root);
    const before = valued(await trees.record(never));
    put(root, "made/by-turn.txt", "t");
    const after = valued(await trees.record(never));
    put(root, "made/by-user.txt", "u");
    const { left } = valued(await trees.apply(valued(await trees.changes(after, before)), never));
    expect(left).toEqual([{ path: "made", why: "something else is in it" }]);
    expect(readFileSync(join(root, "made/by-user.txt"), "utf8")).toBe("u");
  });

  it("is never written into what no tree holds, whatever a change says", async () => {
    const root = folderWith({ "tool.sh": "evil", ".git/hooks/": "" });
    const trees = await treesOf(root);
    const tree = valued(await trees.record(never));
    const [tool] = valued(await trees.changes(null, tree));
    const claims = [".git/hooks/pre-commit", "node_modules/.bin/x"].map((path) => ({
      path,
      before: "absent",
      after: tool?.after ?? "",
    }));
    const applied = valued(await trees.apply(claims, never));
    expect(applied.left.map(({ path }) => path)).toEqual(claims.map(({ path }) => path).sort());
    expect(listing(root)).toEqual(listing(folderWith({ "tool.sh": "evil", ".git/hooks/": "" })));
  });

  it.each([
    ".git",
    ".GIT",
    ".git.",
    ".g\u200cit",
    "git~1",
    ".git::$INDEX_ALLOCATION",
    "sub\\.git",
    "deep/er/.Git ",
  ])("is never written or removed where its name means a repository: %j", async (path) => {
    const root = folderWith({ "evil.txt": "gitdir: elsewhere", "deep/er/": "", "full/": "" });
    symlinkSync("elsewhere", join(root, "link"));
    const trees = await treesOf(root);
    const tree = valued(await trees.record(never));
    const all = new Map(
      valued(await trees.changes(null, tree)).map(({ path: name, after }) => [name, after]),
    );
    const was = listing(root);
    for (const kind of ["evil.txt", "link", "full"]) {
      const comes = { path, before: "absent", after: all.get(kind) ?? "" };
      const applied = valued(await trees.apply([comes], never));
      expect(applied).toEqual({ done: [], left: [{ path, why: "no tree holds it" }] });
    }
    expect(listing(root)).toEqual(was);
    writeFileSync(join(root, path), "gitdir: elsewhere");
    const there = listing(root);
    const goes = { path, before: all.get("evil.txt") ?? "", after: "absent" };
    expect(valued(await trees.apply([goes], never)).done).toEqual([]);
    expect(listing(root)).toEqual(there);
    const recorded = valued(await trees.changes(null, valued(await trees.record(never))));
    const left = recorded.find((change) => change.path === path);
    expect(left?.after).toBe(stateOf(leftEntry("repository data")));
  });

  it("keeps a tree that was recorded a moment ago through a sweep by another process", async () => {
    const root = folderWith({ "a.txt": "a" });
    const store = join(freshFolder(), "store");
    const [mine, other] = [await treesOf(root, store), await treesOf(root, store)];
    const tree = valued(await mine.record(never));
    put(root, "a.txt", "b");
    valued(await other.record(never));
    valued(await other.sweep([], never));
    const fresh = await treesOf(root, store);
    const changes = valued(await fresh.changes(valued(await fresh.record(never)), tree));
    expect(valued(await fresh.apply(changes, never)).done.map(({ path }) => path)).toEqual([
      "a.txt",
    ]);
    expect(readFileSync(join(root, "a.txt"), "utf8")).toBe("a");
  });
});
