// Ollama's own API against the strict stub: the contract, the size of the window, what its answers
// mean, and that nothing was malformed.
import { afterAll, describe, expect, it } from "vitest";
import { called, modelContract, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { contentOf, ollama } from "#boundary/models/ollama.ts";
import type { ModelRequest } from "#boundary/models/port.ts";
import type { Script } from "#boundary/models/script.ts";
import { type Message, textOf, toolCallsOf } from "#core/model/message.ts";
import { decodedAs } from "../../../test/peers/decoding.ts";
import { spoken } from "../../../test/peers/dialects.ts";
import { type Recorded, startStrictStub } from "../../../test/peers/strict.ts";

const malformed: Recorded[] = [];

async function peer(script: Script) {
  const stub = await startStrictStub({ script });
  const port = ollama({ provider: "ollama", baseUrl: new URL(stub.url).origin });
  const close = async () => {
    malformed.push(...stub.malformed());
    await stub.close();
  };
  return { port, model: "qwen3:8b", close, stub };
}

modelContract("ollama/native", peer, spoken.ollama.wire);

const port = ollama({ provider: "ollama", baseUrl: "http://127.0.0.1:9" });
const bodyOf = (more: Partial<ModelRequest> = {}) =>
  JSON.parse(port.encode(requestOf("m", more)).body);
const windowOf = (chars: number, facts: ModelRequest["facts"] = {}, outputTokensMax?: number) =>
  bodyOf({ messages: [said("word ".repeat(chars / 5))], facts, outputTokensMax }).options.num_ctx;

describe("the window that a request asks for", () => {
  it("holds the request and its answer, in steps that double", () => {
    expect(windowOf(5)).toBe(16_384);
    expect(windowOf(50_000)).toBe(16_384);
    expect(windowOf(70_000)).toBe(32_768);
    expect(windowOf(5, {}, 30_000)).toBe(32_768);
    expect(windowOf(400_000)).toBe(131_072);
  });

  it("is never more than the model has, and what is loaded where that is enough", () => {
    expect(windowOf(5, { windowTokens: 8_192 })).toBe(8_192);
    expect(windowOf(5, { windowTokens: 131_072, loadedTokens: 40_000 })).toBe(40_000);
    expect(windowOf(5, { loadedTokens: 8_000 })).toBe(8_000);
    expect(windowOf(50_000, { loadedTokens: 8_000 })).toBe(16_384);
  });

  it("stands behind the messages, so that a growing session's requests begin alike", () => {
    const short = port.encode(requestOf("m")).body;
    const messages = [said("hello"), said("x ".repeat(50_000))];
    const long = port.encode(requestOf("m", { messages })).body;
    expect(short).toMatch(/\],"options":\{"num_ctx":16384\}\}$/);
    expect(long).toMatch(/\],"options":\{"num_ctx":65536\}\}$/);
    expect(long.startsWith(contentOf(short).slice(0, -"]}".length))).toBe(true);
    expect(JSON.parse(contentOf(short))).not.toHaveProperty("options");
  });

  it("is not what a message says about options", () => {
    const tricky = '"}],"options":{"num_ctx":1}}';
    const { body } = port.encode(requestOf("m", { messages: [said(tricky)] }));
    expect(JSON.parse(contentOf(body)).messages[1].content).toBe(tricky);
  });

  it("that is too small for the request ends it as overflow, before anything is sent", async () => {
    const { port, stub, close } = await peer({ answers: [{ text: "never" }] });
    const messages = [said("word ".repeat(9_000))];
    const request = requestOf("tiny", { messages, facts: { windowTokens: 8_192 } });
    const { end } = await called(port, request);
    expect(end).toMatchObject({ stop: "overflow", failure: { code: "overflow" } });
    expect(end.failure?.say).toMatch(/has about 9\d{3} tokens, and the window of tiny is 8192/);
    expect(stub.requests).toHaveLength(0);
    const fits = requestOf("tiny", {
      messages: [said("word ".repeat(7_000))],
      facts: request.facts,
    });
    expect((await called(port, fits)).end.stop).toBe("done");
    await close();
  });

  it("counts an image as an image, not as its base64", () => {
    const blob = { hash: "h", bytes: 3, media: "image/png" };
    const parts = [{ type: "blob", blob }] as const;
    const messages: Message[] = [{ role: "user", origin: "prompt", parts }];
    const blobs = new Map([["h", "QUJD".repeat(500_000)]]);
    expect(bodyOf({ messages, blobs }).options.num_ctx).toBe(16_384);
  });
});

