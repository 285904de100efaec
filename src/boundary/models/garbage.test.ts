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
import { dialects, portTo } from "../../../test/peers/ports.ts";
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

const inputs = (deltas: readonly ModelDelta[], id: string) =>
  deltas.map((delta) => (delta.type === "callInput" && delta.id === id ? delta.text : "")).join("");

const framed = (data: string) => `data: ${data}\n\n`;

describe.each<[Dialect, fc.Arbitrary<object>, (data: string) => string]>([
  ["chat", chatChunk, framed],
  ["responses", responsesEvent, framed],
  ["ollama", ollamaLine, (data) => `${data}\n`],
])("events of %s that nobody should send", (dialect, event, frame) => {
  it("never throw, and end in parts that are what the deltas said", async () => {
    const line = fc.oneof({ weight: 20, arbitrary: event }, word);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), async (lines, whole) => {
        const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
        const bytes = texts.map(frame).join("");
        const end = await decodedAs(dialect, bytes, whole ? "close" : "reset");
        const calls = toolCallsOf(end.parts);
        const told = end.deltas.map((delta) => (delta.type === "text" ? delta.text : ""));
        // Items of Responses may grow in any order; their parts stand in the order of the answer.
        const sorted = (text: string) => Array.from(text).sort().join("");
        expect(sorted(textOf(end.parts))).toBe(sorted(told.join("")));
        if (dialect !== "responses") expect(textOf(end.parts)).toBe(told.join(""));
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
  const all = dialects.map((dialect) => portTo(dialect, `http://127.0.0.1:${port}/v1`));
  return Promise.all(all.map(async (to) => (await called(to, requestOf("gpt-5"))).end));
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
