// All dialects against a server that nobody here wrote: aimock, over real HTTP.
import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { called, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { openModel } from "#boundary/models/index.ts";
import type { Message } from "#core/model/message.ts";
import { textOf, toolCallsOf } from "#core/model/message.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";

const mock = new LLMock({ port: 0 });

beforeAll(async () => {
  mock.on(
    { userMessage: "read it", hasToolResult: false },
    {
      content: "I look.",
      reasoning: "A file is asked for.",
      toolCalls: [
        { name: "read", arguments: '{"path":"a.ts"}' },
        { name: "read", arguments: '{"path":"b.ts"}' },
      ],
    },
  );
  mock.on({ userMessage: "read it", hasToolResult: true }, { content: "It says: ünï 🙂" });
  mock.on(
    { userMessage: "be busy" },
    { error: { message: "slow down", type: "rate_limit_error" }, status: 429, retryAfter: 3 },
  );
  mock.on({ userMessage: "be long" }, { content: "So far", finishReason: "length" });
  mock.on(
    { userMessage: "break off" },
    { content: "one two three four five six" },
    {
      truncateAfterChunks: 2,
      chunkSize: 4,
    },
  );
  await mock.start();
});
afterAll(() => mock.stop());

describe.each(dialectNames)("aimock, in the %s dialect", (dialect) => {
  async function asking(...messages: Message[]) {
    const { provider, model, settings } = spoken[dialect];
    const opened = await openModel(`${provider}/${model}`, settings(`${mock.url}/v1`));
    if (!opened.ok) throw new Error(opened.error.say);
    return (await called(opened.value.port, requestOf(opened.value.model, { messages }))).end;
  }

  it("asks for tools, and answers when it has their results", async () => {
    const end = await asking(said("read it"));
    expect(end.failure).toBeUndefined();
    expect(end.stop).toBe("calls");
    const calls = toolCallsOf(end.parts);
    expect(calls.map((call) => [call.tool, call.input])).toEqual([
      ["read", '{"path":"a.ts"}'],
      ["read", '{"path":"b.ts"}'],
    ]);
    expect(textOf(end.parts)).toBe("I look.");
    const results = calls.map((call) => resultOf(call.id, `content of ${call.input}`));
    const answer: Message = { role: "assistant", parts: end.parts };
    const last = await asking(said("read it"), answer, ...results);
    expect([last.stop, textOf(last.parts)]).toEqual(["done", "It says: ünï 🙂"]);
  });

  it("passes on its refusals, its limits and its cuts", async () => {
    expect(await asking(said("be busy"))).toMatchObject({
      stop: "broken",
      failure: { code: "rate_limited" },
      retryAfterMs: 3_000,
    });
    // In Ollama's dialect it says `stop` whatever was scripted.
    expect((await asking(said("be long"))).stop).toBe(dialect === "ollama" ? "done" : "length");
    expect(await asking(said("break off"))).toMatchObject({
      stop: "broken",
      // Where it cuts before its headers went out, the connection is all that was seen.
      failure: { code: expect.stringMatching(/^(broken|unreachable)$/) },
    });
  });
});
