// The turn runner where something else fails: the log is locked, a runner died before a cancel, a
// call's name comes again, a hook speaks while the user does.
import { expect, it } from "vitest";
import type { EventLog } from "#boundary/log/port.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import {
  answersOf,
  begin,
  call,
  newWorld,
  partsOver,
  type Say,
  text,
  toolsOf,
  type World,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { fail } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { adopted, answered, stepStarted, toolStarted } from "#core/session/samples.ts";

const never = new AbortController().signal;
const rest = { ok: true, value: "rest" };

function sessionsOf({ log, blobs }: World) {
  return sessionsOver({ log, blobs, fingerprint: "test" });
}

async function add(world: World, ...events: SessionEvent[]): Promise<void> {
  const sessions = sessionsOf(world);
  const s = await sessions.fold("s");
  const added = s.ok ? await sessions.append("s", s.value, events, { actor: "x", epoch: 1 }) : s;
  if (!added.ok) throw new Error(added.error.say);
}

async function eventsOf(world: World): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const page of sessionsOf(world).read("s", { after: 0 }, never)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { decoded } of page.value) if (decoded.kind === "event") events.push(decoded.event);
  }
  return events;
}

/** A log whose append fails as `busy` the first `times` that an event of the type comes. */
function busyAt(type: string, times: number): EventLog {
  const { log } = newWorld();
  let left = times;
  return {
    ...log,
    async append(stream, expected, drafts) {
      if (left === 0 || !drafts.some((draft) => draft.type === type)) {
        return await log.append(stream, expected, drafts);
      }
      left -= 1;
      return fail("busy", "another process kept the log locked for too long");
    },
  };
}

const once =
  (tool: string): Say =>
  (request) => ({ parts: answersOf(request) === 0 ? [call("c1", tool)] : [text("done")] });

it("a keyed call of a dead runner, cancelled since, ends once as not known and is not repeated", async () => {
  const world = newWorld();
  const stop = new AbortController();
  let judged = 0;
  const parts = partsOver(world, once("pay"), {
    judge: () => {
      judged += 1;
      if (judged > 50) stop.abort();
      return { do: "allow", opens: {} };
    },
  });
  await begin(parts);
  const calls = answered([{ id: "c1", tool: "pay" }]);
  await add(world, adopted(1), stepStarted(), calls, toolStarted("c1", "keyed"));
  await add(world, { type: "CancelRequested", why: "enough" });
  expect(await drive(parts, "s", stop.signal)).toEqual(rest);
  expect(world.witness).toEqual([]);
  const ends = (await eventsOf(world)).flatMap((e) => (e.type === "ToolFinished" ? [e.end] : []));
  expect(ends).toEqual(["interrupted"]);
});

it("what a tool did is kept also where the log was locked when it ended", async () => {
  const world = newWorld(busyAt("ToolFinished", 2));
  const parts = partsOver(world, once("note"));
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  const ends = (await eventsOf(world)).flatMap((e) => (e.type === "ToolFinished" ? [e.end] : []));
  expect(ends).toEqual(["ok"]);
});

it("a log that stays locked ends the drive with its reason, and another drive goes on", async () => {
  const world = newWorld(busyAt("ToolFinished", 5));
  const parts = partsOver(world, once("note"));
  await begin(parts);
  expect(await drive(parts, "s", never)).toMatchObject({ error: { code: "busy" } });
  expect(await drive(parts, "s", never)).toEqual(rest);
  expect(world.witness).toEqual(["note"]);
});

