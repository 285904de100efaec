// Turns in small windows, with the real tools in a real folder and models that refuse whatever does
// not fit: several large results, a model that turns out to be small, instructions that are long.
// Each goes on to its end, and nothing is cut without a word on where the rest is.
import { expect, it } from "vitest";
import type { Instruction } from "#boundary/instructions.ts";
import { builtinTools } from "#boundary/tools/builtin/index.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { folderWith } from "#boundary/tools/samples.ts";
import type { ModelOpened } from "#boundary/turn/parts.ts";
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
import { localWorkspace } from "#boundary/workspace/local.ts";
import { ok, type Result } from "#core/failure.ts";
import { type AnswerPart, type Message, noUsage, textOf } from "#core/model/message.ts";
import { requestTokensLikely } from "#core/model/tokens.ts";
import type { SessionEvent } from "#core/session/events.ts";

const never = new AbortController().signal;
/** Tokens that the models here want for an answer. */
const ANSWER_TOKENS = 256;

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.say);
  return result.value;
}

const line = (n: number) => `${n} the quick brown fox jumps over the lazy dog and goes home`;
const files = Object.fromEntries(
  ["a", "b", "c"].map((name) => [
    `${name}.txt`,
    Array.from({ length: 600 }, (_, n) => `${name}${line(n)}`).join("\n"),
  ]),
);

type Small = { windowTokens: number; said: (n: number, last: Message[]) => AnswerPart[] };

/** A model of this window. It says the next thing where the request fits, else nothing. */
function windowed({ windowTokens, said }: Small): Say {
  let answers = 0;
  return (request) => {
    const input = requestTokensLikely(JSON.stringify(request));
    if (input + ANSWER_TOKENS > windowTokens) return { stop: "overflow", usage: noUsage };
    const parts = said(answers, [...request.messages]);
    answers += 1;
    return { parts, usage: { ...noUsage, input, output: 20 } };
  };
}

type Model = Pick<ModelOpened, "facts" | "unasked"> & { say: Say };

/** A turn that may ask these models in turn; each is as it is when it is opened for the nth time. */
async function turnOf(
  models: Record<string, (opened: number) => Model>,
  { instructions = [] }: { instructions?: Instruction[] } = {},
) {
  const world = newWorld();
  const times = new Map<string, number>();
  const parts: ReturnType<typeof partsOver> = {
    ...partsOver(world, () => ({}), {
      place: {
        workspace: must(localWorkspace(folderWith(files))),
        tools: await builtinTools(jobsOfNode()).tools(),
        instructions: async (folders) => ({
          isTrusted: true,
          found: folders.includes(".") ? instructions : [],
        }),
      },
    }),
    familyOf: async () => "local",
    async openModel(name) {
      times.set(name, (times.get(name) ?? 0) + 1);
      const { say = () => ({}), ...known } = models[name]?.(times.get(name) ?? 0) ?? {};
      return ok({ port: modelOf(world, say, async () => {}), model: name, ...known });
    },
    modelsFor: async () => ok(Object.keys(models)),
  };
  await begin(parts, { contextTokens: 128_000, stepsPerTurn: 30 });
  expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "rest" });
  const events: SessionEvent[] = [];
  for await (const page of parts.sessions.read("s", { after: 0 }, never)) {
    for (const { decoded } of must(page)) if (decoded.kind === "event") events.push(decoded.event);
  }
  return { world, events };
}

const only = <T extends SessionEvent["type"]>(events: readonly SessionEvent[], type: T) =>
  events.filter((e): e is Extract<SessionEvent, { type: T }> => e.type === type);

const read = (id: string, input: object) => call(id, "read", JSON.stringify(input));
const textsOf = (messages: readonly Message[]) => messages.map((m) => textOf(m.parts)).join("\n");

/** Each request begins with the one before it, unless messages were replaced between them. */
function expectGrowth(requests: readonly { messages: readonly Message[] }[], compactions: number) {
  const breaks = requests.filter(({ messages }, i) => {
    const before = requests[i - 1]?.messages ?? [];
    return JSON.stringify(messages.slice(0, before.length)) !== JSON.stringify(before);
  });
  expect(breaks.length).toBeLessThanOrEqual(compactions);
}

