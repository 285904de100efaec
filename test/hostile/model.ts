// A generated model behind the real encoding of all dialects: every request it gets is held
// against the official types and the ordering rules, every answer is as bad as its seed says.
import type { ModelEnd, ModelPort } from "#boundary/models/port.ts";
import type { FailureCode } from "#core/failure.ts";
import { type AnswerPart, noUsage } from "#core/model/message.ts";
import { dialectNames, spoken } from "../peers/dialects.ts";
import { problemsIn } from "../peers/strict-wires.ts";
import type { Attack } from "./attacks.ts";
import type { Random } from "./random.ts";

export type Watched = { requests: number; problems: string[] };

const nowhere = "http://127.0.0.1:9/v1";

export function hostileModel(
  random: Random,
  attack: (random: Random) => Attack,
  watched: Watched,
): ModelPort {
  const dialect = random.pick(dialectNames);
  const real = spoken[dialect].port(nowhere);
  let calls = 0;
  return {
    name: real.name,
    encode: (request) => real.encode(request),
    async *call(wire, { signal }) {
      watched.requests += 1;
      watched.problems.push(...(await problemsIn(dialect, wire.body, new Map())));
      const end = answer(random, () => {
        calls += 1;
        return { id: `c${calls}`, ...attack(random) };
      });
      if (signal.aborted) {
        const failure = { code: "cancelled" as const, say: "aborted" };
        yield { ...broken("cancelled"), failure };
        return;
      }
      for (const part of end.parts)
        if (part.type === "text") yield { type: "text", text: part.text };
      yield end;
    },
  };
}

const usage = { ...noUsage, input: 100, output: 10 };

const broken = (code: FailureCode): ModelEnd => ({
  type: "end",
  stop: "broken",
  parts: [],
  usage: noUsage,
  failure: { code, say: `injected: ${code}` },
});

function answer(random: Random, call: () => { id: string } & Attack): ModelEnd {
  const roll = random.unit();
  if (roll < 0.05) return broken(random.pick(["overloaded", "broken", "rejected", "unauthorised"]));
  if (roll < 0.09) return { ...broken("broken"), failure: undefined, stop: "overflow", usage };
  if (roll < 0.14) return ended(random.pick(["done", "paused", "length"]), []);
  if (roll < 0.18) return ended(random.pick(["refused", "filtered"]), [said("No.")]);
  if (roll < 0.28) return ended("done", [said("All tests pass. \u001b]52;c;ZXZpbA==\u0007")]);
  const count = random.chance(0.1) ? 20 : 1 + random.below(3);
  const parts = Array.from({ length: count }, (): AnswerPart => ({ type: "call", ...call() }));
  if (random.chance(0.1)) return ended("length", parts);
  return ended("calls", [said("I do this."), ...parts]);
}

const said = (text: string): AnswerPart => ({ type: "text", text });

const ended = (stop: ModelEnd["stop"], parts: AnswerPart[]): ModelEnd => ({
  type: "end",
  stop,
  parts,
  usage,
});
