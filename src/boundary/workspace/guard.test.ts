// Every protected path, reached in every way that is known, from inside the real sandbox: when the
// command is over, what was there is there unchanged, and what was absent is absent.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Boxed, boxed, missing, type Ran } from "#boundary/workspace/boxed.ts";

const paths = `.aiex/config.json .aiex/policy.json .git/hooks/pre-commit .git/hooks/post-checkout
  .git/info/attributes .git/config.worktree .git/commondir .gitmodules .gitconfig .git-credentials
  .config/git/config .bashrc .bash_profile .bash_login .bash_aliases .profile .zshrc .zprofile
  .zshenv .config/fish/config.fish .inputrc .vscode/settings.json .vscode/tasks.json
  .idea/workspace.xml app.code-workspace .zed/tasks.json .vimrc .vim/plugin/x.vim .nvimrc .exrc
  .emacs .dir-locals.el .claude/settings.json .claude/hooks/x.sh .cursor/mcp.json .cursorrules
  .gemini/settings.json .codex/config.toml .agents/x.md .mcp.json .windsurf/x .clinerules .roo/mcp.json
  .kiro/x .amazonq/x .opencode/x opencode.json .aider.conf.yml .continue/config.json .npmrc .yarnrc
  .yarnrc.yml .pnpmfile.cjs .envrc .tool-versions .mise.toml .ripgreprc .ssh/authorized_keys
  .aws/config .gnupg/gpg.conf .kube/config .docker/config.json .netrc .pypirc
  .config/systemd/user/x.service .config/autostart/x.desktop .local/bin/ls`.split(/\s+/);

const each = (line: (path: string) => string, all = paths) => all.map(line).join("\n");

type Way = {
  name: string;
  /** Whether the paths exist before the command, and below which folder. */
  exists: boolean;
  below?: string;
  /** Shell text that tries to write `evil` at every path. */
  attack: (box: Boxed) => string;
  paths?: string[];
};

const outsideGit = paths.filter((path) => !path.startsWith(".git/"));
const write = (path: string) => `mkdir -p "$(dirname ${path})"; echo evil > ${path}`;

