// The strict stub refuses what a real Ollama would refuse or spoil: one request for each rule.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "./peers/strict.ts";

let stub: StrictStub;
beforeAll(async () => {
  stub = await startStrictStub({ script: { answers: [{ text: "a" }, { text: "b" }] } });
});
afterAll(() => stub.close());

const options = { num_ctx: 16_384 };

async function problemOf(messages: unknown[], more: object): Promise<string> {
  const body = { model: "m", stream: true, truncate: false, shift: false, messages, options };
  const response = await fetch(`${new URL(stub.url).origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ ...body, ...more }),
  });
  const text = await response.text();
  return response.status === 200 ? "" : `${response.status} ${JSON.parse(text).error}`;
}

const user = { role: "user", content: "hello" };
const call = (id: string, input: unknown = {}) => ({
  id,
  function: { name: "read", arguments: input },
});
const asks = (...calls: object[]) => ({ role: "assistant", content: "", tool_calls: calls });
const result = (id: string, more: object = {}) => ({
  role: "tool",
  tool_call_id: id,
  tool_name: "read",
  content: "out",
  ...more,
});
const tool = {
  type: "function",
  function: { name: "read", parameters: { type: "object", properties: {}, minProperties: 1 } },
};

describe("Ollama's chat, strictly", () => {
  it("takes a well-formed conversation", async () => {
    const messages = [user, asks(call("1"), call("2")), result("1"), result("2")];
    const images = [{ ...user, images: ["QUJD"] }, ...messages];
    expect(await problemOf(images, { tools: [tool], think: "high" })).toBe("");
  });

  const refused: [rule: string, messages: unknown[], more: object, says: string][] = [
    ["an unknown key", [user], { max_tokens: 5 }, "max_tokens"],
    ["an unknown option", [user], { options: { ...options, max: 5 } }, "max"],
    ["an unknown key in a message", [{ ...user, extra: 1 }], {}, "extra"],
    ["a list as content", [{ ...user, content: [] }], {}, "content"],
    ["an unknown role", [{ ...user, role: "developer" }], {}, "unknown role"],
    ["half an emoji", [{ ...user, content: "\ud83d" }], {}, "surrogate"],
    ["an odd wish to think", [user], { think: "hard" }, "think"],
    ["leave to truncate", [user], { truncate: undefined }, "`truncate` is not false"],
    ["leave to shift", [user], { shift: true }, "`shift` is not false"],
    ["an image that is a data URL", [{ ...user, images: ["data:,QUJD"] }], {}, "not base64"],
    ["arguments as text", [asks(call("1", "{}")), result("1")], {}, "no object"],
    ["a result under another name", [asks(call("1")), result("1", { tool_name: "x" })], {}, "name"],
    ["a call without result", [asks(call("1")), user], {}, "calls without result"],
    ["a result without call", [user, result("1")], {}, "without its call"],
    ["an empty text", [{ ...user, content: "" }], {}, "empty content"],
    ["a repeated id", [asks(call("1"), call("1")), result("1")], {}, "used before"],
    ["no messages", [], {}, "empty"],
    ["a prompt longer than the window", [user], { options: { num_ctx: 5 } }, "without a word"],
    [
      "… or than the usual one",
      [{ ...user, content: "word ".repeat(5_000) }],
      { options: {} },
      "4096",
    ],
  ];
  it.each(refused)("refuses %s", async (_, messages, more, says) => {
    const problem = await problemOf(messages, more);
    expect(problem).toMatch(/^400 /);
    expect(problem).toContain(says);
  });
});
