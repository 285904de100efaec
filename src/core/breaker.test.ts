// The breaker: opens on a failing endpoint, lets one probe through, closes on an answer.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Breaker,
  type BreakerEvent,
  breakerClosed,
  evolveBreaker,
  letsThrough,
  OPEN_MS,
} from "#core/breaker.ts";

const evolved = (...events: BreakerEvent[]): Breaker => events.reduce(evolveBreaker, breakerClosed);
const failed = (nowMs: number): BreakerEvent => ({ type: "failed", nowMs, random: 0.5 });
const succeeded = (nowMs: number): BreakerEvent => ({ type: "succeeded", nowMs });
const five = [1, 2, 3, 4, 5].map(failed);

describe("a breaker", () => {
  it("opens at the fifth failure in a row, not at the fourth", () => {
    expect(letsThrough(evolved(...five.slice(0, 4)), 6)).toEqual({ go: true });
    expect(letsThrough(evolved(...five), 6)).toEqual({
      go: false,
      inMs: OPEN_MS - 1,
      why: "failed 5 times in a row",
    });
  });

  it("opens when half of at least twenty calls within 30 s failed", () => {
    const mixed = (n: number) =>
      Array.from({ length: n }, (_, i) => (i % 2 ? failed(i * 1_000) : succeeded(i * 1_000)));
    expect(letsThrough(evolved(...mixed(18)), 20_000).go).toBe(true);
    expect(letsThrough(evolved(...mixed(20)), 20_000).go).toBe(false);
    const slow = mixed(40).map((event, i) => ({ ...event, nowMs: i * 2_000 }));
    expect(letsThrough(evolved(...slow), 80_000).go).toBe(true);
  });

  it("counts an answer as the end of a row, and what tells nothing as nothing", () => {
    expect(evolved(...five.slice(0, 4), succeeded(5), failed(6)).state).toBe("closed");
    expect(evolved(...five.slice(0, 4), { type: "untold", nowMs: 5 }, failed(6)).state).toBe(
      "open",
    );
  });

  it("lets exactly one probe through after its time, and closes when that answers", () => {
    const open = evolved(...five);
    const due = 5 + OPEN_MS;
    expect(letsThrough(open, due - 1).go).toBe(false);
    expect(letsThrough(open, due).go).toBe(true);
    const probing = evolveBreaker(open, { type: "asked", nowMs: due });
    expect(letsThrough(probing, due + 1).go).toBe(false);
    expect(evolveBreaker(probing, succeeded(due + 2))).toEqual(breakerClosed);
    const again = evolveBreaker(probing, failed(due + 2));
    expect(letsThrough(again, due + 3)).toMatchObject({ go: false, why: "the probe failed too" });
  });

  it("gives the probe's place back when the probe was called off", () => {
    const due = 5 + OPEN_MS;
    const probing = evolveBreaker(evolved(...five), { type: "asked", nowMs: due });
    const free = evolveBreaker(probing, { type: "untold", nowMs: due + 1 });
    expect(letsThrough(free, due + 2).go).toBe(true);
  });

  it("spreads probes by a fifth either way", () => {
    const opened = (random: number) =>
      evolveBreaker(evolved(...five.slice(0, 4)), { type: "failed", nowMs: 0, random });
    expect([opened(0), opened(0.999_999)]).toMatchObject([
      { untilMs: 24_000 },
      { untilMs: expect.closeTo(36_000, 0) },
    ]);
  });

  it("stays small however many calls there are", () => {
    const outcome = fc.tuple(fc.boolean(), fc.nat({ max: 500 }));
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 300 }), (outcomes) => {
        let nowMs = 0;
        const end = outcomes.reduce((breaker, [good, later]) => {
          nowMs += later;
          return evolveBreaker(breaker, good ? succeeded(nowMs) : failed(nowMs));
        }, breakerClosed);
        expect(end.state === "open" || end.slices.length <= 31).toBe(true);
      }),
    );
  });
});
