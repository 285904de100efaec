// The table of known models: facts and prices as their makers' own documentation gives them, each
// with the page and the day it was read. Rows go from vague to exact; what a row does not say is not
// known. A model that is missing here works all the same, a user can tell about it (`models`).
import type { ModelFacts } from "#core/model/catalog.ts";
import { type Price, perToken } from "#core/model/money.ts";

export type KnownModel = {
  /** Fits a model's name without its provider. */
  name: RegExp;
  /** The provider whose own API has these prices. */
  maker?: string;
  facts: ModelFacts;
};

/** The day on which the pages below were read. */
const READ = "2026-11-22";

/** Dollars for a million tokens: [input, cached, written to the cache, output]. */
type Row = readonly [input: number, cached: number | null, written: number | null, output: number];

function rates([input, cached, written, output]: Row) {
  const nano = (dollars: number): number => {
    const one = perToken(dollars);
    if (one === undefined) throw new Error(`$${dollars} a million is no whole price of a token`);
    return one;
  };
  return {
    input: nano(input),
    ...(cached === null ? {} : { cached: nano(cached) }),
    ...(written === null ? {} : { written: nano(written) }),
    output: nano(output),
  };
}

const price = (row: Row, source: string, above?: { tokens: number; row: Row }): Price => ({
  ...rates(row),
  ...(above ? { above: { tokens: above.tokens, ...rates(above.row) } } : {}),
  date: READ,
  source,
});

const million = { windowTokens: 1_000_000, outputTokensMax: 128_000 };
const openai = "https://developers.openai.com/api/docs/models/";
const anthropic = "https://platform.claude.com/docs/en/about-claude/pricing";
/** Tokens of a request above which OpenAI's long-context rates hold for all of it. */
const LONG = 272_000;

const gpt = (name: RegExp, facts: ModelFacts): KnownModel => ({ name, maker: "openai", facts });
const claude = (name: RegExp, facts: ModelFacts): KnownModel => ({
  name,
  maker: "anthropic",
  facts,
});

const gptLong: ModelFacts = {
  windowTokens: 1_050_000,
  outputTokensMax: 128_000,
  images: true,
  thinking: true,
  calls: "native",
  caching: true,
};

/** Opus from 4.5 to 5 at one price: the table of Anthropic's page on prices. */
const opus = price([5, 0.5, 6.25, 25], anthropic);

export const knownModels: readonly KnownModel[] = [
  gpt(/^gpt-5-mini(-2025-08-07)?$/, {
    windowTokens: 400_000,
    outputTokensMax: 128_000,
    images: true,
    thinking: true,
    calls: "native",
    caching: true,
    price: price([0.25, 0.025, null, 2], `${openai}gpt-5-mini`),
  }),
  gpt(/^gpt-5\.6-luna$/, {
    ...gptLong,
    price: price([0.2, 0.02, 0.25, 1.2], `${openai}gpt-5.6-luna`, {
      tokens: LONG,
      row: [0.4, null, null, 1.8],
    }),
  }),
  gpt(/^gpt-5\.6-terra$/, {
    ...gptLong,
    price: price([2, 0.2, 2.5, 12], `${openai}gpt-5.6-terra`, {
      tokens: LONG,
      row: [4, null, null, 18],
    }),
  }),
  gpt(/^gpt-6-sol$/, {
    ...gptLong,
    // The long rates: https://github.com/BerriAI/litellm/discussions/42523
    price: price([2, 0.2, 2.5, 10], `${openai}gpt-6-sol`, {
      tokens: LONG,
      row: [4, 0.4, 5, 15],
    }),
  }),
  gpt(/^gpt-6\.2-sol$/, {
    ...gptLong,
    price: price([2, 0.1, 2.5, 10], `${openai}gpt-6.2-sol`, {
      tokens: LONG,
      row: [4, 0.2, 5, 15],
    }),
  }),

  // "All current models support text and image input … and tool use":
  // https://platform.claude.com/docs/en/models/overview
  claude(/^claude-(fable|opus|sonnet|haiku)-(4-[5-8]|5)/, {
    images: true,
    thinking: true,
    calls: "native",
    caching: true,
  }),
  claude(/^claude-opus-4-[5-8](-\d{8})?$/, { price: opus }),
  claude(/^claude-opus-5$/, { ...million, price: opus }),
  claude(/^claude-opus-5-5$/, {
    ...million,
    price: price([4, 0.2, 5, 20], "https://platform.claude.com/docs/en/models/opus-5-5/overview"),
  }),
  claude(/^claude-fable-5$/, { ...million, price: price([10, 1, 12.5, 50], anthropic) }),
  claude(/^claude-fable-5-1$/, { ...million, price: price([10, 0.25, 12.5, 50], anthropic) }),
  claude(/^claude-sonnet-5$/, {
    ...million,
    price: price([2, 0.2, 2.5, 10], "https://platform.claude.com/docs/en/models/sonnet-5/overview"),
  }),
  claude(/^claude-sonnet-5-5$/, {
    ...million,
    // Reading the cache was $0.20 until 2026-10-07; since then the page on prices says $0.10, as
    // https://github.com/kurofune/claudit/releases/tag/v1.9.2 notes of 2026-10-24.
    price: price(
      [2, 0.1, 2.5, 10],
      "https://platform.claude.com/docs/en/models/sonnet-5-5/overview",
    ),
  }),
  claude(/^claude-haiku-4-5(-\d{8})?$/, {
    windowTokens: 200_000,
    outputTokensMax: 64_000,
    // The cache at the standard 0.1 and 1.25 of the input's price.
    price: price([1, 0.1, 1.25, 5], "https://platform.claude.com/docs/en/models/overview"),
  }),
  claude(/^claude-haiku-5-5$/, {
    ...million,
    // The page says "from $0.10"; both bands as read from the page on prices on 2026-10-24 by
    // https://github.com/kurofune/claudit/releases/tag/v1.9.2
    price: price(
      [0.1, 0.01, 0.125, 0.5],
      "https://platform.claude.com/docs/en/models/haiku-5-5/overview",
      { tokens: 100_000, row: [0.5, 0.05, 0.625, 2.5] },
    ),
  }),
];