const ways: Way[] = [
  { name: "written where it exists", exists: true, attack: () => each((p) => `echo evil > ${p}`) },
  { name: "written where it is absent", exists: false, attack: () => each(write) },
  {
    name: "written deep below, where not even its folders exist",
    exists: false,
    below: "deep/er",
    attack: () => `mkdir -p deep/er; cd deep/er; git init -q; ${each(write)}`,
  },
  {
    name: "written after cd, with pushd, and with a relative path around",
    exists: true,
    attack: () =>
      each(
        (p) => `(cd $(dirname ${p}) && echo evil > $(basename ${p})); echo evil > ./.git/../${p}
          (pushd $(dirname ${p}); echo evil > ./$(basename ${p})) > /dev/null`,
      ),
  },
  {
    name: "appended to, edited in place, truncated, and changed in mode",
    exists: true,
    attack: () =>
      each(
        (p) => `echo evil >> ${p}; sed -i s/original/evil/ ${p}; truncate -s 0 ${p}; chmod 7 ${p}`,
      ),
  },
  {
    name: "removed, and made again",
    exists: true,
    attack: () => each((p) => `rm -rf ${p} $(dirname ${p} | grep -v '^.$'); ${write(p)}`),
  },
  {
    name: "replaced by rename, of a file and of its folder",
    exists: true,
    attack: () =>
      each(
        (p) => `echo evil > new; mv -f new ${p}; d=$(dirname ${p}); test "$d" = . || {
          mkdir -p new2; echo evil > new2/$(basename ${p}); mv "$d" old$RANDOM; mv -T new2 "$d"; }`,
      ),
  },
  {
    name: "moved into place where it is absent",
    exists: false,
    attack: () =>
      each(
        (p) => `mkdir -p t/$(dirname ${p}); echo evil > t/${p}; d=$(dirname ${p}); if [ "$d" = . ]
        then mv t/${p} ${p}; else mkdir -p "$(dirname "$d")"; mv -n "t/$d" "$d"; fi`,
      ),
  },
  {
    name: "reached by renaming a folder above it",
    exists: true,
    below: "pkg",
    attack: () => `mv pkg moved; mkdir pkg; cd pkg; git init -q; ${each(write)}`,
  },
  {
    name: "written through a link made to it",
    exists: true,
    attack: () =>
      each(
        (
          p,
        ) => `ln -s ${p} l; echo evil > l; rm -f l; ln -s $(dirname ${p}) l; echo evil > l/$(basename ${p}); rm -f l
        ln ${p} h 2>/dev/null && echo evil > h; rm -f h`,
      ),
  },
  {
    name: "replaced by a link to something writable",
    exists: true,
    attack: () =>
      each(
        (
          p,
        ) => `echo evil > bad; ln -sfn "$PWD/bad" ${p}; mkdir -p bads; echo evil > bads/$(basename ${p})
        d=$(dirname ${p}); test "$d" = . || ln -sfn "$PWD/bads" "$d"`,
      ),
  },
  {
    name: "made as a link to something writable where it is absent",
    exists: false,
    attack: () => each((p) => `echo evil > bad; mkdir -p "$(dirname ${p})"; ln -s "$PWD/bad" ${p}`),
  },
  {
    name: "unpacked from an archive, and copied as a tree",
    exists: false,
    attack: () =>
      `mkdir t; cd t; ${each(write)}
      tar cf ../t.tar .; cd ..; tar xf t.tar; cp -a t/. .; (cd t && cp -r . ..)`,
  },
  {
    name: "written in other letters",
    exists: false,
    attack: () => each((p) => write(p.toUpperCase())),
    paths: paths.map((path) => path.toUpperCase()),
  },
  {
    name: "checked out from a branch",
    exists: false,
    paths: outsideGit,
    attack: () =>
      `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.c GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.c
      git commit -q --allow-empty -m base; for p in ${outsideGit.join(" ")}; do
        git update-index --add --cacheinfo 100644,$(echo evil | git hash-object -w --stdin),$p; done
      git commit -q -m evil; git reset -q --hard; git checkout -q -f HEAD; git stash -q; git restore .`,
  },
  {
    name: "written by another program than a shell",
    exists: false,
    attack: () => `cat > w.py <<'END'
import os
for p in ${JSON.stringify(paths)}:
    try:
        os.makedirs(os.path.dirname(p) or ".", exist_ok=True)
        fd = os.open(p, os.O_CREAT | os.O_WRONLY)
        os.write(fd, b"evil")
        os.symlink("w.py", p + "~")
        os.rename(p + "~", p)
    except OSError: pass
END
python3 w.py`,
  },
];

/** No command may leave `evil` at a path that somebody obeys. */
describe.each(ways)(
  "a protected path $name",
  ({ exists, below = ".", attack, paths: own = paths }) => {
    let box: Boxed;
    let ran: Ran;
    beforeAll(async () => {
      box = await boxed();
      if (missing(box)) return;
      execFileSync("git", ["init", "-q", join(box.root, below)]);
      if (below !== ".") execFileSync("git", ["init", "-q", box.root]);
      if (exists) for (const path of own) box.put(join(below, path), "original");
      // A `commondir` that names nothing would make git itself refuse the repository.
      if (exists) rmSync(join(box.root, below, ".git/commondir"));
      ran = await box.run(attack(box), { timeoutMs: 30_000 });
    });
    afterAll(() => box.close());
    beforeEach((ctx) => {
      const reason = missing(box);
      if (reason) ctx.skip(reason);
    });

    it.each(own)("%s", (path) => {
      const real = join(box.root, below, path);
      const found = lstatSync(real, { throwIfNoEntry: false });
      if (exists && path !== ".git/commondir" && below === ".") {
        expect(readFileSync(real, "utf8")).toBe("original");
        expect(found?.isFile() && found.mode & 0o777).toBe(0o644 & ~process.umask());
      } else if (found) {
        expect(readFileSync(real, "utf8")).toBe("original");
      }
    });

    it("is named when something was taken away, and kept in quarantine", () => {
      expect(ran.ended).toBe("exit");
      const kept = readdirSync(box.quarantine, { recursive: true }).map(String);
      for (const path of ran.quarantined) {
        expect(
          kept.some((one) => one.endsWith(path)),
          path,
        ).toBe(true);
      }
      if (!exists) expect(ran.quarantined.length).toBeGreaterThan(10);
    });
  },
);

