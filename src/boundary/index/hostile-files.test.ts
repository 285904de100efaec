// What an untrusted folder may hold: files that break a parser, names that no program can open,
// ignore files that are none, and repositories whose settings would run something.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, git, indexOf, never, sample, valued, write } from "#boundary/index/samples.ts";

describe("an index of hostile files", () => {
  it("has all others where one breaks the parser, in threads and in this one", async () => {
    const others = Array.from({ length: 60 }, (_, i) => [
      `m${i}.ts`,
      `export function crane${i}() {\n${"  call();\n".repeat(900)}}\n`,
    ]);
    const { base, root } = folder({
      "evil.md": `${">".repeat(300)}\n`,
      ...Object.fromEntries(others),
    });
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never))).toMatchObject({ files: 61, contents: 61 });
    const [hit] = valued(await index.search("crane59", 1));
    expect(hit).toMatchObject({ path: "m59.ts", symbols: ["crane59"] });
    write(root, { "worse.md": `${">".repeat(400)}\n`, "x.ts": "export const egret = 1;\n" });
    expect(valued(await index.refresh(never)).contents).toBe(2);
    write(root, { "y.ts": "export function ibis() {}\n" });
    valued(await index.refresh(never));
    expect(valued(await index.search("ibis", 1))[0]?.symbols).toEqual(["ibis"]);
  });

  it("skips what is named so long that no program can open it", async () => {
    const { base, root } = folder(sample);
    const name = "n".repeat(200);
    let depth = root;
    const back = process.cwd();
    try {
      // Folder by folder: the whole path is longer than the system takes.
      process.chdir(root);
      for (let i = 0; i < 20; i += 1) {
        mkdirSync(name);
        process.chdir(name);
        depth = join(depth, name);
      }
      writeFileSync("deep.ts", "export const deep = 1;\n");
    } finally {
      process.chdir(back);
    }
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never)).files).toBeGreaterThanOrEqual(4);
    execFileSync("rm", ["-rf", root]);
  });

  it("fetches nothing for what a repository lacks, whatever its settings allow", async () => {
    const { base, root } = folder(sample);
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "first");
    const tree = git(root, "rev-parse", "HEAD^{tree}");
    rmSync(join(root, ".git/objects", tree.slice(0, 2), tree.slice(2)));
    const mark = join(base, "ran");
    for (const [key, value] of [
      ["core.repositoryformatversion", "1"],
      ["extensions.partialClone", "evil"],
      ["remote.evil.promisor", "true"],
      ["remote.evil.url", `ext::sh -c touch% ${mark}`],
      ["protocol.ext.allow", "always"],
    ]) {
      git(root, "config", key ?? "", value ?? "");
    }
    const index = indexOf(root, join(base, "index.db"));
    valued(await index.refresh(never));
    expect(existsSync(mark)).toBe(false);
  });

  it("keeps a history though the commit that it knew is gone", async () => {
    const { base, root } = folder({ "a.ts": "export const a = 1;\n" });
    git(root, "init", "-q", "-b", "main");
    git(root, "add", "-A");
    git(root, "commit", "-q", "-m", "first");
    const index = indexOf(root, join(base, "index.db"));
    expect(valued(await index.refresh(never)).commits).toBe(1);
    git(root, "commit", "-q", "--amend", "-m", "Teach the cormorant");
    git(root, "reflog", "expire", "--expire=now", "--all");
    git(root, "gc", "-q", "--prune=now");
    expect(valued(await index.refresh(never)).commits).toBe(1);
    expect(valued(await index.files("cormorant", 5))[0]?.path).toBe("a.ts");
  });

  it("can be called off where an ignore file is a pipe that nobody writes to", async () => {
    const { base, root } = folder(sample);
    execFileSync("mkfifo", [join(root, ".gitignore")]);
    const index = indexOf(root, join(base, "index.db"));
    const refreshed = await index.refresh(AbortSignal.timeout(500));
    expect(refreshed).toMatchObject({ ok: false, error: { code: "cancelled" } });
    rmSync(join(root, ".gitignore"));
    expect(valued(await index.refresh(never)).files).toBe(4);
  });
});
