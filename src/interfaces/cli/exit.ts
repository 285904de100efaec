// How the process ends: one number for each kind of outcome, and the complete tables from failures
// and from turns to them. Scripts rely on these; a changed meaning is a breaking change.
import { type FailureCode, failureCodes } from "#core/failure.ts";
import type { TurnEnd } from "#core/session/events.ts";

/** Every exit code and what it means. Where sysexits.h has a number for it, that number is used. */
export const exitCodes = {
  0: "it worked",
  1: "the turn failed, a check failed, or a command did not succeed",
  2: "bad usage: an option, a name or a file that cannot be used",
  3: "your leave is needed and there is no terminal to ask; the session can be resumed",
  4: "the folder is not trusted yet",
  5: "no model is configured or in reach",
  6: "the model refused, or its provider withheld the answer",
  7: "a limit was reached, which is named",
  8: "files changed and nothing proves that they work, where that was asked for (--strict)",
  9: "a budget is used up, or cannot hold the model; it is named, with how to raise it",
  69: "the model cannot be used now: unreachable, overloaded, too slow, or rate limited",
  70: "a bug in Aiex",
  74: "the log or the blobs cannot be read or written, or are not what was written",
  75: "somebody else is at it; try again",
  76: "the model's answer, or our request to it, was malformed",
  77: "refused: credentials, quota, the policy, or your own answer",
  130: "cancelled (Ctrl-C)",
  141: "the reader of the output went away",
  143: "terminated (SIGTERM)",
} as const;

export type ExitCode = keyof typeof exitCodes;

const byFailure: Record<FailureCode, ExitCode> = {
  bad_input: 2,
  not_found: 2,
  not_supported: 2,
  ambiguous: 2,
  conflict: 75,
  busy: 75,
  deposed: 75,
  closed: 75,
  cancelled: 130,
  timeout: 69,
  unreachable: 69,
  rate_limited: 69,
  overloaded: 69,
  permission_needed: 3,
  denied: 77,
  unauthorised: 77,
  quota: 77,
  untrusted: 4,
  stale: 1,
  no_match: 1,
  command_failed: 1,
  too_large: 7,
  overflow: 7,
  budget: 9,
  storage: 74,
  corrupt: 74,
  rejected: 76,
  broken: 76,
  no_model: 5,
  unproven: 8,
  bug: 70,
};

const byTurnEnd: Record<Exclude<TurnEnd, "failed">, ExitCode> = {
  done: 0,
  unproven: 8,
  cancelled: 130,
  refused: 6,
  filtered: 6,
  limit: 7,
};

export const exitOfFailure = (code: FailureCode): ExitCode => byFailure[code];

/** A failed turn ends as its failure does; one that names no known failure ends as 1. */
export function exitOfTurn(end: TurnEnd, failure?: { code: string }): ExitCode {
  if (end === "limit" && failure?.code === "budget") return byFailure.budget;
  if (end !== "failed") return byTurnEnd[end];
  const code = failure?.code ?? "";
  return Object.hasOwn(failureCodes, code) ? byFailure[code as FailureCode] : 1;
}
