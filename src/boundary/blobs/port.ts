// Bytes too long for an event, kept by the SHA-256 of their content. Promises, proved for every
// adapter by contract.ts:
// - `put` answers only when the bytes would survive a power cut, so that an event may name them;
// - `get` answers the bytes that were put or fails: `not_found`, or `corrupt` where their hash is
//   not the one asked for; it never answers other bytes;
// - `check` reads a blob to its end in pieces, however long it is, and says whether it is what was put;
// - putting the same bytes twice keeps one copy;
// - `sweep` removes what `live` does not name and is older than `graceMs`, because an event that
//   names a fresh blob may still be on its way.
import type { Result } from "#core/failure.ts";
import type { BlobState } from "#core/record.ts";

export type Blobs = {
  put(bytes: Uint8Array): Promise<Result<string>>;
  get(hash: string, range?: { from: number; bytes: number }): Promise<Result<Uint8Array>>;
  has(hash: string): Promise<boolean>;
  check(hash: string): Promise<Result<BlobState>>;
  sweep(
    live: (hash: string) => boolean,
    options: { graceMs: number; signal: AbortSignal },
  ): Promise<Result<{ removed: number }>>;
};
