// Answers of the Messages API: every block and every stop, in good order and not.
import { describe, expect, it } from "vitest";
import { toolCallsOf } from "#core/model/message.ts";
import { chatStream, decoded, decoderOf } from "../../../test/peers/decoding.ts";

const read = (...events: object[]) => decoded(decoderOf("messages"), chatStream(...events));

const begins = (content_block: object, index = 0) => ({
  type: "content_block_start",
  index,
  content_block,
});
const grows = (delta: object, index = 0) => ({ type: "content_block_delta", index, delta });
const closes = (index = 0) => ({ type: "content_block_stop", index });
const ends = (stop_reason: unknown, more: object = {}) => ({
  type: "message_delta",
  delta: { stop_reason, ...more },
  usage: { output_tokens: 5 },
});
const over = { type: "message_stop" };
const words = (text: string, index = 0) => [
  begins({ type: "text", text: "" }, index),
  grows({ type: "text_delta", text }, index),
  closes(index),
];
const asks = (input: string, index = 0, id = "c") => [
  begins({ type: "tool_use", id, name: "read", input: {} }, index),
  grows({ type: "input_json_delta", partial_json: input }, index),
  closes(index),
];

describe("an answer", () => {
  it("keeps thinking, its signature and what is sealed, in the order of its blocks", async () => {
    const end = await read(
      begins({ type: "thinking", thinking: "", signature: "" }),
      grows({ type: "thinking_delta", thinking: "hm " }),
      grows({ type: "thinking_delta", thinking: "ü" }),
      grows({ type: "signature_delta", signature: "c2l" }),
      grows({ type: "signature_delta", signature: "n" }),
      closes(),
      ...words("I look.", 1),
      begins({ type: "redacted_thinking", data: "c2VhbA==" }, 2),
      closes(2),
      ...asks("{}", 3),
      ends("tool_use"),
      over,
    );
    const opaque = (data: object) => ({ model: "stub/m", data: JSON.stringify(data) });
    expect(end.parts).toEqual([
      {
        type: "reasoning",
        text: "hm ü",
        opaque: opaque({ type: "thinking", thinking: "hm ü", signature: "c2ln" }),
      },
      { type: "text", text: "I look." },
      {
        type: "reasoning",
        text: "",
        opaque: opaque({ type: "redacted_thinking", data: "c2VhbA==" }),
      },
      { type: "call", id: "c", tool: "read", input: "{}" },
    ]);
  });

  it("keeps thinking of which only the signature may be seen", async () => {
    const end = await read(
      begins({ type: "thinking", thinking: "", signature: "" }),
      grows({ type: "signature_delta", signature: "s" }),
      closes(),
      ...words("so", 1),
      ends("end_turn"),
      over,
    );
    expect(end.parts[0]).toMatchObject({
      type: "reasoning",
      text: "",
      opaque: { data: '{"type":"thinking","thinking":"","signature":"s"}' },
    });
  });

  it("does not vouch for thinking that was cut", async () => {
    const end = await read(
      begins({ type: "thinking", thinking: "", signature: "" }),
      grows({ type: "thinking_delta", thinking: "hm" }),
      ends("max_tokens"),
      over,
    );
    expect([end.stop, end.parts]).toEqual(["length", [{ type: "reasoning", text: "hm" }]]);
  });

  it("runs a call only when its block is closed and the answer named its stop", async () => {
    const whole = await read(...asks('{"a":1}'), ends("tool_use"), over);
    expect([whole.stop, toolCallsOf(whole.parts)[0]?.input]).toEqual(["calls", '{"a":1}']);
    const unclosed = asks("{}").slice(0, 2);
    for (const events of [
      [...unclosed, ends("tool_use"), over],
      [...asks("{}"), over],
      asks("{}"),
      [...asks("{}"), ends(null), over],
      [...asks("{}"), ...asks("{}", 1), ends("tool_use"), over],
      [begins({ type: "tool_use", id: "c", input: {} }), closes(), ends("tool_use"), over],
      [begins({ type: "tool_use", name: "read" }), closes(), ends("tool_use"), over],
      [grows({ type: "input_json_delta", partial_json: "{}" }), ends("tool_use"), over],
      [...asks("{}"), { type: "error", error: { type: "overloaded_error", message: "x" } }],
    ]) {
      const end = await read(...events);
      expect([end.stop, toolCallsOf(end.parts)]).toEqual(["broken", []]);
      expect(end.failure).toBeDefined();
    }
  });

  it("takes arguments that came at once, and none at all", async () => {
    const block = '{"type":"tool_use","id":"c","name":"read","input":{ "path": "a" }}';
    const begun = `{"type":"content_block_start","index":0,"content_block":${block}}`;
    const stream = chatStream(begun, closes(), ends("tool_use"), over);
    const at = await decoded(decoderOf("messages"), stream);
    expect(toolCallsOf(at.parts)[0]?.input).toBe('{ "path": "a" }');
    expect(at.deltas.at(-1)).toEqual({ type: "callInput", id: "c", text: '{ "path": "a" }' });
    const none = await read(...asks(""), ends("tool_use"), over);
    expect(toolCallsOf(none.parts)[0]?.input).toBe("");
  });

  it("names why it ended", async () => {
    const ended = async (reason: unknown, more: object = {}) => {
      const end = await read(...words("so"), ends(reason, more), over);
      return `${end.stop} ${end.failure?.code ?? ""}`.trim();
    };
    expect(await ended("end_turn")).toBe("done");
    expect(await ended("stop_sequence")).toBe("done");
    expect(await ended("tool_use")).toBe("done");
    expect(await ended("max_tokens")).toBe("length");
    expect(await ended("pause_turn")).toBe("paused");
    expect(await ended("model_context_window_exceeded")).toBe("overflow");
    expect(await ended("refusal")).toBe("refused");
    const details = (category: string | null) => ({ stop_details: { type: "refusal", category } });
    expect(await ended("refusal", details("cyber"))).toBe("filtered");
    expect(await ended("refusal", details(null))).toBe("refused");
    expect(await ended("something new")).toBe("broken broken");
    expect(await ended("constructor")).toBe("broken broken");
    const call = await read(...asks("{}"), ends("end_turn"), over);
    expect(call.stop).toBe("calls");
    const paused = await read(...asks("{}"), ends("pause_turn"), over);
    expect([paused.stop, paused.parts, paused.callsDropped]).toEqual(["paused", [], 1]);
  });

  it("ends without its last event where a server leaves that out", async () => {
    expect((await read(...words("so"), ends("end_turn"))).stop).toBe("done");
  });

  it("says what an error in the middle of it was, with what had come", async () => {
    const broken = async (error: object) => {
      const end = await read(...words("so"), { type: "error", error });
      return [end.stop, end.failure?.code, end.parts];
    };
    const so = [{ type: "text", text: "so" }];
    expect(await broken({ type: "overloaded_error", message: "Overloaded" })).toEqual([
      "broken",
      "overloaded",
      so,
    ]);
    const message = "prompt is too long: 9 tokens > 8 maximum";
    expect(await broken({ type: "invalid_request_error", message })).toEqual([
      "overflow",
      "overflow",
      so,
    ]);
    const bare = await read({ error: { message: "no", type: "api_error" } });
    expect(bare.failure?.code).toBe("overloaded");
  });

  it("ignores what it does not know: pings, blocks of other tools, new events", async () => {
    const odd = [
      { type: "ping" },
      { type: "brand_new" },
      begins({ type: "server_tool_use", id: "s", name: "web_search", input: { q: 1 } }, 7),
      grows({ type: "input_json_delta", partial_json: "{}" }, 7),
      grows({ type: "citations_delta", citation: {} }, 0),
      closes(7),
    ];
    const end = await read(...odd, ...words("so"), ...odd, ends("end_turn"), over);
    expect([end.stop, end.parts]).toEqual(["done", [{ type: "text", text: "so" }]]);
    const late = await read(...words("so"), ends("end_turn"), ...asks("{}", 3), over);
    expect([late.stop, late.parts]).toEqual(["done", [{ type: "text", text: "so" }]]);
  });
});

