// What a session needs done now. The turn runner only obeys, so a crash loses nothing: whichever
// node rebuilds the session asks again and carries on. Pure; every loop it could cause is bounded
// here by a number with a name.
import { unreachable } from "#core/assert.ts";
import { lackIn, noticeOf } from "#core/evidence/standing.ts";
import type { Failure } from "#core/failure.ts";
import type { Message } from "#core/model/message.ts";
import { toolNamed } from "#core/model/repair.ts";
import { canCompact } from "#core/session/compact.ts";
import type { TurnEnd } from "#core/session/events.ts";
import {
  contextLimit,
  type OpenCall,
  type OpenStep,
  type Prompt,
  type Session,
  type Summary,
  type Turn,
} from "#core/session/state.ts";

export type Action =
  /** Nothing: the session waits for a prompt. */
  | { do: "rest" }
  | { do: "startTurn"; prompt: Prompt }
  /** Start attempt `attempt` of step `step`, `afterMs` from when the last attempt broke. */
  | { do: "callModel"; step: number; attempt: number; afterMs: number }
  /** The model is being called in this epoch. */
  | { do: "awaitModel"; open: OpenStep }
  /** A call of the model that nobody listens to any more: its runner died. */
  | { do: "settleStep"; open: OpenStep }
  /** The user cancelled while the model answers. */
  | { do: "stopModel"; open: OpenStep }
  /**
   * These calls may be under way now: `waiting` ones are to be prepared, `allowed` ones to be run,
   * `started` ones run in this epoch or, if their epoch is older, are to be recovered. `asked`
   * ones wait for the user.
   */
  | { do: "runTools"; calls: readonly OpenCall[] }
  /** End these calls without running them. */
  | { do: "endCalls"; calls: readonly OpenCall[]; why: "cancelled" | "cut" }
  /** Replace old messages by a shorter text, then go on; a model may be asked for a summary first. */
  | { do: "compact"; why: "overflow" | "full" }
  /** Tell the model what is unproven, and how it can be proven. */
  | { do: "askEvidence"; say: string }
  /** A summary is being made in this epoch. */
  | { do: "awaitSummary" }
  /** One that nobody listens to any more: the compaction goes on without it. */
  | { do: "settleSummary"; open: Summary }
  /** The user cancelled while it was made. */
  | { do: "stopSummary" }
  | { do: "endTurn"; end: TurnEnd; failure?: Failure };

/** Calls of one answer that run at once, children among them. */
export const PARALLEL_CALLS_MAX = 8;
/** Answers in a row that say nothing, or are cut by the output limit, before the turn ends. */
export const IDLE_ANSWERS_MAX = 3;
/** Compactions without an answer between them; each keeps about half of what did not fit before. */
export const COMPACTIONS_MAX = 3;
/** How often the model is asked for evidence before a strict turn ends without it. */
export const EVIDENCE_ASKS_MAX = 2;
/** Share of the context at which old messages are compacted before the next step. */
export const CONTEXT_FULL = 0.85;

export function next(s: Session): Action {
  if (s.erased || s.unknown || !s.start) return { do: "rest" };
  if (!s.turn) {
    const [prompt] = s.queue;
    return prompt ? { do: "startTurn", prompt } : { do: "rest" };
  }
  if (s.step) return openStep(s.step, s.epoch, s.turn);
  if (s.summary?.state === "open") return openSummary(s.summary, s.epoch, s.turn);
  const open = s.calls.filter((call) => call.state !== "ended");
  if (s.turn.cancelled !== null) return cancelled(open, s.epoch);
  if (open.length > 0) {
    return s.turn.wants === "refuseCalls"
      ? { do: "endCalls", calls: open, why: "cut" }
      : { do: "runTools", calls: mayRun(s) };
  }
  if (s.turn.failure) return endTurn("failed", s.turn.failure as Failure);
  return afterCalls(s, s.turn);
}

function openStep(open: OpenStep, epoch: number, turn: Turn): Action {
  if (open.epoch < epoch) return { do: "settleStep", open };
  return turn.cancelled === null ? { do: "awaitModel", open } : { do: "stopModel", open };
}

