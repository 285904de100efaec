// Rates: what is let through in a minute never exceeds the allowance, and waiters take turns.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Bucket,
  blocked,
  bucketFull,
  left,
  type Rate,
  reserve,
  settle,
  waitFor,
} from "#core/model/limits.ts";

const rate: Rate = { requestsPerMinute: 60, tokensPerMinute: 6_000 };

describe("a rate", () => {
  it("lets a minute's worth through at once and the rest one after the other", () => {
    let bucket = bucketFull({ requestsPerMinute: 2 }, 0);
    const waits = [0, 0, 0, 0].map(() => {
      const need = { tokens: 1, nowMs: 0 };
      const waitMs = waitFor(bucket, { requestsPerMinute: 2 }, need);
      bucket = reserve(bucket, { requestsPerMinute: 2 }, need);
      return waitMs;
    });
    expect(waits).toEqual([0, 0, 30_000, 60_000]);
  });

  it("gives back what was taken too much, and all of it where nothing was used", () => {
    const need = { tokens: 5_000, nowMs: 0 };
    const taken = reserve(bucketFull(rate, 0), rate, need);
    expect(waitFor(taken, rate, { tokens: 2_000, nowMs: 0 })).toBe(10_000);
    const settled = settle(taken, rate, { reserved: 5_000, used: 1_000, nowMs: 0 });
    expect(waitFor(settled, rate, { tokens: 2_000, nowMs: 0 })).toBe(0);
    const undone = settle(taken, rate, { reserved: 5_000, used: "nothing", nowMs: 0 });
    expect(undone).toEqual(bucketFull(rate, 0));
  });

  it("lets a request pass that is larger than the whole allowance, when nothing else is asked", () => {
    const need = { tokens: 100_000, nowMs: 0 };
    expect(waitFor(bucketFull(rate, 0), rate, need)).toBe(0);
    const taken = reserve(bucketFull(rate, 0), rate, need);
    const settled = settle(taken, rate, { reserved: 100_000, used: 12_000, nowMs: 0 });
    expect(waitFor(settled, rate, { tokens: 1, nowMs: 0 })).toBeGreaterThan(60_000);
  });

  it("asks nobody who asked for silence, whatever the rate", () => {
    const bucket = blocked(bucketFull({}, 0), 0, 20_000);
    expect(waitFor(bucket, {}, { tokens: 1, nowMs: 5_000 })).toBe(15_000);
    expect(waitFor(bucket, {}, { tokens: 1, nowMs: 20_000 })).toBe(0);
    expect(left(bucket, {}, 5_000)).toEqual({
      requests: undefined,
      tokens: undefined,
      blockedForMs: 15_000,
    });
  });

  it("never lets more through in any minute than two allowances and one request", () => {
    const calls = fc.array(
      fc.record({ afterMs: fc.nat(10_000), tokens: fc.integer({ min: 1, max: 3_000 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(calls, (all) => {
        let bucket: Bucket = bucketFull(rate, 0);
        let nowMs = 0;
        const went: { atMs: number; tokens: number }[] = [];
        for (const { afterMs, tokens } of all) {
          nowMs += afterMs;
          const waitMs = waitFor(bucket, rate, { tokens, nowMs });
          bucket = reserve(bucket, rate, { tokens, nowMs });
          went.push({ atMs: nowMs + waitMs, tokens });
        }
        for (const { atMs } of went) {
          const minute = went.filter((call) => call.atMs >= atMs && call.atMs < atMs + 60_000);
          const sum = minute.reduce((n, call) => n + call.tokens, 0);
          expect(sum).toBeLessThanOrEqual(2 * 6_000 + 3_000);
          expect(minute.length).toBeLessThanOrEqual(2 * 60 + 1);
        }
      }),
    );
  });

  it("is never fuller than one allowance, however it is used", () => {
    const steps = fc.array(
      fc.record({ afterMs: fc.nat(100_000), tokens: fc.nat(20_000), used: fc.nat(20_000) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        let bucket = bucketFull(rate, 0);
        let nowMs = 0;
        for (const { afterMs, tokens, used } of all) {
          nowMs += afterMs;
          bucket = reserve(bucket, rate, { tokens, nowMs });
          bucket = settle(bucket, rate, { reserved: tokens, used: used || "nothing", nowMs });
          const rest = left(bucket, rate, nowMs);
          expect(rest.requests).toBeLessThanOrEqual(60);
          expect(rest.tokens).toBeLessThanOrEqual(6_000);
        }
      }),
    );
  });
});
