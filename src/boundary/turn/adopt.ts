// Taking a session over: the log says which runner may go on with it.
import type { TurnParts } from "#boundary/turn/parts.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";

/** Conflicts in a row before the runner gives the session up. */
const CONFLICTS_MAX = 200;

/** Takes the session over: from here on every older runner's append is a conflict it must yield to. */
export async function adopt(parts: TurnParts, stream: string): Promise<Result<number>> {
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const session = await parts.sessions.fold(stream);
    if (!session.ok) return session;
    const epoch = session.value.epoch + 1;
    const event: SessionEvent = { type: "SessionAdopted", epoch, node: parts.node };
    const by = { actor: "runner", epoch, correlation: session.value.turn?.id };
    const added = await parts.sessions.append(stream, session.value, [event], by);
    if (added.ok) return ok(epoch);
    if (added.error.code !== "conflict") return added;
  }
  return fail("busy", "the session kept changing while it was taken over", { fix: "try again" });
}
