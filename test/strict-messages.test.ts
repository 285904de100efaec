// The strict stub refuses what Anthropic would: one malformed request for each rule.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsed } from "#core/model/json.ts";
import { type StrictStub, startStrictStub } from "./peers/strict.ts";

const answers = [{ text: "a" }, { text: "b" }, { text: "c" }];
let stub: StrictStub;
beforeAll(async () => {
  stub = await startStrictStub({ script: { answers } });
});
afterAll(() => stub.close());

const version = { "anthropic-version": "2023-06-01" };
const proven = { ...version, "x-api-key": "k" };

async function problemOf(
  messages: unknown[],
  more: object = {},
  { at = stub, headers = proven }: { at?: StrictStub; headers?: Record<string, string> } = {},
): Promise<string> {
  const body = { model: "m", max_tokens: 2_000, stream: true, messages, ...more };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(`${at.url}/messages`, request);
  const text = await response.text();
  if (response.status === 200) return "";
  const { error } = JSON.parse(text);
  return `${response.status} ${error.type} ${error.message}`;
}

const text = (said: string, more: object = {}) => ({ type: "text", text: said, ...more });
const user = (...content: object[]) => ({ role: "user", content });
const hello = user(text("hello"));
const assistant = (...content: object[]) => ({ role: "assistant", content });
const call = (id: string, more: object = {}) => ({
  type: "tool_use",
  id,
  name: "read",
  input: {},
  ...more,
});
const result = (id: string, said = "out", more: object = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content: [text(said)],
  ...more,
});
const input_schema = { type: "object", properties: {} };
const tool = { name: "read", input_schema };
const mark = { cache_control: { type: "ephemeral" } };
const thinking = { type: "enabled", budget_tokens: 1_024 };
const image = {
  type: "image",
  source: { type: "base64", media_type: "image/png", data: "QUJD" },
};

describe("messages, strictly", () => {
  it("takes a well-formed conversation", async () => {
    const messages = [
      hello,
      assistant(text("I look."), call("1"), call("2")),
      user(result("1"), result("2", "no", { is_error: true }), text("quick", mark)),
    ];
    const system = [text("You help.", mark)];
    expect(await problemOf(messages, { tools: [{ ...tool, ...mark }], system })).toBe("");
  });

  const asked = assistant(call("1"));
  const refused: [rule: string, messages: unknown[], more: object, says: string][] = [
    ["an unknown key", [hello], { top_k: 5 }, "top_k"],
    ["an unknown key in a block", [user(text("a", { name: "b" }))], {}, "name"],
    ["a wrong type", [hello], { max_tokens: "5" }, "max_tokens"],
    ["no limit of tokens", [hello], { max_tokens: undefined }, "max_tokens"],
    ["no stream", [hello], { stream: false }, "stream"],
    ["half an emoji", [user(text("\ud83d"))], {}, "surrogate"],
    ["no messages", [], {}, "at least one message"],
    ["two of the user in a row", [hello, hello], {}, "roles must alternate"],
    ["the assistant first", [assistant(text("a")), hello], {}, "must be the user's"],
    ["the assistant last", [hello, assistant(text("a"))], {}, "ends with the assistant"],
    ["an empty text", [user(text(""))], {}, "a text block is empty"],
    ["a blank text", [user(text("a"), text(" \n"))], {}, "a text block is empty"],
    ["an empty result", [hello, asked, user(result("1", ""))], {}, "a text block is empty"],
    ["an empty system prompt", [hello], { system: "" }, "system: empty"],
    ["a call without result", [hello, asked, hello], {}, "calls without results before it: 1"],
    ["a result without call", [user(result("1"))], {}, "results without their calls: 1"],
    ["two results", [hello, asked, user(result("1"), result("1"))], {}, "two results"],
    ["a text before a result", [hello, asked, user(text("a"), result("1"))], {}, "stands before"],
    [
      "an error with an image",
      [hello, asked, user(result("1", "x", { is_error: true, content: [image] }))],
      {},
      "is_error",
    ],
    ["a strange id", [hello, assistant(call("a|b")), user(result("a|b"))], {}, "bad tool_use id"],
    [
      "an id used before",
      [hello, asked, user(result("1")), asked, user(result("1"))],
      {},
      "was used before",
    ],
    [
      "arguments that are no object",
      [hello, assistant(call("1", { input: "{}" })), user(result("1"))],
      {},
      "not an object",
    ],
    [
      "a bad tool name",
      [hello, assistant(call("1", { name: "a.b" })), user(result("1"))],
      {},
      "bad tool name",
    ],
    ["two tools of a name", [hello], { tools: [tool, tool] }, "there twice"],
    ["a tool without object", [hello], { tools: [{ ...tool, input_schema: {} }] }, "type"],
    [
      "a choice at the top of a tool",
      [hello],
      { tools: [{ ...tool, input_schema: { ...input_schema, anyOf: [] } }] },
      "top level",
    ],
    [
      "five marks",
      [user(text("a", mark), text("b", mark), text("c", mark), text("d", mark), text("e", mark))],
      {},
      "5 marks",
    ],
    [
      "an image of another kind",
      [user({ ...image, source: { ...image.source, media_type: "image/bmp" } })],
      {},
      "media_type",
    ],
    ["a budget too small", [hello], { thinking: { ...thinking, budget_tokens: 9 } }, "budget"],
    ["a budget too large", [hello], { thinking: { ...thinking, budget_tokens: 2_000 } }, "budget"],
    [
      "calls without thinking within a budget",
      [hello, asked, user(result("1"))],
      { thinking },
      "begin without it",
    ],
    [
      "thinking that it did not sign",
      [hello, assistant({ type: "thinking", thinking: "x", signature: "y" }, text("a")), hello],
      {},
      "did not sign",
    ],
    [
      "thinking at the end of an answer",
      [hello, assistant({ type: "redacted_thinking", data: "y" }), hello],
      {},
      "the final block",
    ],
  ];
  it.each(refused)("refuses %s", async (_, messages, more, says) => {
    const problem = await problemOf(messages, more);
    expect(problem).toMatch(/^400 invalid_request_error /);
    expect(problem).toContain(says);
  });

  it("refuses who does not say its version, or who it is, or says that twice", async () => {
    for (const headers of [
      { "x-api-key": "k" },
      version,
      { ...proven, authorization: "Bearer t" },
    ]) {
      expect(await problemOf([hello], {}, { headers })).toMatch(/^400 /);
    }
  });

  it("refuses its own thinking when it comes back changed, in any letter", async () => {
    const script = { answers: [{ reasoning: "hm", text: "a" }, { text: "b" }] };
    const at = await startStrictStub({ script });
    const body = { model: "m", max_tokens: 9, stream: true, messages: [hello] };
    const response = await fetch(`${at.url}/messages`, {
      method: "POST",
      headers: proven,
      body: JSON.stringify(body),
    });
    const stream = await response.text();
    const signature = stream
      .split("\n")
      .map((line) => parsed(line.replace("data: ", "")) as { delta?: { signature?: string } })
      .map((event) => event?.delta?.signature ?? "")
      .join("");
    expect(signature).not.toBe("");
    const back = (thinking: string, more: object = {}) =>
      assistant({ type: "thinking", thinking, signature, ...more }, text("a"));
    expect(await problemOf([hello, back("hm"), hello], {}, { at })).toBe("");
    const changed = await problemOf([hello, back("hm."), hello], {}, { at });
    expect(changed).toContain("not what this server made");
    expect(at.malformed()).toHaveLength(1);
    await at.close();
  });
});
