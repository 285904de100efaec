// A turn in memory, for tests: a model made from a script, a tool of each effect class, and a
// witness that counts what the tools really did, which no crash of the runner can take back.
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import type { Blobs } from "#boundary/blobs/port.ts";
import { localChannel } from "#boundary/channel/local.ts";
import { sha256 } from "#boundary/digest.ts";
import { memoryLeases } from "#boundary/lease/memory.ts";
import type { Leases } from "#boundary/lease/port.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import type { EventLog } from "#boundary/log/port.ts";
import {
  deadlinesDefault,
  type ModelEnd,
  type ModelPort,
  type ModelRequest,
} from "#boundary/models/port.ts";
import { requestsIn } from "#boundary/requests.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import type { Prepared, Tool, ToolOutcome } from "#boundary/tools/port.ts";
import type { Place, TurnParts, Verdict } from "#boundary/turn/parts.ts";
import { memoryWorkspace } from "#boundary/workspace/memory.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { fail, ok } from "#core/failure.ts";
import { familyOf } from "#core/model/family.ts";
import type { AnswerPart, Message, Stop } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { prompted, started } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";
import type { Effect, Fact, Intent } from "#core/session/tool-facts.ts";

/** What outlives every runner: the log, the blobs, the files, and the witness. */
export type World = {
  log: EventLog;
  blobs: Blobs;
  leases: Leases;
  workspace: Workspace;
  witness: string[];
  requests: ModelRequest[];
};

export function newWorld(log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 })): World {
  return {
    log,
    blobs: memoryBlobs(),
    leases: memoryLeases(),
    workspace: memoryWorkspace({ "a.txt": "before" }),
    witness: [],
    requests: [],
  };
}

export type Say = (
  request: ModelRequest,
) => { parts?: AnswerPart[]; stop?: Stop } & Partial<ModelEnd>;

/** Yields to other work at each await, so that steering can land between any two. */
export type Pause = () => Promise<void>;

export const text = (said: string): AnswerPart => ({ type: "text", text: said });
export const call = (id: string, tool: string, input = "{}"): AnswerPart => ({
  type: "call",
  id,
  tool,
  input,
});

export const answersOf = (request: ModelRequest): number =>
  request.messages.filter((message) => message.role === "assistant").length;

/** A model that answers from the request alone, so that any runner gets the same answer. */
export function modelOf(world: World, say: Say, pause: Pause): ModelPort {
  return {
    name: "scripted",
    encode(request) {
      const { blobs: _, ...plain } = request;
      return { path: "/", body: JSON.stringify(plain) };
    },
    async *call(wire, { signal }) {
      const request = JSON.parse(wire.body) as ModelRequest;
      world.requests.push(request);
      assertPaired(request.messages);
      await pause();
      yield { type: "text", text: "…" };
      await pause();
      const usage = { input: 10, cached: 0, output: 5, reasoning: 0, exact: true };
      if (signal.aborted) {
        const failure = { code: "cancelled" as const, say: "aborted" };
        yield { type: "end", stop: "broken", parts: [], usage, failure };
        return;
      }
      const { parts = [], ...end } = say(request);
      const calls = parts.some((part) => part.type === "call");
      yield { type: "end", stop: calls ? "calls" : "done", parts, usage, ...end };
    },
  };
}

/** What every provider demands: each call has exactly one result, right after its answer. */
export function assertPaired(messages: readonly Message[]): void {
  let owed: string[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      if (owed[0] !== message.callId) throw new Error(`result ${message.callId} is out of place`);
      owed = owed.slice(1);
      continue;
    }
    if (owed.length > 0) throw new Error(`calls without a result: ${owed}`);
    if (message.role !== "assistant") continue;
    owed = message.parts.flatMap((part) => (part.type === "call" ? [part.id] : []));
  }
  if (owed.length > 0) throw new Error(`calls without a result: ${owed}`);
}

type Act = { effect: Effect; intent?: Intent; facts?: Fact[]; act: () => Promise<string> };

function tool(name: string, pause: Pause, plan: (input: string) => Act): Tool {
  return {
    effect: "opaque",
    spec: { name, about: name, schema: { type: "object" } },
    async prepare(input) {
      await pause();
      const { effect, intent = {}, facts = [], act } = plan(input);
      const run: Prepared["run"] = async ({ signal }): Promise<ToolOutcome> => {
        await pause();
        if (signal.aborted) return { failed: true, parts: [{ type: "text", text: "" }], facts: [] };
        const said = await act();
        await pause();
        return { failed: false, parts: [{ type: "text", text: said }], facts };
      };
      return ok({ access: [], effect, intent, title: name, run });
    },
  };
}

