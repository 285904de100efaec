// Running a session: take its lease, take it over in the log, and drive it (turn/runner.ts) until it
// rests. After a crash, or on another node, it is the same.
import type { Lease, Leases } from "#boundary/lease/port.ts";
import { adopt } from "#boundary/turn/adopt.ts";
import type { TurnParts } from "#boundary/turn/parts.ts";
import { type Driven, Runner } from "#boundary/turn/runner.ts";
import { ok, type Result } from "#core/failure.ts";
import { next } from "#core/session/next.ts";

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
  return await drivenUnder(lease.value, parts, stream, signal);
}

async function drivenUnder(
  lease: Lease,
  parts: TurnParts,
  stream: string,
  signal: AbortSignal,
): Promise<Result<Driven>> {
  try {
    const epoch = await adopt(parts, stream);
    if (!epoch.ok) return epoch;
    parts.channel.clear(stream);
    return await new Runner(parts, stream, epoch.value, signal).run();
  } finally {
    lease.release();
  }
}
