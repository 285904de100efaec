// How the tokens of a text are counted for a model: exactly where its encoding is published, else by
// an estimate that says how far it may be off.
import type { Family } from "#core/model/catalog.ts";
import { tokensLikely } from "#core/model/tokens.ts";

/** Published encodings that are at hand. */
export type Encoding = "o200k_base" | "cl100k_base";

export type Counting = {
  count(text: string): number;
  /** What a count is, at least and at most, as a multiple of the truth: 1 and 1 where exact. */
  within: readonly [least: number, most: number];
};

/**
 * Which models have which, as tiktoken's own table says (`tiktoken/model.py`). Text is the same in
 * `o200k_harmony`, which the open-weight models of OpenAI have: it only adds marks of their format.
 */
const encodings: readonly [RegExp, Encoding][] = [
  [/^(?:o[1-9](?:$|-)|chatgpt-4o|gpt-4o|gpt-4\.\d|gpt-[5-9]|gpt-oss|codex-)/, "o200k_base"],
  [/^(?:gpt-4(?:$|-)|gpt-3\.5|text-embedding-)/, "cl100k_base"],
];

/** The encoding of `provider/model`; null where it is not published. */
export function encodingOf(name: string): Encoding | null {
  const model = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const bare = model.replace(/^(?:ft:|openai\.)/, "");
  return encodings.find(([pattern]) => pattern.test(bare))?.[1] ?? null;
}

type Estimate = { factor: number; within: Counting["within"] };

/**
 * What `tokensLikely` is multiplied by, and between which multiples of the truth the product lies.
 *
 * Measured against `o200k_base` on 1,405 files of 500 to 100,000 characters: `tokensLikely` alone is
 * 1.24 times the truth at the median for Go and Python, 1.30 for TypeScript, 1.31 for C, 1.37 for
 * JavaScript, 1.19 for Perl; nine files of ten of each lie from 1.11 to 1.70. `cl100k_base` differs
 * by at most 0.05. So `gpt`, for a model whose encoding is not known, is off by 12 % less to 34 % more.
 * The others are not measured here. Claude's encoding is not published; reports give the earlier one
 * 1.2 to 1.3 times the tokens of GPT-4o. Gemini's is documented as about four characters a token
 * (https://ai.google.dev/gemini-api/docs/tokens), which is near GPT's. The rest is as `tokensLikely`
 * found it with Llama 2 and 3.
 */
const estimates: Readonly<Record<Family, Estimate>> = {
  gpt: { factor: 0.79, within: [0.88, 1.34] },
  claude: { factor: 1, within: [0.85, 1.42] },
  gemini: { factor: 0.85, within: [0.85, 1.45] },
  local: { factor: 1, within: [0.85, 1.5] },
  other: { factor: 1, within: [0.85, 1.5] },
};

/**
 * From Opus 4.7 and Sonnet 5 on Claude makes about 30 % more tokens of the same text, more or less
 * by its content: https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
const laterClaude: Estimate = { factor: 1.3, within: [0.8, 1.85] };

/** Counts for a model whose encoding is not at hand. */
export function estimated(family: Family, model: string): Counting {
  const isLater = family === "claude" && !isEarlierClaude(model);
  const { factor, within } = isLater ? laterClaude : estimates[family];
  return { count: (text) => Math.ceil(factor * tokensLikely(text)), within };
}

/** `claude-3-5-haiku-20241022`, `claude-sonnet-4-6`: a version below 4.7, a date being none. */
function isEarlierClaude(model: string): boolean {
  const found = /claude-(?:[a-z]+-)?(\d+)(?:[.-](\d{1,2})(?!\d))?/.exec(model.toLowerCase());
  if (!found) return false;
  const [, major = "", minor = "0"] = found;
  return Number(major) < 4 || (Number(major) === 4 && Number(minor) < 7);
}