describe("a request to Ollama", () => {
  const call = (id: string, input: string) => ({ type: "call", id, tool: "read", input }) as const;

  it("forbids to cut the conversation, and asks to think only where the model thinks", () => {
    expect(bodyOf({ effort: "high" })).toMatchObject({ truncate: false, shift: false });
    expect(bodyOf({ effort: "high" })).not.toHaveProperty("think");
    expect(bodyOf({ effort: "high", facts: { thinking: false } })).not.toHaveProperty("think");
    expect(bodyOf({ facts: { thinking: true } })).not.toHaveProperty("think");
    expect(bodyOf({ effort: "high", facts: { thinking: true } }).think).toBe("high");
    expect(bodyOf({ outputTokensMax: 99 }).options.num_predict).toBe(99);
  });

  it("sends thoughts and calls back, arguments as they were written, results by name", () => {
    const input = '{ "path" : "b.ts", "n": 1.0 }';
    const parts = [
      { type: "reasoning", text: "hm" } as const,
      { type: "reasoning", text: "sealed", opaque: { model: "o", data: "x" } } as const,
      call("1", input),
      call("2", '{"torn'),
    ];
    const messages: Message[] = [said("a"), { role: "assistant", parts }, resultOf("1", "out")];
    const { body } = port.encode(requestOf("m", { messages }));
    expect(body).toContain(`"arguments":${input}}`);
    expect(JSON.parse(body).messages.slice(2)).toEqual([
      {
        role: "assistant",
        content: "",
        thinking: "hm",
        tool_calls: [
          { id: "1", function: { name: "read", arguments: { path: "b.ts", n: 1 } } },
          { id: "2", function: { name: "read", arguments: { malformed: '{"torn' } } },
        ],
      },
      { role: "tool", tool_name: "read", tool_call_id: "1", content: "out" },
      expect.objectContaining({ role: "tool", tool_call_id: "2" }),
    ]);
  });

  it("shows images, and says what it cannot show", () => {
    const png = { hash: "h1", bytes: 3, media: "image/png", name: "a.png" };
    const pdf = { hash: "h2", bytes: 3, media: "application/pdf", name: "a.pdf" };
    const blobs = new Map([
      ["h1", "QUJD"],
      ["h2", "REVG"],
    ]);
    const parts = [png, pdf].map((blob) => ({ type: "blob", blob }) as const);
    const messages: Message[] = [{ role: "user", origin: "prompt", parts }];
    expect(bodyOf({ messages, blobs }).messages[1]).toEqual({
      role: "user",
      content: "[a.pdf cannot be shown: only images can]",
      images: ["QUJD"],
    });
    const tool: Message = { role: "tool", callId: "1", failed: false, parts };
    const asked: Message = { role: "assistant", parts: [call("1", "{}")] };
    const after = bodyOf({ messages: [said("look"), asked, tool], blobs }).messages.slice(3);
    expect(after).toMatchObject([
      { role: "tool", content: "(2 attached files follow)" },
      { role: "user", images: ["QUJD"] },
    ]);
  });
});

const line = (fields: object) => `${JSON.stringify(fields)}\n`;
const spoke = (message: object) =>
  line({ message: { role: "assistant", content: "", ...message } });
const done = (more: object = {}) => line({ done: true, done_reason: "stop", ...more });
const read = (...lines: string[]) => decodedAs("ollama", lines.join(""));
const asks = (input: unknown, more: object = {}) =>
  spoke({ tool_calls: [{ ...more, function: { name: "read", arguments: input } }] });