it.each([4_096, 8_192])(
  "many large results in %i tokens are worked through",
  async (windowTokens) => {
    let from = 1;
    const say = windowed({
      windowTokens,
      said(n, messages) {
        if (n === 0) return ["a", "b", "c"].map((f, i) => read(`p${i}`, { path: `${f}.txt` }));
        const on = /read on with from: (\d+)/.exec(textsOf(messages.slice(-1)))?.[1];
        if (n > 1 && on) from = Number(on);
        if (n > 1 && n < 8) expect(textsOf(messages.slice(-1))).toContain(line(from - 2));
        if (n < 8) return [read(`r${n}`, { path: "a.txt", from })];
        const search = JSON.stringify({ pattern: "fox" });
        return n === 8 ? [call("s", "search", search)] : [text("all seen")];
      },
    });
    const { world, events } = await turnOf({ "a/small": () => ({ say, facts: { windowTokens } }) });
    const compactions = only(events, "Compacted").length;
    expect(only(events, "TurnEnded")).toMatchObject([{ end: "done" }]);
    expect(from).toBeGreaterThan(100);
    expect(compactions).toBeGreaterThan(0);
    expectGrowth(world.requests, compactions);
    const results = only(events, "ToolFinished").map(({ parts }) => textOf(parts));
    const named =
      /more lines: read on with from: \d+|left out: read `output:[0-9a-f]{64}` from \d+/;
    for (const result of results) expect(result).toMatch(named);
    for (const { text: digest } of only(events, "Compacted")) expect(digest).toContain("do it");
  },
);

it("a result too large for the model that answers next is shortened, and can be read", async () => {
  const windowTokens = 8_192;
  const large: Say = ({ messages }) =>
    messages.some(({ role }) => role === "tool")
      ? { stop: "broken", failure: { code: "unauthorised", say: "no" } }
      : { parts: ["a", "b"].map((f, i) => read(`p${i}`, { path: `${f}.txt` })) };
  let rest = "";
  const say = windowed({
    windowTokens,
    said(n, messages) {
      const output = /read `(output:[0-9a-f]{64})`/.exec(textsOf(messages))?.[1];
      if (n === 0) return [read("o", { path: output ?? "none", from: 300, lines: 5 })];
      rest = textsOf(messages.slice(-1));
      return [text("done")];
    },
  });
  const { events } = await turnOf({
    "a/large": () => ({ say: large }),
    "b/small": () => ({ say, facts: { windowTokens } }),
  });
  expect(only(events, "TurnEnded")).toMatchObject([{ end: "done" }]);
  const [compacted] = only(events, "Compacted");
  expect(compacted?.text).toMatch(/that returned: 1\ta0 the quick/);
  expect(compacted?.text).toMatch(/\d+ characters left out here to save room: read `output:/);
  expect(rest).toContain(line(299));
});

it("long instructions wait for the word of a server that was not asked yet", async () => {
  const windowTokens = 8_192;
  const AGENTS: Instruction = { path: "AGENTS.md", hash: "1", text: "Be kind. ".repeat(3_000) };
  const say = windowed({ windowTokens, said: () => [text("done")] });
  // As models in reach are opened: the first time without a word of the server.
  const small = (opened: number): Model =>
    opened === 1 ? { say, unasked: true } : { say, facts: { windowTokens } };
  const { world, events } = await turnOf({ "a/small": small }, { instructions: [AGENTS] });
  const told = events.map(({ type }) => type);
  expect(told.indexOf("ModelDescribed")).toBeLessThan(told.indexOf("ContextAdded"));
  expect(textsOf(world.requests[0]?.messages ?? [])).toContain("AGENTS.md: too long here; read it");
  expect([world.requests.length, only(events, "TurnEnded")[0]?.end]).toEqual([1, "done"]);
});

it("a server that says nothing of its window gets fewer instructions after it refused", async () => {
  const AGENTS: Instruction = { path: "AGENTS.md", hash: "1", text: "Be kind. ".repeat(4_000) };
  const say = windowed({ windowTokens: 8_192, said: () => [text("done")] });
  const silent = (): Model => ({ say, unasked: true });
  const { world, events } = await turnOf({ "a/silent": silent }, { instructions: [AGENTS] });
  expect(only(events, "TurnEnded")).toMatchObject([{ end: "done" }]);
  expect(textsOf(world.requests.at(-1)?.messages ?? [])).toContain("too long here; read it");
});
