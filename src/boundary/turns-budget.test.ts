// Budgets in whole turns: a call that a budget has no room for is not made, whoever asks at the same
// time, and the turn says which budget, what was spent and how to raise it.
import { describe, expect, it } from "vitest";
import { memoryLog } from "#boundary/log/memory.ts";
import {
  begin,
  call,
  newWorld,
  partsOver,
  type Say,
  text,
  type World,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { ok } from "#core/failure.ts";
import type { Budgets } from "#core/ledger/budget.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { prompted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";

const never = new AbortController().signal;
const DAY = 20_000;
const DOLLAR = 1_000_000_000;
/** A dollar for a million tokens of either kind: a thousand nano-dollars for one. */
const priced: ModelFacts = {
  price: { input: 1_000, output: 1_000, date: "", source: "" },
  outputTokensMax: 1_000,
};

async function worldAt(atMs = DAY * 86_400_000): Promise<World> {
  const world = newWorld(memoryLog({ node: "n", atOnce: feedAtOnce, now: () => atMs }));
  const { sessions } = partsOver(world, () => ({}));
  await viewsOver(world.log, sessions).open(never);
  return world;
}

/** A runner's parts with these budgets, asking a model of these facts. */
function budgeted(world: World, say: Say, set: Budgets, facts: ModelFacts = priced) {
  const parts = partsOver(world, say);
  return {
    ...parts,
    budgets: { set, now: () => DAY * 86_400_000 },
    async openModel(...asked: Parameters<typeof parts.openModel>) {
      const opened = await parts.openModel(...asked);
      return opened.ok ? ok({ ...opened.value, facts }) : opened;
    },
  };
}
type Parts = ReturnType<typeof budgeted>;

async function eventsIn({ sessions }: Pick<Parts, "sessions">, stream: string) {
  const all: SessionEvent[] = [];
  for await (const page of sessions.read(stream, { after: 0 }, never)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { decoded } of page.value) if (decoded.kind === "event") all.push(decoded.event);
  }
  return all;
}

/** Begins `s` and gives its first two events to these sessions. */
async function beginMany(parts: Parts, streams: readonly string[], parent?: string) {
  if ((await eventsIn(parts, "s")).length === 0) await begin(parts);
  const [first] = await eventsIn(parts, "s");
  if (first?.type !== "SessionStarted") throw new Error("no beginning");
  for (const stream of streams) {
    const events = [{ ...first, ...(parent ? { parent } : {}) }, prompted("do it", `t-${stream}`)];
    const added = await parts.sessions.append(stream, emptySession, events, {
      actor: "user",
      epoch: 0,
    });
    if (!added.ok) throw new Error(added.error.say);
  }
}

const endOf = (events: readonly SessionEvent[]) =>
  events.findLast((event) => event.type === "TurnEnded");

async function spentIn(world: World, within: string) {
  const columns = ["nanoDollars", "tokens", "asideNanoDollars", "asideTokens"];
  const read = await world.log.tables.sums("budgets", [{ where: { within }, columns }]);
  if (!read.ok) throw new Error(read.error.say);
  return read.value[0];
}

/** Asks for another tool after each answer, so that only a limit ends the turn. */
const onAndOn: Say = (request) => ({
  parts: [call(`c${request.messages.length}`, "look")],
  usage: { input: 9_000, cached: 0, output: 1_000, reasoning: 0, exact: true },
});

