// A whole turn in each dialect: every request begins with the exact content of the one before it, so
// that the providers' caches are read and any request can be rebuilt; and none is malformed.
import { describe, expect, it } from "vitest";
import { called, isGrown, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { type Message, toolCallsOf } from "#core/model/message.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";
import { startStrictStub } from "../../../test/peers/strict.ts";

const STEPS = 30;

const answers = Array.from({ length: STEPS }, (_, i) => ({
  reasoning: `thought ${i} – ünï`,
  text: i % 3 === 0 ? `step ${i} <b>` : undefined,
  calls: Array.from({ length: 1 + (i % 3) }, (_, n) => ({
    tool: "read",
    input: { path: `${n} 🙂` },
  })),
}));

describe.each(dialectNames)("a turn of thirty steps, with steering, in %s", (dialect) => {
  it("is thirty requests, each beginning with the one before it, and none malformed", async () => {
    const stub = await startStrictStub({ script: { answers } });
    const { model, port, wire } = spoken[dialect];
    const to = port(stub.url);
    const messages: Message[] = [said("begin")];
    const bodies: string[] = [];
    for (const [step] of answers.entries()) {
      const request = requestOf(model, { messages });
      bodies.push(to.encode(request).body);
      const { end } = await called(to, request);
      expect([step, end.stop]).toEqual([step, "calls"]);
      messages.push({ role: "assistant", parts: end.parts });
      // Results come in any order and the user speaks in between; the wire knows only one order.
      if (step % 5 === 0) messages.push(said(`steer ${step}`));
      const calls = toolCallsOf(end.parts).toReversed();
      messages.push(...calls.map(({ id }) => resultOf(id, `out ${step}`, step % 7 === 0)));
    }
    for (const [i, body] of bodies.entries()) {
      expect([i, isGrown(wire, bodies[i - 1] ?? body, body)]).toEqual([i, true]);
    }
    expect(stub.requests).toHaveLength(STEPS);
    expect(stub.malformed().map(({ problems }) => problems)).toEqual([]);
    await stub.close();
  });

  it("begins alike too when the user says more before a request is tried again", () => {
    const to = spoken[dialect].port("http://127.0.0.1:9/v1");
    const { model, wire } = spoken[dialect];
    const call = { type: "call", id: "a", tool: "read", input: "{}" } as const;
    const first = [
      said("begin"),
      { role: "assistant" as const, parts: [call] },
      resultOf("a", "x"),
    ];
    const again = [...first, said("rather this")];
    const body = (messages: Message[]) => to.encode(requestOf(model, { messages })).body;
    expect(isGrown(wire, body(first), body(again))).toBe(true);
    expect(isGrown(wire, body(again), body(first))).toBe(false);
  });
});
