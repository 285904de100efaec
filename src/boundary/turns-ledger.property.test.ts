// The ledger over many calls of every ending, through the real runner, a SQLite log and its views: what
// it says is what the provider counted, to the token and the nano-dollar. Where the provider did not
// count to the end it is never less. Ten thousand calls; more by AIEX_LEDGER_CALLS, others by AIEX_SEED.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import type { ModelEnd, ModelPort, ModelRequest } from "#boundary/models/port.ts";
import type { ModelOpened, TurnParts } from "#boundary/turn/parts.ts";
import { begin, call, newWorld, partsOver, text, type World } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import type { FailureCode } from "#core/failure.ts";
import { fail, ok } from "#core/failure.ts";
import { reconcile } from "#core/ledger/reconcile.ts";
import type { Stop, Usage } from "#core/model/message.ts";
import type { Price } from "#core/model/money.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { prompted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";
import type { Row } from "#core/views/view.ts";

const CALLS = Number(process.env.AIEX_LEDGER_CALLS ?? 10_000);
const SEED = Number(process.env.AIEX_SEED ?? 1);
const TURNS_OF_A_SESSION = 4;
/** Turns that run at once. */
const LANES = 8;
const DAYS = 10;
const DAY_MS = 86_400_000;
const never = new AbortController().signal;

/** In memory where the system has a folder for that: what is shown here is no power cut. */
const base = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "aiex-ledger-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Mulberry32 (public domain): a small generator, the same for the same seed everywhere. */
function dice(seed: number) {
  let a = seed >>> 0;
  const next = (): number => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, of: <T>(all: readonly T[]): T => all[below(all.length)] as T };
}

const prices: Record<string, Price> = {
  "p/one": { ...{ input: 3_000, cached: 300, written: 3_750, output: 15_000 }, ...dated() },
  "p/two": {
    ...{ input: 250, cached: 25, output: 2_001, ...dated() },
    above: { tokens: 50_000, input: 501, output: 3_003 },
  },
};
function dated() {
  return { date: "2026-01-01", source: "here" };
}

/** What tokens cost, said again in other words than the product's. */
function costs(model: string, u: Usage): bigint | null {
  const price = prices[model];
  if (!price) return null;
  const rates = price.above && u.input > price.above.tokens ? price.above : price;
  const written = u.written ?? 0;
  const of = (tokens: number, rate: number) => BigInt(tokens) * BigInt(rate);
  return (
    of(u.input - u.cached - written, rates.input) +
    of(u.cached, rates.cached ?? rates.input) +
    of(written, rates.written ?? rates.input) +
    of(u.output, rates.output)
  );
}

/** What the provider counted, by day and model. */
type Counted = { calls: number; input: number; cached: number; output: number; nano: bigint };
type Truth = Map<string, Counted>;

function count(truth: Truth, day: number, model: string, u: Usage): void {
  const key = `${day} ${model}`;
  const sum = truth.get(key) ?? { calls: 0, input: 0, cached: 0, output: 0, nano: 0n };
  truth.set(key, {
    calls: sum.calls + 1,
    input: sum.input + u.input,
    cached: sum.cached + u.cached,
    output: sum.output + u.output,
    nano: sum.nano + (costs(model, u) ?? 0n),
  });
}

type Ending =
  | { kind: "answers"; stop: Stop; calls: number }
  | { kind: "breaks"; code: FailureCode; counted: boolean }
  | { kind: "isCancelled" }
  | { kind: "dies" };

const answers = (stop: Stop, calls = 0): Ending => ({ kind: "answers", stop, calls });
const breaks = (code: FailureCode, counted: boolean): Ending => ({ kind: "breaks", code, counted });

