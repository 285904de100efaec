// What is obeyed by others is protected at any depth, however it is spelled; what merely looks
// like it is not.
import { describe, expect, it } from "vitest";
import { isRepository, protectionOf } from "#core/security/protected.ts";

const denied = `.aiex/config.json .aiex .git .git/hooks/pre-commit .git/config .git/info/attributes
  .git/config.worktree .git/commondir .git/worktrees/w/commondir .git/worktrees/w/config.worktree
  .git/modules/lib/config .git/modules/a/modules/b/hooks/x .gitmodules .gitconfig .bashrc .profile
  .bash_profile .zshrc .zprofile .zshenv .config/fish/config.fish .vscode/settings.json .vscode
  .idea/workspace.xml app.code-workspace .vimrc .vim/plugin/x.vim .nvimrc .exrc .claude/settings.json
  .claude/settings.local.json .cursor/mcp.json .gemini/settings.json .codex/config.toml .agents/x
  .mcp.json .windsurf/x .clinerules .npmrc .yarnrc .yarnrc.yml .envrc .tool-versions .ripgreprc
  .ssh/authorized_keys .aws/credentials .gnupg/x .kube/config .docker/config.json .netrc
  .config/systemd/user/x.service .config/autostart/x.desktop .local/bin/ls remote.git/hooks/update
  remote.git/config`.split(/\s+/);
const asked = `AGENTS.md CLAUDE.md package.json Makefile .github/workflows/ci.yml .gitattributes
  .editorconfig .pre-commit-config.yaml .husky/pre-commit`.split(/\s+/);

describe("a protected path", () => {
  it.each(denied)("%s is denied, at the root and far below", (path) => {
    expect(protectionOf(path)).toBe("deny");
    expect(protectionOf(`packages/x/${path}`)).toBe("deny");
    expect(protectionOf(path.toUpperCase())).toBe("deny");
  });

  it.each(asked)("%s asks, at the root and far below", (path) => {
    expect(protectionOf(path)).toBe("ask");
    expect(protectionOf(`packages/x/${path}`)).toBe("ask");
    expect(protectionOf(path.toLowerCase())).toBe("ask");
  });

  it.each([
    ".g\u200cit/config",
    ".git./config",
    ".git /hooks/x",
    "git~1/config",
    ".ｇit/config",
    ".VSCode/tasks.json",
    "\u{ff0e}npmrc",
  ])("%j is recognised in disguise", (path) => {
    expect(protectionOf(path)).toBe("deny");
  });

  it.each([
    "src/main.ts",
    "README.md",
    ".gitignore",
    "git/config",
    ".github/ISSUE_TEMPLATE.md",
    ".git/HEAD",
    ".git/index.lock",
    ".git/refs/heads/config",
    ".git/objects/ab/cd",
    ".git/modules/lib/refs/heads/hooks",
    "docs/vscode/settings.json",
    "package.json.ts",
    "my.npmrc",
    ".config/app.json",
    ".docker/Dockerfile",
    "hooks/pre-commit",
    "config",
    "info",
    ".",
    "...",
  ])("%j is an ordinary path", (path) => {
    expect(protectionOf(path)).toBe(null);
  });

  it("hides in any folder that git would take for a repository", () => {
    expect(isRepository(new Set(["HEAD", "objects", "refs", "config"]))).toBe(true);
    expect(isRepository(new Set(["objects", "refs"]))).toBe(false);
  });
});
