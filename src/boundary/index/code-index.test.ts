// The code index on real folders and repositories: it is what the files are, reads only what
// changed, and loses nothing that it wrote.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CodeIndex } from "#boundary/index/port.ts";
import { folder, git, indexOf, never, sample, valued, write } from "#boundary/index/samples.ts";

const ways = [
  { name: "on disk", fileIn: (base: string) => join(base, "index.db") },
  { name: "in memory", fileIn: () => null },
] as const;

for (const { name, fileIn } of ways) {
  describe(`a code index ${name}`, () => {
    it("finds a place by what it does, by a part of a name, and by a name", async () => {
      const { base, root } = folder(sample);
      const index = indexOf(root, fileIn(base));
      expect(valued(await index.refresh(never))).toMatchObject({ files: 4, read: 4, contents: 4 });
      for (const [asked, path] of [
        ["wait longer after failures", "src/retry.ts"],
        ["backoff", "src/retry.ts"],
        ["backoffDelay", "src/retry.ts"],
        ["split header lines", "src/parse.py"],
        ["store put value", "lib/store.ex"],
      ]) {
        const [hit] = valued(await index.search(asked ?? "", 5));
        expect(hit?.path, asked).toBe(path);
        expect(hit?.why.length).toBeGreaterThan(0);
      }
      const [hit] = valued(await index.search("backoffDelay", 1));
      expect(hit).toMatchObject({ line: 1, symbols: ["backoffDelay"] });
      expect(hit?.text).toBe(sample["src/retry.ts"].trimEnd());
    });

    it("reads again only what changed, and forgets what is gone", async () => {
      const { base, root } = folder(sample);
      const index = indexOf(root, fileIn(base));
      valued(await index.refresh(never));
      write(root, { "src/retry.ts": "export const jitterWindow = 3;\n" });
      rmSync(join(root, "src/parse.py"));
      const again = valued(await index.refresh(never));
      expect(again).toMatchObject({ files: 3, contents: 1 });
      expect(valued(await index.search("jitterWindow", 5))[0]?.path).toBe("src/retry.ts");
      const left = valued(await index.files("parse header backoffDelay", 10));
      expect(left.map(({ path }) => path)).not.toContain("src/parse.py");
    });

    it("is brought up to date once for all who ask at the same time", async () => {
      const { base, root } = folder(sample);
      const index = indexOf(root, fileIn(base));
      const [first, ...others] = await Promise.all([1, 2, 3].map(() => index.refresh(never)));
      expect(valued(first as Awaited<ReturnType<CodeIndex["refresh"]>>).read).toBe(4);
      for (const other of others) expect(other).toBe(first);
    });

    it("holds nothing that ignore files hide, no secrets, and no data", async () => {
      const { base, root } = folder({
        ...sample,
        ".gitignore": "ignored/\n",
        ".aiexignore": "private/\n",
        "ignored/a.ts": "export const zebra = 1;\n",
        "private/b.ts": "export const zebra = 2;\n",
        ".env": "ZEBRA=secret\n",
        "image.ts": "zebra\0zebra",
        "large.ts": `// zebra\n${"x".repeat(1_000_001)}`,
        "package-lock.json": '{"zebra": 1}',
      });
      mkdirSync(join(root, ".git"));
      const index = indexOf(root, fileIn(base));
      valued(await index.refresh(never));
      expect(valued(await index.files("zebra", 10))).toEqual([]);
    });

    it("ranks the files of an issue, and says why", async () => {
      const { base, root } = folder(sample);
      const index = indexOf(root, fileIn(base));
      valued(await index.refresh(never));
      const issue = [
        "Header values with a colon are cut",
        "",
        "### Steps to reproduce",
        "Calling `parse_header` in src/parse.py on a line with two colons gives too many parts.",
      ].join("\n");
      const [first] = valued(await index.files(issue, 10));
      expect(first?.path).toBe("src/parse.py");
      expect(first?.why).toContain("named in the text");
      expect(first?.score).toBeLessThanOrEqual(1);
    });

    it("is empty after it was cleared, and whole after the next refresh", async () => {
      const { base, root } = folder(sample);
      const index = indexOf(root, fileIn(base));
      valued(await index.refresh(never));
      valued(await index.clear());
      expect(valued(await index.status())).toMatchObject({ at: null, files: 0, segments: 0 });
      expect(valued(await index.refresh(never))).toMatchObject({ read: 4, contents: 4 });
      expect(valued(await index.status())).toMatchObject({ files: 4 });
    });
  });
}

