// The sandboxes, in the order of preference; the first that is seen to work is taken.
import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import {
  type Bubblewrap,
  bubblewrapSandbox,
  type SandboxOptions,
} from "#boundary/workspace/bubblewrap.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { noSandbox } from "#boundary/workspace/unsandboxed.ts";
import { isInside } from "#core/security/paths.ts";

/** Where distributions put it; a copy in the workspace or at a relative path is never run. */
const PLACES = [
  "/usr/bin/bwrap",
  "/bin/bwrap",
  "/usr/local/bin/bwrap",
  "/run/current-system/sw/bin/bwrap",
];

const FLAGS = [
  "--unshare-all",
  "--unshare-user",
  "--die-with-parent",
  "--new-session",
  "--cap-drop",
  "ALL",
  "--ro-bind",
  "/",
  "/",
  "--dev",
  "/dev",
  "--proc",
  "/proc",
  // For a root user its switches are writable without any capability: `core_pattern` names a
  // program that the kernel runs outside.
  "--remount-ro",
  "/proc",
];

/** How long the trial run may take; it needs about 5 ms. */
const TRIAL_MS = 5_000;

/**
 * The sandbox for commands in a workspace. Never fails: without one the answer is of kind `none`,
 * runs nothing that the user has not allowed, and says in `missing` what to do.
 */
export async function findSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (process.platform !== "linux") {
    return noSandbox(options, `there is no sandbox for ${process.platform} yet`);
  }
  const wrap = await findBubblewrap(options.workspace);
  if (typeof wrap === "string") return noSandbox(options, wrap);
  const sandbox = bubblewrapSandbox(wrap, options);
  return sandbox.ok ? sandbox.value : noSandbox(options, sandbox.error.say);
}

const found = new Map<string, Promise<Bubblewrap | string>>();

/** Looks for a bubblewrap that works and tries it, once in a process; or says what is missing. */
export function findBubblewrap(workspace: string): Promise<Bubblewrap | string> {
  const program = PLACES.find(
    (path) => existsSync(path) && !isInside(workspace, realpathSync(path)),
  );
  if (program === undefined) {
    return Promise.resolve(
      "bubblewrap is not installed; install the package `bubblewrap` (apt, dnf, pacman, apk)",
    );
  }
  const known = found.get(program) ?? tryOut(program);
  found.set(program, known);
  return known;
}

async function tryOut(program: string): Promise<Bubblewrap | string> {
  // Versions before 0.8.0 cannot forbid further user namespaces; the rest they can do.
  let reason = "";
  for (const flags of [[...FLAGS, "--disable-userns"], FLAGS]) {
    const ran = await run(program, [...flags, "--", "/bin/true"]);
    if (ran.worked) {
      const { text } = await run(program, ["--help"]);
      return { program, flags, takesDescriptors: text.includes("--ro-bind-fd") };
    }
    reason = ran.text.trim().slice(0, 200);
  }
  return `${program} does not work here (${reason}); on Ubuntu 24.04 and later allow it with an \
AppArmor profile for bwrap, in a container allow user namespaces`;
}

function run(program: string, args: string[]): Promise<{ worked: boolean; text: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TRIAL_MS, env: {}, cwd: "/" }, (error, out, said) => {
      resolve({ worked: error === null, text: `${out}${said}` || (error?.message ?? "") });
    });
  });
}
