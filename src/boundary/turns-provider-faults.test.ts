// The fault table of the reliability plan (§5.7), in every dialect: whole turns over real connections,
// behind the gateway. Tries are bounded, nothing partial is run, breakers open and close, and a chain
// ends in an answer or in one plain failure. A new dialect is one row of `dialects`.
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type Gateway, gateway } from "#boundary/models/gateway.ts";
import { type Deadlines, deadlinesDefault, type ModelPort } from "#boundary/models/port.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { begin, newWorld, partsOver, type World } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { dialectNames, spoken } from "../../test/peers/dialects.ts";
import { sdkPort } from "../../test/peers/sdk-port.ts";
import { type Fault, type StrictStub, startStrictStub } from "../../test/peers/strict.ts";

const packages = mkdtempSync(join(tmpdir(), "aiex-faults-"));
symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(packages, "node_modules"));
afterAll(() => rmSync(packages, { recursive: true, force: true }));

type Dialect = {
  name: string;
  model: string;
  /** A byte in the middle of the call of the script's first answer. */
  midByte: number;
  /** Starts something that answers by a script, with faults. */
  start: typeof startStrictStub;
  open(url: string): Promise<ModelPort>;
};

const dialects: readonly Dialect[] = [
  ...dialectNames.map((name) => ({
    name,
    model: spoken[name].model,
    midByte: name === "ollama" ? 420 : 900,
    start: startStrictStub,
    open: async (url: string) => spoken[name].port(url),
  })),
  {
    name: "a package of the ai sdk",
    model: "m",
    midByte: 900,
    start: startStrictStub,
    open: (url) => sdkPort(packages, url),
  },
];

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) {
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  }
});

type Faults = (index: number) => Fault | undefined;
const never = new AbortController().signal;
const script = {
  answers: [{ text: "I look.", calls: [{ tool: "note", input: {} }] }, { text: "All is well." }],
};

async function stubOf(dialect: Dialect, fault: Faults): Promise<StrictStub> {
  const stub = await dialect.start({ script, fault });
  stubs.push(stub);
  return stub;
}

/** A session whose model is `a/a`, with a chain of others behind it. */
async function sessionOver(
  urls: Record<string, string>,
  dialect: Dialect,
  { deadlines = {}, way = gateway() }: { deadlines?: Partial<Deadlines>; way?: Gateway } = {},
) {
  const world = newWorld();
  const parts: ReturnType<typeof partsOver> = {
    ...partsOver(world, () => ({})),
    deadlines: { ...deadlinesDefault, ...deadlines },
    async openModel(name) {
      const port = await dialect.open(urls[name] ?? "");
      return ok({ port: way.through([{ port, account: name }]), model: dialect.model });
    },
    modelsFor: async () => ok(Object.keys(urls)),
  };
  await begin(parts);
  return { world, parts };
}

async function eventsOf({ log, blobs }: World): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  const sessions = sessionsOver({ log, blobs, fingerprint: "test" });
  for await (const page of sessions.read("s", { after: 0 }, never)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { decoded } of page.value) if (decoded.kind === "event") events.push(decoded.event);
  }
  return events;
}

async function turnOver(urls: Record<string, string>, dialect: Dialect, more = {}) {
  const { world, parts } = await sessionOver(urls, dialect, more);
  expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "rest" });
  const events = await eventsOf(world);
  const end = events.findLast((e) => e.type === "TurnEnded");
  return { events, end, witness: world.witness };
}

const status = (code: number, headers: Record<string, string> = {}, body?: string): Fault => ({
  do: "answer",
  status: code,
  headers,
  ...(body === undefined ? {} : { body }),
});
const failing = (code: number): Fault =>
  status(code, {}, JSON.stringify({ error: { message: "It broke", type: "server_error" } }));
const spent = JSON.stringify({ error: { message: "You hit your spend limit", code: null } });
const limited = (headers: Record<string, string> = {}) => status(429, headers);
const tight: Partial<Deadlines> = { connectMs: 250, silenceMs: 250, firstTokenMs: 500 };
const soon = () => new Date(Date.now() - 1_000).toUTCString();

/** What goes wrong at first, for how many requests, and how many there are until the answer. */
const passing: [what: string, fault: (of: Dialect) => Fault, times: number][] = [
  ["429 with a wait in seconds", () => limited({ "retry-after": "0.02" }), 2],
  ["429 with a date", () => limited({ "retry-after": soon() }), 1],
  ["429 with a wait in ms", () => limited({ "retry-after-ms": "20" }), 3],
  ["429 without a wait", () => limited(), 4],
  ["429 with a negative wait", () => limited({ "retry-after": "-9" }), 1],
  ...[500, 502, 503, 504, 529].map((code): [string, () => Fault, number] => [
    `a ${code}`,
    () => failing(code),
    2,
  ]),
  ["a reset before the first byte", () => ({ do: "cut", atByte: 0, how: "reset" }), 1],
  ["a reset in the middle of a call", (of) => ({ do: "cut", atByte: of.midByte, how: "reset" }), 2],
  ["an end in the middle of a call", (of) => ({ do: "cut", atByte: of.midByte, how: "close" }), 2],
  ["no headers", () => ({ do: "hang", after: "accept" }), 1],
  ["headers and then silence", () => ({ do: "hang", after: 0 }), 1],
  ["silence in the middle", (of) => ({ do: "hang", after: of.midByte }), 1],
];

