// The ledger over real sockets, in every dialect, against a stub that knows what it counted: what it said
// is in the ledger to the token, what it refused is nothing, and what was cut is never less than it counted
// of the request and than what had arrived. Others by AIEX_SEED.
import { describe, expect, it } from "vitest";
import { memoryLog } from "#boundary/log/memory.ts";
import { begin, newWorld, partsOver } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { ok } from "#core/failure.ts";
import { parsed } from "#core/model/json.ts";
import { prompted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";
import type { Row } from "#core/views/view.ts";
import { dialectNames, spoken } from "../../test/peers/dialects.ts";
import { type Fault, type StrictStub, startStrictStub } from "../../test/peers/strict.ts";
import type { Dialect } from "../../test/peers/strict-answers.ts";

const SEED = Number(process.env.AIEX_SEED ?? 1);
const TURNS = Number(process.env.AIEX_LEDGER_TURNS ?? 150);
const never = new AbortController().signal;
const counted = { input: 150, cached: 60, output: 25, reasoning: 0 };
const answer = { text: "one two three four five six seven eight nine ten", usage: counted };

/** A number below `n` for a place in a row, the same for the same seed. */
function rolled(place: number, n: number): number {
  const mixed = Math.imul(place + 1, 2_654_435_761) ^ Math.imul(SEED + 7, 40_503);
  return ((mixed ^ (mixed >>> 13)) >>> 0) % n;
}

/** Most answers are whole; the others are refused, or cut at any of their first bytes. */
function faultAt(index: number): Fault | undefined {
  const failed = (status: number): Fault => ({
    ...{ do: "answer", status },
    body: JSON.stringify({ error: { message: "It broke", type: "server_error" } }),
  });
  const atByte = rolled(index + 1_000, 1_500);
  const faults: (Fault | undefined)[] = [
    ...[undefined, undefined, undefined, failed(500), failed(529)],
    ...[{ do: "cut", atByte, how: "reset" } as const, { do: "cut", atByte, how: "close" } as const],
  ];
  return faults[rolled(index, faults.length)];
}

async function asked(dialect: Dialect, stub: StrictStub): Promise<Map<string, Row[]>> {
  const world = newWorld(memoryLog({ node: "n", atOnce: feedAtOnce, now: () => 0 }));
  const { port, model } = spoken[dialect];
  const opened = ok({ port: port(stub.url), model });
  const parts = { ...partsOver(world, () => ({})), openModel: async () => opened };
  const views = viewsOver(world.log, parts.sessions);
  await views.open(never);
  await begin(parts);
  const beginning = await world.log
    .read("s", { after: 0, until: 1 }, never)
    [Symbol.asyncIterator]();
  const page = (await beginning.next()).value;
  const [first] = page?.ok ? page.value : [];
  const start = { type: "SessionStarted" as const, ...(parsed(first?.body ?? "{}") as object) };
  for (let i = 0; i < TURNS; i += 1) {
    const events = [start as never, prompted(`[turn ${i}]`, `t${i}`)];
    const by = { actor: "user", epoch: 0 };
    const added = await parts.sessions.append(`w${i}`, emptySession, events, by);
    if (!added.ok) throw new Error(added.error.say);
    expect(await drive(parts, `w${i}`, never)).toEqual({ ok: true, value: "rest" });
  }
  await views.catchUp("steps", never);
  const rows = await world.log.tables.rows("steps", { limit: 100_000 });
  return Map.groupBy(rows.ok ? rows.value : [], ({ session }) => String(session));
}

describe(`the ledger over sockets (seed ${SEED})`, () => {
  it.each(dialectNames)("in %s is what the stub counted, and never less", async (dialect) => {
    const stub = await startStrictStub({ script: { answers: [answer] }, fault: faultAt });
    const rows = await asked(dialect, stub);
    const met = { whole: 0, refused: 0, counted: 0, bounds: 0 };
    for (const [index, { body }] of stub.requests.entries()) {
      const turn = /\[turn (\d+)\]/.exec(body)?.[1];
      const row = rows.get(`w${turn}`)?.shift();
      if (!row) throw new Error(`request ${index} is in no row`);
      const fault = faultAt(index);
      if (fault?.do === "answer") {
        met.refused += 1;
        expect(row).toMatchObject({ input: 0, output: 0, inexact: 0, broken: 1 });
      } else if (row.inexact === 0) {
        met[fault ? "counted" : "whole"] += 1;
        expect(row).toMatchObject({ input: counted.input, output: counted.output });
      } else {
        met.bounds += 1;
        expect(fault?.do).toBe("cut");
        expect(Number(row.input)).toBeGreaterThanOrEqual(counted.input);
        expect(Number(row.output)).toBeLessThanOrEqual(Buffer.byteLength(answer.text));
      }
    }
    expect([...rows.values()].flat()).toEqual([]);
    expect(Math.min(met.whole, met.refused, met.bounds)).toBeGreaterThan(TURNS / 20);
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  });
});
