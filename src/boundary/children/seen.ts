// What the log tells of a child now, and how long the children below it waited for the user.
import { sha256 } from "#boundary/digest.ts";
import type { EventLog } from "#boundary/log/port.ts";
import type { Sessions } from "#boundary/sessions.ts";
import { ok, type Result } from "#core/failure.ts";
import { type ChildSeen, childSeen, unseenChild } from "#core/session/child-seen.ts";

type Parts = { sessions: Sessions; log: Pick<EventLog, "tables"> };

/** Children of one session that are looked at. */
const CHILDREN_MAX = 1_000;

export async function seenNow(
  { sessions }: Pick<Parts, "sessions">,
  child: string,
): Promise<Result<ChildSeen>> {
  let seen = unseenChild;
  for await (const page of sessions.read(child, { after: 0 }, new AbortController().signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      if (decoded.kind === "event") seen = childSeen(seen, record, decoded.event, sha256);
    }
  }
  return ok(seen);
}

/** Of all children below a session, milliseconds up to `now`; of those side by side the sum. */
export async function waitedBelow(
  parts: Parts,
  session: string,
  now: number,
): Promise<Result<number>> {
  const rows = await parts.log.tables.rows("children", {
    where: { parent: session },
    limit: CHILDREN_MAX,
  });
  if (!rows.ok) return rows;
  let sum = 0;
  for (const { child } of rows.value) {
    const seen = await seenNow(parts, String(child));
    if (!seen.ok) return seen;
    const { waitedMs, waitsSince } = seen.value;
    const below = await waitedBelow(parts, String(child), now);
    if (!below.ok) return below;
    sum += waitedMs + (waitsSince === null ? 0 : now - waitsSince) + below.value;
  }
  return ok(sum);
}
