// What the log keeps of a tool call besides its messages.

import type { TestCounts } from "#core/evidence/tests.ts";
import type { ChildEnd } from "#core/session/child.ts";
import type { PathChange } from "#core/tree/entry.ts";

/**
 * How recovery treats a call that started and has no result: `pure` runs again · `verifiable` is
 * compared with the hashes of its intent: done, run once, or unknown · `keyed` is repeated with
 * its key · `opaque` never runs again by itself and ends as interrupted.
 */
export type Effect = "pure" | "verifiable" | "keyed" | "opaque";

/** The tool that begins a child. */
export const TASK = "task";

/** The files a verifiable call means to change, with their hashes before and after. */
export type FileChange = { path: string; before: string | "absent"; after: string | "absent" };

/** `child` is the session that does it, and what it changes is in that session's events. */
export type Intent = { files?: readonly FileChange[]; key?: string; child?: string };

/** How much is done without asking. `yes` is never wider than the sandbox. */
export const modes = ["ask", "plan", "read-only", "yes"] as const;
export type Mode = (typeof modes)[number];

export type TodoItem = { text: string; state: "open" | "doing" | "done" };

export type Fact =
  /** The session saw these bytes of a file, or made them. */
  | { type: "fileSeen"; path: string; hash: string }
  | {
      type: "fileChanged";
      path: string;
      before: string | "absent";
      after: string | "absent";
      /** The beginning of its unified diff, without header, for screens. */
      diff?: string;
      /** The session had not read it, and still does not know what it holds. */
      unread?: true;
    }
  | { type: "fileGone"; path: string }
  /**
   * What is another in the workspace than before a command (states of core/tree/entry.ts), the
   * first ones of many. Paths of `theirs` were changed by others meanwhile; where `besides` names
   * what else ran, nobody can tell whose the rest is.
   */
  | {
      type: "filesChanged";
      files: readonly PathChange[];
      more: number;
      theirs?: readonly string[];
      besides?: readonly string[];
    }
  | { type: "todo"; items: readonly TodoItem[] }
  | {
      type: "commandEnded";
      command: string;
      /** The folder it ran in, workspace-relative. */
      cwd?: string;
      /** Null where it did not end by itself. */
      code: number | null;
      durationMs: number;
      /** The tests that its closing lines count. */
      tests?: TestCounts;
    }
  | { type: "quarantined"; paths: readonly string[] }
  /** Hosts (`name:port`) that a command was let through to, and that it was not. */
  | { type: "hostsTried"; reached: readonly string[]; refused: readonly string[] }
  | { type: "jobStarted"; job: string; command: string }
  /** `besides` is what else ran until its end and could write. */
  | { type: "jobEnded"; job: string; code: number | null; besides?: readonly string[] }
  /** A child is over; `tokens` are what it took with its own children. */
  | {
      type: "childEnded";
      child: string;
      role: string;
      end: ChildEnd;
      steps: number;
      tokens: number;
    };

/** What else ran, as far as the log names it: how many, and characters of each. */
const BESIDES_MAX = 8;
const TITLE_CHARS_MAX = 200;

/** The first of many titles, each cut to its beginning. */
export const briefly = (titles: readonly string[]): string[] =>
  titles.slice(0, BESIDES_MAX).map((title) => title.slice(0, TITLE_CHARS_MAX).toWellFormed());
