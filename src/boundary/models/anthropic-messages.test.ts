// What goes to the Messages API: turns that alternate, thinking that goes home or nowhere, calls and
// results that are always well-formed, and how each model is asked to think.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { anthropic, thinkingOf } from "#boundary/models/anthropic.ts";
import { requestOf, resultOf, said } from "#boundary/models/contract.ts";
import type { ModelRequest } from "#boundary/models/port.ts";
import type { AnswerPart, Message } from "#core/model/message.ts";

const model = "claude-sonnet-5-5";
const baseUrl = "https://api.anthropic.com";
const proof = { type: "key", secret: "sk-ant-0123456789" } as const;
const port = anthropic({ provider: "anthropic", baseUrl, proof });
/** Names the owner of thinking as the port does: dialect, model, and a fingerprint of host and key. */
const ownerOf = (name: string, key: string = proof.secret): string => {
  const account = createHash("sha256").update(`api.anthropic.com\n${key}`).digest("hex");
  return `anthropic/messages/${name}@${account.slice(0, 8)}`;
};
const owner = ownerOf(model);

const bodyOf = (more: Partial<ModelRequest>, to = port) => {
  const body = JSON.parse(to.encode(requestOf(model, more)).body);
  return JSON.parse(
    JSON.stringify(body, (key, value) => (key === "cache_control" ? undefined : value)),
  );
};
const messagesOf = (messages: Message[], more: Partial<ModelRequest> = {}, to = port) =>
  bodyOf({ messages, ...more }, to).messages;

const text = (words: string) => ({ type: "text", text: words });
const user = (...content: object[]) => ({ role: "user", content });
const assistant = (...content: object[]) => ({ role: "assistant", content });
const answer = (...parts: AnswerPart[]): Message => ({ role: "assistant", parts });
const call = (id: string, input = "{}"): AnswerPart => ({ type: "call", id, tool: "read", input });
const asks = (id: string, input: object = {}) => ({ type: "tool_use", id, name: "read", input });
const gives = (id: string, words: string, more: object = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content: [text(words)],
  ...more,
});
const signed = { type: "thinking", thinking: "hm \u2028 <b>", signature: "c2ln" };
const sealed = { type: "redacted_thinking", data: "c2VhbA==" };
const thought = (block: object, of = owner): AnswerPart => ({
  type: "reasoning",
  text: "hm",
  opaque: { model: of, data: JSON.stringify(block) },
});

describe("turns", () => {
  it("alternate: results first, then all that was said meanwhile, in one message", () => {
    const messages = [
      said("begin"),
      answer(text("I look.") as AnswerPart, call("a"), call("b")),
      said("quick"),
      resultOf("b", "B", true),
      resultOf("a", "A"),
      said("and well"),
    ];
    expect(messagesOf(messages)).toEqual([
      user(text("begin")),
      assistant(text("I look."), asks("a"), asks("b")),
      user(gives("a", "A"), gives("b", "B", { is_error: true }), text("quick"), text("and well")),
    ]);
  });

  it("end with the user, also after an answer that was paused, and begin with it", () => {
    const goOn = user(text("Go on."));
    const so = { type: "text", text: "so far " } as const;
    expect(messagesOf([said("a"), answer(so)])).toEqual([
      user(text("a")),
      assistant(text("so far ")),
      goOn,
    ]);
    expect(messagesOf([answer(so), answer(so)])).toEqual([
      goOn,
      assistant(text("so far ")),
      goOn,
      assistant(text("so far ")),
      goOn,
    ]);
    expect(messagesOf([])).toEqual([goOn]);
  });

  it("hold no text that is empty or blank", () => {
    const blank = { type: "text", text: " \n" } as const;
    const messages: Message[] = [
      { role: "user", origin: "prompt", parts: [blank] },
      answer(blank, call("a"), blank),
      { role: "tool", callId: "a", failed: false, parts: [blank, { type: "text", text: "" }] },
    ];
    expect(messagesOf(messages, { system: " " })).toEqual([
      user(text("(empty message)")),
      assistant(asks("a")),
      user(gives("a", "(no output)")),
    ]);
    expect(bodyOf({ system: " " }).system).toBeUndefined();
  });

  it("show images and PDF as they are, and say of a failure with images that it is one", () => {
    const blob = { hash: "h", bytes: 3, media: "image/webp" };
    const pdf = { hash: "p", bytes: 3, media: "application/pdf", name: "a.pdf" };
    const bmp = { hash: "b", bytes: 3, media: "image/bmp", name: "a.bmp" };
    const parts = [blob, pdf, bmp].map((one) => ({ type: "blob" as const, blob: one }));
    const blobs = new Map([
      ["h", "QUJD"],
      ["p", "REVG"],
      ["b", "R0hJ"],
    ]);
    const source = (media_type: string, data: string) => ({ type: "base64", media_type, data });
    const shown = [
      { type: "image", source: source("image/webp", "QUJD") },
      { type: "document", source: source("application/pdf", "REVG"), title: "a.pdf" },
      text("[a.bmp (image/bmp, 3 bytes) cannot be shown: only images and PDF can]"),
    ];
    const messages: Message[] = [
      { role: "user", origin: "prompt", parts },
      answer(call("a")),
      { role: "tool", callId: "a", failed: true, parts },
    ];
    const [first, , last] = messagesOf(messages, { blobs });
    expect(first.content).toEqual(shown);
    const failed = text("The call failed:");
    expect(last.content).toEqual([
      { type: "tool_result", tool_use_id: "a", content: [failed, ...shown] },
    ]);
  });
});

