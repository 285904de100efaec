// Every blob store passes this suite; an adapter's test file is one call to it.
import { describe, expect, it } from "vitest";
import type { Blobs } from "#boundary/blobs/port.ts";
import { sha256 } from "#boundary/digest.ts";

export function blobsContract(name: string, open: () => Blobs): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const signal = new AbortController().signal;

  describe(`blobs: ${name}`, () => {
    it("gives back exactly what was put, under the hash of its bytes", async () => {
      const blobs = open();
      const put = await blobs.put(bytes("a\u0000ü"));
      expect(put).toEqual({ ok: true, value: sha256("a\u0000ü") });
      const got = await blobs.get(sha256("a\u0000ü"));
      expect(got.ok && Buffer.from(got.value).toString()).toBe("a\u0000ü");
      expect(await blobs.put(bytes("a\u0000ü"))).toEqual(put);
      expect(await blobs.has(sha256("a\u0000ü"))).toBe(true);
    });

    it("gives a range of the bytes", async () => {
      const blobs = open();
      await blobs.put(bytes("0123456789"));
      const got = await blobs.get(sha256("0123456789"), { from: 3, bytes: 4 });
      expect(got.ok && Buffer.from(got.value).toString()).toBe("3456");
    });

    it("answers `not_found` for what was never put", async () => {
      const blobs = open();
      expect(await blobs.get(sha256("nothing"))).toMatchObject({ error: { code: "not_found" } });
      expect(await blobs.has(sha256("nothing"))).toBe(false);
    });

    it("checks a blob of many pieces, and says of one that was never put that it is missing", async () => {
      const blobs = open();
      const long = new Uint8Array(3 << 20).fill(7);
      const put = await blobs.put(long);
      expect(await blobs.check(put.ok ? put.value : "")).toEqual({ ok: true, value: "whole" });
      for (const hash of [sha256("nothing"), "no hash"]) {
        expect(await blobs.check(hash)).toEqual({ ok: true, value: "missing" });
      }
    });

    it("never sweeps what was put a moment ago, also where it was there long before", async () => {
      const blobs = open();
      await blobs.put(bytes("again"));
      await new Promise((resolve) => setTimeout(resolve, 60));
      await blobs.put(bytes("again"));
      expect(await blobs.sweep(() => false, { graceMs: 50, signal })).toMatchObject({
        value: { removed: 0 },
      });
      expect(await blobs.has(sha256("again"))).toBe(true);
    });

    it("sweeps what no event names, and nothing else", async () => {
      const blobs = open();
      await blobs.put(bytes("dead"));
      await blobs.put(bytes("live"));
      const live = (hash: string) => hash === sha256("live");
      const swept = await blobs.sweep(live, { graceMs: -1_000, signal });
      expect(swept).toEqual({ ok: true, value: { removed: 1 } });
      expect([await blobs.has(sha256("dead")), await blobs.has(sha256("live"))]).toEqual([
        false,
        true,
      ]);
    });
  });
}
