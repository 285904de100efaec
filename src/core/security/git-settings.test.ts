// A fresh repository's configuration passes; one line that makes git run something does not.
import { describe, expect, it } from "vitest";
import {
  identityOf,
  isHarmlessGitChange,
  isHarmlessGitConfig,
} from "#core/security/git-settings.ts";

const fresh = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
`;
const cloned = `${fresh}[remote "origin"]
\turl = https://example.org/a/b.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
`;

describe("a git configuration", () => {
  it.each([fresh, cloned, "", "# said\n; so\n#\n", "[user]\n\tname = A B\n\temail = a@b.c\n"])(
    "%j is harmless",
    (text) => expect(isHarmlessGitConfig(text)).toBe(true),
  );

  it.each([
    "[core]\n\tfsmonitor = touch pwned\n",
    "[core] fsmonitor = touch pwned\n",
    "[core]\n\tpager = touch pwned\n",
    "[core]\n\teditor = x\n",
    "[core]\n\thooksPath = hooks\n",
    "[core]\n\tsshCommand = x\n",
    "[core]\n\tworktree = /\n",
    "[core]\n\tgitProxy = x\n",
    "[core]\n\tattributesFile = x\n",
    "[core]\n\taskPass = x\n",
    "[diff]\n\texternal = x\n",
    '[diff "x"]\n\ttextconv = x\n',
    '[filter "x"]\n\tclean = x\n',
    '[merge "x"]\n\tdriver = x\n',
    "[credential]\n\thelper = !x\n",
    "[gpg]\n\tprogram = x\n",
    "[alias]\n\tst = !x\n",
    "[include]\n\tpath = x\n",
    '[includeIf "gitdir:/"]\n\tpath = x\n',
    "[sequence]\n\teditor = x\n",
    "[uploadpack]\n\tpackObjectsHook = x\n",
    '[remote "o"]\n\turl = ext::sh -c x\n',
    '[remote "o"]\n\turl = -oProxyCommand=x\n',
    '[remote "o"]\n\tuploadpack = x\n',
    '[remote "o"]\n\tvcs = x\n',
    '[submodule "x"]\n\tupdate = !x\n',
    '[url "ext::"]\n\tinsteadOf = https\n',
    "[extensions]\n\tworktreeConfig = true\n",
    "[core]\n\tbare = false \\\n\tfsmonitor = x\n",
    "# continued \\\n[core]\n",
    "[core]\n\tbare\n",
    "[co\\re]\n",
    "[core]\r\n\tfsmonitor = x\r\n",
    "[user]\n\tname = a\r[core]\rfsmonitor = x\n",
    "[core]\n\tbare = false # x\n",
  ])("%j is not", (text) => {
    expect(isHarmlessGitConfig(text)).toBe(false);
    expect(isHarmlessGitConfig(`${fresh}${text}`)).toBe(false);
  });

  it("may keep what the user had, and gain what is harmless", () => {
    const users = `${fresh}[alias]\n\tst = status\n`;
    expect(isHarmlessGitChange(users, `${users}[branch "x"]\n\tremote = origin\n`)).toBe(true);
    expect(isHarmlessGitChange(users, fresh)).toBe(true);
    expect(isHarmlessGitChange(users, `${users}[alias]\n\tco = !x\n`)).toBe(false);
    expect(isHarmlessGitChange(users, `${users}[alias]\n\tst = status\n`)).toBe(false);
  });

  it("gives away who commits and nothing else", () => {
    const own = `[user]\n\tname = A B\n\temail = "a@b.c"\n\tsigningkey = k\n[github]\n\ttoken = t
[url "https://token@x/"]\n\tinsteadOf = https://x/\n[credential]\n\thelper = store\n[alias]
\tx = "!f() { y; }; \\\n  f"\n[user]\n\tname = hidden\n`;
    expect(identityOf(own)).toBe('[user]\n\tname = "A B"\n[user]\n\temail = "a@b.c"\n');
    expect(isHarmlessGitConfig(identityOf(own))).toBe(true);
    expect(identityOf("")).toBe("");
  });
});
