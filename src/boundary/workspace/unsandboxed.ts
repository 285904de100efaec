// Commands without a sandbox: only with the user's leave for that very command. The environment is
// still built up, and what the command started is still killed with it, as far as a process group
// and a mark in the environment reach; that is less than a namespace gives.
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { codeOf, failureOf } from "#boundary/beneath.ts";
import { launch } from "#boundary/workspace/child.ts";
import { checkCommand } from "#boundary/workspace/command.ts";
import { baseEnvironment, shellPath } from "#boundary/workspace/environment.ts";
import type { CommandSpec, RunningCommand, Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { fail, type Result } from "#core/failure.ts";

export type UnsandboxedOptions = {
  workspace: string;
  scratch: string;
  home: string;
  host: Readonly<Record<string, string | undefined>>;
};

/** For systems without a sandbox; `missing` says why there is none and how to get one. */
export function noSandbox(options: UnsandboxedOptions, missing: string): Sandbox {
  return {
    kind: "none",
    missing,
    start: (spec, signal) => startUnsandboxed(spec, options, signal),
  };
}

/** Runs a command as the user would, where `opened.unsandboxed` says that the user allowed it. */
export async function startUnsandboxed(
  spec: CommandSpec,
  options: UnsandboxedOptions,
  signal: AbortSignal,
): Promise<Result<RunningCommand>> {
  if (!spec.opened.unsandboxed) {
    return fail("permission_needed", "there is no sandbox, so each command needs your leave", {
      fix: "allow this command, or install a sandbox (`aiex doctor` says how)",
    });
  }
  const { workspace, scratch, home, host } = options;
  const folder = await checkCommand(spec, workspace);
  if (!folder.ok) return folder;
  try {
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
  } catch (error) {
    return failureOf(error, scratch);
  }
  const mark = `${MARK}=${randomBytes(12).toString("hex")}`;
  const words = typeof spec.command === "string" ? [shellPath(), "-c", spec.command] : spec.command;
  const [program = "", ...args] = words;
  const [name = "", value = ""] = mark.split("=");
  const env = {
    ...baseEnvironment({ host, home, temporary: tmpdir(), workspace }),
    // Leave for a command outside is leave to be who the user is: `git push` needs the agent.
    ...(host.SSH_AUTH_SOCK ? { SSH_AUTH_SOCK: host.SSH_AUTH_SOCK } : {}),
    ...spec.env,
    [name]: value,
  };
  return launch({
    program,
    args,
    env,
    cwd: `${workspace}/${folder.value}`,
    scratch,
    timeoutMs: spec.timeoutMs,
    talks: spec.talks,
    signal,
    after: async ({ group }) => {
      killMarked(group, mark);
      return [];
    },
    isDenied: () => false,
  });
}

const MARK = "AIEX_COMMAND";
/** Rounds of looking for processes of a command: one may start another while they are killed. */
const ROUNDS_MAX = 5;

function killMarked(group: number, mark: string): void {
  if (group > 1) quietly(() => process.kill(-group, "SIGKILL"));
  if (process.platform !== "linux") return;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const left = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && carries(name, mark));
    if (left.length === 0) return;
    for (const pid of left) quietly(() => process.kill(Number(pid), "SIGKILL"));
  }
}

function carries(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark);
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return false;
  }
}

function quietly(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (codeOf(error) === "") throw error;
  }
}
