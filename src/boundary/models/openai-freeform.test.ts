// Tools with free-form input in the Responses dialect: offered with their grammar to the models that
// take them, called without JSON, answered by their own type of result; a function anywhere else.
import { afterAll, describe, expect, it } from "vitest";
import { requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import { openaiResponses } from "#boundary/models/openai-responses.ts";
import {
  deadlinesDefault,
  type ModelEnd,
  type ModelPort,
  type ModelRequest,
} from "#boundary/models/port.ts";
import type { Script } from "#boundary/models/script.ts";
import { fieldsOf, listOf, parsed } from "#core/model/json.ts";
import type { Message, ToolSpec } from "#core/model/message.ts";
import { gpt } from "#core/model/surfaces/gpt.ts";
import { type Recorded, startStrictStub } from "../../../test/peers/strict.ts";

const malformed: Recorded[] = [];
const tools: ToolSpec[] = gpt.tools.map(({ spec }) => spec);
const patch = '*** Begin Patch\n*** Add File: a "b".txt\n+one\n*** End Patch\n';
const MODEL = "gpt-5.1-codex";

async function stubFor(script: Script) {
  const stub = await startStrictStub({ script });
  const endpoint = { provider: "openai", baseUrl: stub.url, apiKey: "sk-test" };
  const close = async () => {
    malformed.push(...stub.malformed());
    await stub.close();
  };
  return { port: openaiResponses(endpoint), endpoint, close };
}

async function endOf(port: ModelPort, request: ModelRequest): Promise<ModelEnd> {
  const wire = port.encode(request);
  const options = { model: request.model, signal: new AbortController().signal };
  for await (const item of port.call(wire, { ...options, deadlines: deadlinesDefault })) {
    if (item.type === "end") return item;
  }
  throw new Error("the call had no end");
}

const toolsIn = (port: ModelPort, model: string) =>
  listOf(
    fieldsOf(parsed(port.encode(requestOf(model, { messages: [said("a")], tools })).body)).tools,
  )
    .map(fieldsOf)
    .map((tool) => [tool.type, tool.name ?? fieldsOf(tool.function).name]);

describe("a tool with free-form input", () => {
  it("is called without JSON, and its result comes in its own type", async () => {
    const calls = [
      { tool: "shell_command", input: { command: "ls" } },
      { tool: "apply_patch", input: patch },
    ];
    const { port, close } = await stubFor({
      answers: [{ reasoning: "hm", calls }, { text: "done" }],
    });
    const messages: Message[] = [said("patch it")];
    const first = await endOf(port, requestOf(MODEL, { messages, tools }));
    expect(first).toMatchObject({ stop: "calls" });
    const made = first.parts.flatMap((part) => (part.type === "call" ? [part] : []));
    expect(made.map(({ tool, input }) => [tool, input])).toEqual([
      ["shell_command", '{"command":"ls"}'],
      ["apply_patch", patch],
    ]);
    const results = made.map(({ id }) => resultOf(id, "ok"));
    const all: Message[] = [...messages, { role: "assistant", parts: first.parts }, ...results];
    const second = await endOf(port, requestOf(MODEL, { messages: all, tools }));
    expect(second).toMatchObject({ stop: "done" });
    const items = listOf(
      fieldsOf(parsed(port.encode(requestOf(MODEL, { messages: all, tools })).body)).input,
    ).map((item) => fieldsOf(item).type);
    expect(items.slice(2)).toEqual([
      "function_call",
      "custom_tool_call",
      "function_call_output",
      "custom_tool_call_output",
    ]);
    await close();
  });

  it("is told to another model as an ordinary call with an ordinary result", async () => {
    const { port, close } = await stubFor({
      answers: [{ calls: [{ tool: "apply_patch", input: patch }] }, { text: "done" }],
    });
    const messages: Message[] = [said("patch it")];
    const first = await endOf(port, requestOf(MODEL, { messages, tools }));
    const [made] = first.parts.flatMap((part) => (part.type === "call" ? [part] : []));
    const after: Message[] = [
      ...messages,
      { role: "assistant", parts: first.parts },
      resultOf(made?.id ?? "", "ok"),
    ];
    const request = requestOf("gpt-4.1", { messages: after, tools });
    expect(await endOf(port, request)).toMatchObject({ stop: "done" });
    expect(port.encode(request).body).not.toContain("custom");
    await close();
  });

  it("is a function for models and dialects without such tools", () => {
    const endpoint = { provider: "openai", baseUrl: "https://api.openai.com/v1", apiKey: "sk-1" };
    const responses = openaiResponses(endpoint);
    const chat = openaiChat({ ...endpoint, isOpenAi: true });
    for (const model of ["gpt-5", "gpt-6-sol", "gpt-5.1-codex", "ft:gpt-5-mini:acme"]) {
      expect(toolsIn(responses, model)).toContainEqual(["custom", "apply_patch"]);
      expect(toolsIn(chat, model)).toContainEqual(["function", "apply_patch"]);
    }
    for (const model of [
      "gpt-4.1",
      "o3",
      "gpt-5-chat-latest",
      "gpt-oss-120b",
      "codex-mini-latest",
    ]) {
      expect(toolsIn(responses, model)).toContainEqual(["function", "apply_patch"]);
    }
  });

  it("is described without JSON where it has none", () => {
    const { freeform } = tools.find(({ name }) => name === "apply_patch") ?? {};
    expect(freeform).toMatchObject({ syntax: "lark", grammar: expect.stringMatching(/^start:/) });
    expect(freeform?.about).toContain("not JSON. Example:\n*** Begin Patch\n");
    expect(freeform?.about).not.toContain('"input"');
  });
});

afterAll(() => expect(malformed).toEqual([]));
