// The events that end a turn: everything that is still open ends with it, each in its own way.
import { left } from "#boundary/turn/calls.ts";
import { settled } from "#boundary/turn/step.ts";
import { settledSummary } from "#boundary/turn/summary.ts";
import { standingOf } from "#core/evidence/standing.ts";
import type { Failure } from "#core/failure.ts";
import { endOfChild } from "#core/session/child.ts";
import type { EventOf, SessionEvent, TurnEnd } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import type { Session } from "#core/session/state.ts";

export function endOfTurn(s: Session, end: TurnEnd, failure?: Failure): SessionEvent[] {
  const turn = s.turn?.id ?? "";
  const why = failure && { code: failure.code, say: failure.say, fix: failure.fix };
  const open = s.calls.filter((call) => call.state !== "ended");
  const ends = open.flatMap((call) => left(call).events);
  const broke = s.step ? [{ ...settled(s.step), retryInMs: null }] : [];
  const summary = s.summary?.state === "open" ? [settledSummary(s.summary)] : [];
  const before = [...broke, ...summary, ...ends];
  const ending = { type: "TurnEnded", turn, end, failure: why, ...stood(s, before) } as const;
  return [...before, ending, ...endOfChild(s, { end, failure: why })];
}

/** How the session stands where a turn ends, if that is news or not well. */
function stood(
  s: Session,
  before: readonly SessionEvent[],
): Pick<EventOf<"TurnEnded">, "evidence"> {
  const { evidence } = before.reduce(evolve, s);
  const standing = standingOf(evidence);
  const isWorth = standing.state !== "nothing" && (evidence.touched || standing.state !== "proven");
  return isWorth ? { evidence: standing } : {};
}
