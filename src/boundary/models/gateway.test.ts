// The gateway: a failing endpoint is left alone, then probed once, then used again; several keys are
// several accounts; rates are kept to.
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { gateway, KEY_REST_MS } from "#boundary/models/gateway.ts";
import { deadlinesDefault, type ModelEnd, type ModelPort } from "#boundary/models/port.ts";
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
    const guarded = way.through([{ port, account: "key" }]);
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
    const guarded = gateway({ clock: { nowMs: () => nowMs }, random: () => 0 }).through([
      { port, account: "k" },
    ]);
    for (let i = 0; i < 5; i += 1) await called(guarded, request);
    nowMs = 40_000;
    await Promise.all(Array.from({ length: 10 }, () => called(guarded, request)));
    expect(asked.count).toBe(6);
  });

  it("keeps keys and models apart, and counts a refused key or request as no illness", async () => {
    const { port, asked } = told({ code: "unreachable" });
    const way = gateway({ clock: { nowMs: () => 0 } });
    for (let i = 0; i < 6; i += 1) await called(way.through([{ port, account: "a" }]), request);
    expect(asked.count).toBe(5);
    await called(way.through([{ port, account: "b" }]), request);
    await called(way.through([{ port, account: "a" }]), requestOf("other"));
    expect(asked.count).toBe(7);
    for (const code of ["unauthorised", "rejected", "rate_limited", "quota"] as const) {
      const other = told({ code });
      for (let i = 0; i < 30; i += 1)
        await called(way.through([{ port: other.port, account: code }]), request);
      expect([code, other.asked.count]).toEqual([code, 30]);
    }
  });

  it("gives a probe's place back when its listener leaves", async () => {
    let nowMs = 0;
    const { port, asked } = told({ code: "broken" });
    const guarded = gateway({ clock: { nowMs: () => nowMs }, random: () => 0 }).through([
      { port, account: "k" },
    ]);
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

describe("several keys", () => {
  const of = (account: string, next: { code?: FailureCode }) => {
    const { port, asked } = told(next);
    return { way: { port, account }, asked };
  };

  it("are separate accounts: a refused or used-up one rests, the others go on", async () => {
    for (const code of ["unauthorised", "quota"] as const) {
      let nowMs = 0;
      const [bad, good] = [of("bad", { code }), of("good", {})];
      const way = gateway({ clock: { nowMs: () => nowMs } });
      const guarded = way.through([bad.way, good.way]);
      expect((await called(guarded, request)).end).toMatchObject({
        failure: { code },
        otherKey: true,
      });
      for (let i = 0; i < 5; i += 1) {
        expect((await called(guarded, request)).end.stop).toBe("done");
      }
      expect([code, bad.asked.count, good.asked.count]).toEqual([code, 1, 5]);
      nowMs = KEY_REST_MS + 1;
      await called(guarded, request);
      expect(bad.asked.count).toBe(2);
    }
  });

  it("say how long it takes where all of them are closed", async () => {
    const all = [of("a", { code: "quota" }), of("b", { code: "quota" })] as const;
    const way = gateway({ clock: { nowMs: () => 0 } });
    const guarded = way.through([all[0].way, all[1].way]);
    expect((await called(guarded, request)).end.otherKey).toBe(true);
    expect((await called(guarded, request)).end.otherKey).toBeUndefined();
    expect((await called(guarded, request)).end).toMatchObject({
      failure: { code: "overloaded", detail: { breaker: "open" } },
      retryAfterMs: KEY_REST_MS,
    });
    const health = way.health("m", [all[0].way, all[1].way]);
    expect(health.map(({ waitMs }) => waitMs)).toEqual([KEY_REST_MS, KEY_REST_MS]);
  });

  it("leave a single key alone for nothing: a mended one counts at once", async () => {
    const next: { code?: FailureCode } = { code: "unauthorised" };
    const only = of("only", next);
    const guarded = gateway({ clock: { nowMs: () => 0 } }).through([only.way]);
    expect((await called(guarded, request)).end.otherKey).toBeUndefined();
    delete next.code;
    expect((await called(guarded, request)).end.stop).toBe("done");
  });

  it("turn to another where one asked to slow down", async () => {
    const slow = of("slow", { code: "rate_limited" });
    const { port } = slow.way;
    const asking: ModelPort = {
      ...port,
      async *call(wire, options) {
        for await (const item of port.call(wire, options)) {
          yield item.type === "end" ? { ...item, retryAfterMs: 20_000 } : item;
        }
      },
    };
    const good = of("good", {});
    const way = gateway({ clock: { nowMs: () => 0 } });
    const guarded = way.through([{ port: asking, account: "slow" }, good.way]);
    expect((await called(guarded, request)).end.otherKey).toBe(true);
    expect((await called(guarded, request)).end.stop).toBe("done");
    expect([slow.asked.count, good.asked.count]).toEqual([1, 1]);
  });
});

describe("a rate", () => {
  const rate = { requestsPerMinute: 1 };

  /** Waits that are written down and over at once. */
  function waited() {
    const waits: number[] = [];
    let nowMs = 0;
    const way = gateway({
      clock: { nowMs: () => nowMs },
      random: () => 0,
      sleep: async (ms) => {
        waits.push(ms);
        nowMs += ms;
      },
    });
    const pass = (ms: number) => {
      nowMs += ms;
    };
    return { way, waits, pass };
  }

  it("makes a call wait, tells for how long, and refuses what would wait too long", async () => {
    const { way, waits, pass } = waited();
    const { port, asked } = told({});
    const guarded = way.through([{ port, account: "k" }], rate);
    await called(guarded, request);
    pass(40_000);
    const said: [number, string][] = [];
    const options = {
      model: "m",
      signal: AbortSignal.timeout(1_000),
      deadlines: deadlinesDefault,
      waiting: (ms: number, what: string) => void said.push([ms, what]),
    };
    const wire = { path: "", body: "" };
    expect((await Array.fromAsync(guarded.call(wire, options))).at(-1)).toMatchObject({
      stop: "done",
    });
    expect(waits).toEqual([20_000]);
    expect(said).toEqual([[20_000, "the rate of told/json m"]]);
    const { end } = await called(guarded, request);
    expect(end).toMatchObject({ failure: { code: "rate_limited" }, retryAfterMs: 60_000 });
    expect(asked.count).toBe(2);
  });

  it("is given back by a call that is called off while it waits", async () => {
    const { port, asked } = told({});
    const abort = new AbortController();
    const way = gateway({
      clock: { nowMs: () => 0 },
      sleep: async () => abort.abort(),
    });
    const guarded = way.through([{ port, account: "k" }], { requestsPerMinute: 60 });
    for (let i = 0; i < 60; i += 1) await called(guarded, request);
    const { end } = await called(guarded, request, abort.signal);
    expect(end).toMatchObject({ failure: { code: "cancelled" } });
    expect(asked.count).toBe(60);
    const [state] = way.health("m", [{ port, account: "k" }], { requestsPerMinute: 60 });
    expect(state).toMatchObject({ waitMs: 1_000, left: { requests: 0 } });
  });

  it("is learned from a server that asks to wait", async () => {
    const { way, waits } = waited();
    const { port } = told({ code: "rate_limited" });
    const asking: ModelPort = {
      ...port,
      async *call(wire, options) {
        for await (const item of port.call(wire, options)) {
          yield item.type === "end" ? { ...item, retryAfterMs: 7_000 } : item;
        }
      },
    };
    const guarded = way.through([{ port: asking, account: "k" }]);
    await called(guarded, request);
    await called(guarded, request);
    expect(waits).toEqual([7_000]);
  });
});
