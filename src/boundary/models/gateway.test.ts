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

/** The same port, whose ends ask to wait. */
const asking = (port: ModelPort, retryAfterMs: number): ModelPort => ({
  ...port,
  async *call(wire, options) {
    for await (const item of port.call(wire, options)) {
      yield item.type === "end" ? { ...item, retryAfterMs } : item;
    }
  },
});

/** The same port, which answers once it is let go. */
function held(port: ModelPort) {
  const [begun, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow: ModelPort = {
    ...port,
    async *call(wire, options) {
      begun.resolve();
      await letGo.promise;
      yield* port.call(wire, options);
    },
  };
  return { port: slow, begun: begun.promise, letGo: letGo.resolve };
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

  it("keeps a probe's place while calls end that began before it", async () => {
    let nowMs = 0;
    const { port, asked } = told({ code: "broken" });
    const [old, probe] = [held(told({ code: "cancelled" }).port), held(port)];
    const way = gateway({ clock: { nowMs: () => nowMs }, random: () => 0 });
    const by = (one: ModelPort) => called(way.through([{ port: one, account: "k" }]), request);
    const before = by(old.port);
    await old.begun;
    for (let i = 0; i < 5; i += 1) await by(port);
    nowMs = 40_000;
    const probing = by(probe.port);
    await probe.begun;
    old.letGo();
    await before;
    expect((await by(port)).end.failure?.say).toContain("a probe runs");
    expect(asked.count).toBe(5);
    probe.letGo();
    await probing;
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

  it("give a large request to the one that has room for it", async () => {
    const [one, two] = [of("one", {}), of("two", {})];
    const large = (port: ModelPort): ModelPort => ({
      ...port,
      encode: () => ({ path: "", body: "x".repeat(3_200) }),
    });
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    const before = held(large(one.way.port));
    const guarded = gateway({ clock: { nowMs: () => 0 }, sleep }).through(
      [
        { ...one.way, port: before.port },
        { ...two.way, port: large(two.way.port) },
      ],
      { tokensPerMinute: 1_000 },
    );
    const first = called(guarded, request);
    await before.begun;
    await called(guarded, request);
    before.letGo();
    await first;
    expect([one.asked.count, two.asked.count, waits]).toEqual([1, 1, []]);
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
    const good = of("good", {});
    const way = gateway({ clock: { nowMs: () => 0 } });
    const guarded = way.through([{ port: asking(port, 20_000), account: "slow" }, good.way]);
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

  it("makes a call wait, however low it is, and tells for how long", async () => {
    const { way, waits, pass } = waited();
    const { port, asked } = told({});
    const guarded = way.through([{ port, account: "k" }], rate);
    await called(guarded, request);
    pass(20_000);
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
    expect((await called(guarded, request)).end.stop).toBe("done");
    expect(waits).toEqual([40_000, 60_000]);
    expect(said).toEqual([[40_000, "the rate of told/json m"]]);
    expect(asked.count).toBe(3);
  });

  it("refuses a call that would wait longer than a whole call may take, and takes nothing", async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    const way = gateway({ clock: { nowMs: () => 0 }, sleep });
    const { port, asked } = told({});
    const guarded = way.through([{ port, account: "k" }], rate);
    // Everybody asks in the same moment: the thirty-first is through after half an hour.
    for (let i = 0; i < 31; i += 1) await called(guarded, request);
    for (let i = 0; i < 2; i += 1) {
      expect((await called(guarded, request)).end).toMatchObject({
        failure: { code: "rate_limited", detail: { inMs: 1_860_000 } },
        retryAfterMs: 1_860_000,
      });
    }
    expect([asked.count, waits.at(-1)]).toEqual([31, deadlinesDefault.totalMs]);
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
    const guarded = way.through([{ port: asking(port, 7_000), account: "k" }]);
    await called(guarded, request);
    await called(guarded, request);
    expect(waits).toEqual([7_000]);
  });

  it("is waited for on where the server asks for silence meanwhile", async () => {
    let nowMs = 0;
    const waits: number[] = [];
    const { port } = told({ code: "rate_limited" });
    const before = held(asking(port, 9_000));
    const way = gateway({
      clock: { nowMs: () => nowMs },
      random: () => 0,
      async sleep(ms) {
        waits.push(ms);
        before.letGo();
        await first;
        nowMs += ms;
      },
    });
    const first = called(way.through([{ port: before.port, account: "k" }], rate), request);
    await before.begun;
    nowMs = 55_000;
    await called(way.through([{ port, account: "k" }], rate), request);
    // Five seconds for the rate, and then what is left of the silence.
    expect(waits).toEqual([5_000, 4_000]);
  });

  it("lets nothing through to a key that was found used up meanwhile", async () => {
    const { port, asked } = told({ code: "quota" });
    const [before, other] = [held(port), told({})];
    const way = gateway({
      clock: { nowMs: () => 0 },
      async sleep() {
        before.letGo();
        await first;
      },
    });
    const guarded = way.through(
      [
        { port: before.port, account: "a" },
        { port: other.port, account: "b" },
      ],
      rate,
    );
    const first = called(guarded, request);
    await before.begun;
    await called(guarded, request);
    const { end } = await called(guarded, request);
    expect(end).toMatchObject({ failure: { detail: { breaker: "open", inMs: KEY_REST_MS } } });
    expect([asked.count, other.asked.count]).toEqual([1, 1]);
  });

  it("is not waited for where the server wants a longer silence than is worth it", async () => {
    const { way, waits } = waited();
    const { port } = told({ code: "overloaded" });
    const guarded = way.through([{ port: asking(port, 600_000), account: "k" }], {
      requestsPerMinute: 60,
    });
    await called(guarded, request);
    const { end } = await called(guarded, request);
    expect(end).toMatchObject({ failure: { code: "rate_limited" }, retryAfterMs: 600_000 });
    expect(end.failure?.say).toContain("asked to be left alone for 600 s more");
    expect(waits).toEqual([]);
  });
});
