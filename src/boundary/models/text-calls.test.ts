// Tools through text: the port's contract over two dialects whose servers are given no tools.
import { afterAll, describe, expect, it } from "vitest";
import { called, modelContract, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { deadlinesDefault, type ModelItem } from "#boundary/models/port.ts";
import { inputText, type Script, type ScriptedAnswer } from "#boundary/models/script.ts";
import { textCalls } from "#boundary/models/text-calls.ts";
import { type Message, textOf, toolCallsOf } from "#core/model/message.ts";
import { writtenCall } from "#core/model/text-calls.ts";
import { spoken } from "../../../test/peers/dialects.ts";
import { type Recorded, startStrictStub } from "../../../test/peers/strict.ts";
import type { Dialect } from "../../../test/peers/strict-answers.ts";

const malformed: Recorded[] = [];

/** A model that writes its calls into its text. */
const written = ({ calls = [], ...answer }: ScriptedAnswer): ScriptedAnswer => {
  const texts = calls.map(({ tool, input }) => writtenCall(tool, inputText(input)));
  const text = [answer.text ?? [], texts].flat().join("\n");
  return { ...answer, ...(text === "" ? {} : { text }) };
};

async function peer(dialect: Dialect, script: Script) {
  const stub = await startStrictStub({ script: { answers: script.answers.map(written) } });
  const close = async () => {
    malformed.push(...stub.malformed());
    await stub.close();
  };
  return { port: textCalls(spoken[dialect].port(stub.url)), model: "phi", stub, close };
}

for (const dialect of ["ollama", "chat"] as const) {
  modelContract(`${dialect}, tools through text`, (script) => peer(dialect, script), {
    stops: ["done", "length"],
    inputs: "texts",
    content: spoken[dialect].wire.content,
  });
}

describe("a request with tools through text", () => {
  const calls = (...ids: string[]): Message => ({
    role: "assistant",
    parts: [
      { type: "text", text: "I look." },
      ...ids.map((id) => ({ type: "call" as const, id, tool: "read", input: '{ "path":"a" }' })),
    ],
  });
  const bodyOf = (messages: readonly Message[]) =>
    JSON.parse(
      textCalls(spoken.chat.port("http://x/v1")).encode(requestOf("m", { messages })).body,
    );

  it("names each tool in the system prompt, and calls and results in the conversation", () => {
    const body = bodyOf([
      said("hi"),
      calls("1", "2"),
      resultOf("2", "two", true),
      resultOf("1", "one"),
    ]);
    expect(body).not.toHaveProperty("tools");
    const [system, , answer, results] = body.messages;
    expect(system.content).toMatch(/^You help\.\n\n# Tools\n/);
    expect(system.content).toMatch(/\nTool read \{"type":"object",.*\} Reads a file\.$/);
    const call = writtenCall("read", '{ "path":"a" }');
    expect(answer).toEqual({ role: "assistant", content: `I look.\n${call}\n${call}` });
    expect(results).toEqual({
      role: "user",
      content:
        "<tool_response>\none\n</tool_response>\n<tool_response>\nThe call failed: two\n</tool_response>",
    });
  });

  it("has no word of tools where there are none", () => {
    const port = textCalls(spoken.chat.port("http://x/v1"));
    const { messages } = JSON.parse(port.encode(requestOf("m", { tools: [] })).body);
    expect(messages[0].content).toBe("You help.");
  });
});

describe("an answer with tools through text", () => {
  const ends = async (answer: ScriptedAnswer, dialect: Dialect = "ollama") => {
    const { port, close } = await peer(dialect, { answers: [answer] });
    const { end, deltas } = await called(port, requestOf("m"));
    await close();
    const words = deltas.flatMap((delta) => (delta.type === "text" ? [delta.text] : []));
    expect(textOf(end.parts)).toBe(words.join(""));
    return end;
  };

  it("gives each call an id of its own, in every answer", async () => {
    const answer = { calls: [1, 2].map((n) => ({ tool: "read", input: { path: `${n}` } })) };
    const all = [...(await ends(answer)).parts, ...(await ends(answer)).parts];
    expect(new Set(toolCallsOf(all).map(({ id }) => id)).size).toBe(4);
  });

  it("obeys a bare object only where it names a tool on offer", async () => {
    const bare = (name: string) => `{"name":"${name}","arguments":{"path":"a"}}`;
    expect((await ends({ text: bare("read") })).stop).toBe("calls");
    for (const text of [bare("delete"), `\`\`\`json\n${bare("read")}\n\`\`\``]) {
      const end = await ends({ text });
      expect([end.stop, textOf(end.parts)]).toEqual(["done", text]);
    }
  });

  it("that ends in the middle of a call is broken, and nothing of it is run", async () => {
    const torn = await ends({ text: 'So:\n<tool_call>\n{"name":"read","arg' });
    expect(torn).toMatchObject({ stop: "broken", callsDropped: 1, failure: { code: "broken" } });
    expect(torn.parts).toEqual([{ type: "text", text: "So:" }]);
    const long = await ends({ text: 'So:\n<tool_call>\n{"name":"read","arg', stop: "length" });
    expect(long).toMatchObject({ stop: "length", callsDropped: 1 });
    expect(long.failure).toBeUndefined();
  });

  it("that is called off tells nothing more, not even what was held back", async () => {
    const script = { answers: [{ text: "So \n<tool_call>\n{", pauseMs: 60_000 }] };
    const { port, close } = await peer("chat", script);
    const abort = new AbortController();
    const options = { model: "m", signal: abort.signal, deadlines: deadlinesDefault };
    const items: ModelItem[] = [];
    for await (const item of port.call(port.encode(requestOf("m")), options)) {
      items.push(item);
      abort.abort();
    }
    expect(items).toMatchObject([
      { type: "text", text: "So" },
      { type: "end", failure: { code: "cancelled" }, parts: [{ type: "text", text: "So" }] },
    ]);
    await close();
  });

  it("keeps thoughts apart, whatever they hold", async () => {
    const end = await ends({ reasoning: writtenCall("read", "{}"), text: "No." });
    expect(end.stop).toBe("done");
    expect(end.parts.map(({ type }) => type)).toEqual(["reasoning", "text"]);
  });
});

afterAll(() => {
  expect(malformed.map(({ problems }) => problems)).toEqual([]);
});
