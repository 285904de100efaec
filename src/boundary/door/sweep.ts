// What is left to remove of erased sessions: bodies where a process died between the event and the
// erasing, and blobs that other sessions might have been about to name, once they are old enough.
// Runs behind a node that sends, in one process at a time, and goes on at the next start where that
// process ends first.
import { finishErasure, namedAnywhere, SHARED_GRACE_MS, saySwept } from "#boundary/door/erase.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";

/** Erased sessions looked at in one go. */
const SESSIONS_MAX = 50;
/** How a request's blob begins (requests.ts): others may lean on it though no event names it. */
const REQUEST = '{"base":';

/** Looks at every session that was erased before `nowMs`; answers how many those were. */
export async function sweepErased(
  parts: DoorParts,
  nowMs: number,
  signal: AbortSignal,
): Promise<Result<number>> {
  const open = await parts.log.tables.rows("erased", { limit: SESSIONS_MAX });
  if (!open.ok || open.value.length === 0) return open.ok ? ok(0) : open;
  const lease = parts.leases.take("sweep");
  // Somebody else is at it.
  if (!lease.ok) return lease.error.code === "busy" ? ok(0) : lease;
  try {
    const old: string[] = [];
    for (const { session, at } of open.value) {
      const finished = await finishErasure(parts, String(session), signal);
      if (!finished.ok) return finished;
      if (finished.value === "left" && nowMs - Number(at) > SHARED_GRACE_MS) {
        old.push(String(session));
      }
    }
    if (old.length === 0) return ok(open.value.length);
    const swept = await sweepUnnamed(parts, signal);
    if (!swept.ok) return swept;
    for (const session of old) {
      const said = await saySwept(parts, session);
      if (!said.ok) return said;
    }
    return ok(open.value.length);
  } finally {
    lease.value.release();
  }
}

/**
 * Removes the blobs that no record of the log names. One that was put less than `SHARED_GRACE_MS`
 * ago stays, because the event that names it may be on its way; putting it again makes it young.
 */
async function sweepUnnamed(parts: DoorParts, signal: AbortSignal): Promise<Result<void>> {
  const unnamed = new Set<string>();
  const options = { graceMs: SHARED_GRACE_MS, signal };
  const look = (hash: string) => {
    unnamed.add(hash);
    return true;
  };
  const listed = await parts.blobs.sweep(look, options);
  if (!listed.ok) return listed;
  const named = await namedAnywhere(parts, { except: null, signal }, (hash) =>
    unnamed.delete(hash),
  );
  if (!named.ok) return named;
  for (const hash of unnamed) {
    const begins = await parts.blobs.get(hash, { from: 0, bytes: REQUEST.length });
    if (begins.ok && Buffer.from(begins.value).toString() === REQUEST) unnamed.delete(hash);
  }
  if (signal.aborted || unnamed.size === 0) return ok();
  const swept = await parts.blobs.sweep((hash) => !unnamed.has(hash), options);
  return swept.ok ? ok() : swept;
}