describe("an answer of Ollama", () => {
  it("gets ids for its calls where an older server gives none", async () => {
    const end = await read(asks({ path: "1" }), asks({ path: "2" }, { id: "x" }), done());
    expect(end.stop).toBe("calls");
    expect(toolCallsOf(end.parts).map(({ id }) => id)).toEqual(["call_1_0", "x"]);
  });

  it("stops for reasons of its own, and an unknown one is no licence to run calls", async () => {
    const stops = { stop: "done", length: "length", load: "broken", unload: "broken", new: "done" };
    for (const [done_reason, means] of Object.entries(stops)) {
      const end = await read(spoke({ content: "so" }), done({ done_reason }));
      expect([done_reason, end.stop]).toEqual([done_reason, means]);
    }
    expect((await read(asks({ path: "1" }), done({ done_reason: "new" }))).stop).toBe("calls");
    expect((await read(asks({ path: 1 }), done({ done_reason: "" }))).stop).toBe("broken");
    const cut = await read(asks({ path: "1" }), done({ done_reason: "length" }));
    expect([cut.stop, cut.callsDropped, cut.parts]).toEqual(["length", 1, []]);
    expect((await read(asks({ path: "1" }))).stop).toBe("broken");
    const nameless = spoke({ tool_calls: [{ function: { arguments: {} } }] });
    expect((await read(nameless, done())).stop).toBe("broken");
  });

  it("may report an error in the middle, with the window's own code where it is too small", async () => {
    const error = async (text: string) =>
      await read(spoke({ content: "so" }), line({ error: text }));
    expect(await error("an error was encountered while running the model")).toMatchObject({
      stop: "broken",
      failure: { code: "overloaded" },
    });
    const small = "the prompt is longer than the context length currently available to the model";
    expect(await error(small)).toMatchObject({ stop: "overflow", failure: { code: "overflow" } });
    const torn = "error parsing tool call: raw='{\"a', err=unexpected end of JSON input";
    expect(await error(torn)).toMatchObject({ stop: "broken", failure: { code: "broken" } });
  });

  it("counts tokens only where the counts can be believed", async () => {
    const usage = async (counts: object) =>
      (await read(spoke({ content: "so" }), done(counts))).usage;
    const all = { prompt_eval_count: 500, eval_count: 2 };
    expect(await usage(all)).toMatchObject({ input: 500, cached: 0, output: 2, exact: true });
    const told = { prompt_eval_count: 40, prompt_eval_cached_count: 30, eval_count: 2 };
    expect(await usage(told)).toMatchObject({ input: 40, cached: 30, exact: true });
    for (const cached of [{ prompt_eval_count: 3, eval_count: 2 }, { eval_count: 2 }]) {
      const counted = await usage(cached);
      expect(counted).toMatchObject({ output: 2, exact: false });
      expect(counted?.input).toBeGreaterThan(50);
    }
    expect(await usage({ prompt_eval_count: 0, eval_count: 0 })).toBeUndefined();
    expect(await usage({})).toBeUndefined();
  });
});

describe("a refusal of Ollama", () => {
  const refused = async (status: number, body: string) => {
    const fault = { do: "answer", status, body } as const;
    const stub = await startStrictStub({ script: { answers: [] }, fault: () => fault });
    const port = ollama({ provider: "ollama", baseUrl: new URL(stub.url).origin });
    const { end } = await called(port, requestOf("qwen9"));
    await stub.close();
    return end;
  };

  it("of a model that is not there says how to get it", async () => {
    const end = await refused(404, '{"error":"model \'qwen9\' not found"}');
    expect(end.failure).toMatchObject({
      code: "not_found",
      say: expect.stringContaining("does not have the model qwen9"),
      fix: "get it with: ollama pull qwen9",
    });
    const elsewhere = await refused(404, "404 page not found");
    expect(elsewhere.failure?.fix).not.toContain("pull");
  });

  it("of tools says what to do, and one of a full queue is tried again", async () => {
    const tools = await refused(400, '{"error":"qwen9 does not support tools"}');
    expect(tools.failure).toMatchObject({ code: "rejected", fix: expect.stringContaining("text") });
    const busy = await refused(503, '{"error":"server busy, please try again."}');
    expect(busy).toMatchObject({ stop: "broken", failure: { code: "overloaded" } });
    expect(textOf(busy.parts)).toBe("");
  });
});

afterAll(() => {
  expect(malformed.map(({ problems }) => problems)).toEqual([]);
});
