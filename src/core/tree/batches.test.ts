// Batches hold everything once, in order, and no more than they may.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batches } from "#core/tree/batches.ts";

describe("batches", () => {
  it("keep the order, and their bounds but for what alone is larger", () => {
    const sizes = fc.array(fc.nat(50), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6 }), check),
    );
    function check(items: number[], bytesMax: number, countMax: number): void {
      const all = batches(items, (size) => size, { bytesMax, countMax });
      expect(all.flat()).toEqual(items);
      for (const batch of all) {
        const bytes = batch.reduce((sum, size) => sum + size, 0);
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(countMax);
        expect(bytes <= bytesMax || batch.length === 1).toBe(true);
      }
    }
  });
});