describe("the figures", () => {
  const begun = (usage: object) => ({ type: "message_start", message: { usage } });
  const counted = async (first: object, last: object) => {
    const end = { ...ends("end_turn"), usage: last };
    return (await read(begun(first), ...words("so"), end, over)).usage;
  };

  it("are the last ones given of each kind", async () => {
    const first = { input_tokens: 10, cache_read_input_tokens: 70, output_tokens: 1 };
    const details = { output_tokens_details: { thinking_tokens: 3 } };
    expect(await counted(first, { output_tokens: 9, ...details })).toEqual({
      input: 80,
      cached: 70,
      output: 9,
      reasoning: 3,
      exact: true,
    });
    const cache = { cache_creation_input_tokens: 20, cache_read_input_tokens: null };
    expect(await counted(first, { input_tokens: 12, output_tokens: 9, ...cache })).toEqual({
      input: 102,
      cached: 70,
      written: 20,
      output: 9,
      reasoning: 0,
      exact: true,
    });
  });

  it("are missing where the answer's own count is", async () => {
    expect(await counted({ input_tokens: 10, output_tokens: 1 }, {})).toBeUndefined();
    expect(await counted({}, { output_tokens: 4 })).toBeUndefined();
  });

  it("of the request are known of an answer that was cut, and no more than its first of the rest", async () => {
    const first = { input_tokens: 10, cache_read_input_tokens: 70, output_tokens: 1 };
    const cut = await read(begun(first), ...words("so"));
    expect([cut.stop, cut.usage]).toEqual(["broken", undefined]);
    expect(cut.counted).toMatchObject({ input: 80, cached: 70, output: 1 });
    expect((await read(...words("so"))).counted).toBeUndefined();
  });
});
