// What a tool call would touch, in the words of the policy.

/**
 * Why a command wants out of the sandbox: hosts of the network, a path outside the workspace, a
 * protected path, or running without it at all. `why` is the model's own sentence, shown to the
 * user.
 */
export type Escalation = {
  kind: EscalationKind;
  /** The absolute path wanted, for `path` and `protected`. */
  path?: string;
  /** The hosts wanted, for `network`; see `wantedHosts`. */
  hosts?: readonly string[];
  why: string;
};

export type EscalationKind = "network" | "path" | "protected" | "unsandboxed";

/** Paths are workspace-relative unless they begin with a slash. */
export type Access =
  /** `secret`: what is masked in the file is wanted too; of a secret file it always is. */
  | { kind: "read"; path: string; secret?: true }
  | { kind: "write"; path: string; diff: string }
  | {
      kind: "run";
      command: string | readonly string[];
      cwd: string;
      env: Readonly<Record<string, string>>;
      sandboxed: boolean;
      /** The sandbox lets it change nothing of the workspace. */
      onlyReads?: true;
      escalate?: Escalation;
    }
  | { kind: "fetch"; url: string };

/** What a permission opened beyond the workspace; empty means the plain sandbox. */
export type Opened = {
  /** The whole network: every host, every protocol. */
  network?: boolean;
  /** Hosts that may be reached through the proxy, in the spelling of `wantedHosts`. */
  hosts?: readonly string[];
  /** Absolute paths that may be written too. */
  write?: readonly string[];
  /** Workspace-relative files that may be seen with their secrets. */
  secrets?: readonly string[];
  /** The user allowed this very command to run without the sandbox. */
  unsandboxed?: boolean;
};

/** How commands are contained: `bubblewrap`, `seatbelt`, or `none` where the system has neither. */
export type SandboxKind = "bubblewrap" | "seatbelt" | "none";
