// Calls and results in pairs, whatever the log holds.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

const user = (text: string): Message => ({
  role: "user",
  origin: "prompt",
  parts: [{ type: "text", text }],
});
const calls = (...ids: string[]): Message => ({
  role: "assistant",
  parts: ids.map((id) => ({ type: "call", id, tool: "read", input: "{}" })),
});
const result = (callId: string, text = callId): Message => ({
  role: "tool",
  callId,
  failed: false,
  parts: [{ type: "text", text }],
});

describe("messages", () => {
  it("that are in order stay as they are", () => {
    const all = [user("a"), calls("1", "2"), result("1"), result("2"), user("b"), calls("3")];
    expect(paired([...all, result("3")])).toEqual([...all, result("3")]);
  });

  it("put results straight after their call, in call order, before what the user said", () => {
    const all = [calls("1", "2"), user("steer"), result("2"), result("1")];
    expect(paired(all)).toEqual([calls("1", "2"), result("1"), result("2"), user("steer")]);
  });

  it("give a call without a result one that says so, and drop a result without a call", () => {
    const [call, made, rest] = paired([result("0"), calls("1"), user("b")]);
    expect([call, rest]).toEqual([calls("1"), user("b")]);
    expect(made).toMatchObject({ role: "tool", callId: "1", failed: true });
  });

  it("keep the first of two results and the first of two calls of one id", () => {
    expect(paired([calls("1", "1"), result("1", "a"), result("1", "b")])).toEqual([
      calls("1"),
      result("1", "a"),
    ]);
  });

  it("always pair, and pairing twice changes nothing", () => {
    const id = fc.constantFrom("1", "2", "3");
    const message = fc.oneof(
      fc.constant(user("x")),
      fc.array(id, { maxLength: 3 }).map((ids) => calls(...ids)),
      id.map((callId) => result(callId)),
    );
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const once = paired(messages);
        expect(paired(once)).toEqual(once);
        let open: string[] = [];
        for (const m of once) {
          if (m.role === "tool") expect(open.shift()).toBe(m.callId);
          else expect(open).toEqual([]);
          if (m.role === "assistant") {
            open = m.parts.flatMap((part) => (part.type === "call" ? [part.id] : []));
          }
        }
        expect(open).toEqual([]);
      }),
    );
  });
});

describe("a call id on the wire", () => {
  it("stays when it fits, and becomes a short stable one otherwise", () => {
    expect(wireCallId("call_abc-1")).toBe("call_abc-1");
    const long = wireCallId(`call_1|fc_${"x".repeat(300)}`);
    expect(long).toMatch(/^call_[0-9a-f]{16}$/);
    expect(wireCallId(`call_1|fc_${"x".repeat(300)}`)).toBe(long);
    expect(wireCallId(`call_2|fc_${"x".repeat(300)}`)).not.toBe(long);
  });
});

it("a tool's name on the wire is one that providers take", () => {
  expect(wireToolName("read_file")).toBe("read_file");
  expect(wireToolName("functions.read file 🙂")).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(wireToolName("x".repeat(100))).toHaveLength(64);
  expect(wireToolName("")).toBe("unnamed");
});
