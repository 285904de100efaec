// Ending what was under way in a session that is copied: in the copy nobody may go on with it
// unasked, because what it was doing happened, or did not, somewhere else.
import { noUsage } from "#core/model/message.ts";
import type { Draft } from "#core/record.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import { encodeBody, schemaOf } from "#core/session/upcast.ts";

/** `why` says when the copy was made, as "the session was exported before this ended". */
export function closing(s: Session, why: string): SessionEvent[] {
  if (s.erased) return [];
  const events: SessionEvent[] = s.queue.map(({ turn }) => ({ type: "PromptUnqueued", turn }));
  if (s.restoring) events.push(restoreLeft(s.restoring, why));
  return s.turn ? [...events, ...turnClosed(s, s.turn, why)] : events;
}

/** Files that were being brought back there are not brought back here. */
const restoreLeft = (
  { changes }: NonNullable<Session["restoring"]>,
  why: string,
): EventOf<"RestoreFinished"> => ({
  type: "RestoreFinished",
  tree: "",
  left: changes.map(({ path }) => ({ path, why })),
});

function turnClosed(s: Session, turn: { id: string }, why: string): SessionEvent[] {
  const failure = { code: "broken", say: why };
  const usage = { ...noUsage, exact: false };
  const broke: SessionEvent[] = s.step
    ? [{ type: "StepBroken", ...openOf(s.step), failure, usage, retryInMs: null }]
    : [];
  if (s.summary?.state === "open") {
    broke.push({ type: "SummaryEnded", model: s.summary.model, usage, failure });
  }
  const open = s.calls.filter(({ state }) => state !== "ended");
  const ends = open.map(({ call, state }): SessionEvent => {
    const end = state === "started" ? "interrupted" : "cancelled";
    const parts = [{ type: "text" as const, text: `Not known: ${why}.` }];
    return { type: "ToolFinished", callId: call.id, end, parts, facts: [] };
  });
  return [...broke, ...ends, { type: "TurnEnded", turn: turn.id, end: "cancelled" }];
}

const openOf = ({ step, attempt, model }: NonNullable<Session["step"]>) => ({
  step,
  attempt,
  model,
});

export function closingDraft(event: SessionEvent): Draft {
  const { type } = event;
  return { type, schema: schemaOf(type), body: encodeBody(event), actor: "user", epoch: 0 };
}
