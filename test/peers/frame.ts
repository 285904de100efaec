// What the answers of all streamed dialects are made of.
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import type { Stop } from "#core/model/message.ts";

/** One streamed event and the characters of the answer that it carries. */
export type Frame = { text: string; chars: number };

export function stopOf(answer: ScriptedAnswer): Stop {
  return answer.stop ?? ((answer.calls ?? []).length > 0 ? "calls" : "done");
}

export const usageOf = (answer: ScriptedAnswer) =>
  answer.usage ?? { input: 100, cached: 40, output: 20, reasoning: 5 };

/** JSON in ASCII: proof that items are returned as they came and not as they would be written. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff<>]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
