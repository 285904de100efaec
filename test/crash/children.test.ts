// Children that hang, crash, loop, are slow, and such as do what they were asked: each ends once, none
// later than its time, and whoever waits for it learns how. Real processes, sandbox and log; only
// the models are scripted.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { App } from "#app";
import type { EventLog } from "#boundary/log/port.ts";
import type { ModelPort, ModelRequest } from "#boundary/models/port.ts";
import { call, text } from "#boundary/turn/samples.ts";
import { loadConfig } from "#config";
import { fail, ok } from "#core/failure.ts";
import { type AnswerPart, textOf } from "#core/model/message.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { next } from "#core/session/next.ts";
import { start } from "../../src/start.ts";
import { must } from "./drive.ts";

const base = mkdtempSync(join(tmpdir(), "aiex-children-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

type Task = { title: string; prompt: string; role?: string };
type Answer = { parts: AnswerPart[]; afterMs?: number } | "hang" | "crash";

/** What a child does by its prompt; `step` counts its answers from 0. */
const doings: Record<string, (step: number) => Answer> = {
  hang: () => "hang",
  crash: () => "crash",
  loop: (step) => ({ parts: [call(`c${step}`, "run", '{"command":"cat nowhere.txt"}')] }),
  slow: (step) => ({
    parts: [call(`c${step}`, "run", `{"command":"sleep 0.2; echo ${step}"}`)],
    afterMs: 300,
  }),
  sleep: (step) => ({ parts: [call(`c${step}`, "run", '{"command":"sleep 600"}')] }),
  repeat: (step) =>
    step < 15
      ? { parts: [call(`c${step}`, "run", '{"command":"echo x >> many.txt; test -e never"}')] }
      : { parts: [text("repeated")] },
  write: (step) =>
    step === 0
      ? { parts: [call("w", "write", '{"path":"by-child.txt","content":"by the child\\n"}')] }
      : { parts: [text("wrote it")] },
  slowly: () => ({ parts: [text("at last")], afterMs: 1_500 }),
  done: () => ({ parts: [text("what I found")] }),
};

const isChild = ({ system }: ModelRequest): boolean => system.includes("You work for another");

function answerTo(request: ModelRequest): Answer {
  const first = request.messages.find(({ role }) => role === "user");
  const said = first ? textOf(first.parts) : "";
  const step = request.messages.filter(({ role }) => role === "assistant").length;
  if (isChild(request)) return doings[said]?.(step) ?? { parts: [text(`what is ${said}?`)] };
  const wanted = (JSON.parse(said) as Task[][])[step] ?? [];
  const calls = wanted.map((task, i) => call(`t${step}-${i}`, "task", JSON.stringify(task)));
  return { parts: calls.length > 0 ? calls : [text("all are over")] };
}

/** Requests of children that were asked, by their prompt. */
const asked: string[] = [];

const port: ModelPort = {
  name: "scripted",
  encode: ({ blobs: _, ...request }) => ({ path: "/", body: JSON.stringify(request) }),
  async *call(wire) {
    const request = JSON.parse(wire.body) as ModelRequest;
    if (isChild(request)) asked.push(request.system);
    const answer = answerTo(request);
    if (answer === "crash") throw new Error("the adapter fell over");
    // Whoever calls it off is not heard.
    if (answer === "hang") return await new Promise<never>(() => {});
    if (answer.afterMs) await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
    const usage = { input: 10, cached: 0, output: 5, reasoning: 0, exact: true };
    const calls = answer.parts.some(({ type }) => type === "call");
    yield { type: "end", stop: calls ? "calls" : "done", parts: answer.parts, usage };
  },
};

async function opened(
  name: string,
  childMs: number,
  around: (log: EventLog) => EventLog = (log) => log,
): Promise<{ app: App; folder: string }> {
  const folder = join(base, name, "work");
  mkdirSync(folder, { recursive: true });
  const env = { HOME: base, AIEX_HOME: join(base, name, "home"), PATH: process.env.PATH };
  const flags = { mode: "yes", model: "test/model", "deadlines.childMs": childMs };
  const app = must(
    await start({
      config: must(loadConfig({ env, flags })),
      env,
      around: (ports) => ({
        ...ports,
        log: around(ports.log),
        openModel: async () => ok({ port, model: "test" }),
      }),
    }),
  );
  must(await app.send({ type: "Trust", path: folder }));
  return { app, folder };
}

async function begun(app: App, folder: string, groups: Task[][]): Promise<string> {
  const { stream } = must(await app.send({ type: "StartSession", cwd: folder }));
  const prompt = JSON.stringify(groups);
  must(await app.send({ type: "SubmitPrompt", session: stream, text: prompt }));
  return stream;
}

async function rested(app: App, session: string): Promise<void> {
  const stop = new AbortController();
  for await (const entry of app.follow({ stream: session, after: 0 }, stop.signal)) {
    must(entry);
    if (next(must(await app.read({ type: "Session", session })).state).do === "rest") break;
  }
  stop.abort();
}

type Told = { at: number; event: SessionEvent };

async function eventsOf(app: App, session: string): Promise<Told[]> {
  const entries = must(await app.read({ type: "Transcript", session, limit: 1_000 }));
  return entries.flatMap(({ record, decoded }) =>
    decoded.kind === "event" ? [{ at: record.at, event: decoded.event }] : [],
  );
}

/** The children that a session began, by the call that did. */
const childrenIn = (events: readonly Told[]): Map<string, string> =>
  new Map(
    events.flatMap(({ event }): [string, string][] =>
      event.type === "ToolStarted" && event.intent.child
        ? [[event.callId, event.intent.child]]
        : [],
    ),
  );

const factOf = (event: EventOf<"ToolFinished">) =>
  event.facts.find((fact) => fact.type === "childEnded");

const kinds = ["hang", "crash", "loop", "slow", "sleep", "done"];

describe("children", () => {
  it("a hundred that hang, crash, loop and are slow: each ends once, a second late at most", async () => {
    const { app, folder } = await opened("hundred", 6_000);
    const tasks = Array.from({ length: 100 }, (_, i) => {
      const prompt = kinds[i % kinds.length] ?? "";
      return { title: `${prompt} ${i}`, prompt };
    });
    // Five parents of twenty, each with as many at once as there may be.
    const parents = await Promise.all(
      [0, 1, 2, 3, 4].map((n) => {
        const own = tasks.slice(n * 20, n * 20 + 20);
        return begun(app, folder, [own.slice(0, 8), own.slice(8, 16), own.slice(16)]);
      }),
    );
    await Promise.all(parents.map((parent) => rested(app, parent)));
    const ends: Record<string, string[]> = {};
    for (const parent of parents) {
      const events = await eventsOf(app, parent);
      for (const [callId, child] of childrenIn(events)) {
        const own = await eventsOf(app, child);
        const [first] = own;
        const terminal = own.filter(({ event }) => event.type === "ChildEnded");
        expect(terminal).toHaveLength(1);
        const [{ at, event } = { at: Infinity, event: null }] = terminal;
        if (first?.event.type !== "SessionStarted" || event?.type !== "ChildEnded")
          throw new Error();
        expect(at).toBeLessThanOrEqual((first.event.child?.deadlineAt ?? 0) + 1_000);
        const prompt = own.find((one) => one.event.type === "TurnStarted")?.event;
        if (prompt?.type !== "TurnStarted") throw new Error();
        ends[prompt.text] = [...(ends[prompt.text] ?? []), event.end];
        // The parent's call says the same.
        const finished = events.flatMap(({ event: e }) =>
          e.type === "ToolFinished" && e.callId === callId ? [e] : [],
        );
        expect(finished).toHaveLength(1);
        expect(finished.map((e) => factOf(e)?.end)).toEqual([event.end]);
        // Nothing of it is open.
        const { state } = must(await app.read({ type: "Session", session: child }));
        expect([state.turn, state.over]).toEqual([null, event.end]);
      }
      expect(events.at(-1)?.event).toMatchObject({ type: "TurnEnded", end: "done" });
    }
    expect(Object.values(ends).flat()).toHaveLength(100);
    const only = (kind: string) => [...new Set(ends[kind])];
    expect(only("hang")).toEqual(["deadline"]);
    expect(only("slow")).toEqual(["deadline"]);
    expect(only("sleep")).toEqual(["deadline"]);
    expect(only("done")).toEqual(["done"]);
    for (const end of only("loop")) expect(["stuck", "deadline"]).toContain(end);
    for (const end of only("crash")) expect(["failed", "deadline"]).toContain(end);
    console.log(`ends: ${JSON.stringify(ends)}`);
    await app.close();
  }, 300_000);

  it("one that gets nowhere is told so and then ended; honest repetition is left alone", async () => {
    const { app, folder } = await opened("progress", 100_000);
    const session = await begun(app, folder, [
      [{ title: "a", prompt: "loop" }],
      [{ title: "b", prompt: "repeat" }],
    ]);
    await rested(app, session);
    const events = await eventsOf(app, session);
    const children = childrenIn(events);
    const [loop = "", repeat = ""] = ["t0-0", "t1-0"].map((call) => children.get(call));
    const looped = await eventsOf(app, loop);
    expect(looped.at(-1)?.event).toMatchObject({ type: "ChildEnded", end: "stuck" });
    const told = looped.filter(({ event }) => event.type === "ContextAdded");
    expect(told.map(({ event }) => (event.type === "ContextAdded" ? event.text : ""))).toEqual([
      expect.stringContaining("brought nothing new"),
    ]);
    const steps = looped.filter(({ event }) => event.type === "StepCompleted").length;
    expect(steps).toBeGreaterThan(8);
    expect(steps).toBeLessThan(12);
    const repeated = await eventsOf(app, repeat);
    expect(repeated.at(-1)?.event).toMatchObject({ type: "ChildEnded", end: "done" });
    expect(readFileSync(join(folder, "many.txt"), "utf8")).toBe("x\n".repeat(15));
    await app.close();
  });

  it("outlive a runner of their parent that stops: whoever goes on finds them at work", async () => {
    let locked = false;
    const { app, folder } = await opened("stopped", 100_000, (log) => ({
      ...log,
      // Another process keeps the log locked whenever the first result is to be written.
      async append(stream, expected, drafts, guard) {
        const isResult = drafts.some(
          ({ type, body }) => type === "ToolFinished" && body?.includes("childEnded"),
        );
        if (locked && isResult) return fail("busy", "locked");
        return await log.append(stream, expected, drafts, guard);
      },
    }));
    const groups = [
      [
        { title: "a", prompt: "done" },
        { title: "b", prompt: "slowly" },
      ],
    ];
    locked = true;
    const session = await begun(app, folder, groups);
    const stop = new AbortController();
    for await (const item of app.listen({ session }, stop.signal))
      if (item.type === "stopped") break;
    stop.abort();
    locked = false;
    must(await app.send({ type: "Resume", session }));
    await rested(app, session);
    const events = await eventsOf(app, session);
    const ends = [...childrenIn(events).values()].map(
      async (child) => (await eventsOf(app, child)).at(-1)?.event,
    );
    expect(await Promise.all(ends)).toMatchObject([{ end: "done" }, { end: "done" }]);
    expect(events.at(-1)?.event).toMatchObject({ type: "TurnEnded", end: "done" });
    await app.close();
  });

  it("outlive the sleep of the machine", async () => {
    const { app, folder } = await opened("asleep", 100_000);
    const clock = Date.now;
    const session = await begun(app, folder, [[{ title: "a", prompt: "slowly" }]]);
    const stop = new AbortController();
    for await (const entry of app.follow({ stream: session, after: 0 }, stop.signal)) {
      if (must(entry).record.type === "ToolStarted") break;
    }
    stop.abort();
    // The wall clock went on, and nothing else did.
    Date.now = () => clock() + 60_000;
    try {
      must(await app.send({ type: "Rename", session, title: "awake" }));
      await rested(app, session);
    } finally {
      Date.now = clock;
    }
    const [child = ""] = childrenIn(await eventsOf(app, session)).values();
    expect((await eventsOf(app, child)).at(-1)?.event).toMatchObject({ end: "done" });
    await app.close();
  });

  it("are called off with their parent's turn", async () => {
    const { app, folder } = await opened("cancelled", 100_000);
    const groups = [
      [
        { title: "a", prompt: "hang" },
        { title: "b", prompt: "sleep" },
      ],
    ];
    const session = await begun(app, folder, groups);
    const stop = new AbortController();
    let children = 0;
    for await (const entry of app.follow({ stream: session, after: 0 }, stop.signal)) {
      if (must(entry).record.type === "ToolStarted") children += 1;
      if (children === 2) break;
    }
    stop.abort();
    must(await app.send({ type: "Cancel", session, why: "enough" }));
    await rested(app, session);
    const events = await eventsOf(app, session);
    expect(events.at(-1)?.event).toMatchObject({ type: "TurnEnded", end: "cancelled" });
    for (const child of childrenIn(events).values()) {
      const own = await eventsOf(app, child);
      expect(own.at(-1)?.event).toMatchObject({ type: "ChildEnded", end: "cancelled" });
    }
    await app.close();
  });

  it("are narrowed with their parent's mode, and never widened by it", async () => {
    const { app, folder } = await opened("narrowed", 100_000);
    const session = await begun(app, folder, [[{ title: "a", prompt: "slow" }]]);
    const stop = new AbortController();
    let child = "";
    for await (const entry of app.follow({ stream: session, after: 0 }, stop.signal)) {
      const { decoded } = must(entry);
      if (decoded.kind !== "event" || decoded.event.type !== "ToolStarted") continue;
      child = decoded.event.intent.child ?? "";
      break;
    }
    for await (const entry of app.follow({ stream: child, after: 0 }, stop.signal)) {
      if (must(entry).record.type === "StepStarted") break;
    }
    stop.abort();
    const modeNow = async () =>
      must(await app.read({ type: "Session", session: child })).state.mode;
    expect(await modeNow()).toBe("yes");
    for (const [mode, then] of [
      ["ask", "ask"],
      ["yes", "ask"],
      ["read-only", "read-only"],
      ["ask", "read-only"],
    ] as const) {
      must(await app.send({ type: "SwitchMode", session, mode }));
      expect(await modeNow()).toBe(then);
    }
    must(await app.send({ type: "Cancel", session, why: "enough" }));
    await rested(app, session);
    await app.close();
  });

  it("a copy of one is a session like any other; of one that was erased nobody says what it did", async () => {
    const { app, folder } = await opened("copied", 100_000);
    const session = await begun(app, folder, [[{ title: "a", prompt: "write" }]]);
    await rested(app, session);
    const [child = ""] = childrenIn(await eventsOf(app, session)).values();
    const wide = await app.send({ type: "SwitchMode", session: child, mode: "yes" });
    expect(wide).toMatchObject({ ok: false });
    const copy = must(await app.send({ type: "Fork", session: child })).stream;
    must(await app.send({ type: "SubmitPrompt", session: copy, text: "[]" }));
    await rested(app, copy);
    const { state } = must(await app.read({ type: "Session", session: copy }));
    expect([state.over, state.start?.child, state.grants]).toEqual([null, undefined, []]);
    must(await app.send({ type: "Erase", session: child, why: "private" }));
    const plan = must(await app.read({ type: "RestorePlan", session, cause: "undo" }));
    expect(plan).toMatchObject({ changes: [], left: [{ why: expect.stringContaining("erased") }] });
    await app.close();
  });

  it("what one changed is taken back with its parent's turn, and brought back", async () => {
    const { app, folder } = await opened("undo", 100_000);
    const session = await begun(app, folder, [[{ title: "a", prompt: "write" }]]);
    await rested(app, session);
    const file = join(folder, "by-child.txt");
    expect(readFileSync(file, "utf8")).toBe("by the child\n");
    const finished = (await eventsOf(app, session)).findLast(
      ({ event }) => event.type === "ToolFinished",
    );
    expect(finished?.event).toMatchObject({
      facts: [{ type: "childEnded" }, { type: "filesChanged", files: [{ path: "by-child.txt" }] }],
    });
    must(await app.send({ type: "Undo", session }));
    expect(() => readFileSync(file)).toThrow("ENOENT");
    must(await app.send({ type: "Redo", session }));
    expect(readFileSync(file, "utf8")).toBe("by the child\n");
    await app.close();
  });
});