describe("a turn under a budget", () => {
  it("ends before the call that the budget has no room for, and says which and how to raise it", async () => {
    const world = await worldAt();
    const parts = budgeted(world, onAndOn, { session: { nanoDollars: 30_500_000 } });
    await begin(parts);
    await drive(parts, "s", never);
    const end = endOf(await eventsIn(parts, "s"));
    expect(end).toMatchObject({ end: "limit", failure: { code: "budget" } });
    expect(end?.failure?.say).toMatch(
      /^the budget of a session has no room .*\$0\.03 of \$0\.0305 are spent/,
    );
    expect(end?.failure?.fix).toContain("budget.sessionDollars");
    // Three calls of a cent each; for the twentieth of one that is left nothing was asked.
    expect(world.requests).toHaveLength(3);
    expect(await spentIn(world, "s")).toMatchObject({ nanoDollars: 30_000_000, asideTokens: 0 });
  });

  it.each<[string, Budgets]>([
    ["of tokens", { session: { tokens: 30_000 } }],
    ["of this day", { day: { nanoDollars: 30_000_000 } }],
    ["of this home", { user: { tokens: 30_000 } }],
  ])("keeps to one %s", async (_, set) => {
    const world = await worldAt();
    const parts = budgeted(world, onAndOn, set);
    await begin(parts);
    await drive(parts, "s", never);
    expect(endOf(await eventsIn(parts, "s"))).toMatchObject({ failure: { code: "budget" } });
    expect(world.requests.length).toBeLessThanOrEqual(3);
  });

  it("counts a day by itself, and this home over all days", async () => {
    const world = await worldAt((DAY - 1) * 86_400_000);
    const yesterday = budgeted(world, () => ({ parts: [text("done")] }), {});
    await begin(yesterday);
    await drive(yesterday, "s", never);
    await beginMany(budgeted(world, onAndOn, {}), ["day", "user"]);
    for (const [stream, asked] of [
      ["day", 1],
      ["user", 0],
    ] as const) {
      const before = world.requests.length;
      const tokens = stream === "day" ? 3_000 : 16;
      const parts = budgeted(world, () => ({ parts: [text("done")] }), { [stream]: { tokens } });
      await drive(parts, stream, never);
      expect(world.requests.length - before).toBe(asked);
    }
  });

  it("warns once when most is spent, before it ends or at its end", async () => {
    const world = await worldAt();
    const parts = budgeted(world, onAndOn, { session: { tokens: 105_000 } });
    await begin(parts);
    await drive(parts, "s", never);
    const said = (await eventsIn(parts, "s")).filter((e) => e.type === "BudgetNeared");
    expect(said).toEqual([
      expect.objectContaining({ say: expect.stringMatching(/^8\d % of the budget of a session/) }),
    ]);
    const one = await worldAt();
    const short = budgeted(one, () => ({ parts: [text("done")] }), { session: { tokens: 3_000 } });
    const most: Say = () => ({
      parts: [text("done")],
      usage: { input: 2_500, cached: 0, output: 0, reasoning: 0, exact: true },
    });
    await begin(short);
    await drive(budgeted(one, most, { session: { tokens: 3_000 } }), "s", never);
    const types = (await eventsIn(short, "s")).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(["BudgetNeared", "TurnEnded"]);
  });

  it("holds no model without a price to money: it refuses, or counts tokens and says so", async () => {
    const money = { nanoDollars: DOLLAR };
    const world = await worldAt();
    const refusing = budgeted(world, onAndOn, { day: money }, {});
    await begin(refusing);
    await drive(refusing, "s", never);
    const end = endOf(await eventsIn(refusing, "s"));
    expect(end?.failure).toMatchObject({ code: "budget" });
    expect(end?.failure?.say).toMatch(/^no price is known of .* cannot hold it$/);
    expect(world.requests).toHaveLength(0);

    const other = await worldAt();
    const counting = budgeted(other, onAndOn, { day: { ...money, tokens: 35_000 } }, {});
    await begin(counting);
    await drive(counting, "s", never);
    const events = await eventsIn(counting, "s");
    const told = events.filter((e) => e.type === "BudgetNeared" && /no price/.test(e.say));
    expect(told).toHaveLength(1);
    expect(endOf(events)?.failure?.say).toContain("tokens are spent");
    expect(other.requests.length).toBeGreaterThan(0);
  });

  it("counts what broke, what was called off and what died, and gives back what was set aside", async () => {
    const world = await worldAt();
    const usage = { input: 4_000, cached: 0, output: 0, reasoning: 0, exact: false };
    const failure = { code: "rejected", say: "no" } as const;
    const parts = budgeted(world, () => ({ stop: "broken", failure, usage }), {
      session: { tokens: 100_000 },
    });
    await begin(parts);
    await drive(parts, "s", never);
    expect(await spentIn(world, "s")).toMatchObject({ tokens: 4_000, asideTokens: 0 });

    const dying = await worldAt();
    const stop = new AbortController();
    const dead = budgeted(dying, () => ({}), { session: { tokens: 100_000 } });
    await begin(dead);
    const cut = { ...dead, random: () => 0, openModel: dead.openModel };
    const model = await dead.openModel("m", { signal: never });
    if (!model.ok) throw new Error(model.error.say);
    const { port } = model.value;
    const hanging = {
      ...port,
      // Its process dies here: nothing of the call is ever appended.
      async *call() {
        stop.abort();
        yield* [];
        await new Promise(() => {});
      },
    };
    const openModel = async () => ok({ ...model.value, port: hanging as typeof port });
    void drive({ ...cut, openModel }, "s", stop.signal);
    await stopped(stop.signal);
    const aside = await spentIn(dying, "s");
    expect(aside?.asideTokens).toBeGreaterThan(1_000);
    dying.leases.close();
    const after = budgeted(
      { ...dying, leases: newWorld().leases },
      () => ({ parts: [text("ok")] }),
      {
        session: { tokens: 100_000 },
      },
    );
    await drive(after, "s", never);
    const [died] = (await eventsIn(after, "s")).filter((e) => e.type === "StepBroken");
    expect(died?.usage).toMatchObject({ output: 1_000, exact: false, cost: { whole: true } });
    const sum = await spentIn(dying, "s");
    expect(sum).toMatchObject({ tokens: (died?.usage.input ?? 0) + 1_000 + 15, asideTokens: 0 });
  });
});

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

