// The Messages API against the strict stub: the contract, its errors, its cache, its usage.
import { afterAll, describe, expect, it } from "vitest";
import { type AnthropicOptions, anthropic } from "#boundary/models/anthropic.ts";
import { called, modelContract, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import type { Script, ScriptedAnswer } from "#boundary/models/script.ts";
import { type Message, toolCallsOf } from "#core/model/message.ts";
import { spoken } from "../../../test/peers/dialects.ts";
import { type Recorded, startStrictStub } from "../../../test/peers/strict.ts";
import { framesOf } from "../../../test/peers/strict-answers.ts";
import { problemsOf } from "../../../test/peers/strict-schema.ts";
import { heardIn } from "../../../test/peers/strict-wires.ts";

const malformed: Recorded[] = [];
const model = "claude-sonnet-5-5";
const key = { type: "key", secret: "sk-ant-0123456789" } as const;

async function peer(script: Script, proof: AnthropicOptions["proof"] = key) {
  const stub = await startStrictStub({ script });
  const close = async () => {
    malformed.push(...stub.malformed());
    await stub.close();
  };
  return { stub, port: anthropic({ provider: "anthropic", baseUrl: stub.url, proof }), close };
}

const { wire } = spoken.messages;

modelContract(
  "anthropic/messages",
  async (script) => {
    const { port, close } = await peer(script);
    return { port, model, close };
  },
  wire,
);

modelContract(
  "compatible/messages",
  async (script) => {
    const { port, close } = await peer(script, { type: "token", secret: "token-0123456789" });
    return { port, model: "glm-5", close };
  },
  wire,
);

describe("the strict stub", () => {
  it("sends what the official types say Anthropic sends", async () => {
    const answers: ScriptedAnswer[] = [
      { reasoning: "hm", text: "é", calls: [{ tool: "read", input: {} }] },
      { text: "no", stop: "filtered" },
      { reasoning: "hm", text: "so", calls: [{ tool: "read", input: {} }], stop: "length" },
    ];
    const asked = { issued: new Map(), freeform: new Set() };
    for (const [position, answer] of answers.entries()) {
      for (const frame of framesOf("messages", { answer, position }, asked)) {
        const event = JSON.parse(frame.text.split("data: ")[1] ?? "");
        // The types leave the ping out; the documentation of streaming has it.
        if (event.type === "ping") continue;
        const problems = await problemsOf("RawMessageStreamEvent", event);
        expect([event.type, problems]).toEqual([event.type, []]);
      }
    }
  });

  it("hears results and words of one message apart", () => {
    const call = { type: "tool_use", id: "c", name: "f", input: {} };
    const result = {
      type: "tool_result",
      tool_use_id: "c",
      content: [{ type: "text", text: "out" }],
    };
    const messages = [
      { role: "user", content: [{ type: "text", text: "a" }] },
      { role: "assistant", content: [call] },
      { role: "user", content: [result, { type: "text", text: "and b" }] },
    ];
    expect(heardIn("messages", { messages })).toEqual([
      { role: "user", text: "a" },
      { role: "assistant", text: "" },
      { role: "tool", text: "out" },
      { role: "user", text: "and b" },
    ]);
  });
});

describe("an answer's usage", () => {
  it("adds up what was read from the cache, written to it, and neither", async () => {
    const usage = { input: 1_000, cached: 600, output: 50, reasoning: 20 };
    const { port, close } = await peer({ answers: [{ text: "so", usage }] });
    const { end } = await called(port, requestOf(model));
    expect(end.usage).toEqual({ ...usage, written: 200, exact: true });
    await close();
  });
});

describe("an error of Anthropic", () => {
  const ended = async (failure: ScriptedAnswer["failure"]) => {
    const { port, close } = await peer({ answers: [{ text: "one two three", failure }] });
    const { end } = await called(port, requestOf(model));
    await close();
    return end;
  };

  it("has its code, whether it comes as the answer or inside the stream", async () => {
    for (const code of ["rate_limited", "quota", "unauthorised", "overloaded"] as const) {
      for (const afterChars of [undefined, 7]) {
        const end = await ended({ code, say: "so it is", afterChars });
        expect(end).toMatchObject({ stop: "broken", failure: { code } });
        expect(end.failure?.say).toContain("so it is");
        // What came before an error was billed, and the server had no time to count it.
        if (afterChars) expect(end.usage).toMatchObject({ exact: false });
        // The request it had counted: that stands, and not the bytes that were sent.
        if (afterChars) expect(end.usage.input).toBe(100);
      }
    }
    expect(await ended({ code: "overflow", say: "x" })).toMatchObject({ stop: "overflow" });
    const big = await ended({ code: "too_large", say: "x" });
    expect(big).toMatchObject({ stop: "overflow", failure: { code: "too_large" } });
  });
});

/** The content up to each mark, in the order of the prompt: tools, system, messages. */
function markedPrefixes(body: string): string[] {
  const { tools, system, messages } = JSON.parse(body);
  const blocks: Record<string, unknown>[] = [
    ...(tools ?? []),
    ...(system ?? []),
    ...messages.flatMap((m: { role: string; content: object[] }) =>
      m.content.map((block) => ({ ...block, role: m.role })),
    ),
  ];
  let content = "";
  return blocks.flatMap(({ cache_control: mark, ...block }) => {
    content += JSON.stringify(block);
    return mark ? [content] : [];
  });
}

describe("the cache", () => {
  it("is read by each request as far as the last one wrote it, however long a step is", async () => {
    // Thirty calls and as many results are far more blocks than the API looks back from a mark.
    const calls = Array.from({ length: 30 }, (_, n) => ({ tool: "read", input: { path: `${n}` } }));
    const answers = Array.from({ length: 6 }, (_, i) => ({ reasoning: `r${i}`, calls }));
    const { port, close } = await peer({ answers });
    const messages: Message[] = [said("begin")];
    let written: string | undefined;
    for (const [step] of answers.entries()) {
      const request = requestOf(model, { messages });
      const prefixes = markedPrefixes(port.encode(request).body);
      expect(prefixes.length).toBeLessThanOrEqual(4);
      if (written !== undefined) expect(prefixes).toContain(written);
      written = prefixes.at(-1);
      const { end } = await called(port, request);
      messages.push({ role: "assistant", parts: end.parts });
      messages.push(...toolCallsOf(end.parts).map(({ id }) => resultOf(id, `out ${step}`)));
      if (step % 2 === 0) messages.push(said(`steer ${step}`));
    }
    await close();
  });
});

describe("thinking within a budget", () => {
  it("is well-formed through calls, steering and a change of model in their midst", async () => {
    const calls = [{ tool: "read", input: {} }];
    const answers = Array.from({ length: 6 }, (_, i) => ({ reasoning: `r${i}`, calls }));
    const { stub, port, close } = await peer({ answers });
    const messages: Message[] = [said("begin")];
    const models = ["claude-haiku-4-5", "claude-opus-4-5"];
    for (const [step] of answers.entries()) {
      const request = requestOf(models[step < 3 ? 0 : 1] ?? "", { messages, effort: "medium" });
      const { end } = await called(port, request);
      expect([step, end.stop]).toEqual([step, "calls"]);
      messages.push({ role: "assistant", parts: end.parts });
      messages.push(...toolCallsOf(end.parts).map(({ id }) => resultOf(id, "out")));
      messages.push(said(`steer ${step}`));
    }
    const asked = stub.requests.map(({ body }) => JSON.parse(body).thinking?.type);
    // The other model's calls begin without thinking of its own, so it goes without.
    expect(asked).toEqual([...Array(3).fill("enabled"), ...Array(3).fill(undefined)]);
    expect(stub.requests[0]?.headers["anthropic-beta"]).toBe("interleaved-thinking-2025-05-14");
    await close();
  });
});

describe("who asks", () => {
  it("is told by a key or by a token, after the base URL with or without its version", async () => {
    const { stub, close } = await peer({ answers: [{ text: "a" }] });
    const base = stub.url.replace(/\/v1$/, "");
    const token = { type: "token", secret: "token-0123456789" } as const;
    for (const [baseUrl, proof] of [
      [base, key],
      [`${base}/`, token],
      [`${base}/v1/`, token],
    ] as const) {
      const { end } = await called(anthropic({ provider: "a", baseUrl, proof }), requestOf(model));
      expect([baseUrl, end.stop]).toEqual([baseUrl, "done"]);
    }
    const [first, second] = stub.requests.map(({ headers }) => headers);
    expect([first?.["x-api-key"], first?.authorization]).toEqual([key.secret, undefined]);
    const bearer = `Bearer ${token.secret}`;
    expect([second?.["x-api-key"], second?.authorization]).toEqual([undefined, bearer]);
    await close();
  });
});

afterAll(() => {
  expect(malformed.map(({ dialect, problems }) => ({ dialect, problems }))).toEqual([]);
});
