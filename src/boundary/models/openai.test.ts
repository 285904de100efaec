// Both OpenAI dialects against the strict stub: the contract, and that nothing was malformed.
import { globalAgent } from "node:http";
import { afterAll, describe, expect, it } from "vitest";
import { called, modelContract, requestOf } from "#boundary/models/contract.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import { openaiResponses } from "#boundary/models/openai-responses.ts";
import type { Script, ScriptedAnswer } from "#boundary/models/script.ts";
import { type Recorded, startStrictStub } from "../../../test/peers/strict.ts";
import { framesOf } from "../../../test/peers/strict-answers.ts";
import { problemsOf } from "../../../test/peers/strict-schema.ts";
import { heardIn } from "../../../test/peers/strict-wires.ts";

const malformed: Recorded[] = [];
const apiKey = "sk-test-0123456789";

async function peer(script: Script) {
  const stub = await startStrictStub({ script });
  const close = async () => {
    malformed.push(...stub.malformed());
    await stub.close();
  };
  return { endpoint: { provider: "openai", baseUrl: stub.url, apiKey }, close };
}

modelContract("openai/responses", async (script) => {
  const { endpoint, close } = await peer(script);
  return { port: openaiResponses({ ...endpoint, summary: "auto" }), model: "gpt-5", close };
});

modelContract("openai/chat", async (script) => {
  const { endpoint, close } = await peer(script);
  return { port: openaiChat({ ...endpoint, isOpenAi: true }), model: "gpt-5", close };
});

modelContract("compatible/chat", async (script) => {
  const { endpoint, close } = await peer(script);
  const port = openaiChat({ ...endpoint, provider: "local", isOpenAi: false });
  return { port, model: "qwen", close };
});

describe("the strict stub", () => {
  it("sends what the official types say OpenAI sends", async () => {
    const answer = { reasoning: "hm", text: "é", calls: [{ tool: "read", input: {} }] };
    const answers: ScriptedAnswer[] = [
      answer,
      { text: "no", stop: "refused" },
      { text: "so", stop: "length" },
      { calls: [{ tool: "apply_patch", input: "*** Begin Patch" }] },
    ];
    for (const [position, answer] of answers.entries()) {
      const asked = { issued: new Map(), freeform: new Set(["apply_patch"]) };
      for (const frame of framesOf("responses", { answer, position }, asked)) {
        const event = JSON.parse(frame.text.split("data: ")[1] ?? "");
        expect([event.type, await problemsOf("ResponseStreamEvent", event)]).toEqual([
          event.type,
          [],
        ]);
      }
      const { reasoning: _, ...plain } = answer;
      for (const frame of framesOf("chat", { answer: plain, position }, asked).slice(0, -1)) {
        const chunk = JSON.parse(frame.text.slice("data: ".length));
        expect(await problemsOf("ChatCompletionChunk", chunk)).toEqual([]);
      }
    }
  });

  it("hears the same conversation in both dialects", () => {
    const heard = [
      { role: "user", text: "a" },
      { role: "assistant", text: "" },
      { role: "tool", text: "out" },
    ];
    const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
    const messages = [
      { role: "system", content: "s" },
      { role: "user", content: "a" },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "c", content: "out" },
    ];
    const input = [
      { role: "user", content: [{ type: "input_text", text: "a" }] },
      { type: "reasoning", id: "rs", summary: [], encrypted_content: "x" },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "out" },
    ];
    expect(heardIn("chat", { messages })).toEqual(heard);
    expect(heardIn("responses", { input })).toEqual(heard);
  });
});

describe("a connection", () => {
  it("carries the next call too, once an answer was read", async () => {
    const stub = await startStrictStub({ script: { answers: [{ text: "a" }] } });
    const endpoint = { provider: "openai", baseUrl: stub.url };
    const host = new URL(stub.url).host;
    for (const port of [openaiChat({ ...endpoint, isOpenAi: true }), openaiResponses(endpoint)]) {
      for (let i = 0; i < 3; i += 1) {
        await called(port, requestOf("gpt-5"));
        await expect.poll(() => Object.keys(globalAgent.freeSockets).join()).toContain(host);
      }
    }
    expect(stub.connections()).toBe(1);
    await stub.close();
  });

  it("is closed by a call that is given up", async () => {
    const script = { answers: [{ text: "one two three", pauseMs: 60_000 }] };
    const stub = await startStrictStub({ script });
    const port = openaiChat({ provider: "openai", baseUrl: stub.url, isOpenAi: true });
    const gone = stub.gone();
    await called(port, requestOf("m"), AbortSignal.timeout(100));
    await gone;
    await stub.close();
  });
});

afterAll(() => {
  expect(malformed.map(({ dialect, problems }) => ({ dialect, problems }))).toEqual([]);
});
