// New things at protected paths that are let be, because nothing is obeyed in them: what
// `git init`, `git clone` and `git worktree add` leave behind.
import { readdirSync } from "node:fs";
import { codeOf, readSmall } from "#boundary/beneath.ts";
import type { Found } from "#boundary/workspace/scan.ts";
import { isHarmlessGitConfig } from "#core/security/git-settings.ts";
import { relativeTo } from "#core/security/paths.ts";

/** Bytes of a file that is read to judge it; git's own are far smaller. */
const BYTES_MAX = 64 * 1024;

/** Whether a protected path that was absent before a command may stay. */
export function isHarmlessNews(root: string, found: Found): boolean {
  const names = found.path.toLowerCase().split("/");
  const name = names.pop();
  const inWorktree = /(^|\/)\.git\/worktrees\/[^/]+$/.test(names.join("/"));
  try {
    if (name === ".git") return pointsInside(root, textAt(root, found));
    if (inWorktree && name === "commondir") return textAt(root, found).trim() === "../..";
    if (inWorktree && name === "gitdir") return found.kind === "file";
    if (found.repository === undefined) return false;
    if (name === "config") return isHarmlessGitConfig(textAt(root, found));
    // Git runs a hook only under its exact name.
    if (name === "hooks") return entriesAre(root, found, /\.sample$/);
    if (name === "info") return entriesAre(root, found, /^(exclude|refs|sparse-checkout)$/);
    return false;
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return false;
  }
}

/** A `.git` file may name a worktree of a repository in here, whose settings are guarded. */
function pointsInside(root: string, text: string): boolean {
  const target = /^gitdir: ([^\n]+)\n?$/.exec(text)?.[1];
  if (target === undefined || !target.startsWith("/")) return false;
  const name = relativeTo(root, target);
  return name.ok && /(^|\/)\.git\/worktrees\/[^/]+$/.test(name.value);
}

/** The text of a file; what cannot be read as one answers as what nothing takes for harmless. */
function textAt(root: string, { path }: Found): string {
  const bytes = readSmall(`${root}/${path}`, BYTES_MAX);
  return bytes === null ? "\0" : new TextDecoder().decode(bytes);
}

function entriesAre(root: string, { path, kind }: Found, pattern: RegExp): boolean {
  if (kind !== "folder") return false;
  const entries = readdirSync(`${root}/${path}`, { withFileTypes: true });
  return entries.every((entry) => entry.isFile() && pattern.test(entry.name));
}