/** Every way in which a call ends; some models only ever answer. */
const good: readonly Ending[] = [
  ...[answers("done"), answers("done"), answers("calls", 1), answers("calls", 2)],
  ...[answers("length"), answers("refused"), answers("filtered"), answers("paused")],
];
const all: readonly Ending[] = [
  ...good,
  ...[answers("overflow"), breaks("broken", false), breaks("broken", true)],
  ...[breaks("overloaded", true), breaks("rate_limited", true), breaks("timeout", false)],
  ...[breaks("quota", true), breaks("rejected", true), { kind: "isCancelled" } as const],
  { kind: "dies" },
];

/** A provider that counts, and the home that asks it. */
async function house() {
  const rolled = dice(SEED);
  const clock = { day: 20_000 };
  const now = () => clock.day * DAY_MS + 1;
  const file = join(base, `${SEED}.db`);
  const log = sqliteLog(file, { node: "n", atOnce: feedAtOnce, now });
  if (!log.ok) throw new Error(log.error.say);
  const world = newWorld(log.value);
  const truth: Truth = new Map();
  const state = { calls: 0, probes: 0, inexact: 0 };
  /** Told when a call is under way that is to be called off, or to be orphaned. */
  const held = new Map<string, (how: "cancel" | "kill") => void>();

  function usageNow(): Usage {
    const input = 1 + rolled.below(90_000);
    const cached = rolled.below(input);
    const written = rolled.below(2) * rolled.below(input - cached + 1);
    const output = rolled.below(9_000);
    const counts = { input, cached, output, reasoning: rolled.below(output + 1), exact: true };
    return written > 0 ? { ...counts, written } : counts;
  }

  function endOf(ending: Ending): Omit<ModelEnd, "type"> {
    if (ending.kind === "answers") {
      const calls = Array.from({ length: ending.calls }, (_, i) =>
        call(`c${state.calls}-${i}`, rolled.of(["look", "note"])),
      );
      const stop = ending.stop === "calls" && calls.length === 0 ? "done" : ending.stop;
      // Some answers are too long for a record: their bodies lie in blobs.
      const words = rolled.below(100) === 0 ? "long ".repeat(14_000) : "so it is";
      return { stop, parts: [text(words), ...calls], usage: usageNow() };
    }
    const counted = ending.kind === "breaks" && ending.counted;
    if (!counted) state.inexact += 1;
    const usage = counted ? usageNow() : { ...usageNow(), exact: false };
    const code = ending.kind === "breaks" ? ending.code : "cancelled";
    const failure = fail(code, "as it was rolled").error;
    return { stop: "broken", parts: [], usage, failure };
  }

  function portOf(model: string): ModelPort {
    return {
      name: model,
      encode: ({ blobs: _, ...plain }) => ({ path: "/", body: JSON.stringify(plain) }),
      async *call(wire, { signal }) {
        state.calls += 1;
        const { cacheKey = "" } = JSON.parse(wire.body) as ModelRequest;
        const ending = rolled.of(model === "p/one" ? good : all);
        yield { type: "text", text: "…" };
        if (ending.kind === "dies" || ending.kind === "isCancelled") {
          held.get(cacheKey)?.(ending.kind === "dies" ? "kill" : "cancel");
          await aborted(signal);
        }
        const end = endOf(ending);
        // Of a call that died nobody hears: the log has only what was set aside for it.
        if (ending.kind !== "dies") count(truth, clock.day, model, end.usage);
        else state.inexact -= 1;
        yield { type: "end", ...end };
      },
    };
  }

  async function open(name: string, probed?: (usage: Usage) => void): Promise<ModelOpened> {
    if (probed && rolled.below(200) === 0) {
      const usage = usageNow();
      const cost = costs(name, usage);
      const money = cost === null ? {} : { cost: { nanoDollars: Number(cost), whole: true } };
      count(truth, clock.day, name, usage);
      state.probes += 1;
      probed({ ...usage, ...money });
    }
    const price = prices[name];
    return { port: portOf(name), model: name, facts: price ? { price } : {} };
  }

  const fresh = (): TurnParts & Pick<World, "leases"> => ({
    ...partsOver(world, () => ({})),
    budgets: { set: { day: { tokens: 1e12, nanoDollars: 1e15 }, user: { tokens: 1e13 } }, now },
    openModel: async (name, { probed }) => ok(await open(name, probed)),
    modelsFor: async (name, use) => ok(use === "begin" ? [name] : [name, "p/two", "p/bare"]),
  });
  return { world, truth, state, held, clock, rolled, fresh };
}
type House = Awaited<ReturnType<typeof house>>;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** One turn to its end, however often its process dies. */
async function turn(at: House, stream: string, id: string): Promise<void> {
  const user = at.fresh();
  const before = await user.sessions.fold(stream);
  if (!before.ok) throw new Error(before.error.say);
  const by = { actor: "user", epoch: 0 };
  const added = await user.sessions.append(stream, before.value, [prompted("go", id)], by);
  if (!added.ok) throw new Error(added.error.say);
  for (let rests = false; !rests; ) {
    const process = new AbortController();
    at.held.set(stream, (how) => {
      if (how === "kill") process.abort();
      else void user.sessions.command(stream, { type: "Cancel", why: "enough" });
    });
    const driven = await drive(at.fresh(), stream, process.signal);
    if (!driven.ok) throw new Error(driven.error.say);
    rests = driven.value === "rest";
  }
}