/** One tool of each class. `put` really writes `a.txt`; the others leave a mark in the witness. */
export function toolsOf(world: World, pause: Pause): Tool[] {
  const mark = (what: string) => async () => {
    world.witness.push(what);
    return what;
  };
  return [
    tool("look", pause, () => ({ effect: "pure", act: mark("look") })),
    tool("note", pause, () => ({ effect: "opaque", act: mark("note") })),
    tool("pay", pause, () => ({
      effect: "keyed",
      intent: { key: "k1" },
      act: async () => {
        if (!world.witness.includes("pay k1")) world.witness.push("pay k1");
        return "paid";
      },
    })),
    tool("put", pause, () => {
      const files = [{ path: "a.txt", before: sha256("before"), after: sha256("after") }];
      return {
        effect: "verifiable",
        intent: { files },
        facts: files.map((file) => ({ type: "fileChanged" as const, ...file })),
        act: async () => {
          const bytes = new TextEncoder().encode("after");
          const wrote = await world.workspace.write("a.txt", bytes, { expect: sha256("before") });
          world.witness.push(wrote.ok ? "put" : `put ${wrote.error.code}`);
          return wrote.ok ? "wrote" : wrote.error.say;
        },
      };
    }),
  ];
}

export const effects = { look: "pure", note: "opaque", pay: "keyed", put: "verifiable" } as const;

const noSandbox: Sandbox = {
  kind: "none",
  start: async () => fail("not_supported", "no commands here"),
};

export type Judged = (title: string) => Verdict;

/** A runner's parts over a world: fresh folds and caches, as a new process would have. */
export function partsOver(
  world: World,
  say: Say,
  options: { pause?: Pause; judge?: Judged; place?: Partial<Place> } = {},
): TurnParts & { leases: Leases } {
  const { pause = async () => {}, judge = () => ({ do: "allow", opens: {} }) } = options;
  const place: Place = {
    workspace: world.workspace,
    sandbox: noSandbox,
    tools: toolsOf(world, pause),
    judge: async ({ title }) => judge(title),
    readable: async () => () => true,
    trees: async () => fail("not_supported", "no trees of a folder in memory"),
    masking: async () => (text) => text,
    hooks: [],
    verify: async () => [],
    instructions: async () => ({ isTrusted: true, found: [] }),
    ...options.place,
  };
  const model = modelOf(world, say, pause);
  return {
    ...world,
    sessions: sessionsOver({ log: world.log, blobs: world.blobs, fingerprint: "test" }),
    requests: requestsIn(world.blobs),
    channel: localChannel(),
    placeOf: async () => ok(place),
    familyOf: async (name) => familyOf(name),
    openModel: async () => ok({ port: model, model: "test" }),
    deadlines: deadlinesDefault,
    node: "n",
    random: () => 0,
  };
}

/** Starts the session `s` with a prompt. */
export async function begin(parts: TurnParts, limits = started.limits): Promise<void> {
  const put = async (value: unknown) => {
    const bytes = new TextEncoder().encode(
      typeof value === "string" ? value : JSON.stringify(value),
    );
    const hash = await parts.blobs.put(bytes);
    if (!hash.ok) throw new Error(hash.error.say);
    return { hash: hash.value, bytes: bytes.length, media: "text/plain" };
  };
  const place = await parts.placeOf(emptySession);
  const start = {
    ...started,
    limits,
    toolEffects: { ...effects },
    system: await put("You are a test."),
    tools: await put(place.ok ? place.value.tools.map(({ spec }) => spec) : []),
  };
  const by = { actor: "user", epoch: 0 };
  const added = await parts.sessions.append("s", emptySession, [start, prompted()], by);
  if (!added.ok) throw new Error(added.error.say);
}

/** Every event of the session `s`, in order. */
export async function eventsOf({ sessions }: Pick<TurnParts, "sessions">): Promise<SessionEvent[]> {
  const all: SessionEvent[] = [];
  for await (const page of sessions.read("s", { after: 0 }, new AbortController().signal)) {
    if (!page.ok) throw new Error(page.error.say);
    for (const { decoded } of page.value) if (decoded.kind === "event") all.push(decoded.event);
  }
  return all;
}
