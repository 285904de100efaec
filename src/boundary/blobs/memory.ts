// Blobs in a map: for tests, and for `aiex --ephemeral`.

import type { Blobs } from "#boundary/blobs/port.ts";
import { sha256 } from "#boundary/digest.ts";
import { fail, ok } from "#core/failure.ts";

export function memoryBlobs(): Blobs {
  const kept = new Map<string, Uint8Array>();
  return {
    async put(bytes) {
      const hash = sha256(bytes);
      kept.set(hash, Uint8Array.from(bytes));
      return ok(hash);
    },
    async get(hash, range) {
      const bytes = kept.get(hash);
      if (!bytes) return fail("not_found", `there is no blob ${hash}`);
      return ok(range ? bytes.slice(range.from, range.from + range.bytes) : bytes.slice());
    },
    async has(hash) {
      return kept.has(hash);
    },
    async sweep(live) {
      const dead = [...kept.keys()].filter((hash) => !live(hash));
      for (const hash of dead) kept.delete(hash);
      return ok({ removed: dead.length });
    },
  };
}