/** What never passes, how often it is tried, and what is said. */
const lasting: [what: string, fault: Fault, tries: number, code: string][] = [
  ["429 for ever", limited(), 5, "rate_limited"],
  ["429 with a wait of a day", limited({ "retry-after": "86400" }), 1, "rate_limited"],
  ["a spend limit", status(429, {}, spent), 1, "quota"],
  ["401", status(401), 1, "unauthorised"],
  ["403", status(403), 1, "unauthorised"],
  ["400", status(400), 1, "rejected"],
  ["404", status(404), 1, "not_found"],
  ["413", status(413), 1, "overflow"],
  ["503 for ever", failing(503), 5, "overloaded"],
  ["resets for ever", { do: "cut", atByte: 700, how: "reset" }, 5, "broken"],
  ["silence for ever", { do: "hang", after: "accept" }, 5, "timeout"],
];
/** Failures that are the request's own: no other model is asked for them. */
const ofTheRequest = new Set(["rejected", "not_found", "overflow"]);

describe.each(dialects)("over $name", (dialect) => {
  it.each(passing)("%s passes, and nothing is run twice or by half", async (_, fault, times) => {
    const stub = await stubOf(dialect, (i) => (i < times ? fault(dialect) : undefined));
    const more = { deadlines: tight };
    const { end, witness, events } = await turnOver({ "a/a": stub.url }, dialect, more);
    expect([stub.requests.length, end?.end, witness]).toEqual([times + 2, "done", ["note"]]);
    const settled = events.flatMap((e) => (e.type === "StepBroken" ? [e.usage] : []));
    expect(settled).toHaveLength(times);
    for (const { input, exact } of settled) expect(input === 0 || !exact).toBe(true);
  });

  it.each(lasting)("%s is tried as often as it is worth", async (_, fault, tries, code) => {
    const stub = await stubOf(dialect, () => fault);
    const more = { deadlines: tight };
    const { end, witness } = await turnOver({ "a/a": stub.url }, dialect, more);
    expect([stub.requests.length, end?.failure?.code, witness]).toEqual([tries, code, []]);
    if (code === "timeout") expect(end?.failure?.say).toContain("(connect)");
  });

  it.each(lasting)("%s ends in the answer of the next model", async (_, fault, tries, code) => {
    const bad = await stubOf(dialect, () => fault);
    const good = await stubOf(dialect, () => undefined);
    const urls = { "a/a": bad.url, "b/b": good.url };
    const { end, witness } = await turnOver(urls, dialect, { deadlines: tight });
    expect(bad.requests).toHaveLength(tries);
    if (ofTheRequest.has(code)) {
      expect([end?.end, good.requests.length, witness]).toEqual(["failed", 0, []]);
    } else expect([end?.end, good.requests.length, witness]).toEqual(["done", 2, ["note"]]);
  });

  it("a server that is not there, and a chain that is all dead, end in one plain failure", async () => {
    const gone = await dialect.start({ script });
    await gone.close();
    const refusing = await stubOf(dialect, () => status(401));
    const { end } = await turnOver({ "a/a": gone.url, "b/b": refusing.url }, dialect);
    expect(end?.failure).toMatchObject({ code: "unauthorised" });
    expect(end?.failure?.say).toMatch(
      /^no model of the chain answered \(a\/a: .*cannot be reached.*; b\/b: .*\(401\)/,
    );
  });

  it("the breaker opens, is passed by, lets one probe through, and closes", async () => {
    let nowMs = 0;
    let isWell = false;
    const way = gateway({ clock: { nowMs: () => nowMs }, random: () => 0.5 });
    const ill = await stubOf(dialect, () => (isWell ? undefined : failing(503)));
    const good = await stubOf(dialect, () => undefined);
    const urls = { "a/a": ill.url, "b/b": good.url };
    const counts: number[] = [];
    for (const [passMs, well] of [
      [0, false],
      [1_000, false],
      [40_000, false],
      [1_000, false],
      [40_000, true],
      [1_000, true],
    ] as const) {
      nowMs += passMs;
      isWell = well;
      const before = ill.requests.length;
      expect((await turnOver(urls, dialect, { way })).end?.end).toBe("done");
      counts.push(ill.requests.length - before);
    }
    // Five tries open it; closed off; one probe that fails; closed off; a probe that answers; open.
    expect(counts).toEqual([5, 0, 1, 0, 2, 2]);
  });
});
