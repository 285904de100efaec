// Running commands of a location. Its promises, proved by contract.ts where an adapter can:
// - `inside` commands write only in the workspace and their own temporary folder, cannot read the
//   secrets of the home folder, the secret files of the workspace or Aiex's own, have no network unless it was opened (with hosts: reach
//   those and nothing else, by name and by the address that the name was checked to have), see none
//   of the host's sockets, and cannot change a protected path (existing ones are mounted read-only;
//   a new or changed one is moved to quarantine when the command ends, and named);
// - the environment is built up, not inherited: PATH, HOME, LANG, TERM=dumb, TMPDIR and what the
//   caller names; the shell is `/bin/bash`, or `/bin/sh` where there is none;
// - it takes at most its limits of memory and processes, where the system lets us keep them;
// - when the command ends, is killed or Aiex dies, every process it started is dead;
// - output is bytes in order of arrival, both streams together; nothing is held without a bound;
// - with `talks` the command's input stays open until it ends or is killed; without it gets none;
// - with `onlyReads` an `inside` command can change nothing of the workspace, also not for a moment.
import type { Result } from "#core/failure.ts";
import type { Opened, SandboxKind } from "#core/security/access.ts";

export type { Opened, SandboxKind };

export type CommandSpec = {
  /** A shell command, given to the shell with `-c`; or an argv that is run as it is. */
  command: string | readonly string[];
  /** Workspace-relative folder. */
  cwd: string;
  env?: Readonly<Record<string, string>>;
  timeoutMs: number;
  opened: Opened;
  /** Its input stays open, for `send`. */
  talks?: true;
  /**
   * The workspace is read-only for it. In place of the folders of `own`, workspace-relative and as
   * far as they are there, it has folders of its own, which are kept for the next such command.
   */
  onlyReads?: { own: readonly string[] };
  /** Whether the user allowed a secret file of the workspace to be seen; absent: none. */
  shows?(path: string): boolean;
};

export type CommandEnd = {
  /** Exit code; null where a signal ended it. */
  code: number | null;
  signal: string | null;
  /** The limit that ended it, if one did. */
  ended: "exit" | "timeout" | "killed";
  durationMs: number;
  /** Protected paths it changed or made, workspace-relative, now in quarantine or put back. */
  quarantined: readonly string[];
  /** True where the sandbox visibly refused something: read-only file system, no network … */
  sandboxDenied: boolean;
  /** Secret files of the workspace that it could not read. */
  hidden?: readonly string[];
  /** The limit of memory or processes that it ran into, where that is known. */
  exceeded?: "memory" | "processes" | null;
  /** Where it went, if hosts were opened; bounded, each as `name:port`. */
  hosts?: {
    reached: readonly string[];
    refused: readonly { host: string; why: string }[];
  };
};

export type RunningCommand = {
  /** Output as it comes; ends when the command's output is closed. May be read once. */
  output: AsyncIterable<Uint8Array>;
  /** Resolves once, also after `kill`; never rejects. */
  done: Promise<CommandEnd>;
  kill(): void;
  /**
   * Gives bytes to a command that talks. False where it is over, or has left so much unread that
   * no more is held for it (`SENT_BYTES_MAX`).
   */
  send?(bytes: Uint8Array): boolean;
};

/** Bytes held for a command that does not read its input. */
export const SENT_BYTES_MAX = 32 * 1024 * 1024;

export type Sandbox = {
  readonly kind: SandboxKind;
  /** Why there is no sandbox and how to get one, where `kind` is `none`. */
  readonly missing?: string;
  start(spec: CommandSpec, signal: AbortSignal): Promise<Result<RunningCommand>>;
};
