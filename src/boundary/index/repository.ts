// What a repository tells the index: which commits there are, what each says and changed, and which
// of them the checked-out one stands on. Git only reads here: nothing that the repository's own
// configuration names is run, and nothing is fetched.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/** Commits of a history that are read, the newest first. */
export const COMMITS_MAX = 30_000;
/** Bytes of git's answer that are held. */
const OUTPUT_BYTES_MAX = 256_000_000;
/** Time that git has for one answer, in milliseconds. */
const TIMEOUT_MS = 120_000;
/** Files of a commit that says something about them; a larger one moves or formats. */
const FILES_MAX = 60;
/** Characters of a message that are read. */
const MESSAGE_MAX = 4_000;

export type Commit = { id: string; title: string; text: string; files: readonly string[] };

/**
 * Where a repository's objects are, from a folder in it: worktrees of one repository have it in
 * common. Null where there is none.
 */
export function commonFolderOf(folder: string): { top: string; common: string } | null {
  for (let at = folder; ; at = dirname(at)) {
    const found = gitFolderAt(join(at, ".git"));
    if (found) return { top: at, common: found };
    if (dirname(at) === at) return null;
  }
}

function gitFolderAt(path: string): string | null {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
    const named = /^gitdir: (.+)$/m.exec(readFileSync(path, "utf8"))?.[1]?.trim();
    if (!named) return null;
    const own = isAbsolute(named) ? named : join(dirname(path), named);
    const common = readFileSync(join(own, "commondir"), "utf8").trim();
    return realpathSync(isAbsolute(common) ? common : join(own, common));
  } catch {
    return null;
  }
}

/** Settings that a repository's own would otherwise decide, and that run programs or the network. */
const SETTINGS = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.quotePath=false",
  "core.pager=cat",
  "log.showSignature=false",
  "log.mailmap=false",
  "diff.external=",
  "protocol.allow=never",
  // Whose it is matters to git because of what its settings could run: nothing, here.
  "safe.directory=*",
];

function run(folder: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
  const child: ChildProcess = spawn("git", ["--no-pager", ...settings, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      LC_ALL: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_NO_LAZY_FETCH: "1",
      // Also for a git that does not know the line before: no transport at all.
      GIT_ALLOW_PROTOCOL: "",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
    stdio: ["ignore", "pipe", "ignore"],
    signal,
    timeout: TIMEOUT_MS,
  });
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    child.stdout?.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > OUTPUT_BYTES_MAX) child.kill("SIGKILL");
      else pieces.push(piece);
    });
    child.on("error", () => resolve(null));
    child.on("close", (code) =>
      resolve(code === 0 ? Buffer.concat(pieces).toString("utf8") : null),
    );
  });
}

/** The checked-out commit; null where there is none, or no git. */
export async function headOf(folder: string, signal: AbortSignal): Promise<string | null> {
  const id = (await run(folder, ["rev-parse", "--verify", "--quiet", "HEAD"], signal))?.trim();
  return id && /^[0-9a-f]{40,64}$/.test(id) ? id : null;
}

/** The commits that one stands on, and itself, newest first. */
export async function ancestorsOf(
  folder: string,
  id: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const args = ["rev-list", "--no-merges", `--max-count=${COMMITS_MAX}`, id, "--"];
  return (await run(folder, args, signal))?.trim().split("\n") ?? [];
}

/**
 * What the commits of `id` say and changed, without those of `known`; paths from the top. Null where
 * git could not say.
 */
export async function commitsOf(
  folder: string,
  { id, known }: { id: string; known: string | null },
  signal: AbortSignal,
): Promise<readonly Commit[] | null> {
  const format = "--format=%x01%H%x02%B%x03";
  const options = ["--no-merges", "--no-renames", "--no-ext-diff", "--no-textconv", "--name-only"];
  const range = known === null ? [id] : [id, `^${known}`];
  const args = ["log", `--max-count=${COMMITS_MAX}`, ...options, format, ...range, "--"];
  const output = await run(folder, args, signal);
  return output === null ? null : output.split("\x01").slice(1).flatMap(commitIn);
}

function commitIn(part: string): Commit[] {
  const [head = "", names = ""] = part.split("\x03");
  const [id = "", message = ""] = head.split("\x02");
  const files = names.trim().split("\n").filter(Boolean);
  if (files.length === 0 || files.length > FILES_MAX) return [];
  const [title = "", ...rest] = message.slice(0, MESSAGE_MAX).split("\n");
  const text = rest.filter((line) => !/^[A-Z][\w-]+-by: /.test(line)).join("\n");
  return [{ id, title, text, files }];
}