describe("many sessions at once", () => {
  it.each([
    ["no more than their budget, where none takes more than was set aside", 1_000],
    ["what the calls under way took beyond that at most, where they do", 5_000],
  ])("spend %s", async (_, takes) => {
    const world = await worldAt();
    const names = Array.from({ length: 50 }, (_, i) => `p${i}`);
    let open = 0;
    let most = 0;
    const parts = budgeted(world, (request) => ({ ...onAndOn(request), usage: taking(takes) }), {
      user: { tokens: 20_000 },
    });
    const asides: number[] = [];
    const openModel: Parts["openModel"] = async (...asked) => {
      const opened = await parts.openModel(...asked);
      if (!opened.ok) return opened;
      const { port } = opened.value;
      const counting = {
        ...port,
        async *call(...given: Parameters<typeof port.call>) {
          open += 1;
          most = Math.max(most, open);
          const sums = await spentIn(world, "user:");
          asides.push(Number(sums?.asideTokens) / open);
          yield* port.call(...given);
          open -= 1;
        },
      };
      return ok({ ...opened.value, port: counting });
    };
    await beginMany(parts, names);
    await Promise.all(names.map((name) => drive({ ...parts, openModel }, name, never)));
    const sum = await spentIn(world, "user:");
    const aside = Math.min(...asides);
    expect(most).toBeGreaterThan(2);
    expect(sum?.asideTokens).toBe(0);
    expect(sum?.tokens).toBeGreaterThan(20_000 - 3_000);
    expect(sum?.tokens).toBeLessThanOrEqual(20_000 + most * Math.max(0, takes - aside));
    for (const name of names) {
      const end = endOf(await eventsIn(parts, name));
      expect(end).toMatchObject({ end: "limit", failure: { code: "budget" } });
    }
  });

  it("a child counts in its parent's budget, and its own is smaller", async () => {
    const world = await worldAt();
    const parts = budgeted(world, onAndOn, {
      session: { tokens: 60_000 },
      child: { tokens: 20_500 },
    });
    await beginMany(parts, ["kid", "kid2"], "s");
    await drive(parts, "kid", never);
    const end = endOf(await eventsIn(parts, "kid"));
    expect(end?.failure?.say).toContain("the budget of a child");
    expect(await spentIn(world, "kid")).toMatchObject({ tokens: 20_000 });
    expect(await spentIn(world, "s")).toMatchObject({ tokens: 20_000 });
    await Promise.all(["s", "kid2"].map((stream) => drive(parts, stream, never)));
    const family = await spentIn(world, "s");
    expect(family?.tokens).toBeLessThanOrEqual(60_000 + 2 * 10_000);
    expect(endOf(await eventsIn(parts, "s"))?.failure?.say).toContain("the budget of a session");
  });
});

const taking = (input: number) => ({ input, cached: 0, output: 0, reasoning: 0, exact: true });
