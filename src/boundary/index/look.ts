// Which files of a folder are to be in the index, and which of them changed since they were read:
// those that no ignore file hides and that hold no secrets, compared by size, time and inode.
import { spawn } from "node:child_process";
import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StringDecoder } from "node:string_decoder";
import { FILE_BYTES_MAX, markOf } from "#boundary/index/adding.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { isSecretFile } from "#core/security/secret-files.ts";

/** How long listing the files may take, in milliseconds. */
const LIST_MS_MAX = 30_000;
const IGNORE_BYTES_MAX = 1_000_000;
/** Files of one folder's index. */
const FILES_MAX = 400_000;
/** A file beside `.gitignore` that only the index obeys; written like that one. */
const IGNORE_FILE = ".aiexignore";
/** What is made by programs, and would only be in the way of what people wrote. */
const MADE =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock|Cargo\.lock|poetry\.lock|uv\.lock|composer\.lock|Gemfile\.lock|go\.sum|mix\.lock|[^/]*\.min\.(?:js|css)|[^/]*\.map)$/;

export type Looked = {
  /** To be read: new or changed. */
  changed: { path: string; bytes: number }[];
  /** In the index, and not there any more. */
  gone: string[];
  /** All that are to be in it. */
  files: number;
};

/** Compares a folder with what the index has of it. */
export async function lookAt(
  db: DatabaseSync,
  root: string,
  signal: AbortSignal,
): Promise<Result<Looked>> {
  const listed = await filesIn(root, signal);
  if (!listed.ok) return listed;
  const rows = db.prepare("SELECT path, mark FROM files WHERE root = ?").all(root);
  const known = new Map(rows.map(({ path, mark }) => [String(path), String(mark)]));
  const changed: Looked["changed"] = [];
  const now = Date.now();
  let files = 0;
  for (const path of listed.value) {
    const stat = statOf(join(root, path));
    if (!stat?.isFile() || stat.size > FILE_BYTES_MAX) continue;
    files += 1;
    const mark = known.get(path);
    known.delete(path);
    if (mark === undefined || mark === "" || mark !== markOf(stat, now)) {
      changed.push({ path, bytes: stat.size });
    }
  }
  return ok({ changed, gone: [...known.keys()], files });
}

/** What is at a path, without following a link; null where that cannot be told. */
export function statOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

/** Whether a path would be in the index, as far as its name tells. */
export const isIndexed = (path: string): boolean =>
  !MADE.test(path) && !isSecretFile(path) && !/(?:^|\/)\.git(?:\/|$)/.test(path);

/** The files that no ignore file hides, by ripgrep. */
async function filesIn(root: string, signal: AbortSignal): Promise<Result<string[]>> {
  let program: string;
  try {
    program = (await import("@vscode/ripgrep")).rgPath;
  } catch {
    return fail("not_supported", "ripgrep is not installed for this system", {
      fix: "run `npm ci` again with optional dependencies",
    });
  }
  const ignore = statOf(join(root, IGNORE_FILE));
  const isOwn = ignore?.isFile() === true && ignore.size <= IGNORE_BYTES_MAX;
  const own = isOwn ? [`--ignore-file=${IGNORE_FILE}`] : [];
  const args = ["--no-config", "--files", "--null", "--hidden", "--glob=!.git", ...own];
  const child = spawn(program, args, {
    cwd: root,
    env: { LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "ignore"],
    signal,
    timeout: LIST_MS_MAX,
    killSignal: "SIGKILL",
  });
  // A pipe in an ignore file's place holds it for ever, also where this process just ends.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.on("close", () => process.off("exit", kill));
  const files: string[] = [];
  const decoder = new StringDecoder("utf8");
  let held = "";
  return await new Promise((resolve) => {
    child.stdout.on("data", (bytes: Buffer) => {
      const names = (held + decoder.write(bytes)).split("\0");
      held = names.pop() ?? "";
      for (const name of names) if (isIndexed(name)) files.push(name);
      if (files.length > FILES_MAX) child.kill("SIGKILL");
    });
    child.on("error", (error) =>
      resolve(
        signal.aborted
          ? fail("cancelled", "the look at the files was called off")
          : fail("not_supported", `ripgrep could not be started (${error.message})`),
      ),
    );
    child.on("close", (code) => {
      // 1: there are none; 2: some folders cannot be read.
      const isWhole = code === 0 || code === 1 || (code === 2 && files.length > 0);
      if (files.length <= FILES_MAX && isWhole) return resolve(ok(files.sort()));
      if (files.length <= FILES_MAX) {
        return resolve(
          fail("storage", `the files of ${root} could not be listed`, {
            fix: "see that its ignore files are plain files and its folders can be read",
          }),
        );
      }
      resolve(
        fail("too_large", `${root} has more than ${FILES_MAX} files`, {
          fix: `name what is not to be searched in ${IGNORE_FILE}`,
        }),
      );
    });
  });
}