function openSummary(open: Summary, epoch: number, turn: Turn): Action {
  if (open.epoch < epoch) return { do: "settleSummary", open };
  return { do: turn.cancelled === null ? "awaitSummary" : "stopSummary" };
}

function cancelled(open: readonly OpenCall[], epoch: number): Action {
  if (open.length === 0) return endTurn("cancelled");
  const orphans = open.filter((call) => (call.started?.epoch ?? epoch) < epoch);
  if (orphans.length > 0) return { do: "runTools", calls: orphans };
  return { do: "endCalls", calls: open, why: "cancelled" };
}

/**
 * The calls whose turn it is: a leading run of those that can do each other no harm together, since
 * they change nothing or may be repeated; any other alone.
 */
function mayRun(s: Session): OpenCall[] {
  const batch: OpenCall[] = [];
  const effects = s.tools?.toolEffects ?? {};
  const names = Object.keys(effects);
  for (const open of s.calls) {
    if (open.state === "ended") continue;
    const effect = effects[toolNamed(open.call.tool, names) ?? ""] ?? "pure";
    if (effect !== "pure" && effect !== "keyed") return batch.length === 0 ? [open] : batch;
    batch.push(open);
    if (batch.length === PARALLEL_CALLS_MAX) return batch;
  }
  return batch;
}

function afterCalls(s: Session, turn: Turn): Action {
  switch (turn.wants) {
    case "compact":
      return turn.compactions >= COMPACTIONS_MAX ||
        (turn.compactions > 0 && !canCompact(s, "overflow"))
        ? endTurn("failed", overflows)
        : { do: "compact", why: "overflow" };
    case "end":
      if (turn.end !== "done") return endTurn(turn.end);
      return hasNews(s) ? step(s, turn) : concluded(s, turn);
    case "refuseCalls":
    case "calls":
    case "step":
      return turn.end === "done" ? step(s, turn) : endTurn(turn.end);
    default:
      return unreachable(turn.wants);
  }
}

/** The model is done: so is the turn, unless it is strict and nothing proves what was changed. */
function concluded({ evidence }: Session, turn: Turn): Action {
  const lack = turn.evidence ? lackIn(evidence, turn.evidence) : null;
  if (!lack) return endTurn("done");
  if (lack.canAsk && turn.evidenceAsks < EVIDENCE_ASKS_MAX) {
    return { do: "askEvidence", say: noticeOf(evidence, lack) };
  }
  return endTurn("unproven", { code: "unproven", say: lack.say, fix: lack.fix });
}

function step(s: Session, turn: Turn): Action {
  const attempt = turn.broken.count + 1;
  const number = attempt === 1 ? turn.steps + 1 : turn.steps;
  if (turn.idleAnswers >= IDLE_ANSWERS_MAX) return endTurn("failed", saysNothing);
  const stepsMax = s.start?.limits.stepsPerTurn ?? 0;
  if (number > stepsMax) return endTurn("limit", tooManySteps(stepsMax));
  const full = contextLimit(s) * CONTEXT_FULL;
  const isFull = attempt === 1 && turn.compactions === 0 && s.contextTokens > full;
  if (isFull && canCompact(s)) {
    return { do: "compact", why: "full" };
  }
  return { do: "callModel", step: number, attempt, afterMs: turn.broken.retryInMs };
}

/** Something was said that the model has not read and that wants an answer. */
function hasNews(s: Session): boolean {
  if (s.steers.some(wantsAnswer)) return true;
  const last = s.messages.at(-1);
  return last?.role === "user" && wantsAnswer(last);
}

const wantsAnswer = (message: Message): boolean =>
  message.role === "user" && message.origin !== "environment";

const endTurn = (end: TurnEnd, failure?: Failure): Action => ({ do: "endTurn", end, failure });

const overflows: Failure = {
  code: "overflow",
  say: "the request is larger than the model's context, also after compaction",
  fix: "start a new session, or use a model with a larger window",
};

const saysNothing: Failure = {
  code: "broken",
  say: `the model gave ${IDLE_ANSWERS_MAX} answers in a row that were empty or cut`,
  fix: "say more precisely what to do, or use another model",
};

const tooManySteps = (stepsMax: number): Failure => ({
  code: "too_large",
  say: `the turn took ${stepsMax} steps`,
  fix: "send another prompt to go on",
});
