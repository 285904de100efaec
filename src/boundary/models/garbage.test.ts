// Whatever a server sends: one end, no exception, no call that was not finished, bounded memory.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createSocket } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import type { ModelDelta } from "#boundary/models/port.ts";
import { textOf, toolCallsOf } from "#core/model/message.ts";
import { decodedAs } from "../../../test/peers/decoding.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";
import type { Dialect } from "../../../test/peers/strict-answers.ts";

const word = fc.constantFrom("", "a", "é🙂", "\u2028", '{"path":"a"}', '{"path":', "{}", "[DONE]");
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), word, fc.constant("__proto__"));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 6, arbitrary: value }, odd);
const index = maybe(fc.constantFrom(0, 1, 2));

const chatChunk = fc.record(
  {
    choices: maybe(
      fc.array(
        fc.record(
          {
            index: maybe(fc.constantFrom(0, 0, 0, 1)),
            finish_reason: maybe(
              fc.constantFrom(null, null, null, "stop", "tool_calls", "length", "toString"),
            ),
            delta: maybe(
              fc.record(
                {
                  content: maybe(word),
                  reasoning: maybe(word),
                  refusal: maybe(fc.constantFrom("", null)),
                  tool_calls: maybe(
                    fc.array(
                      fc.record(
                        {
                          index,
                          id: maybe(fc.constantFrom("a", "b", "")),
                          function: maybe(
                            fc.record(
                              { name: maybe(fc.constant("read")), arguments: maybe(word) },
                              { requiredKeys: [] },
                            ),
                          ),
                        },
                        { requiredKeys: [] },
                      ),
                      { maxLength: 2 },
                    ),
                  ),
                },
                { requiredKeys: [] },
              ),
            ),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 2 },
      ),
    ),
    usage: odd,
  },
  { requiredKeys: [] },
);

const item = fc.record(
  {
    type: maybe(fc.constantFrom("message", "reasoning", "function_call")),
    id: maybe(word),
    call_id: maybe(fc.constantFrom("a", "b")),
    name: maybe(fc.constant("read")),
    arguments: maybe(word),
    status: maybe(fc.constantFrom("completed", "incomplete")),
    content: odd,
    summary: odd,
  },
  { requiredKeys: [] },
);

const responsesEvent = fc.record(
  {
    type: maybe(
      fc.constantFrom(
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_part.added",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.completed",
        "response.incomplete",
        "constructor",
      ),
    ),
    output_index: index,
    sequence_number: maybe(fc.nat({ max: 5 })),
    item: maybe(item),
    delta: maybe(word),
    response: maybe(fc.record({ output: maybe(fc.array(item, { maxLength: 2 })), usage: odd })),
  },
  { requiredKeys: [] },
);

const ollamaLine = fc.record(
  {
    message: maybe(
      fc.record(
        {
          content: maybe(word),
          thinking: maybe(word),
          tool_calls: maybe(
            fc.array(
              fc.record(
                {
                  id: maybe(fc.constantFrom("a", "b", "")),
                  function: maybe(
                    fc.record(
                      {
                        name: maybe(fc.constant("read")),
                        arguments: maybe(fc.record({ path: word }, { requiredKeys: [] })),
                      },
                      { requiredKeys: [] },
                    ),
                  ),
                },
                { requiredKeys: [] },
              ),
              { maxLength: 2 },
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
    done: maybe(fc.constantFrom(false, false, true)),
    done_reason: maybe(fc.constantFrom("stop", "stop", "length", "load", "toString")),
    error: fc.option(maybe(word), { nil: undefined, freq: 10 }),
    eval_count: odd,
  },
  { requiredKeys: [] },
);

const block = fc.record(
  {
    type: maybe(fc.constantFrom("text", "thinking", "redacted_thinking", "tool_use", "image")),
    id: maybe(fc.constantFrom("a", "b", "")),
    name: maybe(fc.constant("read")),
    input: maybe(fc.constantFrom({}, { path: "a" })),
    text: maybe(word),
    thinking: maybe(word),
  },
  { requiredKeys: [] },
);

const change = fc.record(
  {
    type: maybe(
      fc.constantFrom("text_delta", "thinking_delta", "input_json_delta", "signature_delta"),
    ),
    text: maybe(word),
    thinking: maybe(word),
    partial_json: maybe(word),
    signature: maybe(word),
    stop_reason: maybe(fc.constantFrom("end_turn", "tool_use", "max_tokens", "toString")),
  },
  { requiredKeys: [] },
);

const messagesEvent = fc.record(
  {
    type: maybe(
      fc.constantFrom(
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "constructor",
      ),
    ),
    index,
    content_block: maybe(block),
    delta: maybe(change),
    usage: odd,
  },
  { requiredKeys: [] },
);

const inputs = (deltas: readonly ModelDelta[], id: string) =>
  deltas.map((delta) => (delta.type === "callInput" && delta.id === id ? delta.text : "")).join("");

const framed = (data: string) => `data: ${data}\n\n`;

type Sending = {
  event: fc.Arbitrary<object>;
  frame(data: string): string;
  /** `mixed`: items or blocks may grow in any order; parts stand in the order of the answer. */
  order: "told" | "mixed";
};

/** What each dialect is sent: one line each. */
const sendings: Record<Dialect, Sending> = {
  responses: { event: responsesEvent, frame: framed, order: "mixed" },
  chat: { event: chatChunk, frame: framed, order: "told" },
  messages: { event: messagesEvent, frame: framed, order: "mixed" },
  ollama: { event: ollamaLine, frame: (data) => `${data}\n`, order: "told" },
};

describe.each(dialectNames)("events of %s that nobody should send", (dialect) => {
  const { event, frame, order } = sendings[dialect];
  it("never throw, and end in parts that are what the deltas said", async () => {
    const line = fc.oneof({ weight: 20, arbitrary: event }, word);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), async (lines, whole) => {
        const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
        const bytes = texts.map(frame).join("");
        const end = await decodedAs(dialect, bytes, whole ? "close" : "reset");
        const calls = toolCallsOf(end.parts);
        const told = end.deltas.map((delta) => (delta.type === "text" ? delta.text : ""));
        const sorted = (text: string) => Array.from(text).sort().join("");
        expect(sorted(textOf(end.parts))).toBe(sorted(told.join("")));
        if (order === "told") expect(textOf(end.parts)).toBe(told.join(""));
        if (end.stop !== "calls") expect(calls).toEqual([]);
        if (end.stop === "broken") expect(end.failure).toBeDefined();
        expect(new Set(calls.map((call) => call.id)).size).toBe(calls.length);
        for (const call of calls) {
          expect(call.tool).not.toBe("");
          expect(inputs(end.deltas, call.id)).toBe(call.input);
        }
      }),
      { numRuns: 4_000 },
    );
  });
});

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

type Body = () => Iterable<string | Buffer>;
type Sent = { status?: number; headers?: Record<string, string>; body: Body };

async function ends(sent: Sent) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(sent.status ?? 200, {
      "content-type": "text/event-stream",
      ...sent.headers,
    });
    const chunks = sent.body()[Symbol.iterator]();
    const more = (error?: Error | null) => {
      if (error || response.destroyed) return;
      const next = chunks.next();
      if (next.done) response.end();
      else response.write(next.value, more);
    };
    more();
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const all = dialectNames.map(async (dialect) => {
    const { model, port: portTo } = spoken[dialect];
    return (await called(portTo(`http://127.0.0.1:${port}/v1`), requestOf(model))).end;
  });
  return Promise.all(all);
}

describe("a server that answers 200 with", () => {
  const page = "<html><title>Sign in</title><body>proxy</body></html>";
  const table: [what: string, sent: Sent, code: string, says: string | RegExp][] = [
    [
      "a page",
      { headers: { "content-type": "text/html" }, body: () => [page] },
      "rejected",
      "instead of a stream",
    ],
    ["a page that says it is a stream", { body: () => [page] }, "broken", /before|in the format/],
    [
      "an error as JSON",
      {
        headers: { "content-type": "application/json" },
        body: () => ['{"error":{"message":"no credits","code":"insufficient_quota"}}'],
      },
      "quota",
      "no credits",
    ],
    ["nothing at all", { body: () => [] }, "broken", "before"],
    [
      "an event that is no JSON",
      { body: () => ["data: {oops\n\n"] },
      "broken",
      "not in the format",
    ],
    [
      "bytes that are not UTF-8",
      { body: () => [Buffer.from([0x64, 0xff, 0xfe])] },
      "broken",
      "UTF-8",
    ],
  ];
  it.each(table)("%s ends with a failure that says so", async (_, sent, code, says) => {
    for (const end of await ends(sent)) {
      expect(end).toMatchObject({ stop: "broken", parts: [], failure: { code } });
      expect(end.failure?.say).toMatch(says);
    }
  });

  it("a line of 100 MiB is cut off long before, in bounded memory", async () => {
    const megabyte = "x".repeat(1024 * 1024);
    function* line() {
      yield "data: ";
      for (let i = 0; i < 100; i += 1) yield megabyte;
    }
    for (const end of await ends({ body: line })) {
      expect(end.failure?.code).toBe("too_large");
    }
  });

  it("an endless error page is read only as far as it is shown", async () => {
    function* page() {
      for (;;) yield "<p>error</p>".repeat(1_000);
    }
    for (const end of await ends({ status: 500, body: page })) {
      expect(end.failure?.code).toBe("overloaded");
    }
  });
});

describe("a server that", () => {
  const endOf = async (baseUrl: string) => {
    const port = openaiChat({ provider: "stub", baseUrl, isOpenAi: false });
    return (await called(port, requestOf("m"))).end;
  };

  it("is not there is unreachable, and nothing was billed", async () => {
    expect(await endOf("http://127.0.0.1:9/v1")).toMatchObject({
      stop: "broken",
      failure: { code: "unreachable", say: "127.0.0.1:9 cannot be reached: nothing listens there" },
      usage: { input: 0, exact: true },
    });
    const unknown = await endOf("http://no-such-host.invalid/v1");
    expect(unknown).toMatchObject({ failure: { code: "unreachable" }, usage: { input: 0 } });
  });

  it("speaks no TLS, or no HTTP, is unreachable", async () => {
    const server = createSocket((socket) => {
      socket.on("error", () => {});
      socket.end("SSH-2.0-OpenSSH_9.9\r\n");
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    for (const scheme of ["http", "https"]) {
      const end = await endOf(`${scheme}://127.0.0.1:${port}/v1`);
      expect([scheme, end.failure?.code]).toEqual([scheme, "unreachable"]);
    }
    server.close();
  });
});
