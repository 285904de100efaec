// `--json`: one JSON object a line, of the versioned shape that docs/json.md describes. Events are
// given as the log keeps them; the last line is always a `result`.
import type { Entry } from "#app";
import type { Failure } from "#core/failure.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";
import type { Outcome } from "#interfaces/cli/turn.ts";
import type { TurnView } from "#interfaces/cli/view.ts";

/** Raised when a field changes its meaning or goes away; new fields may appear at any time. */
export const JSON_VERSION = 1;

export const lineOf = (type: string, fields: Record<string, unknown>): string =>
  `${JSON.stringify({ v: JSON_VERSION, type, ...fields })}\n`;

/** A durable event: its envelope, and its body as it is; a body that is gone says why. */
export function entryLine({ record, decoded }: Entry): string {
  const { stream, version, at, actor } = record;
  const envelope = { session: stream, version, at, actor };
  if (decoded.kind !== "event") return lineOf(decoded.type, { ...envelope, body: decoded.kind });
  const { type, ...body } = decoded.event;
  return lineOf(type, { ...envelope, body });
}

export function jsonView(terminal: Terminal): TurnView {
  return {
    event: (entry) => terminal.out(entryLine(entry)),
    live: () => {},
  };
}

/** The last line: how it ended, with the exit code of the process. */
export function resultLine(session: string, outcome: Outcome, exit: ExitCode): string {
  const { end, text, usage, steps, failure, evidence, asks } = outcome;
  return lineOf("result", { session, end, exit, text, usage, steps, failure, evidence, asks });
}

/** The last line where no turn came about. */
export const failureLine = (failure: Failure, exit: ExitCode): string =>
  lineOf("result", { session: null, end: "failed", exit, failure: bare(failure) });

const bare = ({ code, say, fix }: Failure) => ({ code, say, fix });
