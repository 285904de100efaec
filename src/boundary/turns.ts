// Running a session: take its lease, take it over in the log, and drive it (turn/runner.ts) until it
// rests. After a crash, or on another node, it is the same.
import type { Lease, Leases } from "#boundary/lease/port.ts";
import { adopt } from "#boundary/turn/adopt.ts";
import type { TurnParts } from "#boundary/turn/parts.ts";
import { type Driven, Runner } from "#boundary/turn/runner.ts";
import { ok, type Result } from "#core/failure.ts";
import { next } from "#core/session/next.ts";

/** How often whoever waits for a child is told that it is being run, in milliseconds. */
const ALIVE_MS = 2_000;

/** Runs a session until it rests, unless somebody else runs it already. */
export async function drive(
  parts: TurnParts & { leases: Leases },
  stream: string,
  signal: AbortSignal,
): Promise<Result<Driven>> {
  const before = await parts.sessions.fold(stream);
  if (!before.ok) return before;
  if (next(before.value).do === "rest") return ok("rest");
  const lease = parts.leases.take(stream);
  if (!lease.ok) return lease.error.code === "busy" ? ok("elsewhere") : lease;
  const isChild = before.value.start?.child !== undefined;
  return await drivenUnder(lease.value, parts, { stream, isChild }, signal);
}

async function drivenUnder(
  lease: Lease,
  parts: TurnParts,
  { stream, isChild }: { stream: string; isChild: boolean },
  signal: AbortSignal,
): Promise<Result<Driven>> {
  let alive: ReturnType<typeof setInterval> | undefined;
  try {
    const epoch = await adopt(parts, stream);
    if (!epoch.ok) return epoch;
    parts.channel.clear(stream);
    if (isChild)
      alive = setInterval(() => parts.channel.publish(stream, { type: "alive" }), ALIVE_MS);
    return await new Runner(parts, stream, epoch.value, signal).run();
  } finally {
    clearInterval(alive);
    lease.release();
  }
}