async function lane(at: House, name: string, more: () => boolean): Promise<void> {
  for (let session = 0; more(); session += 1) {
    const stream = `${name}-${session}`;
    const parts = at.fresh();
    const [first] = await startIn(parts);
    if (first?.type !== "SessionStarted") throw new Error("no beginning");
    const model = at.rolled.of(["p/one", "p/two", "p/bare"]);
    const events = [{ ...first, model, limits: { contextTokens: 1e9, stepsPerTurn: 12 } }];
    const added = await parts.sessions.append(stream, emptySession, events, {
      actor: "user",
      epoch: 0,
    });
    if (!added.ok) throw new Error(added.error.say);
    for (let i = 0; i < TURNS_OF_A_SESSION && more(); i += 1) await turn(at, stream, `t${i}`);
  }
}

/** The beginning that all sessions share. */
async function startIn(parts: TurnParts): Promise<SessionEvent[]> {
  const known = await parts.sessions.fold("s");
  if (known.ok && known.value.version === 0) await begin(parts).catch(() => {});
  return await allOf(parts, "s");
}

async function allOf(parts: Pick<TurnParts, "sessions">, stream: string) {
  return (await recordsOf(parts, stream)).map(({ event }) => event);
}

async function recordsOf({ sessions }: Pick<TurnParts, "sessions">, stream: string) {
  const found: { day: number; event: SessionEvent }[] = [];
  for await (const page of sessions.read(stream, { after: 0 }, never)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { record, decoded } of page.value) {
      const day = Math.floor(record.at / DAY_MS);
      if (decoded.kind === "event") found.push({ day, event: decoded.event });
    }
  }
  return found;
}

/** Adds to the truth what was set aside for each call whose process died; answers how many. */
async function addTheDead(at: House): Promise<number> {
  const parts = at.fresh();
  const streams = await at.world.log.streams("", 1_000_000);
  if (!streams.ok) throw new Error(streams.error.say);
  let dead = 0;
  for (const stream of streams.value) {
    let aside = { reserved: 0, output: 0 };
    for (const { day, event } of await recordsOf(parts, stream)) {
      if (event.type === "StepStarted") aside = { ...event, output: event.output ?? 0 };
      if (event.type !== "StepBroken" || !event.failure.say.startsWith("Aiex stopped")) continue;
      dead += 1;
      const { reserved: input, output } = aside;
      count(at.truth, day, event.model, { input, cached: 0, output, reasoning: 0, exact: false });
    }
  }
  return dead;
}

