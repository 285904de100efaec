// Children whose time was over while nobody ran them, as their process was killed: each is ended by the
// first node that starts afterwards.
import { endChild } from "#boundary/child-ends.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";

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
  for (const { child } of overdue) {
    const ended = await endChild(parts, String(child), "deadline");
    if (!ended.ok) return ended;
  }
  return ok(overdue.length);
}
