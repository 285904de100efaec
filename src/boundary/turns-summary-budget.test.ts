// A summary is a call of a model like any other to the ledger: a budget has room for it or it is not
// made, what it may take is set aside while it is, and where its process dies it counts as that.
import { describe, expect, it } from "vitest";
import { memoryLog } from "#boundary/log/memory.ts";
import {
  begin,
  call,
  modelOf,
  newWorld,
  partsOver,
  type Say,
  text,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { ok } from "#core/failure.ts";
import type { Budgets } from "#core/ledger/budget.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { noUsage } from "#core/model/message.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";

const never = new AbortController().signal;
const DAY_MS = 20_000 * 86_400_000;
const priceOf = (each: number) => ({ input: each, output: each, date: "", source: "" });
/** The model that works is cheap, the one that summarises is dear. In nano-dollars a token. */
const working: ModelFacts = { price: priceOf(1), outputTokensMax: 100 };
const summing: ModelFacts = { price: priceOf(1_000), outputTokensMax: 8_000 };

/** A turn whose context is full after its fourth step, under a budget. */
async function turnUnder(set: Budgets) {
  const world = newWorld(memoryLog({ node: "n", atOnce: feedAtOnce, now: () => DAY_MS }));
  const { sessions } = partsOver(world, () => ({}));
  await viewsOver(world.log, sessions).open(never);
  let answers = 0;
  const say: Say = () => {
    answers += 1;
    const said = [text(`step ${answers} ${"w".repeat(300)}`), call(`c${answers}`, "look")];
    const input = answers === 4 ? 9_000 : 100;
    return { parts: answers > 5 ? [text("done")] : said, usage: { ...noUsage, input, output: 20 } };
  };
  const asides: number[] = [];
  const spent = async () => {
    const columns = ["tokens", "nanoDollars", "asideTokens"];
    const read = await world.log.tables.sums("budgets", [{ where: { within: "s" }, columns }]);
    if (!read.ok) throw new Error(read.error.say);
    return read.value[0] ?? {};
  };
  /** `dies`: the process, in the middle of its first summary. `loses`: the adapter, its connection. */
  async function run({ dies = false, loses = false } = {}): Promise<void> {
    const stop = new AbortController();
    const main = modelOf(world, say, async () => {});
    const sums = modelOf(
      world,
      () => ({ parts: [text("- looked [#5]")] }),
      async () => {},
    );
    const watched: typeof sums = {
      ...sums,
      async *call(...given) {
        asides.push(Number((await spent()).asideTokens));
        if (dies) {
          stop.abort();
          await new Promise(() => {});
        }
        if (loses) throw new Error("the socket is gone");
        yield* sums.call(...given);
      },
    };
    const parts = partsOver(world, say);
    if (answers === 0) await begin(parts, { contextTokens: 10_000, stepsPerTurn: 60 });
    const running = drive(
      {
        ...parts,
        leases: newWorld().leases,
        summariser: "b/small",
        budgets: { set, now: () => DAY_MS },
        openModel: async (name) =>
          name === "b/small"
            ? ok({ port: watched, model: name, facts: summing })
            : ok({ port: main, model: name, facts: working }),
      },
      "s",
      stop.signal,
    );
    if (!dies) await running;
    else await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  }
  const events = async (): Promise<SessionEvent[]> => {
    const all: SessionEvent[] = [];
    for await (const page of sessions.read("s", { after: 0 }, never)) {
      if (!page.ok) throw new Error(page.error.say);
      for (const { decoded } of page.value) if (decoded.kind === "event") all.push(decoded.event);
    }
    return all;
  };
  return { run, events, spent, asides };
}

const only = <T extends SessionEvent["type"]>(all: readonly SessionEvent[], type: T) =>
  all.filter((event): event is EventOf<T> => event.type === type);

describe("a summary under a budget", () => {
  it("is not made where there is no room for it, and the compaction goes on without", async () => {
    const { run, events, asides } = await turnUnder({ session: { nanoDollars: 100_000 } });
    await run();
    const all = await events();
    expect(asides).toEqual([]);
    expect(only(all, "SummaryStarted")).toEqual([]);
    expect(only(all, "SummaryEnded")).toEqual([
      expect.objectContaining({
        usage: noUsage,
        failure: expect.objectContaining({ code: "budget" }),
      }),
    ]);
    expect(only(all, "Compacted")).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
  });

  it("is set aside for while it is made, and given back after it", async () => {
    const { run, spent, asides } = await turnUnder({ session: { tokens: 100_000 } });
    await run();
    expect(asides).toHaveLength(1);
    expect(asides[0]).toBeGreaterThan(500);
    expect(await spent()).toMatchObject({ asideTokens: 0 });
  });

  it("counts as all that was set aside, with its price, where its process died", async () => {
    const { run, events, spent } = await turnUnder({ session: { tokens: 100_000 } });
    await run({ dies: true });
    await run();
    const all = await events();
    const [started] = only(all, "SummaryStarted");
    const [ended] = only(all, "SummaryEnded");
    expect(ended?.usage).toEqual({
      ...noUsage,
      input: started?.reserved,
      output: started?.output,
      exact: false,
      cost: { nanoDollars: started?.costAtMost, whole: true },
    });
    expect(started?.output).toBeGreaterThan(100);
    expect(await spent()).toMatchObject({ asideTokens: 0 });
  });

  it("counts as all that was set aside where its adapter lost it", async () => {
    const { run, events } = await turnUnder({ session: { tokens: 100_000 } });
    await run({ loses: true });
    const all = await events();
    const [started] = only(all, "SummaryStarted");
    expect(only(all, "SummaryEnded")[0]?.usage).toMatchObject({
      input: started?.reserved,
      output: started?.output,
      cost: { nanoDollars: started?.costAtMost, whole: true },
    });
    expect(all.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
  });
});
