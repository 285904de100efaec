// The user narrowed a session's mode: it holds for the children that are at work for it, too. A wider one
// does not: what a child may was settled when it began.
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { isReading, narrower } from "#core/session/child.ts";
import type { Mode } from "#core/session/tool-facts.ts";

/** Children of a session that are at work at once, at most: more than there can be. */
const CHILDREN_MAX = 100;

export async function narrowChildren(
  parts: DoorParts,
  session: string,
  mode: Mode,
): Promise<Result<void>> {
  const where = { parent: session, open: 1 };
  const open = await parts.log.tables.rows("children", { where, limit: CHILDREN_MAX });
  if (!open.ok) return open;
  for (const row of open.value) {
    const child = String(row.child);
    const state = await parts.sessions.fold(child);
    if (!state.ok) return state;
    const before = state.value.mode;
    // Of the two modes that only read neither is narrower.
    const narrowed = isReading(before) ? before : narrower(mode, before);
    const switched = await parts.sessions.command(child, { type: "SwitchMode", mode: narrowed });
    // One that ended meanwhile needs no mode any more.
    if (!switched.ok && switched.error.code !== "conflict") return switched;
    const below = await narrowChildren(parts, child, narrowed);
    if (!below.ok) return below;
  }
  return ok();
}
