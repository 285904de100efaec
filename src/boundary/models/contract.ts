// Every model port passes this suite; an adapter's test file is one call to it. `open` connects a
// port to something that answers by the given script: the scripted model itself, or an adapter to
// a server that plays the script over HTTP.
import { describe, expect, it } from "vitest";
import {
  deadlinesDefault,
  type ModelDelta,
  type ModelEnd,
  type ModelItem,
  type ModelPort,
  type ModelRequest,
} from "#boundary/models/port.ts";
import type { Script, ScriptedAnswer } from "#boundary/models/script.ts";
import { type Message, type Stop, textOf, toolCallsOf } from "#core/model/message.ts";

/** What differs between the wires of dialects, where the suite must ask for it differently. */
export type Wire = {
  /** How a whole answer can end. */
  stops: readonly Stop[];
  /** `texts`: arguments are the model's own text, JSON or not · `objects`: only objects exist. */
  inputs: "texts" | "objects";
  /**
   * The body without what may change as a conversation grows: the size of a window, the marks of a
   * cache, and brackets that close what the user may go on in.
   */
  content(body: string): string;
};

export const plainWire: Wire = {
  stops: ["done", "length", "filtered", "refused"],
  inputs: "texts",
  content: (body) => body,
};

/** Whether a request begins with the exact content of the one before it. */
export const isGrown = ({ content }: Wire, before: string, after: string): boolean =>
  content(after).startsWith(content(before).replace(/\]\}$/, ""));

export type Opened = { port: ModelPort; model: string; close(): Promise<void> };

/** A request with one prompt, to be changed where a test needs more. */
export function requestOf(model: string, more: Partial<ModelRequest> = {}): ModelRequest {
  const schema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
  return {
    model,
    system: "You help.",
    messages: [said("hello")],
    tools: [{ name: "read", about: "Reads a file.", schema }],
    cacheKey: "session-1",
    blobs: new Map(),
    ...more,
  };
}

export const said = (text: string): Message => ({
  role: "user",
  origin: "prompt",
  parts: [{ type: "text", text }],
});

export const resultOf = (callId: string, text: string, failed = false): Message => ({
  role: "tool",
  callId,
  failed,
  parts: [{ type: "text", text }],
});

/** Makes a call and gathers everything it yields. */
export async function called(
  port: ModelPort,
  request: ModelRequest,
  signal: AbortSignal = AbortSignal.timeout(20_000),
): Promise<{ deltas: ModelDelta[]; end: ModelEnd; items: ModelItem[] }> {
  const options = { model: request.model, signal, deadlines: deadlinesDefault };
  const items = await Array.fromAsync(port.call(port.encode(request), options));
  const end = items.at(-1);
  expect(items.filter((item) => item.type === "end")).toEqual([end]);
  if (end?.type !== "end") throw new Error("a call must end with `end`");
  return { items, end, deltas: items.filter((item) => item.type !== "end") };
}

const textIn = (deltas: readonly ModelDelta[], type: "text" | "reasoning"): string =>
  deltas.map((delta) => (delta.type === type ? delta.text : "")).join("");

const inputIn = (deltas: readonly ModelDelta[], id: string): string =>
  deltas.map((delta) => (delta.type === "callInput" && delta.id === id ? delta.text : "")).join("");

const speech: ScriptedAnswer = {
  reasoning: "First I think about it.",
  text: "Then I say: ünïcödé 🙂,\u2028 and “quotes”.",
  calls: [
    { tool: "read", input: { path: "a.ts" } },
    { tool: "read", input: '{ "path" : "b.ts", "n": 1.0 }' },
  ],
};

