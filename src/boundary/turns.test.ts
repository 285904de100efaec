// The turn runner: whatever lands at whatever moment, and whenever it dies, each call has one
// result, nothing runs twice that must not, and the state is what the log says.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryLeases } from "#boundary/lease/memory.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import {
  answersOf,
  begin,
  call,
  newWorld,
  partsOver,
  type Say,
  text,
  type World,
} from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import type { SessionCommand } from "#core/session/commands.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { next } from "#core/session/next.ts";
import type { Session } from "#core/session/state.ts";

const never = new AbortController().signal;

/** One tool of each class, then an answer. */
const script: Say = (request) => {
  const answers = [
    [call("c1", "look"), call("c2", "look")],
    [call("c3", "put"), call("c4", "note"), call("c5", "pay")],
    [text("done")],
  ];
  return { parts: answers[Math.min(answersOf(request), 2)] ?? [] };
};

async function eventsOf(world: World): Promise<SessionEvent[]> {
  const { log, blobs } = world;
  const sessions = sessionsOver({ log, blobs, fingerprint: "reader" });
  const events: SessionEvent[] = [];
  for await (const page of sessions.read("s", { after: 0 }, never)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { decoded } of page.value) if (decoded.kind === "event") events.push(decoded.event);
  }
  return events;
}

async function replayed(world: World): Promise<Session> {
  const { log, blobs } = world;
  const folded = await sessionsOver({ log, blobs, fingerprint: "replay" }).fold("s");
  if (!folded.ok) throw new Error(folded.error.say);
  return folded.value;
}

const counts = (items: readonly string[]): Record<string, number> => {
  const found = Map.groupBy(items, (item) => item);
  return Object.fromEntries([...found].map(([item, all]) => [item, all.length]));
};

/** What must hold of any finished session, however it came there. */
async function expectSound(world: World): Promise<SessionEvent[]> {
  const events = await eventsOf(world);
  const results = counts(events.flatMap((e) => (e.type === "ToolFinished" ? [e.callId] : [])));
  const calls = events.flatMap((e) =>
    e.type === "StepCompleted" ? e.parts.flatMap((p) => (p.type === "call" ? [p.id] : [])) : [],
  );
  for (const id of calls) expect([id, results[id]]).toEqual([id, 1]);
  const started = counts(
    events.flatMap((e) => (e.type === "ToolStarted" && e.effect === "opaque" ? [e.callId] : [])),
  );
  for (const [id, n] of Object.entries(started)) expect([id, n]).toEqual([id, 1]);
  const did = counts(world.witness);
  expect(did.note ?? 0).toBeLessThanOrEqual(1);
  expect(did["pay k1"] ?? 0).toBeLessThanOrEqual(1);
  expect(did.put ?? 0).toBeLessThanOrEqual(1);
  return events;
}

