// A stream cut at any byte never yields a call: nothing partial is executed, in any dialect,
// whether the cut looks like a reset or like a proper end.
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { inputText, type ScriptedAnswer } from "#boundary/models/script.ts";
import { isObject, parsed } from "#core/model/json.ts";
import { type AnswerPart, textOf, toolCallsOf } from "#core/model/message.ts";
import { chatStream, decoded, decodedAs, decoderOf, delta } from "../../../test/peers/decoding.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";
import { startStrictStub } from "../../../test/peers/strict.ts";
import { type Dialect, framesOf } from "../../../test/peers/strict-answers.ts";

const read = (path: string) => ({ tool: "read", input: { path } });

const answers: ScriptedAnswer[] = [
  { calls: [read("README.md")] },
  { text: "I look.", calls: [read("a.ts"), read("b.ts")] },
  { reasoning: "Hm: ünï 🙂", text: "Two files.", calls: [{ tool: "read", input: "{}" }] },
  { calls: [{ tool: "read", input: '{"path":"a\\u2028b","text":"data: [DONE]\\n\\n"}' }] },
  { calls: [{ tool: "read", input: "" }] },
  {
    calls: [{ tool: "apply_patch", input: '*** Begin Patch\n*** Delete File: "a"\n*** End Patch' }],
  },
  { text: "only words, 🙂 and “quotes”" },
];

/** In the Responses dialect calls of `apply_patch` are free-form here. */
const freeform = new Set(["apply_patch"]);

const bytesOf = (dialect: Dialect, answer: ScriptedAnswer): Buffer => {
  const frames = framesOf(dialect, { answer, position: 0 }, { issued: new Map(), freeform });
  return Buffer.from(frames.map(({ text }) => text).join(""));
};

/** Where the last event begins that the answer needs to be whole. */
const wordsEnd: Record<Dialect, (text: string) => number> = {
  responses: (text) => text.indexOf("event: response.completed"),
  messages: (text) => text.indexOf("event: message_delta"),
  chat: (text) => text.indexOf('"finish_reason":"', text.indexOf('"finish_reason":"') - 1),
  ollama: (text) => text.indexOf('"done":true'),
};

const callsIn = (parts: AnswerPart[]) => toolCallsOf(parts).map(({ tool, input }) => [tool, input]);

/** Where arguments are objects, the server itself fails where there is none. */
const answersIn = (dialect: Dialect) =>
  spoken[dialect].wire.inputs === "texts"
    ? answers
    : answers.filter(({ calls = [] }) =>
        calls.every(({ input }) => isObject(parsed(inputText(input)))),
      );

describe.each(dialectNames)("a recorded %s stream", (dialect) => {
  it.each(answersIn(dialect).map((answer, i) => [i + 1, answer] as const))(
    "cut at every byte runs no call of answer %i",
    async (_, answer) => {
      const bytes = bytesOf(dialect, answer);
      const whole = await decodedAs(dialect, bytes);
      const calls = callsIn(whole.parts);
      expect(calls).toHaveLength(answer.calls?.length ?? 0);
      const end = wordsEnd[dialect](bytes.toString());
      expect(end).toBeGreaterThan(0);
      for (let at = 0; at < bytes.length; at += 1) {
        for (const how of ["reset", "close"] as const) {
          const cut = await decodedAs(dialect, bytes.subarray(0, at), how);
          const got = callsIn(cut.parts);
          const words = cut.deltas.map((d) => (d.type === "text" ? d.text : "")).join("");
          if (textOf(cut.parts) !== words) expect([at, textOf(cut.parts)]).toEqual([at, words]);
          if (cut.stop === "broken") {
            if (got.length > 0 || !cut.failure) expect([at, how, got]).toEqual([at, how, []]);
            continue;
          }
          // Ended although it was cut: only where nothing of the answer was missing.
          expect([at > end, cut.stop, got]).toEqual([true, whole.stop, calls]);
        }
      }
    },
  );

  it("reset on a real connection runs no call either, and counts what may be billed", async () => {
    const answer = answers[1] ?? {};
    const bytes = bytesOf(dialect, answer);
    const { length } = bytes;
    const wordsAt = wordsEnd[dialect](bytes.toString());
    const places = Array.from({ length: 60 }, (_, i) => Math.floor((i * length) / 60));
    const stub = await startStrictStub({
      script: { answers: [answer] },
      fault: (i) => ({ do: "cut", atByte: places[i] ?? 0, how: i % 2 ? "reset" : "close" }),
    });
    const { model, port } = spoken[dialect];
    const to = port(stub.url);
    for (const [i] of places.entries()) {
      const { end } = await called(to, requestOf(model));
      if (end.stop === "calls") {
        // The last word may stand some bytes before the end; only a proper end may count.
        expect([i % 2, callsIn(end.parts).length]).toEqual([0, 2]);
        continue;
      }
      expect(end).toMatchObject({ stop: "broken", failure: { code: "broken" } });
      expect(callsIn(end.parts)).toEqual([]);
      // The figures come with or after the last word; before it nobody has counted, or only the
      // request: of 100 tokens, says the stub.
      if (end.usage.exact) expect(places[i]).toBeGreaterThan(wordsAt);
      else expect(end.usage.input).toBeGreaterThanOrEqual(100);
    }
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  });
});

describe("a server that never says how it finished", () => {
  const call = (input: string) =>
    delta({ tool_calls: [{ index: 0, id: "c", function: { name: "read", arguments: input } }] });

  it("counts as ended by [DONE] when every call is whole and fits its tool", async () => {
    const whole = await decoded(decoderOf("chat"), chatStream(call('{"path":"a"}'), "[DONE]"));
    expect([whole.stop, callsIn(whole.parts)]).toEqual(["calls", [["read", '{"path":"a"}']]]);
    for (const input of ['{"path":"a"', '{"path":1}', "{}", "", "[]", "null"]) {
      const torn = await decoded(decoderOf("chat"), chatStream(call(input), "[DONE]"));
      expect([input, torn.stop, callsIn(torn.parts)]).toEqual([input, "broken", []]);
    }
  });

  it("is broken without [DONE], whatever came", async () => {
    const cut = await decoded(decoderOf("chat"), chatStream(call('{"path":"a"}')));
    expect([cut.stop, callsIn(cut.parts)]).toEqual(["broken", []]);
    const words = await decoded(decoderOf("chat"), chatStream(delta({ content: "so" })));
    expect([words.stop, textOf(words.parts)]).toEqual(["broken", "so"]);
  });

  it("is done by [DONE] when it only spoke", async () => {
    const said = await decoded(decoderOf("chat"), chatStream(delta({ content: "so" }), "[DONE]"));
    expect([said.stop, textOf(said.parts)]).toEqual(["done", "so"]);
  });
});