export function modelContract(
  name: string,
  open: (script: Script) => Promise<Opened>,
  wire: Wire = plainWire,
): void {
  async function playing<T>(script: Script, use: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = await open(script);
    try {
      return await use(opened);
    } finally {
      await opened.close();
    }
  }

  describe(`model: ${name}`, () => {
    it("streams text, reasoning and calls, and ends with the very same parts", async () => {
      await playing({ answers: [speech] }, async ({ port, model }) => {
        const { deltas, end } = await called(port, requestOf(model));
        expect(end).toMatchObject({ type: "end", stop: "calls" });
        expect(end.failure).toBeUndefined();
        expect(textOf(end.parts)).toBe(speech.text);
        expect(textIn(deltas, "text")).toBe(speech.text);
        expect(textIn(deltas, "reasoning")).toBe(speech.reasoning);
        const calls = toolCallsOf(end.parts);
        expect(calls.map((call) => [call.tool, call.input])).toEqual([
          ["read", '{"path":"a.ts"}'],
          ["read", '{ "path" : "b.ts", "n": 1.0 }'],
        ]);
        for (const call of calls) expect(inputIn(deltas, call.id)).toBe(call.input);
        const started = deltas.filter((delta) => delta.type === "callStarted");
        expect(started.map((delta) => delta.id)).toEqual(calls.map((call) => call.id));
        expect(new Set(calls.map((call) => call.id)).size).toBe(2);
      });
    });

    it("keeps arguments that are no JSON exactly as the model wrote them", async () => {
      const input = '{"path": "a.ts", oops';
      await playing({ answers: [{ calls: [{ tool: "read", input }] }] }, async (opened) => {
        const { end } = await called(opened.port, requestOf(opened.model));
        const inputs = toolCallsOf(end.parts).map((call) => call.input);
        // Where arguments are objects the server itself could not read them, and says so.
        if (wire.inputs === "objects") expect([end.stop, inputs]).toEqual(["broken", []]);
        else expect(inputs).toEqual([input]);
      });
    });

    it("names every way to stop, and gives calls for none but `calls`", async () => {
      for (const stop of wire.stops) {
        const calls = stop === "length" ? speech.calls : undefined;
        await playing({ answers: [{ text: "So far", calls, stop }] }, async (opened) => {
          const { end } = await called(opened.port, requestOf(opened.model));
          expect([stop, end.stop, toolCallsOf(end.parts)]).toEqual([stop, stop, []]);
          expect(end.callsDropped).toBe(calls?.length);
          expect(textOf(end.parts)).toBe("So far");
        });
      }
    });

    it("ends as broken, with what had come and without any call, when it is cut", async () => {
      const failure = { code: "broken", say: "cut", afterChars: 60 } as const;
      await playing({ answers: [{ ...speech, failure }] }, async ({ port, model }) => {
        const { deltas, end } = await called(port, requestOf(model));
        expect(end).toMatchObject({ stop: "broken", failure: { code: "broken" } });
        expect(toolCallsOf(end.parts)).toEqual([]);
        expect(textOf(end.parts)).toBe(textIn(deltas, "text"));
        expect(end.usage).toMatchObject({ exact: false });
        expect(end.usage.input).toBeGreaterThan(0);
      });
    });

    it("passes on a failure with its code, and how long to wait", async () => {
      const failure = { code: "rate_limited", say: "slow down", retryAfterMs: 1_500 } as const;
      await playing({ answers: [{ failure }] }, async ({ port, model }) => {
        const { end, deltas } = await called(port, requestOf(model));
        expect(end).toMatchObject({ stop: "broken", failure: { code: "rate_limited" } });
        expect(end.retryAfterMs).toBe(1_500);
        expect([deltas, end.parts, end.usage.input]).toEqual([[], [], 0]);
      });
    });

    it("says overflow when the request does not fit", async () => {
      const failure = { code: "overflow", say: "maximum context length is 10 tokens" } as const;
      await playing({ answers: [{ failure }] }, async ({ port, model }) => {
        const { end } = await called(port, requestOf(model));
        expect(end).toMatchObject({ stop: "overflow", failure: { code: "overflow" } });
      });
    });

    it("ends at once when it is called off, before the start or in the middle", async () => {
      const slow = { text: "one two three four five", delayMs: 50, pauseMs: 600_000 };
      await playing({ answers: [slow] }, async ({ port, model }) => {
        const before = await called(port, requestOf(model), AbortSignal.abort());
        expect(before.items).toHaveLength(1);
        expect(before.end).toMatchObject({ stop: "broken", failure: { code: "cancelled" } });
        const abort = new AbortController();
        const options = { model, signal: abort.signal, deadlines: deadlinesDefault };
        const items: ModelItem[] = [];
        let abortedMs = 0;
        for await (const item of port.call(port.encode(requestOf(model)), options)) {
          items.push(item);
          abortedMs ||= performance.now();
          abort.abort();
        }
        expect(performance.now() - abortedMs).toBeLessThan(1_000);
        expect(items.at(-1)).toMatchObject({ stop: "broken", failure: { code: "cancelled" } });
      });
    });

    it("tells nothing more once it is called off, however much had arrived", async () => {
      await playing({ answers: [{ text: "word ".repeat(500) }] }, async ({ port, model }) => {
        const abort = new AbortController();
        const options = { model, signal: abort.signal, deadlines: deadlinesDefault };
        const items: ModelItem[] = [];
        for await (const item of port.call(port.encode(requestOf(model)), options)) {
          items.push(item);
          abort.abort();
        }
        expect(items).toHaveLength(2);
        expect(items[1]).toMatchObject({ type: "end", failure: { code: "cancelled" } });
      });
    });

    it("sends back what it was told, however odd: names, ids, torn texts, calls in disorder", async () => {
      const odd = { type: "call", tool: "functions.read file 🙂", input: "{" } as const;
      const id = `call|${"x".repeat(300)}`;
      const messages: Message[] = [
        resultOf("gone", "a result without its call"),
        said("cut in the middle of an emoji \ud83d"),
        {
          role: "assistant",
          parts: [
            { ...odd, id },
            { ...odd, id: "b" },
            { ...odd, id: "b" },
          ],
        },
        said("in between"),
        resultOf("b", ""),
      ];
      await playing({ answers: [{}, { text: "fine" }] }, async ({ port, model }) => {
        const { end } = await called(port, requestOf(model, { messages }));
        expect([end.failure, textOf(end.parts)]).toEqual([undefined, "fine"]);
      });
    });

    it("can be left in the middle without leaving anything behind", async () => {
      await playing({ answers: [speech] }, async ({ port, model }) => {
        const options = { model, signal: AbortSignal.timeout(5_000), deadlines: deadlinesDefault };
        for await (const item of port.call(port.encode(requestOf(model)), options)) {
          expect(item.type).not.toBe("end");
          break;
        }
      });
    });

    it("encodes a request always the same, and a longer one begins with the shorter", async () => {
      const answers = [speech, { ...speech, text: "Again" }, { text: "Done" }];
      await playing({ answers }, async ({ port, model }) => {
        let messages: Message[] = [said("hello")];
        let last: string | undefined;
        for (const [step] of answers.entries()) {
          const request = requestOf(model, { messages });
          const { body } = port.encode(request);
          expect(port.encode(structuredClone(request)).body).toBe(body);
          expect(isGrown(wire, last ?? body, body)).toBe(true);
          last = body;
          const { end } = await called(port, request);
          const results = toolCallsOf(end.parts).map((call) => resultOf(call.id, `got ${step}`));
          messages = [...messages, { role: "assistant", parts: end.parts }, ...results];
          messages.push(said(`steer ${step}`));
        }
        expect(messages.filter((message) => message.role === "assistant")).toHaveLength(3);
      });
    });
  });
}
