// Ending a child from outside, and speaking to it: commands and events that are decided at its present
// version, so that it ends once whoever is first.
import type { Sessions } from "#boundary/sessions.ts";
import { endOfTurn } from "#boundary/turn/ending.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { type CallingOff, endOfChild } from "#core/session/child.ts";
import type { SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";

type Parts = { sessions: Sessions };

/** Times that an event is decided again because others appended meanwhile. */
const CONFLICTS_MAX = 50;

/** Asks whoever runs it to end it in good order. */
export async function callOff(
  { sessions }: Parts,
  child: string,
  why: CallingOff | "cancelled",
): Promise<Result<void>> {
  const asked = await sessions.command(child, { type: "Cancel", why });
  return asked.ok || asked.error.code === "not_found" ? ok() : asked;
}

/** Ends it now, with all that is open in it, whether or not somebody runs it. */
export async function endChild(
  parts: Parts,
  child: string,
  why: CallingOff | "cancelled",
): Promise<Result<boolean>> {
  return await changed(parts, child, (s) => {
    const failure = { code: "limit", say: says[why] };
    // As if its turn had been called off for that: one and the same end, in and out of a turn.
    const off: Session = s.turn ? { ...s, turn: { ...s.turn, cancelled: why } } : s;
    return s.turn ? endOfTurn(off, "cancelled") : endOfChild(s, { end: why, failure });
  });
}

const says = {
  deadline: "its time was over",
  stuck: "its last steps changed nothing",
  lost: "nobody ran it any more",
  cancelled: "it was called off",
};

/** Tells its model something with the next step. True where there was a turn to tell it in. */
export async function tellChild(
  parts: Parts,
  child: string,
  text: string,
): Promise<Result<boolean>> {
  return await changed(parts, child, (s) =>
    s.turn ? [{ type: "ContextAdded", origin: "notice", text }] : [],
  );
}

async function changed(
  { sessions }: Parts,
  child: string,
  decide: (s: Session) => readonly SessionEvent[],
): Promise<Result<boolean>> {
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const session = await sessions.fold(child);
    if (!session.ok) return session;
    const isOver = session.value.over !== null || session.value.erased || !session.value.start;
    const events = isOver ? [] : decide(session.value);
    if (events.length === 0) return ok(false);
    const by = { actor: "parent", epoch: session.value.epoch };
    const added = await sessions.append(child, session.value, events, by);
    if (added.ok) return ok(true);
    if (added.error.code !== "conflict") return added;
  }
  return fail("busy", "others kept changing the child", { fix: "try again" });
}