describe("the guard", () => {
  let box: Boxed;
  beforeEach(async (ctx) => {
    box = await boxed();
    const reason = missing(box);
    if (reason) ctx.skip(reason);
    return () => box.close();
  });

  it("leaves alone what the user changes meanwhile in a mounted folder", async () => {
    box.put(".vscode/settings.json", "{}");
    const running = box.run("while [ ! -e go ]; do sleep 0.02; done");
    box.put(".vscode/settings.json", "{ mine }");
    box.put("go", "");
    expect((await running).quarantined).toEqual([]);
    expect(readFileSync(join(box.root, ".vscode/settings.json"), "utf8")).toBe("{ mine }");
  });

  it("looks while a command still runs", { timeout: 20_000 }, async () => {
    const running = box.run(
      "mkdir .vscode; echo evil > .vscode/tasks.json; while [ ! -e go ]; do sleep 0.02; done",
    );
    await expect.poll(() => readdirSync(box.quarantine).length, { timeout: 10_000 }).toBe(1);
    expect(existsSync(join(box.root, ".vscode"))).toBe(false);
    box.put("go", "");
    expect((await running).quarantined).toEqual([".vscode"]);
  });

  it("names what was taken to every command that was running", async () => {
    const first = box.run("while [ ! -e go ]; do sleep 0.02; done");
    const second = await box.run("echo evil > .envrc");
    box.put("go", "");
    expect(second.quarantined).toEqual([".envrc"]);
    expect((await first).quarantined).toEqual([".envrc"]);
  });

  it("lets a command write what a permission opened, and only that", async () => {
    box.put(".vscode/settings.json", "{}");
    const ran = await box.run("echo x > .vscode/settings.json; echo x > .envrc; echo x > .npmrc", {
      opened: { write: [join(box.root, ".vscode/settings.json"), join(box.root, ".envrc")] },
    });
    expect(ran.quarantined).toEqual([".npmrc"]);
    expect(readFileSync(join(box.root, ".envrc"), "utf8")).toBe("x\n");
  });

  it("accepts a folder that was moved with its settings, and a removed one", async () => {
    box.put("pkg/.vscode/settings.json", "{}");
    expect((await box.run("mv pkg lib")).quarantined).toEqual([]);
    expect(readFileSync(join(box.root, "lib/.vscode/settings.json"), "utf8")).toBe("{}");
  });

  it("protects the file behind a link, and the other name of a hard link", async () => {
    box.put("config/hook", "original");
    mkdirSync(join(box.root, ".git/hooks"), { recursive: true });
    execFileSync("ln", ["-s", "../../config/hook", join(box.root, ".git/hooks/pre-commit")]);
    box.put("shared", "original");
    execFileSync("ln", [join(box.root, "shared"), join(box.root, ".envrc")]);
    const ran = await box.run("echo evil > config/hook; echo evil > shared");
    expect(readFileSync(join(box.root, "config/hook"), "utf8")).toBe("original");
    expect(readFileSync(join(box.root, ".envrc"), "utf8")).toBe("original");
    expect(ran.quarantined).toEqual([".envrc"]);
  });

  it("follows no link when it takes something away", async () => {
    writeFileSync(join(box.top, "witness"), "witness");
    mkdirSync(join(box.top, "elsewhere/.vscode"), { recursive: true });
    const ran = await box.run(
      `ln -s '${box.top}/witness' .envrc; ln -s '${box.top}/elsewhere' sub`,
    );
    expect(ran.quarantined).toEqual([".envrc"]);
    expect(readFileSync(join(box.top, "witness"), "utf8")).toBe("witness");
    expect(existsSync(join(box.top, "elsewhere/.vscode"))).toBe(true);
  });

  it("leaves what is below node_modules to the package manager", async () => {
    expect(
      (await box.run(`mkdir -p node_modules/x; echo a=b > node_modules/x/.npmrc`)).quarantined,
    ).toEqual([]);
    expect((await box.run("rm -r node_modules")).code).toBe(0);
  });
});
