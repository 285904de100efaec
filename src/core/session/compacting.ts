// What it means for a session that old messages were replaced, and that they were brought back. What
// is remembered of them comes from the messages and never from the digest's text, so that nothing a
// summary says or leaves out lives longer than its digest.
import { unreachable } from "#core/assert.ts";
import { addUsage, type Message } from "#core/model/message.ts";
import type { EventOf } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import { user } from "#core/session/told.ts";
import { pinsWith, trailWith } from "#core/session/trail.ts";

export function compacting(
  s: Session,
  e: EventOf<"SummaryStarted" | "SummaryEnded" | "Compacted" | "CompactionReverted">,
): Session {
  switch (e.type) {
    case "SummaryStarted":
      return summaryStarted(s, e);
    case "SummaryEnded":
      return summaryEnded(s, e);
    case "Compacted":
      return compacted(s, e);
    case "CompactionReverted":
      return reverted(s, e);
    default:
      return unreachable(e);
  }
}

function summaryStarted(s: Session, e: EventOf<"SummaryStarted">): Session {
  const { model, reserved, output, costAtMost } = e;
  const aside = { reserved, output, costAtMost };
  return { ...s, summary: { epoch: s.epoch, model, ...aside, state: "open", text: null } };
}

function summaryEnded(s: Session, e: EventOf<"SummaryEnded">): Session {
  // Also where none was begun, since none could be: none is tried again for this compaction.
  const { epoch, reserved } = s.summary ?? { epoch: s.epoch, reserved: 0 };
  const { model, text = null } = e;
  const summary = { epoch, model, reserved, state: "ended" as const, text };
  return { ...s, usage: addUsage(s.usage, e.usage), summary };
}

function compacted(s: Session, e: EventOf<"Compacted">): Session {
  const from = Math.max(0, s.messages.length - e.keep);
  const dropped = s.messages.slice(0, from);
  const { turn } = s;
  const after = turn && {
    ...turn,
    compactions: turn.compactions + 1,
    ...(turn.wants === "compact" ? { wants: "step" as const } : {}),
  };
  const digest: Message = { ...user("compaction", e.text), at: s.version + 1 };
  return {
    ...s,
    turn: after,
    messages: [digest, ...s.messages.slice(from)],
    pins: pinsWith(s, dropped),
    trail: trailWith(s, dropped),
    summary: null,
    turns: s.turns.map((past) => ({ ...past, messages: null })),
    // What they said may have been dropped: the runner tells it again.
    instructions: [],
    contextTokens: 0,
  };
}

/** The turns that were taken back, or had begun, are where they stand among these messages. */
function reverted(s: Session, e: EventOf<"CompactionReverted">): Session {
  const { messages, turns, undone, instructions } = e;
  const seen = new Set(messages.map(({ at }) => at));
  return {
    ...s,
    messages,
    pins: s.pins.filter(({ at }) => !seen.has(at)),
    trail: s.trail.filter(({ at }) => !seen.has(at)),
    turns,
    undone,
    instructions,
    contextTokens: 0,
  };
}