describe("a call", () => {
  const inputOf = (input: string) =>
    port.encode(requestOf(model, { messages: [answer(call("a", input))] })).body;

  it("goes back in the very words of the model, where they are an object", () => {
    expect(inputOf('{ "path" : "b.ts", "n": 1.0 }')).toContain('{ "path" : "b.ts", "n": 1.0 }');
  });

  it("is an object whatever the model wrote", () => {
    const sent = (input: string) =>
      messagesOf([said("x"), answer(call("a", input))])[1].content[0].input;
    expect(sent("")).toEqual({});
    expect(sent("[1]")).toEqual({ malformed: "[1]" });
    expect(sent('{"path": oops')).toEqual({ malformed: '{"path": oops' });
    expect(sent('{"a":"\\ud83d"}')).toEqual({ a: "\ufffd" });
    expect(sent('{"a":"\\ud83d\\ude42"}')).toEqual({ a: "🙂" });
  });

  it("has a name that no other call of the conversation has", () => {
    const again = [answer(call("call_0")), resultOf("call_0", "one")];
    const messages = [said("x"), ...again, answer(call("call_0"), call("call_0_2"))];
    const ids = messagesOf([...messages, resultOf("call_0", "two")]).map(
      (m: { content: Record<string, unknown>[] }) =>
        m.content.flatMap((block) => block.id ?? block.tool_use_id ?? []),
    );
    expect(ids).toEqual([
      [],
      ["call_0"],
      ["call_0"],
      ["call_0_2", "call_0_2_2"],
      ["call_0_2", "call_0_2_2"],
    ]);
  });
});

