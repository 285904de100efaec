// What is set aside for a call before it is made, by two measures: what it will about take, which
// budgets hold back while it runs, and what it took at most, which counts where its process died.
import type { Usage } from "#core/model/message.ts";
import { costOf, type Price } from "#core/model/money.ts";

/**
 * Tokens of an answer that are set aside: longer ones are rare, and the longest that a model could
 * give would keep a small budget from making any call.
 */
export const ANSWER_TOKENS = 8_192;

/**
 * Bytes of a request for a token of it, about. English, code and JSON take three to four and a half
 * (see `tokensLikely`), Chinese three: a request is seldom more tokens than this says.
 */
const BYTES_PER_TOKEN = 3;

export type SetAside = {
  /** What the call will about take: all of it together, and in money where its price is known. */
  budget: { tokens: number; nanoDollars?: number };
  /** The answer's share of that. */
  output: number;
  /** Nano-dollars of the request at most and of `output`, where a price is known. */
  costAtMost?: number;
};

/** `reserved` is the request's size in tokens at most. */
export function setAside(
  reserved: number,
  known: { price?: Price; outputTokensMax?: number },
): SetAside {
  const { price, outputTokensMax = ANSWER_TOKENS } = known;
  const output = Math.min(ANSWER_TOKENS, outputTokensMax);
  const input = Math.ceil(reserved / BYTES_PER_TOKEN);
  const nanoDollars = dearest({ input, output }, price);
  const costAtMost = dearest({ input: reserved, output }, price);
  return {
    budget: { tokens: input + output, ...(nanoDollars === undefined ? {} : { nanoDollars }) },
    output,
    ...(costAtMost === undefined ? {} : { costAtMost }),
  };
}

/** As if nothing came from the provider's cache, and all was written to it where that is dearer. */
function dearest(
  { input, output }: Pick<Usage, "input" | "output">,
  price: Price | undefined,
): number | undefined {
  const isDearer = (price?.written ?? 0) > (price?.input ?? 0);
  const written = isDearer ? input : 0;
  const usage: Usage = { input, cached: 0, written, output, reasoning: 0, exact: false };
  return costOf(usage, price)?.nanoDollars;
}
