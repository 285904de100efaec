// The strict stub refuses what a real server would: one malformed request for each rule.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "./peers/strict.ts";

let stub: StrictStub;
beforeAll(async () => {
  stub = await startStrictStub({ script: { answers: [{ text: "a" }, { text: "b" }] } });
});
afterAll(() => stub.close());

async function problemOf(path: string, body: object): Promise<string> {
  const response = await fetch(`${stub.url}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return response.status === 200 ? "" : `${response.status} ${JSON.parse(text).error.message}`;
}

const parameters = { type: "object", properties: {} };
const user = { role: "user", content: "hello" };
const call = (id: string, name = "read", input: unknown = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: input },
});
const asks = (...calls: object[]) => ({ role: "assistant", content: null, tool_calls: calls });
const result = (id: string, content = "out") => ({ role: "tool", tool_call_id: id, content });
const tool = { type: "function", function: { name: "read", parameters } };

const chat = (messages: unknown[], more: object = {}) =>
  problemOf("/chat/completions", { model: "m", stream: true, messages, ...more });

describe("chat completions, strictly", () => {
  it("takes a well-formed conversation", async () => {
    const messages = [user, asks(call("1"), call("2")), result("1"), result("2")];
    expect(await chat(messages, { tools: [tool] })).toBe("");
  });

  const refused: [rule: string, messages: unknown[], more: object, says: string][] = [
    ["an unknown key", [user], { top_k: 5 }, "top_k"],
    ["an unknown key in a message", [{ ...user, extra: 1 }], {}, "extra"],
    ["an unknown key in a call", [asks({ ...call("1"), index: 0 }), result("1")], {}, "index"],
    ["half an emoji", [{ role: "user", content: "\ud83d" }], {}, "surrogate"],
    ["a wrong type", [user], { max_tokens: "5" }, "max_tokens"],
    ["no stream", [user], { stream: false }, "stream"],
    ["a call without result", [asks(call("1")), user], {}, "calls without result"],
    ["a call without result at the end", [user, asks(call("1"))], {}, "at the end: 1"],
    ["a user between call and result", [asks(call("1")), user, result("1")], {}, "without result"],
    ["a result without call", [user, result("1")], {}, "without its call"],
    ["two results", [asks(call("1")), result("1"), result("1")], {}, "without its call"],
    ["an empty text", [{ role: "user", content: "" }], {}, "empty content"],
    ["an empty result", [asks(call("1")), result("1", "")], {}, "empty content"],
    ["an empty answer", [user, { role: "assistant", content: "" }], {}, "empty content"],
    ["a repeated id", [asks(call("1"), call("1")), result("1")], {}, "used before"],
    ["a long id", [asks(call("x".repeat(41))), result("x".repeat(41))], {}, "bad call id"],
    ["arguments as an object", [asks(call("1", "read", {})), result("1")], {}, "must be string"],
    ["arguments that are torn", [asks(call("1", "read", "{")), result("1")], {}, "of an object"],
    ["a bad tool name", [asks(call("1", "a.b")), result("1")], {}, "bad function name"],
    ["two tools of a name", [user], { tools: [tool, tool] }, "there twice"],
    ["a tool without object", [user], { tools: [{ ...tool, function: { name: "a" } }] }, "object"],
    ["no messages", [], {}, "empty"],
  ];
  it.each(refused)("refuses %s", async (_, messages, more, says) => {
    const problem = await chat(messages, more);
    expect(problem).toMatch(/^400 /);
    expect(problem).toContain(says);
  });
});

const said = { role: "user", content: [{ type: "input_text", text: "hello" }] };
const made = (call_id: string) => ({
  type: "function_call",
  call_id,
  name: "read",
  arguments: "{}",
});
const output = (call_id: string) => ({ type: "function_call_output", call_id, output: "out" });
const thought = { type: "reasoning", id: "rs_9", summary: [], encrypted_content: "x" };
const responsesTool = { type: "function", name: "read", parameters, strict: false };

const responses = (input: unknown[], more: object = {}) =>
  problemOf("/responses", { model: "m", stream: true, input, ...more });

describe("responses, strictly", () => {
  it("takes a well-formed conversation", async () => {
    const input = [said, thought, made("1"), made("2"), output("1"), output("2")];
    expect(await responses(input, { tools: [responsesTool], store: false })).toBe("");
  });

  const refused: [rule: string, input: unknown[], more: object, says: string][] = [
    ["an unknown key", [said], { max_tokens: 5 }, "max_tokens"],
    ["an unknown key in an item", [{ ...said, extra: 1 }], {}, "extra"],
    ["a tool of the other dialect", [said], { tools: [tool] }, "schema"],
    ["a call without result", [made("1"), said], {}, "calls without result"],
    ["a call without result at the end", [said, made("1")], {}, "without result: 1"],
    ["a result without call", [said, output("1")], {}, "result without call"],
    ["a repeated call id", [made("1"), made("1"), output("1")], {}, "used before"],
    ["reasoning that led nowhere", [thought, said], {}, "without following item"],
    ["reasoning at the end", [said, thought], {}, "without following item"],
    [
      "reasoning without its content",
      [{ ...thought, encrypted_content: null }, made("1"), output("1")],
      {},
      "encrypted content",
    ],
    ["an empty output", [made("1"), { ...output("1"), output: "" }], {}, "empty output"],
    ["no input", [], {}, "empty"],
  ];
  it.each(refused)("refuses %s", async (_, input, more, says) => {
    const problem = await responses(input, more);
    expect(problem).toMatch(/^400 /);
    expect(problem).toContain(says);
  });

  it("refuses its own items when they come back changed, or without their reasoning", async () => {
    const answers = [{ reasoning: "hm", calls: [{ tool: "read", input: {} }] }, { text: "b" }];
    const own = await startStrictStub({ script: { answers } });
    const ask = (input: unknown[]) =>
      fetch(`${own.url}/responses`, {
        method: "POST",
        body: JSON.stringify({ model: "m", stream: true, input }),
      }).then((response) => response.text());
    const events = (await ask([said])).split("\n").filter((line) => line.startsWith("data: "));
    const items = events
      .map((line) => JSON.parse(line.slice(6)))
      .filter((event) => event.type === "response.output_item.done")
      .map((event) => event.item);
    const [reasoning, calls] = items;
    const back = output(calls.call_id);
    expect(await ask([said, reasoning, calls, back])).toContain("response.completed");
    const changed = { ...calls, status: "in_progress" };
    expect(await ask([said, reasoning, changed, back])).toContain("is not what this server made");
    expect(await ask([said, calls, back])).toContain("without its reasoning rs_1");
    expect(own.malformed()).toHaveLength(2);
    await own.close();
  });
});
