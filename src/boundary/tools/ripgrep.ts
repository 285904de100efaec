// Runs ripgrep on a folder of the workspace: the program itself, never through a shell, with a
// fixed beginning of its arguments, no configuration and no inherited environment. It follows no
// links, and the folder it starts in is opened first and proved to be inside the root.
import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { Workspace } from "#boundary/workspace/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { isInside } from "#core/security/paths.ts";

/** One search may take this long. */
const TIMEOUT_MS = 30_000;
/** UTF-16 units of one record of output; the rest of a longer one is dropped. */
const RECORD_CHARACTERS_MAX = 256 * 1024;
/** Files of one folder that a pattern is compared with. */
const FILES_MAX = 200_000;
/** UTF-16 units of error output that are kept. */
const PROBLEM_CHARACTERS_MAX = 2_000;

/** The same in every run: what a user's or a project's configuration says does not count. */
const FIXED = ["--no-config", "--no-follow", "--no-messages", "--hidden", "--no-require-git"];

export type RipgrepRun = {
  /** After the fixed arguments; a pattern must come behind `--`. */
  args: readonly string[];
  /** Workspace-relative folder; output names files relative to it. */
  folder: string;
  /** Read instead of files. */
  input?: Uint8Array;
  /** What ends a record: a line break, or `\0` between file names. */
  separator: "\n" | "\0";
  signal: AbortSignal;
  /** Takes one record (`whole` is false for one that was too long); true says that it is enough. */
  take(record: string, whole: boolean): boolean;
};

/** `enough`: `take` said so. `problem` is what ripgrep complained about, empty if nothing. */
export type RipgrepEnd = { ended: "done" | "enough" | "timeout"; problem: string };

export async function ripgrep(workspace: Workspace, run: RipgrepRun): Promise<Result<RipgrepEnd>> {
  if (run.args.some((arg) => arg.includes("\0"))) {
    return fail("bad_input", "a pattern cannot hold a NUL character", { fix: "write it as \\x00" });
  }
  const program = await ripgrepPath();
  if (!program.ok) return program;
  const folder = await openInside(workspace, run.folder);
  if (!folder.ok) return folder;
  const { handle, path } = folder.value;
  try {
    return await running(program.value, path, run);
  } finally {
    await handle.close();
  }
}

/** Loaded when first used: the package throws at import where it has no program for the system. */
async function ripgrepPath(): Promise<Result<string>> {
  try {
    const { rgPath } = await import("@vscode/ripgrep");
    await access(rgPath, constants.X_OK);
    return ok(rgPath);
  } catch {
    return fail("not_supported", "ripgrep is not installed for this system", {
      fix: "run `npm ci` again with optional dependencies, or search with a command",
    });
  }
}

/**
 * An open folder and a path to exactly that folder. On Linux the path names the descriptor, so
 * that swapping the folder for a link between the look and the start changes nothing.
 */
async function openInside(
  workspace: Workspace,
  relative: string,
): Promise<Result<{ handle: FileHandle; path: string }>> {
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(join(workspace.root, relative));
    handle = await open(real, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const pinned = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : undefined;
    const found = pinned ? await readlink(pinned) : await realpath(real);
    if (isInside(workspace.root, found)) {
      return ok({ handle, path: pinned ?? real });
    }
    await handle.close();
    return fail("denied", `\`${relative}\` leads out of the workspace`, { fix: "stay inside it" });
  } catch (error) {
    await handle?.close();
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTDIR") return fail("bad_input", `\`${relative}\` is not a folder`);
    return fail("not_found", `\`${relative}\` is not a folder that can be opened (${code})`, {
      fix: "look for the right folder above it",
    });
  }
}

function running(program: string, cwd: string, run: RipgrepRun): Promise<Result<RipgrepEnd>> {
  const { args, input, signal } = run;
  if (signal.aborted) return Promise.resolve(cancelled());
  const child = spawn(program, [...FIXED, ...args], {
    cwd,
    env: { LC_ALL: "C.UTF-8" },
    stdio: [input ? "pipe" : "ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  let ended: RipgrepEnd["ended"] = "done";
  let problem = "";
  const stop = (why: RipgrepEnd["ended"]) => {
    if (ended === "done") ended = why;
    child.kill("SIGKILL");
  };
  const records = recordsOf(run, () => stop("enough"));
  const abort = () => child.kill("SIGKILL");
  const timer = setTimeout(() => stop("timeout"), TIMEOUT_MS);
  signal.addEventListener("abort", abort, { once: true });
  child.stdout?.on("data", (chunk: Buffer) => records.add(chunk));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    problem = (problem + text).slice(0, PROBLEM_CHARACTERS_MAX);
  });
  // A program that ends early closes its input; that is no failure.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return new Promise((resolve) => {
    const settle = (result: Result<RipgrepEnd>) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(result);
    };
    child.on("error", (error) =>
      settle(fail("not_supported", `ripgrep could not be started (${error.message})`)),
    );
    child.on("close", () => {
      if (signal.aborted) return settle(cancelled());
      records.end();
      settle(ok({ ended, problem: problem.trim() }));
    });
  });
}

const cancelled = () => fail("cancelled", "the search was called off");

/** Cuts output into records; after `enough` it takes no more. */
function recordsOf({ separator, take }: RipgrepRun, enough: () => void) {
  const decoder = new StringDecoder("utf8");
  let held = "";
  let whole = true;
  let done = false;
  const give = (record: string) => {
    if (done || (record === "" && whole)) return;
    done = take(record, whole);
    if (done) enough();
  };
  const hold = (text: string) => {
    const room = RECORD_CHARACTERS_MAX - held.length;
    if (text.length > room) whole = false;
    held += text.slice(0, room);
  };
  return {
    add(chunk: Buffer) {
      if (done) return;
      const pieces = decoder.write(chunk).split(separator);
      const rest = pieces.pop() ?? "";
      for (const piece of pieces) {
        hold(piece);
        give(held);
        held = "";
        whole = true;
      }
      hold(rest);
    },
    end() {
      hold(decoder.end());
      give(held);
    },
  };
}

/**
 * The files below a folder that no ignore file hides, relative to it. Needed because ripgrep's own
 * `--glob` brings ignored files back when it matches them or a folder above them.
 */
export async function visibleFiles(
  workspace: Workspace,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<Result<Set<string>>> {
  const files = new Set<string>();
  const take = (file: string) => {
    files.add(file);
    return files.size > FILES_MAX;
  };
  const args = ["--files", "--null", "--glob=!.git", "./"];
  const run = await ripgrep(workspace, { args, folder, separator: "\0", signal, take });
  if (!run.ok) return run;
  if (run.value.ended === "done") return ok(files);
  const say =
    run.value.ended === "timeout"
      ? `listing \`${folder}\` took more than ${TIMEOUT_MS / 1_000} s`
      : `\`${folder}\` has more than ${FILES_MAX} files`;
  return fail("too_large", say, { fix: "give a smaller folder as `path`" });
}

/** A name from a run in `folder`, as the workspace knows it. */
export function nameIn(folder: string, file: string): string {
  const name = file.startsWith("./") ? file.slice(2) : file;
  return folder === "." ? name : `${folder}/${name}`;
}
