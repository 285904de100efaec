// Blobs in a map: for tests, and for `aiex --ephemeral`.

import type { Blobs } from "#boundary/blobs/port.ts";
import { sha256 } from "#boundary/digest.ts";
import { fail, ok } from "#core/failure.ts";

export function memoryBlobs(): Blobs {
  const kept = new Map<string, { bytes: Uint8Array; at: number }>();
  return {
    async put(bytes) {
      const hash = sha256(bytes);
      kept.set(hash, { bytes: Uint8Array.from(bytes), at: Date.now() });
      return ok(hash);
    },
    async get(hash, range) {
      const bytes = kept.get(hash)?.bytes;
      if (!bytes) return fail("not_found", `there is no blob ${hash}`);
      return ok(range ? bytes.slice(range.from, range.from + range.bytes) : bytes.slice());
    },
    async has(hash) {
      return kept.has(hash);
    },
    async check(hash) {
      const bytes = kept.get(hash)?.bytes;
      if (!bytes) return ok("missing");
      return ok(sha256(bytes) === hash ? "whole" : "changed");
    },
    async sweep(live, { graceMs }) {
      const before = Date.now() - graceMs;
      const dead = [...kept].filter(([hash, { at }]) => !live(hash) && at < before);
      for (const [hash] of dead) kept.delete(hash);
      return ok({ removed: dead.length });
    },
  };
}