describe("the turn runner", () => {
  it("runs a turn: tools in order, results together, intent before effect, then rests", async () => {
    const world = newWorld();
    const parts = partsOver(world, script);
    await begin(parts);
    expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "rest" });
    const events = await expectSound(world);
    expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
    expect(world.witness).toEqual(["look", "look", "put", "note", "pay k1"]);
    const index = (type: string, callId: string) =>
      events.findIndex((e) => e.type === type && "callId" in e && e.callId === callId);
    expect(index("ToolStarted", "c4")).toBeGreaterThan(index("ToolFinished", "c3"));
  });

  it("begins each request with the exact content of the one before", async () => {
    const world = newWorld();
    const parts = partsOver(world, script);
    await begin(parts);
    await drive(parts, "s", never);
    const kept = world.requests.map(({ messages }) => JSON.stringify(messages));
    for (const [i, request] of kept.slice(1).entries()) {
      expect(request.startsWith(kept[i]?.slice(0, -1) ?? "none")).toBe(true);
    }
  });

  it("can rebuild every request from the log, byte for byte", async () => {
    const world = newWorld();
    const parts = partsOver(world, script);
    await begin(parts);
    await drive(parts, "s", never);
    const steps = (await eventsOf(world)).flatMap((e) => (e.type === "StepStarted" ? [e] : []));
    expect(steps).toHaveLength(3);
    for (const [i, step] of steps.entries()) {
      const wire = await parts.requests.get(step.request.hash);
      const { blobs: _, ...request } = world.requests[i] ?? {};
      expect(wire.ok && JSON.parse(JSON.parse(wire.value).body)).toEqual(request);
    }
  });

  it("asks for permission, waits, and runs exactly what was allowed", async () => {
    const world = newWorld();
    const question = {
      title: "note",
      why: "it leaves",
      what: "note it",
      opens: {},
      hash: "h",
      keys: [],
    };
    const parts = partsOver(world, script, {
      judge: (title) =>
        title === "note" ? { do: "ask", ...question } : { do: "allow", opens: {} },
    });
    await begin(parts);
    const driving = drive(parts, "s", never);
    const ask = await until(parts.sessions, (s) => s.calls.some((open) => open.state === "asked"));
    expect(world.witness).not.toContain("note");
    expect(ask.calls.find((open) => open.ask)?.ask).toMatchObject({ what: "note it" });
    const answer = { callId: "c4", answer: "allow", scope: "once", hash: "h" } as const;
    await parts.sessions.command("s", { type: "AnswerPermission", ...answer });
    expect(await driving).toEqual({ ok: true, value: "rest" });
    expect(world.witness).toContain("note");
    await expectSound(world);
  });

  it("does not run a session that somebody else runs", async () => {
    const world = newWorld();
    const parts = partsOver(world, script);
    await begin(parts);
    const taken = parts.leases.take("s");
    expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "elsewhere" });
    if (taken.ok) taken.value.release();
  });

  it("yields at once to a higher epoch, and stops its tools", async () => {
    const world = newWorld();
    let stopped = false;
    const parts = partsOver(world, () => ({ parts: [call("c1", "wait")] }), {
      place: { tools: [hanging(() => (stopped = true))] },
    });
    await begin(parts);
    const driving = drive(parts, "s", never);
    const s = await until(parts.sessions, (now) => now.calls[0]?.state === "started");
    const by = { actor: "runner", epoch: 2 };
    await parts.sessions.append("s", s, [{ type: "SessionAdopted", epoch: 2, node: "x" }], by);
    expect(await driving).toEqual({ ok: true, value: "deposed" });
    expect(stopped).toBe(true);
  });

  it("tells the model of an unknown tool, and of a tool that fails by a bug", async () => {
    const world = newWorld();
    const broken = { ...hanging(() => {}), prepare: () => Promise.reject(new Error("oops")) };
    const say: Say = (request) =>
      answersOf(request) === 0
        ? { parts: [call("c1", "nothing"), call("c2", "wait")] }
        : { parts: [text("ok")] };
    const parts = partsOver(world, say, { place: { tools: [broken] } });
    await begin(parts);
    await drive(parts, "s", never);
    const said = JSON.stringify(world.requests.at(-1)?.messages);
    expect(said).toContain('there is no tool \\"nothing\\"; the tools are: wait');
    expect(said).toContain("The tool itself failed: oops");
  });

  it("lets hooks speak before the prompt, before and after a tool, and at the end", async () => {
    const world = newWorld();
    let ends = 0;
    const hooks = {
      name: "h",
      beforePrompt: async () => "remember the style",
      beforeTool: async (c: { tool: string }) => (c.tool === "note" ? { deny: "no notes" } : null),
      afterTool: async (c: { tool: string }) => (c.tool === "put" ? "formatted" : null),
      turnEnded: async () => {
        ends += 1;
        return ends === 1 ? "run the tests" : null;
      },
    };
    const parts = partsOver(world, script, { place: { hooks: [hooks] } });
    await begin(parts);
    await drive(parts, "s", never);
    const events = await expectSound(world);
    const said = events.flatMap((e) => (e.type === "HookRan" ? [e.say] : []));
    expect(said).toEqual(["remember the style", "formatted", "no notes", "run the tests"]);
    expect(world.witness).not.toContain("note");
    expect(JSON.stringify(world.requests.at(-1)?.messages)).toContain("run the tests");
  });
});

