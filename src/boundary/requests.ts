// The exact request of each step as a blob. Requests of a session begin alike, so what is kept is
// how much of the previous one to take and what follows it: a turn of n steps needs n steps' worth
// of bytes, not n². Every `WHOLE_EVERY`th stands alone, which bounds what rebuilding one reads.
import type { Blobs } from "#boundary/blobs/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { BlobRef } from "#core/model/message.ts";

/** Requests in a row that may lean on the one before. */
const WHOLE_EVERY = 32;
/** Sessions whose last request is kept in memory to lean on. */
const STREAMS_MAX = 16;
/**
 * How old the previous request may be to be leaned on, in milliseconds. It may be one that no event
 * names, and such a one is swept after an hour (door/erase.ts).
 */
const LEAN_MS_MAX = 600_000;
const MEDIA = "application/x-aiex-request";

type Kept = { base: string | null; keep: number; rest: string; depth: number };

export type Requests = {
  /** Keeps a request's text, leaning on the previous one of the same stream where it is known. */
  put(stream: string, text: string): Promise<Result<BlobRef>>;
  /** The exact text again. */
  get(hash: string): Promise<Result<string>>;
};

export function requestsIn(blobs: Blobs): Requests {
  const previous = new Map<string, { hash: string; text: string; depth: number; at: number }>();

  async function get(hash: string, depth = 0): Promise<Result<string>> {
    if (depth > WHOLE_EVERY) return fail("corrupt", `the request ${hash} leans on too many others`);
    const bytes = await blobs.get(hash);
    if (!bytes.ok) return bytes;
    const kept = JSON.parse(Buffer.from(bytes.value).toString()) as Kept;
    if (kept.base === null) return ok(kept.rest);
    const base = await get(kept.base, depth + 1);
    return base.ok ? ok(base.value.slice(0, kept.keep) + kept.rest) : base;
  }

  return {
    get,
    async put(stream, text) {
      const last = previous.get(stream);
      const isYoung = last !== undefined && Date.now() - last.at < LEAN_MS_MAX;
      const lean = isYoung && last.depth < WHOLE_EVERY - 1 ? last : undefined;
      const keep = lean ? commonLength(lean.text, text) : 0;
      const depth = lean ? lean.depth + 1 : 0;
      const kept: Kept = { base: lean?.hash ?? null, keep, rest: text.slice(keep), depth };
      const bytes = Buffer.from(JSON.stringify(kept));
      const hash = await blobs.put(bytes);
      if (!hash.ok) return hash;
      previous.delete(stream);
      const oldest = previous.keys().next().value;
      if (previous.size >= STREAMS_MAX && oldest !== undefined) previous.delete(oldest);
      previous.set(stream, { hash: hash.value, text, depth, at: Date.now() });
      return ok({ hash: hash.value, bytes: bytes.length, media: MEDIA });
    },
  };
}

function commonLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
}