describe("an index of a repository", () => {
  it("reads no content twice when branches are switched, nor in another worktree", async () => {
    const { base, root } = folder(sample);
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "first");
    git(root, "checkout", "-q", "-b", "other");
    write(root, { "src/retry.ts": "export const other = 1;\n" });
    git(root, "commit", "-q", "-am", "other");
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never)).contents).toBe(4);
    git(root, "checkout", "-q", "main");
    expect(valued(await index.refresh(never)).contents).toBe(1);
    git(root, "checkout", "-q", "other");
    expect(valued(await index.refresh(never)).contents).toBe(0);
    git(root, "worktree", "add", "-q", join(base, "tree"), "main");
    const tree = indexOf(join(base, "tree"), join(base, "index.db"));
    expect(valued(await tree.refresh(never))).toMatchObject({ files: 4, read: 4, contents: 0 });
    expect(valued(await tree.search("backoffDelay", 1))[0]?.path).toBe("src/retry.ts");
    expect(valued(await index.search("backoffDelay", 1))[0]?.path).toBe("test/retry.test.ts");
  });

  it("knows files by commits that say the like, and by no commit after the checked-out one", async () => {
    const { base, root } = folder({
      "a.ts": "export const a = 1;\n",
      "b.ts": "export const b = 1;\n",
    });
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "first");
    write(root, { "a.ts": "export const a = 2;\n" });
    git(root, "commit", "-q", "-am", "Tune the flamingo threshold");
    write(root, { "b.ts": "export const b = 2;\n" });
    git(root, "commit", "-q", "-am", "Paint the pelican blue");
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never)).commits).toBe(3);
    const ranked = async (text: string) =>
      valued(await index.files(text, 5)).map(({ path }) => path);
    expect(await ranked("flamingo")).toEqual(["a.ts"]);
    expect(await ranked("pelican")).toEqual(["b.ts"]);
    git(root, "checkout", "-q", "HEAD~1");
    valued(await index.refresh(never));
    expect(await ranked("flamingo")).toEqual(["a.ts"]);
    expect(await ranked("pelican")).toEqual([]);
  });

  it("runs nothing that the repository's configuration names", async () => {
    const { base, root } = folder(sample);
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "first");
    const mark = join(base, "ran");
    const program = join(base, "program.sh");
    writeFileSync(program, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    for (const key of [
      "core.fsmonitor",
      "core.pager",
      "gpg.program",
      "diff.external",
      "core.sshCommand",
    ]) {
      git(root, "config", key, program);
    }
    git(root, "config", "log.showSignature", "true");
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never)).commits).toBe(1);
    expect(() => readFileSync(mark)).toThrow();
  });
});