it("a call that is slow to end says nothing of a later call with the same name", async () => {
  const world = newWorld();
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const [look, ...others] = toolsOf(world, async () => {});
  if (!look) throw new Error("no tool");
  let looks = 0;
  let looking: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    looking = resolve;
  });
  const slow: typeof look = {
    ...look,
    async prepare(input, context) {
      looks += 1;
      looking();
      if (looks === 1) await gate;
      else open();
      return await look.prepare(input, context);
    },
  };
  const asks = (prompts: number): Say =>
    function say(request) {
      const said = request.messages.filter((m) => m.role === "user").length;
      const last = request.messages.at(-1);
      return {
        parts: said <= prompts && last?.role === "user" ? [call("c1", "look")] : [text("ok")],
      };
    };
  const parts = partsOver(world, asks(2), { place: { tools: [slow, ...others] } });
  await begin(parts);
  const driving = drive(parts, "s", never);
  await begun;
  const sessions = sessionsOf(world);
  const more = { type: "SubmitPrompt", turn: "t2", text: "again", attachments: [] } as const;
  await sessions.command("s", more);
  await sessions.command("s", { type: "Cancel", why: "other way" });
  expect(await driving).toEqual(rest);
  const ends = (await eventsOf(world)).flatMap((e) =>
    e.type === "ToolFinished" || e.type === "TurnEnded" ? [e.end] : [],
  );
  expect(ends).toEqual(["cancelled", "cancelled", "ok", "done"]);
});

it("each turn waits for itself before it tries again", async () => {
  const world = newWorld();
  let tries = 0;
  const parts = partsOver(world, () => {
    tries += 1;
    const failure = { code: "overloaded" as const, say: "try later" };
    return tries % 2 === 1 ? { stop: "broken", failure, retryAfterMs: 1 } : { parts: [text("ok")] };
  });
  await begin(parts);
  const more = { type: "SubmitPrompt", turn: "t2", text: "again", attachments: [] } as const;
  await parts.sessions.command("s", more);
  let waits = 0;
  const { channel } = parts;
  const publish: typeof channel.publish = (topic, item) => {
    if (item.type === "waiting") waits += 1;
    channel.publish(topic, item);
  };
  const counted = { ...parts, channel: { ...channel, publish } };
  expect(await drive(counted, "s", never)).toEqual(rest);
  expect([tries, waits]).toEqual([4, 2]);
});

it("what a hook said before the prompt is kept though the user spoke at the same moment", async () => {
  const world = newWorld();
  const sessions = sessionsOf(world);
  const hooks = {
    name: "h",
    async beforePrompt() {
      await sessions.command("s", { type: "Steer", text: "quick", attachments: [] });
      return "remember the style";
    },
  };
  const parts = partsOver(world, () => ({ parts: [text("ok")] }), { place: { hooks: [hooks] } });
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  const said = (await eventsOf(world)).flatMap((e) => (e.type === "HookRan" ? [e.say] : []));
  expect(said).toEqual(["remember the style"]);
});

it("other tools than the session was told of are an event before they are in a request", async () => {
  const world = newWorld();
  await begin(partsOver(world, once("look")));
  const tools = toolsOf(world, async () => {}).slice(0, 1);
  const parts = partsOver(world, once("look"), { place: { tools } });
  expect(await drive(parts, "s", never)).toEqual(rest);
  const types = (await eventsOf(world)).map((e) => e.type);
  expect(types.filter((type) => type === "ToolsChanged")).toHaveLength(1);
  expect(types.indexOf("ToolsChanged")).toBeLessThan(types.indexOf("StepStarted"));
  expect(world.requests.map((request) => request.tools.map(({ name }) => name))).toEqual([
    ["look"],
    ["look"],
  ]);
});

it("a queued prompt is the user's own word: it starts also after the turn before was cancelled", async () => {
  const world = newWorld();
  const parts = partsOver(world, () => ({ parts: [text("ok")] }));
  await begin(parts);
  const more = { type: "SubmitPrompt", turn: "t2", text: "again", attachments: [] } as const;
  await parts.sessions.command("s", more);
  await parts.sessions.command("s", { type: "Cancel", why: "not this" });
  expect(await drive(parts, "s", never)).toEqual(rest);
  const ends = (await eventsOf(world)).flatMap((e) => (e.type === "TurnEnded" ? [e] : []));
  expect(ends.map(({ turn, end }) => [turn, end])).toEqual([
    ["t1", "cancelled"],
    ["t2", "done"],
  ]);
});