describe(`${CALLS} calls of every ending (seed ${SEED})`, () => {
  it("are in the ledger as they were counted: difference 0", { timeout: 900_000 }, async () => {
    const at = await house();
    const { world, truth, state } = at;
    const views = viewsOver(world.log, at.fresh().sessions);
    expect(await views.open(never)).toMatchObject({ ok: true });
    await startIn(at.fresh());
    for (let day = 1; day <= DAYS; day += 1) {
      // A day is over when nothing of it is under way.
      const more = () => state.calls < (day * CALLS) / DAYS;
      const lanes = Array.from({ length: LANES }, (_, i) => lane(at, `d${day}l${i}`, more));
      await Promise.all(lanes);
      at.clock.day += 1;
    }
    const dead = await addTheDead(at);
    const rows = async (view: string): Promise<Row[]> => {
      expect(await views.catchUp(view, never)).toMatchObject({ ok: true });
      const found = await world.log.tables.rows(view, { limit: 1_000_000 });
      return found.ok ? found.value : [];
    };

    const usage = await rows("usage");
    const said = Map.groupBy(usage, ({ day, model }) => `${day} ${model}`);
    const sums = new Map(
      [...said].map(([key, of]) => {
        const sum = (name: string) => of.reduce((n, row) => n + Number(row[name]), 0);
        const nano = of.reduce((n, row) => n + BigInt(Number(row.nanoDollars)), 0n);
        const [calls, input] = [sum("calls"), sum("input")];
        return [key, { calls, input, cached: sum("cached"), output: sum("output"), nano }];
      }),
    );
    expect(sums).toEqual(truth);

    // Every ending was met, and nothing but what no provider counted is called inexact.
    const total = (name: string) => usage.reduce((n, row) => n + Number(row[name]), 0);
    expect(total("calls")).toBe(state.calls + state.probes);
    expect(total("inexact")).toBe(state.inexact + dead);
    expect(Math.min(dead, state.probes, state.inexact)).toBeGreaterThan(CALLS / 1_000);

    // The sums that hold budgets agree with those that people read, and nothing is set aside any more.
    const columns = ["nanoDollars", "tokens", "asideTokens", "asideNanoDollars"];
    const names = ["user:", ...new Set(usage.map(({ day }) => `day:${day}`))];
    const queries = names.map((within) => ({ where: { within }, columns }));
    const held = await world.log.tables.sums("budgets", queries);
    const [user, ...days] = held.ok ? held.value : [];
    const nanoDollars = total("nanoDollars");
    const tokens = total("input") + total("output");
    const whole = { nanoDollars, tokens, asideTokens: 0, asideNanoDollars: 0 };
    expect(user).toEqual(whole);
    expect(days.reduce((n, sum) => n + Number(sum.nanoDollars), 0)).toBe(nanoDollars);

    // Beside the provider's export no line differs; and what was fed is what a rebuild makes of it.
    const theirs = [...truth].map(([key, { calls: requests, nano, ...counts }]) => {
      const [day = "", model = ""] = key.split(" ");
      return { day: Number(day), model, requests, ...counts, nanoDollars: Number(nano) };
    });
    const ours = usage.map((row) => ({
      ...{ day: Number(row.day), model: String(row.model), calls: Number(row.calls) },
      ...{ input: Number(row.input), output: Number(row.output), inexact: 0, unpriced: 0 },
      nanoDollars: Number(row.nanoDollars),
    }));
    const compared = reconcile(theirs, ours, { provider: "p", percent: 0 });
    expect(
      compared.lines.filter(({ difference }) => Object.values(difference).some(Boolean)),
    ).toEqual([]);
    const before = { usage, steps: await rows("steps"), budgets: await rows("budgets") };
    expect(await views.rebuild(() => {}, never)).toMatchObject({ ok: true });
    const after = { usage: await rows("usage"), steps: await rows("steps") };
    expect({ ...after, budgets: await rows("budgets") }).toEqual(before);
    await world.log.close();
  });
});