describe("an index on disk", () => {
  it("goes on where it was called off, with what was written then", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 900 }, (_, i) => [
        `m${i}.ts`,
        `export function number${i}() {\n${`  call${i}();\n`.repeat(60)}}\n`,
      ]),
    );
    const { base, root } = folder(many);
    const index = indexOf(root, join(base, "index.db"));
    const off = new AbortController();
    const stopped = await index.refresh(off.signal, () => off.abort());
    expect(stopped).toMatchObject({ ok: false, error: { code: "cancelled" } });
    const then = valued(await index.status()).files;
    expect(then).toBeGreaterThan(0);
    expect(then).toBeLessThan(900);
    const rest = valued(await index.refresh(never));
    expect(rest.contents).toBe(900 - then);
    expect(valued(await index.search("number899", 1))[0]?.path).toBe("m899.ts");
  });

  it("begins anew where its file is damaged or of another version", async () => {
    const { base, root } = folder(sample);
    const file = join(base, "index.db");
    writeFileSync(file, "no database at all, but long enough to be looked at".repeat(100));
    const index = indexOf(root, file);
    expect(valued(await index.refresh(never)).contents).toBe(4);
  });

  it("that is watched has what was saved, made, moved and removed, without being asked", async () => {
    const { base, root } = folder(sample);
    const index = indexOf(root, join(base, "index.db"));
    valued(await index.refresh(never));
    const over = new AbortController();
    const watching = valued(await index.watch(over.signal));
    const paths = async (text: string) =>
      valued(await index.files(text, 5)).map(({ path }) => path);
    const until = async (text: string, expected: readonly string[]) => {
      const found = async () => (await paths(text)).join() === expected.join();
      while (!(await found())) await watching.changed();
      expect(await paths(text)).toEqual(expected);
    };
    write(root, { "src/retry.ts": "export const flamingo = 3;\n" });
    await until("flamingo", ["src/retry.ts"]);
    write(root, { "new/deep/pelican.ts": "export const pelicanCount = 3;\n" });
    await until("pelicanCount", ["new/deep/pelican.ts"]);
    write(root, { "new/deep/pelican.ts": "export const ostrichCount = 3;\n" });
    await until("ostrichCount", ["new/deep/pelican.ts"]);
    rmSync(join(root, "src/retry.ts"));
    await until("flamingo", []);
    write(root, { "src/parse.py": "heron = 1\n" });
    expect(valued(await index.refresh(never)).read).toBe(0);
    await until("heron", ["src/parse.py"]);
    over.abort();
  });

  it("sees what is made beside, what comes into a new folder later, and what is hidden since", async () => {
    const { base, root } = folder({ ...sample, "packages/a/x.ts": "export const heron = 1;\n" });
    mkdirSync(join(root, ".git"));
    const index = indexOf(root, join(base, "index.db"));
    valued(await index.refresh(never));
    const over = new AbortController();
    const watching = valued(await index.watch(over.signal));
    const until = async (text: string, expected: readonly string[]) => {
      const paths = async () => valued(await index.files(text, 5)).map(({ path }) => path);
      while ((await paths()).join() !== expected.join()) await watching.changed();
    };
    write(root, { "packages/b/y.ts": "export const pelican = 1;\n" });
    await until("pelican", ["packages/b/y.ts"]);
    mkdirSync(join(root, "later"));
    await watching.changed();
    write(root, { "later/z.ts": "export const flamingo = 1;\n" });
    await until("flamingo", ["later/z.ts"]);
    write(root, { ".aiexignore": "later/\n" });
    await until("flamingo", []);
    write(root, { ".aiexignore": "" });
    await until("flamingo", ["later/z.ts"]);
    over.abort();
  });

  it("is whole again after it was made anew, also for who had it open", async () => {
    const { base, root } = folder({ "a.ts": "export const heron = 1;\n" });
    const mine = indexOf(root, join(base, "index.db"));
    valued(await mine.refresh(never));
    expect(valued(await mine.search("heron", 1))).toHaveLength(1);
    const other = indexOf(root, join(base, "index.db"));
    valued(await other.clear());
    const files = ["b", "c", "d"].map((name) => [`${name}.ts`, `export const ${name}Stork = 1;\n`]);
    write(root, Object.fromEntries(files));
    valued(await other.refresh(never));
    for (const name of ["b", "c", "d"]) {
      const [hit] = valued(await mine.search(`${name}Stork`, 1));
      expect(hit?.path).toBe(`${name}.ts`);
    }
  });
});
