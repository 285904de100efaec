// Children whose time was over while nobody ran them, as their process was killed: each is ended by the
// first node that starts afterwards.
import { endChild } from "#boundary/child-ends.ts";
import { seenNow, waitedBelow } from "#boundary/children/seen.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { dueAt } from "#core/session/child-seen.ts";

/** Children looked at in one go. */
const CHILDREN_MAX = 500;
/** Whoever runs one ends it within this time after its deadline, in milliseconds. */
const GRACE_MS = 5_000;

/** Answers how many those were. */
export async function endOverdue(parts: DoorParts, nowMs: number): Promise<Result<number>> {
  const open = await parts.log.tables.rows("children", {
    where: { open: 1 },
    orderBy: { column: "deadlineAt", descending: false },
    limit: CHILDREN_MAX,
  });
  if (!open.ok) return open;
  const overdue = open.value.filter(({ deadlineAt }) => Number(deadlineAt) + GRACE_MS < nowMs);
  let count = 0;
  for (const { child } of overdue) {
    const seen = await seenNow(parts, String(child));
    if (!seen.ok) return seen;
    const below = await waitedBelow(parts, String(child), nowMs);
    if (!below.ok) return below;
    // The time for which it, or a child of its own, waits for the user does not count.
    if (dueAt(seen.value) + below.value + GRACE_MS >= nowMs) continue;
    const ended = await endChild(parts, String(child), "deadline");
    if (!ended.ok) return ended;
    count += 1;
  }
  return ok(count);
}