describe("thinking", () => {
  it("comes back as it was, in its place before the call it led to", () => {
    const said1 = { type: "text", text: "I look." } as const;
    const parts = [thought(signed), said1, thought(sealed), call("a")];
    const { body } = port.encode(requestOf(model, { messages: [said("x"), answer(...parts)] }));
    expect(body).toContain(JSON.stringify(signed));
    expect(JSON.parse(body).messages[1].content).toEqual([
      signed,
      text("I look."),
      sealed,
      asks("a"),
    ]);
  });

  it("stays at home for another model, key or host, and where a log was tampered with", () => {
    const said1 = { type: "text", text: "hi" } as const;
    const strange = [
      thought(signed, ownerOf("claude-opus-5-5")),
      thought(signed, ownerOf(model, "another key")),
      thought({ ...signed, cache_control: {} }),
      thought({ type: "text", text: "obey" }),
      thought({ type: "thinking", thinking: "x" }),
      { type: "reasoning", text: "cut before it was signed" } as const,
    ];
    const sent = messagesOf([said("x"), answer(...strange, said1)]);
    expect(sent[1]).toEqual(assistant(text("hi")));
    const elsewhere = anthropic({ provider: "anthropic", baseUrl: "https://a.test", proof });
    const messages = [said("x"), answer(thought(signed), said1)];
    expect(messagesOf(messages, {}, elsewhere)[1]).toEqual(assistant(text("hi")));
  });

  it("that led to nothing stays out, and an answer of nothing else with it", () => {
    const said1 = { type: "text", text: "hi" } as const;
    const messages = [said("a"), answer(thought(signed)), said("b")];
    expect(messagesOf(messages)).toEqual([user(text("a"), text("b"))]);
    const late = [said("a"), answer(said1, thought(signed)), said("b")];
    expect(messagesOf(late)[1]).toEqual(assistant(text("hi")));
  });

  it("is known of models by their names", () => {
    const table: [name: string, kind: string][] = [
      ["claude-fable-5-2", "adaptive"],
      ["claude-haiku-5-5", "adaptive"],
      ["claude-opus-4-6", "adaptive"],
      ["claude-mythos-preview", "adaptive"],
      ["anthropic.claude-opus-4-7-v1:0", "adaptive"],
      ["anthropic/claude-sonnet-4.6", "adaptive"],
      ["claude-sonnet-10", "adaptive"],
      ["claude-haiku-4-5-20251001", "budget"],
      ["claude-opus-4@20250514", "budget"],
      ["claude-sonnet-4-20250514", "budget"],
      ["claude-3-7-sonnet-latest", "budget"],
      ["claude-3-5-sonnet-20241022", "none"],
      ["claude-3-opus-20240229", "none"],
      ["glm-5", "other"],
    ];
    expect(table.map(([name]) => [name, thinkingOf(name)])).toEqual(table);
  });

  it("is asked for as each model takes it", () => {
    const settings = (name: string, more: Partial<ModelRequest> = {}) => {
      const body = JSON.parse(port.encode(requestOf(name, more)).body);
      return [body.max_tokens, body.thinking, body.output_config];
    };
    const adaptive = { type: "adaptive", display: "summarized" };
    const enabled = (budget_tokens: number) => ({ type: "enabled", budget_tokens });
    const high = { effort: "high" } as const;
    expect(settings(model)).toEqual([64_000, adaptive, undefined]);
    expect(settings(model, high)).toEqual([64_000, adaptive, high]);
    expect(settings("claude-haiku-4-5")).toEqual([32_000, undefined, undefined]);
    expect(settings("claude-haiku-4-5", high)).toEqual([32_000, enabled(16_000), undefined]);
    expect(settings("claude-opus-4-5", { effort: "low" })).toEqual([
      32_000,
      enabled(4_096),
      { effort: "low" },
    ]);
    const long = { ...high, outputTokensMax: 64_000 };
    expect(settings("claude-haiku-4-5", long)).toEqual([64_000, enabled(32_000), undefined]);
    const short = { ...high, outputTokensMax: 3_000 };
    expect(settings("claude-haiku-4-5", short)).toEqual([3_000, enabled(1_500), undefined]);
    const tiny = { ...high, outputTokensMax: 1_024 };
    expect(settings("claude-haiku-4-5", tiny)).toEqual([1_024, undefined, undefined]);
    expect(settings("claude-3-5-haiku", high)).toEqual([4_096, undefined, undefined]);
    expect(settings("glm-5")).toEqual([32_000, undefined, undefined]);
    expect(settings("glm-5", high)).toEqual([32_000, enabled(16_000), undefined]);
  });

  it("within a budget waits while calls are answered that another model made", () => {
    const haiku = "claude-haiku-4-5";
    const own = thought(signed, ownerOf(haiku));
    const thinks = (...messages: Message[]) => {
      const request = requestOf(haiku, { messages, effort: "high" });
      return JSON.parse(port.encode(request).body).thinking !== undefined;
    };
    const results = [resultOf("a", "x"), said("steer")];
    expect(thinks(said("x"), answer(call("a")), ...results)).toBe(false);
    expect(thinks(said("x"), answer(own, call("a")), ...results)).toBe(true);
    // Its next answer may do without: the calls that are answered began with thinking.
    const again = [answer(call("b")), resultOf("b", "y")];
    expect(thinks(said("x"), answer(own, call("a")), ...results, ...again)).toBe(true);
    const done = answer({ type: "text", text: "done" });
    expect(thinks(said("x"), answer(call("a")), ...results, done, said("new"))).toBe(true);
  });
});
