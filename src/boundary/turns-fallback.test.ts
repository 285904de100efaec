// A step whose model cannot answer: the next of the chain is asked for the same step, as events, and
// it ends in an answer or in one plain failure that names what each model said.
import { describe, expect, it } from "vitest";
import type { ModelPort, ModelRequest } from "#boundary/models/port.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import type { TurnParts } from "#boundary/turn/parts.ts";
import {
  begin,
  call,
  modelOf,
  newWorld,
  partsOver,
  type Say,
  text,
  type World,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { type FailureCode, fail, ok } from "#core/failure.ts";
import type { Price } from "#core/model/money.ts";
import type { SessionEvent } from "#core/session/events.ts";

const never = new AbortController().signal;
const rest = { ok: true, value: "rest" };
const price: Price = { input: 100, output: 1_000, date: "2026-01-01", source: "a test" };

/** What each model of the chain says, and whom it was asked. */
type Models = Record<string, Say>;

const broken =
  (code: FailureCode, more: object = {}): Say =>
  () => ({ stop: "broken", failure: { code, say: `it is ${code}`, ...more } });
const answer: Say = () => ({ parts: [text("here")] });

function partsWith(world: World, models: Models, chain: readonly string[]) {
  const [asked, opened]: [string[], string[]] = [[], []];
  const base = partsOver(world, answer);
  const parts: typeof base = {
    ...base,
    async openModel(name) {
      opened.push(name);
      const say = models[name];
      if (!say) return fail("no_model", `${name} has no key`);
      const told: Say = (request: ModelRequest) => {
        asked.push(name);
        return say(request);
      };
      const port: ModelPort = modelOf(world, told, async () => {});
      return ok({ port, model: "m", facts: { price } });
    },
    modelsFor: async (name) =>
      ok([...new Set([name === "scripted/test" ? "a/a" : name, ...chain])]),
  };
  return { parts, asked, opened };
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

async function driven(models: Models, chain: readonly string[], alter?: (p: TurnParts) => void) {
  const world = newWorld();
  const { parts, asked, opened } = partsWith(world, models, chain);
  alter?.(parts);
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  const events = await eventsOf(world);
  const steps = events.flatMap((e) =>
    e.type === "StepStarted" || e.type === "StepBroken" || e.type === "StepCompleted"
      ? [[e.type, e.step, e.attempt, e.model]]
      : [],
  );
  return { world, asked, opened, events, steps, last: events.at(-1) };
}

describe("a step whose model cannot answer", () => {
  it("is asked of the next model, as events, and the turn stays with the one that answers", async () => {
    const twice: Say = (request) => ({
      parts:
        request.messages.at(-1)?.role === "user" ? [call("c1", "look")] : [text("all is well")],
    });
    const { steps, events, asked } = await driven({ "a/a": broken("quota"), "b/b": twice }, [
      "b/b",
    ]);
    expect(steps).toEqual([
      ["StepStarted", 1, 1, "a/a"],
      ["StepBroken", 1, 1, "a/a"],
      ["StepStarted", 1, 2, "b/b"],
      ["StepCompleted", 1, 2, "b/b"],
      ["StepStarted", 2, 1, "b/b"],
      ["StepCompleted", 2, 1, "b/b"],
    ]);
    expect(asked).toEqual(["a/a", "b/b", "b/b"]);
    const gaveUp = events.find((e) => e.type === "StepBroken");
    expect(gaveUp).toMatchObject({ next: "b/b", failure: { fix: "b/b is asked instead" } });
    expect(events.some((e) => e.type === "ModelSwitched")).toBe(false);
  });

  it("is tried as often as it is worth before, and each model has its own tries", async () => {
    for (const code of [
      "overloaded",
      "unreachable",
      "timeout",
      "broken",
      "rate_limited",
    ] as const) {
      const says = { "a/a": broken(code), "b/b": broken(code), "c/c": answer };
      const { asked, last } = await driven(says, ["b/b", "c/c"]);
      expect([code, asked.filter((name) => name === "a/a").length]).toEqual([code, 5]);
      expect([code, asked.filter((name) => name === "b/b").length]).toEqual([code, 5]);
      expect(last).toMatchObject({ type: "TurnEnded", end: "done" });
    }
  });

  it("opens no other model while it is only tried again", async () => {
    let tries = 0;
    const says: Say = (request) =>
      tries++ < 2 ? broken("overloaded")(request) : { parts: [text("here")] };
    const { opened, asked } = await driven({ "a/a": says, "b/b": answer }, ["b/b"]);
    expect(asked).toEqual(["a/a", "a/a", "a/a"]);
    expect(opened).toEqual(asked);
  });

  it("goes to another key at once, also where the first is left alone", async () => {
    let tries = 0;
    const alone = broken("overloaded", { detail: { breaker: "open", inMs: 20_000 } });
    const says: Say = (request) =>
      tries++ === 0 ? { ...alone(request), otherKey: true } : { parts: [text("here")] };
    const { asked } = await driven({ "a/a": says, "b/b": answer }, ["b/b"]);
    expect(asked).toEqual(["a/a", "a/a"]);
  });

  it("ends in one failure that says what each model said, and what can be done", async () => {
    const says = { "a/a": broken("quota"), "b/b": broken("unauthorised", { fix: "set its key" }) };
    const { last, asked } = await driven(says, ["b/b", "c/c"]);
    expect(asked).toEqual(["a/a", "b/b"]);
    expect(last).toMatchObject({
      type: "TurnEnded",
      end: "failed",
      failure: {
        code: "unauthorised",
        say: "no model of the chain answered (a/a: it is quota; b/b: it is unauthorised)",
        fix: "set its key",
      },
    });
  });

  it("is not asked of another model where the request is at fault", async () => {
    for (const code of ["rejected", "not_found", "too_large"] as const) {
      const { asked, last } = await driven({ "a/a": broken(code), "b/b": answer }, ["b/b"]);
      expect([code, asked]).toEqual([code, ["a/a"]]);
      expect(last).toMatchObject({ end: "failed", failure: { say: `it is ${code}` } });
    }
  });

  it("goes past a model that cannot be opened, and says all where none can", async () => {
    const { asked } = await driven({ "c/c": answer }, ["b/b", "c/c"]);
    expect(asked).toEqual(["c/c"]);
    const { last } = await driven({}, ["b/b"]);
    expect(last).toMatchObject({
      end: "failed",
      failure: {
        say: "no model of the chain can be asked (a/a: a/a has no key; b/b: b/b has no key)",
      },
    });
  });

  it("does not wait for an endpoint that is left alone anyway", async () => {
    const alone = broken("overloaded", { detail: { breaker: "open", inMs: 20_000 } });
    const { asked } = await driven({ "a/a": alone, "b/b": answer }, ["b/b"]);
    expect(asked).toEqual(["a/a", "b/b"]);
  });

  it("is tried at once with another key", async () => {
    let tries = 0;
    const says: Say = () => {
      tries += 1;
      if (tries > 1) return { parts: [text("here")] };
      return { stop: "broken", failure: { code: "unauthorised", say: "no" }, otherKey: true };
    };
    const { asked, events } = await driven({ "a/a": says, "b/b": answer }, ["b/b"]);
    expect(asked).toEqual(["a/a", "a/a"]);
    expect(events.find((e) => e.type === "StepBroken")).toMatchObject({ retryInMs: 0 });
  });

  it("goes to the model that the user chose meanwhile, not to the chain's", async () => {
    const world = newWorld();
    const sessions = sessionsOver({ log: world.log, blobs: world.blobs, fingerprint: "test" });
    const { parts, asked } = partsWith(
      world,
      { "a/a": broken("quota"), "b/b": answer, "u/u": answer },
      ["b/b"],
    );
    const { openModel } = parts;
    const switching: typeof parts = {
      ...parts,
      async openModel(name, options) {
        const opened = await openModel(name, options);
        if (!opened.ok || name !== "a/a") return opened;
        const { port } = opened.value;
        const slow: ModelPort = {
          ...port,
          async *call(wire, options) {
            await sessions.command("s", { type: "SwitchModel", model: "u/u" });
            yield* port.call(wire, options);
          },
        };
        return ok({ ...opened.value, port: slow });
      },
    };
    await begin(switching);
    expect(await drive(switching, "s", never)).toEqual(rest);
    expect(asked).toEqual(["a/a", "u/u"]);
  });
});

describe("what a step cost", () => {
  it("is fixed in its event, broken ones included", async () => {
    const { events } = await driven({ "a/a": broken("quota"), "b/b": answer }, ["b/b"]);
    const costs = events.flatMap((e) =>
      e.type === "StepBroken" || e.type === "StepCompleted" ? [e.usage.cost] : [],
    );
    const nanoDollars = 10 * 100 + 5 * 1_000;
    expect(costs).toEqual([
      { nanoDollars, whole: true },
      { nanoDollars, whole: true },
    ]);
  });
});
