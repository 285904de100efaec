// Counts the tokens of texts for a model. The tables of an encoding are megabytes of code: they are
// loaded where one is first counted with, and once.
import type { Family } from "#core/model/catalog.ts";
import { type Counting, type Encoding, encodingOf, estimated } from "#core/model/count.ts";

/** How a model's tokens are counted: exactly where its encoding is published. */
export async function countingFor(model: string, family: Family): Promise<Counting> {
  const encoding = encodingOf(model);
  return encoding ? await exactly(encoding) : estimated(family, model);
}

/** Marks of a model's own format are text like any other in what it is given. */
const plain = { disallowedSpecial: new Set<string>() };

async function exactly(encoding: Encoding): Promise<Counting> {
  const { countTokens } =
    encoding === "o200k_base"
      ? await import("gpt-tokenizer/encoding/o200k_base")
      : await import("gpt-tokenizer/encoding/cl100k_base");
  return { count: (text) => countTokens(text, plain), within: [1, 1] };
}
