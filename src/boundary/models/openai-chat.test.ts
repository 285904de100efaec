// Chat Completions beyond OpenAI: what compatible servers do differently, and what is sent them.
import { describe, expect, it } from "vitest";
import { requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import type { ModelRequest } from "#boundary/models/port.ts";
import { type Message, textOf, toolCallsOf } from "#core/model/message.ts";
import { chatBody, chatStream, decoded, decoderOf, delta } from "../../../test/peers/decoding.ts";

const stop = delta({}, "stop");
const piece = (fields: object) => delta({ tool_calls: [fields] });
const read = async (...chunks: (object | string)[]) =>
  decoded(decoderOf("chat"), chatStream(...chunks));

describe("an answer of a compatible server", () => {
  it("may number every call 0, or none", async () => {
    for (const index of [0, undefined]) {
      const end = await read(
        piece({ index, id: "a", function: { name: "read", arguments: '{"path":' } }),
        piece({ index, function: { arguments: '"1"}' } }),
        piece({ index, id: "b", function: { name: "read", arguments: '{"path":"2"}' } }),
        delta({}, "tool_calls"),
      );
      expect(toolCallsOf(end.parts)).toEqual([
        { id: "a", tool: "read", input: '{"path":"1"}' },
        { id: "b", tool: "read", input: '{"path":"2"}' },
      ]);
    }
  });

  it("may mix the pieces of its calls, and repeat ids and names in each", async () => {
    const end = await read(
      piece({ index: 0, id: "a", function: { name: "read", arguments: '{"path"' } }),
      piece({ index: 1, id: "b", function: { name: "read", arguments: "{" } }),
      piece({ index: 0, id: "a", function: { name: "read", arguments: ':"1"}' } }),
      piece({ index: 1, id: "b", function: { name: "read", arguments: "}" } }),
      delta({}, "tool_calls"),
    );
    expect(toolCallsOf(end.parts).map((call) => call.input)).toEqual(['{"path":"1"}', "{}"]);
  });

  it("may leave out ids, repeat them, or use one that the session already has", async () => {
    const body = JSON.stringify({ messages: [{ role: "tool", tool_call_id: "call_0" }, {}] });
    const chunks = chatStream(
      piece({ index: 0, function: { name: "read", arguments: "{}" } }),
      piece({ index: 1, id: "", function: { name: "read", arguments: "{}" } }),
      piece({ index: 2, id: "x", function: { name: "read", arguments: "{}" } }),
      piece({ index: 3, id: "x", function: { name: "read", arguments: "{}" } }),
      piece({ index: 4, id: "call_0", function: { name: "read", arguments: "{}" } }),
      delta({}, "tool_calls"),
    );
    const ids = async () => {
      const { parts } = await decoded(decoderOf("chat", body), chunks);
      return toolCallsOf(parts).map((call) => call.id);
    };
    expect(await ids()).toEqual(["call_2_0", "call_2_1", "x", "x_2_3", "call_0_2_4"]);
    expect(await ids()).toEqual(await ids());
  });

  it("may say `stop` after calls, and send arguments as an object", async () => {
    const call = piece({ index: 0, id: "a", function: { name: "read", arguments: { path: "1" } } });
    const end = await read(call, stop);
    expect([end.stop, toolCallsOf(end.parts)]).toEqual([
      "calls",
      [{ id: "a", tool: "read", input: '{"path":"1"}' }],
    ]);
  });

  it("may name its call late; nothing is told before", async () => {
    const end = await read(
      piece({ index: 0, id: "a", function: { arguments: "{" } }),
      piece({ index: 0, function: { name: "read", arguments: "}" } }),
      delta({}, "tool_calls"),
    );
    expect(end.deltas).toEqual([
      { type: "callStarted", id: "a", tool: "read" },
      { type: "callInput", id: "a", text: "{}" },
    ]);
    const nameless = await read(piece({ index: 0, id: "a", function: { arguments: "{}" } }), stop);
    expect([nameless.stop, toolCallsOf(nameless.parts)]).toEqual(["broken", []]);
  });

  it("may think in either of two fields, and speak in a list", async () => {
    for (const field of ["reasoning_content", "reasoning"]) {
      const content = [{ type: "text", text: "so" }, { type: "other" }];
      const end = await read(delta({ [field]: "hm" }), delta({ content }), stop);
      expect(end.parts).toEqual([
        { type: "reasoning", text: "hm" },
        { type: "text", text: "so" },
      ]);
    }
    const both = await read(delta({ reasoning_content: "hm", reasoning: "hm" }), stop);
    expect(both.parts).toEqual([{ type: "reasoning", text: "hm" }]);
  });

  it("stops for reasons of many names, and an unknown one is no licence to run calls", async () => {
    const stops = {
      stop: "done",
      eos: "done",
      length: "length",
      max_tokens: "length",
      content_filter: "filtered",
      pause_turn: "paused",
      error: "broken",
      abort: "broken",
      constructor: "done",
      "something new": "done",
    };
    for (const [reason, means] of Object.entries(stops)) {
      expect([reason, (await read(delta({ content: "so" }), delta({}, reason))).stop]).toEqual([
        reason,
        means,
      ]);
    }
    const torn = piece({ index: 0, id: "a", function: { name: "read", arguments: '{"pa' } });
    expect(toolCallsOf((await read(torn, delta({}, "something new"))).parts)).toEqual([]);
    expect((await read(delta({}, "tool_calls"))).stop).toBe("broken");
  });

  it("goes on after a finish reason that was not meant", async () => {
    const end = await read(delta({ content: "so " }, "stop"), delta({ content: "far" }), stop);
    expect([end.stop, textOf(end.parts)]).toEqual(["done", "so far"]);
    const cut = await read(delta({ content: "so " }, "stop"), delta({ content: "far" }));
    expect(cut.stop).toBe("broken");
  });

  it("counts tokens only where the counts can be believed", async () => {
    const usage = (prompt_tokens: number, completion_tokens: number) => ({
      choices: [],
      usage: { prompt_tokens, completion_tokens },
    });
    expect((await read(stop, usage(10, 2))).usage).toMatchObject({ input: 10, exact: true });
    for (const counts of [usage(-1, 2), usage(1e15, 2), usage(1.5, 2), {}]) {
      expect((await read(stop, counts)).usage).toBeUndefined();
    }
  });

  it("may count in each chunk what there is so far, which is no count of an answer that was cut", async () => {
    const so = (completion_tokens: number) => ({
      ...delta({ content: "so " }),
      usage: { prompt_tokens: 10, completion_tokens },
    });
    const cut = await read(so(1), so(2));
    expect([cut.stop, cut.usage, cut.counted?.output]).toEqual(["broken", undefined, 2]);
    const whole = await read(so(1), so(2), stop);
    expect(whole.usage).toMatchObject({ input: 10, output: 2, exact: true });
  });

  it("may report an error in the middle", async () => {
    const error = { error: { message: "Provider returned error", code: 502 } };
    const end = await read(delta({ content: "so" }), error);
    expect(end).toMatchObject({ stop: "broken", failure: { code: "overloaded" } });
  });

  it("that is no JSON is broken, but not once the last word was said", async () => {
    expect((await read(delta({ content: "so" }), "<html>")).failure?.code).toBe("broken");
    expect((await read(delta({ content: "so" }, "stop"), "<html>")).stop).toBe("done");
  });
});

describe("a chat request", () => {
  const png = { hash: "h1", bytes: 3, media: "image/png", name: "a.png" };
  const pdf = { hash: "h2", bytes: 3, media: "application/pdf" };
  const blobs = new Map([
    ["h1", "QUJD"],
    ["h2", "REVG"],
  ]);
  const port = openaiChat({ provider: "local", baseUrl: "http://x/v1", isOpenAi: false });
  const sent = (more: Partial<ModelRequest>) =>
    JSON.parse(port.encode(requestOf("m", { blobs, ...more })).body);

  it("puts what a tool attached behind all results, in the user's name", () => {
    const call = (id: string) => ({ type: "call", id, tool: "read", input: "{}" }) as const;
    const messages: Message[] = [
      said("look"),
      { role: "assistant", parts: [call("1"), call("2")] },
      { role: "tool", callId: "1", failed: false, parts: [{ type: "blob", blob: png }] },
      resultOf("2", "gone", true),
      said("and?"),
    ];
    const { messages: wire } = sent({ messages });
    expect(wire.map((m: { role: string }) => m.role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
      "tool",
      "user",
      "user",
    ]);
    expect(wire[3].content).toBe("(1 attached file follows)");
    expect(wire[4].content).toBe("The call failed: gone");
    expect(wire[5].content[1].image_url.url).toBe("data:image/png;base64,QUJD");
  });

  it("shows images and PDF, and says what it cannot show", () => {
    const odd = { hash: "h1", bytes: 9, media: "video/mp4", name: "a.mp4" };
    const lost = { ...png, hash: "h9" };
    const parts = [png, pdf, odd, lost].map((blob) => ({ type: "blob", blob }) as const);
    const { messages } = sent({ messages: [{ role: "user", origin: "prompt", parts }] });
    expect(messages[1].content).toEqual([
      { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
      {
        type: "file",
        file: { filename: "attachment-h2", file_data: "data:application/pdf;base64,REVG" },
      },
      {
        type: "text",
        text: "[a.mp4 (video/mp4, 9 bytes) cannot be shown: only images and PDF can]",
      },
      { type: "text", text: "[a.png (image/png, 3 bytes) is no longer kept]" },
    ]);
  });

  it("never sends arguments that a server could fail to parse", () => {
    const inputs = ['{"a":1}', '{"a":', "", "[1]", "null"];
    const messages: Message[] = inputs.flatMap((input, i): Message[] => [
      { role: "assistant", parts: [{ type: "call", id: `c${i}`, tool: "read", input }] },
      resultOf(`c${i}`, "x"),
    ]);
    const wire = sent({ messages: [said("a"), ...messages] }).messages;
    const texts = wire.flatMap((m: { tool_calls?: { function: { arguments: string } }[] }) =>
      (m.tool_calls ?? []).map((call) => call.function.arguments),
    );
    expect(texts).toEqual([
      '{"a":1}',
      '{"malformed":"{\\"a\\":"}',
      "{}",
      '{"malformed":"[1]"}',
      '{"malformed":"null"}',
    ]);
  });

  it("uses the names that each kind of server knows", () => {
    const limits = { outputTokensMax: 99, effort: "low" } as const;
    expect(sent(limits)).toMatchObject({ max_tokens: 99, reasoning_effort: "low" });
    expect(sent(limits)).not.toHaveProperty("prompt_cache_key");
    const openai = openaiChat({ provider: "openai", baseUrl: "http://x/v1", isOpenAi: true });
    const body = JSON.parse(openai.encode(requestOf("m", limits)).body);
    expect(body).toMatchObject({ max_completion_tokens: 99, prompt_cache_key: "session-1" });
    expect(body).not.toHaveProperty("max_tokens");
  });

  it("holds nothing empty", () => {
    const empty: Message[] = [
      { role: "user", origin: "prompt", parts: [{ type: "text", text: "" }] },
      { role: "assistant", parts: [] },
      { role: "assistant", parts: [{ type: "call", id: "1", tool: "read", input: "{}" }] },
      { role: "tool", callId: "1", failed: false, parts: [] },
    ];
    const { messages } = sent({ messages: empty, system: "" });
    expect(messages.map((m: { content: string }) => m.content)).toEqual([
      "(empty message)",
      null,
      "(no output)",
    ]);
    expect(JSON.parse(chatBody).messages).toHaveLength(1);
  });
});
