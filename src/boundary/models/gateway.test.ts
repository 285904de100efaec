// The gateway: a failing endpoint is left alone, then probed once, then used again.
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { gateway } from "#boundary/models/gateway.ts";
import type { ModelEnd, ModelPort } from "#boundary/models/port.ts";
import type { FailureCode } from "#core/failure.ts";
import { noUsage } from "#core/model/message.ts";

/** A port that ends as it is told, and counts how often it was asked. */
function told(next: { code?: FailureCode }) {
  const asked = { count: 0 };
  const port: ModelPort = {
    name: "told/json",
    encode: () => ({ path: "", body: "" }),
    async *call() {
      asked.count += 1;
      yield { type: "text", text: "x" };
      const end: ModelEnd = { type: "end", stop: "done", parts: [], usage: noUsage };
      yield next.code ? { ...end, stop: "broken", failure: { code: next.code, say: "no" } } : end;
    },
  };
  return { port, asked };
}

const request = requestOf("m");

describe("a gateway", () => {
  it("leaves an endpoint alone after five failures, probes it once, and uses it again", async () => {
    let nowMs = 0;
    const next: { code?: FailureCode } = { code: "overloaded" };
    const { port, asked } = told(next);
    const way = gateway({ clock: { nowMs: () => nowMs }, random: () => 0.5 });
    const guarded = way.through(port, "key");
    for (let i = 0; i < 5; i += 1) await called(guarded, request);
    const { end } = await called(guarded, request);
    expect(asked.count).toBe(5);
    expect(end).toMatchObject({ stop: "broken", retryAfterMs: 30_000 });
    expect(end.failure?.say).toContain("failed 5 times in a row; it is left alone for 30 s more");
    nowMs = 30_001;
    delete next.code;
    expect((await called(guarded, request)).end.stop).toBe("done");
    expect((await called(guarded, request)).end.stop).toBe("done");
    expect(asked.count).toBe(7);
  });

  it("lets only one of many through to probe", async () => {
    let nowMs = 0;
    const { port, asked } = told({ code: "timeout" });
    const guarded = gateway({ clock: { nowMs: () => nowMs }, random: () => 0 }).through(port, "k");
    for (let i = 0; i < 5; i += 1) await called(guarded, request);
    nowMs = 40_000;
    await Promise.all(Array.from({ length: 10 }, () => called(guarded, request)));
    expect(asked.count).toBe(6);
  });

  it("keeps keys and models apart, and counts a refused key or request as no illness", async () => {
    const { port, asked } = told({ code: "unreachable" });
    const way = gateway({ clock: { nowMs: () => 0 } });
    for (let i = 0; i < 6; i += 1) await called(way.through(port, "a"), request);
    expect(asked.count).toBe(5);
    await called(way.through(port, "b"), request);
    await called(way.through(port, "a"), requestOf("other"));
    expect(asked.count).toBe(7);
    for (const code of ["unauthorised", "rejected", "rate_limited", "quota"] as const) {
      const other = told({ code });
      for (let i = 0; i < 30; i += 1) await called(way.through(other.port, code), request);
      expect([code, other.asked.count]).toEqual([code, 30]);
    }
  });

  it("gives a probe's place back when its listener leaves", async () => {
    let nowMs = 0;
    const { port, asked } = told({ code: "broken" });
    const guarded = gateway({ clock: { nowMs: () => nowMs }, random: () => 0 }).through(port, "k");
    for (let i = 0; i < 5; i += 1) await called(guarded, request);
    nowMs = 40_000;
    const signal = AbortSignal.timeout(1_000);
    const deadlines = { connectMs: 1, firstTokenMs: 1, silenceMs: 1, idleMs: 1, totalMs: 1 };
    const wire = { path: "", body: "" };
    for await (const _ of guarded.call(wire, { model: "m", signal, deadlines })) break;
    await called(guarded, request);
    expect(asked.count).toBe(7);
  });
});
