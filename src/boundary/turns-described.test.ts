// What a turn goes by of the model that is really asked: its window and its family, first in the log
// and then in what is done, whether the user named it, a route did, or a chain of fallbacks.
import { describe, expect, it } from "vitest";
import {
  begin,
  call,
  eventsOf,
  modelOf,
  newWorld,
  partsOver,
  type Say,
  text,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { noUsage } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";

const never = new AbortController().signal;

/** A session whose models have these facts, and say this. */
async function sessionWith(
  models: Record<string, { facts?: ModelFacts; found?: string }>,
  say: (model: string) => Say,
  chain: string[] = [],
) {
  const world = newWorld();
  const uses: string[] = [];
  const parts: ReturnType<typeof partsOver> = {
    ...partsOver(world, () => ({})),
    async openModel(model) {
      return ok({ port: modelOf(world, say(model), async () => {}), model, ...models[model] });
    },
    async modelsFor(name, use) {
      uses.push(use);
      return ok(chain.length > 0 ? chain : [name]);
    },
  };
  await begin(parts);
  const events = () => eventsOf(parts);
  async function turn(turn: string, model?: string) {
    const s = await parts.sessions.fold("s");
    if (!s.ok) throw new Error(s.error.say);
    const by = { actor: "user", epoch: s.value.epoch };
    const switched: SessionEvent[] = model ? [{ type: "ModelSwitched", model }] : [];
    const prompt = { type: "TurnStarted", turn, text: "more", attachments: [] } as const;
    await parts.sessions.append("s", s.value, [...switched, prompt], by);
    expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "rest" });
  }
  return { parts, events, turn, uses };
}

const answer: Say = () => ({ parts: [text("ok")], usage: { ...noUsage, input: 3_000, output: 9 } });
const only = (events: readonly SessionEvent[], ...types: string[]) =>
  events.filter(({ type }) => types.includes(type));

describe("the window of the model that is asked", () => {
  it("is in the log before it counts, and only where it is smaller than the limit", async () => {
    const small = { facts: { windowTokens: 4_000 } };
    const models = { "scripted/test": { facts: { windowTokens: 50_000 } }, "a/small": small };
    const { parts, events, turn } = await sessionWith(models, () => answer);
    await drive(parts, "s", never);
    for (const name of ["t2", "t3", "t4", "t5"]) await turn(name);
    const before = await events();
    expect(only(before, "ModelDescribed", "Compacted")).toEqual([]);
    await turn("t6", "a/small");
    const after = (await events()).slice(before.length);
    const told = only(after, "ModelDescribed", "Compacted", "StepStarted", "TurnEnded");
    expect(told).toMatchObject([
      { type: "ModelDescribed", model: "a/small", windowTokens: 4_000 },
      { type: "StepStarted", model: "a/small" },
      { type: "TurnEnded" },
    ]);
    await turn("t7", "scripted/test");
    const back = only(await events(), "ModelDescribed").at(-1);
    expect(back).toMatchObject({ model: "scripted/test", windowTokens: null });
  });

  it("has old messages shortened before the first request that would not fit", async () => {
    const models = { "a/small": { facts: { windowTokens: 3_100 } } };
    const { parts, events, turn } = await sessionWith(models, () => answer);
    await drive(parts, "s", never);
    for (const name of ["t2", "t3", "t4", "t5"]) await turn(name);
    const before = (await events()).length;
    await turn("t6", "a/small");
    const told = only((await events()).slice(before), "ModelDescribed", "Compacted", "StepStarted");
    expect(told.map(({ type }) => type)).toEqual(["ModelDescribed", "Compacted", "StepStarted"]);
  });
});

describe("what a probe found", () => {
  it("is said once for a session and model", async () => {
    const found = "test calls no tools; tools go through its text";
    const models = { "scripted/test": { facts: { calls: "text" as const }, found } };
    const { parts, events, turn } = await sessionWith(models, () => answer);
    await drive(parts, "s", never);
    await turn("t2");
    expect(only(await events(), "ModelDescribed")).toMatchObject([{ calls: "text", say: found }]);
  });
});

describe("a model that a route or a fallback names", () => {
  const chain = ["openai/gpt-5", "anthropic/claude-opus-5"];

  it("has the tools of its own family before it is asked", async () => {
    const down: Say = () => ({ stop: "broken", failure: { code: "unauthorised", say: "no" } });
    const say = (model: string) => (model.startsWith("openai/") ? down : answer);
    const { parts, events } = await sessionWith({}, say, chain);
    await drive(parts, "s", never);
    expect(only(await events(), "ToolsChanged", "StepStarted")).toMatchObject([
      { type: "ToolsChanged", surface: "gpt" },
      { type: "StepStarted", model: "openai/gpt-5" },
      { type: "ToolsChanged", surface: "claude" },
      { type: "StepStarted", model: "anthropic/claude-opus-5" },
    ]);
  });

  it("is chosen once for a turn, however much the log has to say before", async () => {
    let calls = 0;
    const twice: Say = () =>
      calls++ === 0 ? { parts: [call("c1", "note")], stop: "calls" } : { parts: [text("ok")] };
    const models = { "openai/gpt-5": { facts: { windowTokens: 4_000 } } };
    const { parts, uses } = await sessionWith(models, () => twice, chain);
    await drive(parts, "s", never);
    expect(uses.filter((use) => use === "begin")).toHaveLength(1);
  });
});
