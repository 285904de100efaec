// What git would obey, written from inside the real sandbox in the ways that are known; then git is
// run everywhere in the workspace from outside, and must have obeyed nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Boxed, boxed, missing } from "#boundary/workspace/boxed.ts";

describe("what git would obey", () => {
  let box: Boxed;
  beforeEach(async (ctx) => {
    box = await boxed();
    const reason = missing(box);
    if (reason) ctx.skip(reason);
    execFileSync("git", ["init", "-q", "-b", "main", box.root]);
    box.put("a.txt", "a");
    return () => box.close();
  });

  const evil = (dir: string) => `d=${dir}
    P="touch '$PWD/pwned'"
    git -C $d config core.fsmonitor "$P; false"; git -C $d config core.pager "$P"
    git -C $d config core.editor "$P"; git -C $d config core.sshCommand "$P"
    git -C $d config core.hooksPath "$PWD/h"; git -C $d config diff.external "$P"
    git -C $d config filter.x.clean "$P; cat"; git -C $d config filter.x.smudge "$P; cat"
    git -C $d config alias.status "!$P"; git -C $d config credential.helper "!$P"
    git -C $d config gpg.program "$P"; git -C $d config include.path "$PWD/evil.cfg"
    printf '[core]\\n\\tfsmonitor = touch %s/pwned\\n' "$PWD" > evil.cfg
    mkdir -p h; for k in pre-commit post-checkout post-index-change reference-transaction; do
      printf '#!/bin/sh\\ntouch %s/pwned\\n' "$PWD" > h/$k; chmod +x h/$k
      mkdir -p $d/.git/hooks; cp h/$k $d/.git/hooks/$k; cp h/$k $d/hooks/$k; done 2> /dev/null
    echo '* filter=x diff=x' >> $d/.git/info/attributes`;

  it.each<[string, string]>([
    ["in the workspace's own repository", evil(".")],
    [
      "with git's own option for the file",
      'git config -f .git/config core.fsmonitor "touch pwned"',
    ],
    [
      "in a lock that becomes the file",
      "cp .git/config c; echo '[core] fsmonitor = touch pwned' >> c; mv c .git/config.lock; mv .git/config.lock .git/config",
    ],
    ["by replacing the repository", `mv .git old; git init -q; ${evil(".")}`],
    [
      "by replacing the repository by a file",
      "git init -q x; rm -rf .git; echo gitdir: x/.git > .git",
    ],
    [
      "by a common folder elsewhere",
      `git init -q x; ${evil("x")}; cp -r x/.git y; printf ../y > .git/commondir`,
    ],
    ["in a new repository below", `git init -q sub; ${evil("sub")}`],
    [
      "in a new bare repository below",
      `git init -q --bare sub; ${evil("sub")}; git --git-dir=sub config core.fsmonitor "touch $PWD/pwned"; git --git-dir=sub config core.bare false; git --git-dir=sub config core.worktree "$PWD"`,
    ],
    [
      "in the parts of a repository, put together by hand",
      `mkdir -p sub/objects sub/refs; echo ref: refs/heads/main > sub/HEAD; printf '[core]\\n\\trepositoryformatversion = 0\\n\\tworktree = %s\\n\\tfsmonitor = touch %s/pwned\\n' "$PWD" "$PWD" > sub/config`,
    ],
    [
      "in a repository copied to another name",
      `git init -q sub; cp -r sub/.git sub2; git --git-dir=sub2 config core.fsmonitor "touch $PWD/pwned"; rm -rf sub`,
    ],
    [
      "in a worktree made for it",
      `git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m x; git worktree add -q sub; git config extensions.worktreeConfig true; git -C sub config --worktree core.fsmonitor "touch $PWD/pwned"; printf '[core]\\n\\tfsmonitor = touch %s/pwned\\n' "$PWD" > .git/worktrees/sub/config.worktree`,
    ],
    [
      "in a submodule",
      `git init -q x; git -C x -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m x; git -c protocol.file.allow=always submodule add ./x sub; printf '[core]\\n\\tfsmonitor = touch %s/pwned\\n' "$PWD" >> .git/modules/sub/config`,
    ],
    [
      "in a linked file",
      `mkdir -p sub/x; git init -q sub/x; ${evil("sub/x")}; ln -s x/.git sub/.git`,
    ],
    [
      "in a folder of hooks behind a link",
      "rm -rf .git/hooks; ln -s ../h .git/hooks; mkdir h; echo touch pwned > h/pre-commit; chmod +x h/pre-commit",
    ],
  ])("is not left %s", async (_, attack) => {
    await box.run(attack, { timeoutMs: 15_000 });
    const heads = execFileSync("find", [
      box.root,
      "-name",
      "HEAD",
      "-o",
      "-name",
      ".git",
    ]).toString();
    const folders = [
      box.root,
      ...heads
        .trim()
        .split("\n")
        .map((path) => dirname(path)),
    ];
    const env = { PATH: process.env.PATH, HOME: box.home, GIT_CONFIG_NOSYSTEM: "1" };
    rmSync(join(box.root, "pwned"), { force: true });
    for (const cwd of folders) {
      for (const args of [["status"], ["diff"], ["log", "-1"], ["add", "."]]) {
        try {
          execFileSync("git", args, { cwd, env, stdio: "ignore" });
        } catch {
          // Not a repository here, or a broken one: nothing was obeyed, which is what counts.
        }
      }
    }
    expect(execFileSync("find", [box.top, "-name", "pwned"]).toString()).toBe("");
    const config = readFileSync(join(box.root, ".git/config"), "utf8");
    expect(config).not.toMatch(/pwned|hookspath|fsmonitor/i);
  });
});
