// Paths whose content somebody else obeys: git, an editor, a shell, another agent, a build server.
// Writing one of them is a way out of the sandbox that needs no hole in it, so `deny` paths are
// written by nobody but the user, and `ask` paths by the edit tools only with leave.

export type Protection = "deny" | "ask";

/**
 * Each line is a path that counts at any depth, with everything below it; `*` stands for any text
 * inside one name. Sources: reliability research §2.4 and the reports of §2.2.
 */
const DENIED = [
  // Our own configuration, and that of other agents: hooks, MCP servers, allow lists.
  ".aiex",
  ".claude",
  ".cursor",
  ".cursorrules",
  ".gemini",
  ".codex",
  ".agents",
  ".mcp.json",
  ".windsurf",
  ".windsurfrules",
  ".clinerules",
  ".roo",
  ".roomodes",
  ".kiro",
  ".amazonq",
  ".opencode",
  "opencode.json",
  ".aider.conf.yml",
  ".continue",
  // Git besides its own folder, which is judged by `protectionInGit`.
  ".gitconfig",
  ".gitmodules",
  ".git-credentials",
  ".config/git",
  // Shells.
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".bash_logout",
  ".bash_aliases",
  ".profile",
  ".zshrc",
  ".zprofile",
  ".zshenv",
  ".zlogin",
  ".zlogout",
  ".kshrc",
  ".cshrc",
  ".tcshrc",
  ".inputrc",
  ".xprofile",
  ".xinitrc",
  ".xsession",
  ".config/fish",
  // Editors that run what a folder tells them.
  ".vscode",
  ".idea",
  ".fleet",
  ".zed",
  "*.code-workspace",
  ".vim",
  ".vimrc",
  ".gvimrc",
  ".nvim",
  ".nvimrc",
  ".nvim.lua",
  ".exrc",
  ".emacs",
  ".emacs.d",
  ".dir-locals.el",
  ".config/nvim",
  // Settings of tools that name programs to run or registries to trust.
  ".npmrc",
  ".yarnrc",
  ".yarnrc.*",
  ".pnpmfile.cjs",
  ".envrc",
  ".tool-versions",
  ".mise.toml",
  "mise.toml",
  ".ripgreprc",
  // What is a home folder's, should the workspace hold one.
  ".ssh",
  ".aws",
  ".gnupg",
  ".kube",
  ".docker/config.json",
  ".docker/cli-plugins",
  ".docker/contexts",
  ".netrc",
  ".pypirc",
  ".config/systemd",
  ".config/autostart",
  ".config/environment.d",
  ".local/bin",
  "Library/LaunchAgents",
  "crontab",
];

const ASKED = [
  ".gitattributes",
  ".editorconfig",
  "AGENTS.md",
  "CLAUDE.md",
  "GEMINI.md",
  ".github/copilot-instructions.md",
  ".github/instructions",
  ".github/workflows",
  ".github/actions",
  ".gitlab-ci.yml",
  ".circleci",
  ".travis.yml",
  "Jenkinsfile",
  "azure-pipelines.yml",
  ".pre-commit-config.yaml",
  ".husky",
  "lefthook.yml",
  ".lintstagedrc*",
  ".devcontainer",
  ".cargo",
  "package.json",
  "Makefile",
  "GNUmakefile",
  "justfile",
];

/** What git obeys in a repository's folder. The rest of it (objects, index, refs) is its data. */
const OBEYED_IN_GIT = new Set([
  "config",
  "config.worktree",
  "hooks",
  "info",
  "commondir",
  "gitdir",
]);
/** Folders of a repository that hold whole repositories again. */
const NESTED_IN_GIT = new Set(["modules", "worktrees"]);
const DATA_IN_GIT = new Set(["objects", "refs", "logs", "lfs"]);

/**
 * How a workspace-relative path is protected, because of its own name or of a folder above it.
 * Names are compared as the most forgiving file system would: without case, in one Unicode form,
 * without the characters and final dots that some systems drop.
 */
export function protectionOf(path: string): Protection | null {
  const names = path.split("/").map(folded);
  if (protectedInGit(names)) return "deny";
  let found: Protection | null = null;
  for (const [at, name] of names.entries()) {
    for (const pattern of [...(byFirstName.get(name) ?? []), ...withWildcard]) {
      if (!pattern.names.every((part, i) => part.test(names[at + i] ?? ""))) continue;
      if (pattern.protection === "deny") return "deny";
      found = "ask";
    }
  }
  return found;
}

/**
 * Whether a folder with these entries is a git repository, whatever its own name: a bare one
 * hidden in a project is obeyed as soon as git runs inside it.
 */
export function isRepository(entries: ReadonlySet<string>): boolean {
  return entries.has("HEAD") && entries.has("objects") && entries.has("refs");
}

/**
 * Whether a path that ends in this name can be protected because of it. A walk over a workspace
 * asks this first, because `protectionOf` looks at every name of a path.
 */
export function mayBeProtected(name: string): boolean {
  const plain = folded(name);
  return lastNames.has(plain) || lastWildcards.some((pattern) => pattern.test(plain));
}

/** Whether git obeys this entry of a repository's folder. */
export function isObeyedInRepository(entry: string): boolean {
  return OBEYED_IN_GIT.has(folded(entry));
}

function protectedInGit(names: readonly string[]): boolean {
  for (const [at, name] of names.entries()) {
    const own = name === ".git" || name === "git~1";
    if (!own && !name.endsWith(".git")) continue;
    const rest = names.slice(at + 1);
    const [first] = rest;
    // `.git` itself: as a file it points git at another repository.
    if (first === undefined) {
      if (own) return true;
      continue;
    }
    if (OBEYED_IN_GIT.has(first)) return true;
    if (!NESTED_IN_GIT.has(first)) continue;
    const data = rest.findIndex((below) => DATA_IN_GIT.has(below));
    const settings = data === -1 ? rest : rest.slice(0, data);
    if (settings.some((below) => OBEYED_IN_GIT.has(below))) return true;
  }
  return false;
}

/** Zero-width characters, which HFS+ leaves out of a comparison (git's CVE-2014-9390). */
const IGNORED = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/**
 * A name as the most forgiving file system compares it: without case, in one Unicode form, without
 * the characters and final dots that some systems drop.
 */
export function folded(name: string): string {
  // Nearly all names are plain lower-case ASCII, and a walk asks for every one of a workspace.
  if (/^[a-z0-9_.-]*[a-z0-9_-]$/.test(name)) return name;
  const plain = name.normalize("NFKC").replace(IGNORED, "").toLowerCase();
  return plain.replace(/[. ]+$/, "") || plain;
}

type Pattern = { names: readonly RegExp[]; protection: Protection };

const byFirstName = new Map<string, Pattern[]>();
const withWildcard: Pattern[] = [];
const lastNames = new Set([".git", "git~1", ...OBEYED_IN_GIT]);
const lastWildcards: RegExp[] = [];
for (const text of DENIED) enter(text, "deny");
for (const text of ASKED) enter(text, "ask");

function enter(text: string, protection: Protection): void {
  const texts = text.split("/").map(folded);
  const names = texts.map((name) => {
    const plain = name.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${plain.replaceAll("*", ".*")}$`, "su");
  });
  const [first = ""] = texts;
  const last = texts.at(-1) ?? "";
  if (last.includes("*")) lastWildcards.push(...names.slice(-1));
  else lastNames.add(last);
  const pattern = { names, protection };
  if (first.includes("*")) withWildcard.push(pattern);
  else byFirstName.set(first, [...(byFirstName.get(first) ?? []), pattern]);
}