/** Waits, event by event, until the session is as wanted. */
async function until(
  sessions: { fold(stream: string): Promise<{ ok: boolean } & object> },
  wanted: (s: Session) => boolean,
): Promise<Session> {
  for (let rounds = 0; rounds < 10_000; rounds += 1) {
    const folded = (await sessions.fold("s")) as { ok: true; value: Session };
    if (folded.ok && wanted(folded.value)) return folded.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the session never got there");
}

function hanging(onStop: () => void) {
  return {
    effect: "opaque" as const,
    spec: { name: "wait", about: "waits", schema: {} },
    prepare: async () => ({
      ok: true as const,
      value: {
        access: [],
        effect: "opaque" as const,
        intent: {},
        title: "wait",
        run: ({ signal }: { signal: AbortSignal }) =>
          new Promise<{ failed: boolean; parts: []; facts: [] }>((resolve) => {
            signal.addEventListener("abort", () => {
              onStop();
              resolve({ failed: true, parts: [], facts: [] });
            });
          }),
      },
    }),
  };
}

describe("a runner that dies", () => {
  it("at any await loses nothing, and nothing runs twice that must not", async () => {
    const awaits = await countAwaits();
    expect(awaits).toBeGreaterThan(20);
    for (let dieAt = 1; dieAt <= awaits; dieAt += 1) {
      const world = newWorld();
      await begin(partsOver(world, script));
      await dyingRun(world, dieAt);
      const parts = partsOver({ ...world, leases: memoryLeases() }, script);
      expect([dieAt, await drive(parts, "s", never)]).toEqual([dieAt, { ok: true, value: "rest" }]);
      const events = await expectSound(world);
      expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
      const file = await world.workspace.read("a.txt", { bytesMax: 100 });
      expect(file.ok && Buffer.from(file.value).toString()).toBe("after");
      expect(await replayed(world)).toEqual(
        ((await parts.sessions.fold("s")) as { value: Session }).value,
      );
    }
  });
});

/** Drives until the n-th await of model or tools, at which the process "stops": never to go on. */
async function dyingRun(world: World, dieAt: number): Promise<number> {
  let awaits = 0;
  let died: () => void = () => {};
  const death = new Promise<void>((resolve) => {
    died = resolve;
  });
  const pause = (): Promise<void> => {
    awaits += 1;
    if (awaits < dieAt) return Promise.resolve();
    died();
    return new Promise(() => {});
  };
  const parts = partsOver({ ...world, leases: memoryLeases() }, script, { pause });
  await Promise.race([death, drive(parts, "s", never)]);
  return awaits;
}

async function countAwaits(): Promise<number> {
  const world = newWorld();
  await begin(partsOver(world, script));
  return await dyingRun(world, Number.MAX_SAFE_INTEGER);
}

describe("whatever lands while a turn runs", () => {
  it("steering, cancel and answers at random awaits: the state equals the replay", async () => {
    const kind = fc.constantFrom("steer", "cancel", "allow", "deny", "prompt", "rename");
    const landing = fc.record({ at: fc.integer({ min: 1, max: 30 }), kind });
    await fc.assert(
      fc.asyncProperty(fc.array(landing, { minLength: 1, maxLength: 6 }), async (landings) => {
        const world = newWorld();
        let awaits = 0;
        const judge = (title: string) =>
          title === "note" || title === "pay"
            ? {
                do: "ask" as const,
                title,
                why: "w",
                what: title,
                opens: {},
                hash: `h ${title}`,
                keys: [],
              }
            : { do: "allow" as const, opens: {} };
        const pause = async (): Promise<void> => {
          awaits += 1;
          for (const { at, kind } of landings) if (at === awaits) await land(world, kind);
        };
        const parts = partsOver(world, script, { pause, judge });
        await begin(parts);
        const driving = drive(parts, "s", never);
        await finishAsks(world, driving);
        expect(await driving).toEqual({ ok: true, value: "rest" });
        // A prompt that came after the last look is run by whoever sent it.
        const late = drive(parts, "s", never);
        await finishAsks(world, late);
        expect(await late).toEqual({ ok: true, value: "rest" });
        await expectSound(world);
        const folded = await parts.sessions.fold("s");
        expect(folded).toEqual({ ok: true, value: await replayed(world) });
        expect(folded.ok && next(folded.value).do).toBe("rest");
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

/** Another process says something; what `decide` refuses is simply not said. */
async function land(world: World, kind: string): Promise<void> {
  const { log, blobs } = world;
  const sessions = sessionsOver({ log, blobs, fingerprint: "other" });
  const folded = await sessions.fold("s");
  const ask = folded.ok
    ? folded.value.calls.find((open) => open.state === "asked")?.ask
    : undefined;
  const answer = (how: "allow" | "deny"): SessionCommand | null =>
    ask
      ? { type: "AnswerPermission", callId: ask.callId, hash: ask.hash, answer: how, scope: "once" }
      : null;
  const commands: Record<string, SessionCommand | null> = {
    steer: { type: "Steer", text: "steer", attachments: [] },
    cancel: { type: "Cancel", why: "enough" },
    prompt: { type: "SubmitPrompt", turn: `t${Math.random()}`, text: "more", attachments: [] },
    rename: { type: "Rename", title: "t" },
    allow: answer("allow"),
    deny: answer("deny"),
  };
  const command = commands[kind];
  if (command) await sessions.command("s", command);
}

/** Answers what is still asked, so that every turn can end. */
async function finishAsks(world: World, driving: Promise<unknown>): Promise<void> {
  let over = false;
  void driving.then(() => {
    over = true;
  });
  for (let rounds = 0; !over && rounds < 10_000; rounds += 1) {
    await land(world, "allow");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
