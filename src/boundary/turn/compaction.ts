// A compaction as an event. Results that it shortens before the model has read them are kept as
// outputs first, so that the model can read the rest; one that cannot be kept says to call again.
import type { Blobs } from "#boundary/blobs/port.ts";
import type { Failure } from "#core/failure.ts";
import { compact, longResults } from "#core/session/compact.ts";
import type { EventOf } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";

/** Null where nothing would be gained. */
export async function compaction(
  blobs: Blobs,
  s: Session,
  why: "overflow" | "full",
): Promise<EventOf<"Compacted"> | null> {
  const outputs = new Map<string, string>();
  for (const text of longResults(s)) {
    const kept = await blobs.put(Buffer.from(text));
    if (kept.ok) outputs.set(text, `output:${kept.value}`);
  }
  const compacted = compact(s, why, outputs);
  return compacted && { type: "Compacted", ...compacted };
}

export const nothingToDrop: Failure = {
  code: "overflow",
  say: "the request is larger than the model's context, and there is nothing old to compact",
  fix: "start a new session with less in the prompt, or use a model with a larger window",
};