it("a bug while a request is made ends that turn as failed, and the next turn runs", async () => {
  const world = newWorld();
  const parts = partsOver(world, () => ({ parts: [text("fine")] }));
  await begin(parts);
  const port = await parts.openModel("test", { signal: never });
  if (!port.ok) throw new Error(port.error.say);
  const encode = () => {
    throw new Error("no such field");
  };
  const broken = { ...port.value, port: { ...port.value.port, encode } };
  const sick = { ...parts, openModel: async () => ({ ok: true as const, value: broken }) };
  expect(await drive(sick, "s", never)).toEqual(rest);
  expect((await eventsOf(world)).at(-1)).toMatchObject({
    type: "TurnEnded",
    end: "failed",
    failure: { code: "bug", say: expect.stringContaining("no such field") },
  });
  await add(world, { type: "TurnStarted", turn: "t2", text: "again", attachments: [] });
  expect(await drive(parts, "s", never)).toEqual(rest);
  expect((await eventsOf(world)).at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("a bug at the end of a step settles the step before it ends the turn", async () => {
  const world = newWorld();
  const failure = { code: "overloaded" as const, say: "busy" };
  const parts = partsOver(world, () => ({ stop: "broken", failure }));
  await begin(parts);
  const random = () => {
    throw new Error("no dice");
  };
  expect(await drive({ ...parts, random }, "s", never)).toEqual(rest);
  expect((await eventsOf(world)).slice(-2)).toMatchObject([
    { type: "StepBroken", step: 1, retryInMs: null },
    { type: "TurnEnded", end: "failed", failure: { code: "bug" } },
  ]);
});

it("a hook that throws says so: before a tool that is a refusal, elsewhere only a text", async () => {
  const world = newWorld();
  const thrown = async () => {
    throw new Error("hook down");
  };
  const hooks = [{ name: "guard", beforePrompt: thrown, beforeTool: thrown, turnEnded: thrown }];
  const say: Say = (request) =>
    answersOf(request) === 0 ? { parts: [call("c1", "note")] } : { parts: [text("done")] };
  const parts = partsOver(world, say, { place: { hooks } });
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  const events = await eventsOf(world);
  const said = events.flatMap((e) => (e.type === "HookRan" ? [e.say] : []));
  expect(new Set(said)).toEqual(new Set(["the hook itself failed: hook down"]));
  expect(events.find((e) => e.type === "ToolFinished")).toMatchObject({ end: "denied" });
  expect(world.witness).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("an answer that was paused goes on, and the user's side has the last word", async () => {
  const world = newWorld();
  const say: Say = (request) =>
    answersOf(request) === 0
      ? { parts: [text("so far")], stop: "paused" }
      : { parts: [text("and to its end")] };
  const parts = partsOver(world, say);
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  expect(world.requests).toHaveLength(2);
  expect(world.requests[1]?.messages.slice(-2)).toMatchObject([
    { role: "assistant", parts: [{ text: "so far" }] },
    { role: "user", origin: "notice", parts: [{ text: "Go on where you stopped." }] },
  ]);
  expect((await eventsOf(world)).at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("an answer that filled the window is compacted once, and its model told that it was cut", async () => {
  const world = newWorld();
  const isTold = ({ messages }: Parameters<Say>[0]) =>
    messages.some((m) => m.role === "user" && m.origin === "notice");
  const say: Say = (request) => {
    const answers = answersOf(request);
    if (isTold(request)) return { parts: [text("done")] };
    if (answers < 4) return { parts: [call(`c${answers}`, "look")] };
    return { parts: [text("so")], stop: "overflow" };
  };
  const parts = partsOver(world, say);
  await begin(parts);
  expect(await drive(parts, "s", never)).toEqual(rest);
  const events = await eventsOf(world);
  expect(events.filter((e) => e.type === "Compacted")).toHaveLength(1);
  expect(world.requests.at(-1)?.messages.at(-1)).toMatchObject({
    role: "user",
    origin: "notice",
    parts: [{ text: expect.stringContaining("the context was full") }],
  });
  expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});
