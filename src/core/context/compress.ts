// Fewer tokens for the same text: what a question needs of it within a number of tokens, in the
// order of the text and with markers where something is left out. Promises: never more tokens than
// asked for, unless what has to be kept is more; what has to be kept is; what is kept is as it was,
// by whole lines (by stretches of a line where one is longer than anybody writes); the same input
// gives the same result.
import type { Chunk, Span } from "#core/context/chunk.ts";
import { type CodeLine, codeLines } from "#core/context/code-lines.ts";
import { type Dropped, type Elided, elided, type Lines, runsOf } from "#core/context/elide.ts";
import { type Language, plainText } from "#core/context/languages.ts";
import { orderByWorth, orderFromEnds, orderSpread, type PickSettings } from "#core/context/pick.ts";
import { lineAt } from "#core/context/relevance.ts";

/**
 * `semantic`: signatures, and what of the bodies the question is likely to need. `truncation`: head
 * and tail. `sampling`: groups of lines, evenly spread.
 */
export const compressStrategies = ["semantic", "truncation", "sampling"] as const;
export type CompressStrategy = (typeof compressStrategies)[number];

/** Tokens of a text, as the model that gets it counts them. */
export type CountTokens = (text: string) => number;

export type CompressAsked = {
  language: Language;
  /** Of the whole text: they tell what is defined and imported where. */
  chunks: readonly Chunk[];
  question: string;
  tokensMax: number;
  count: CountTokens;
  /** What is kept whatever it costs, by the lines it stands in. */
  keep?: readonly Span[];
  strategy?: CompressStrategy | "auto";
  settings?: PickSettings;
};

export type Compressed = {
  text: string;
  /** `whole`: nothing was left out. */
  strategy: CompressStrategy | "whole";
  tokens: number;
  /** Tokens of the whole text. */
  of: number;
  /** `tokens` to `of`; 1 for an empty text. */
  ratio: number;
  /** Lines of the text that are kept, and those that are not; of a long line both may be true. */
  kept: readonly Lines[];
  dropped: readonly Dropped[];
};

/** UTF-16 units up to which a text is looked at line by line; a longer one is data. */
const SEMANTIC_UNITS_MAX = 1_000_000;
/** A text that keeps less than this is sampled: of its two ends too little would be left. */
const TRUNCATION_SHARE_MIN = 0.25;

/** A text in at most so many tokens. */
export function compress(text: string, asked: CompressAsked): Compressed {
  const { language, chunks, tokensMax, count } = asked;
  const of = count(text);
  const lines = codeLines(text, language.comments, chunks);
  if (of <= tokensMax) {
    const kept = lines.length > 0 ? [{ line: 1, endLine: lines.at(-1)?.line ?? 1 }] : [];
    return { text, strategy: "whole", tokens: of, of, ratio: 1, kept, dropped: [] };
  }
  const strategy = strategyFor(text, { ...asked, of });
  const costs = lines.map(({ start, end }) => count(text.slice(start, end)));
  const order = orderOf(strategy, { ...asked, text, lines, costs });
  const made = fitted(text, { ...asked, lines, costs, order });
  return { ...made, strategy, of, ratio: made.tokens / of };
}

function strategyFor(
  text: string,
  { strategy = "auto", language, chunks, tokensMax, of }: CompressAsked & { of: number },
): CompressStrategy {
  if (strategy !== "auto") return strategy;
  const hasSymbols = chunks.some(({ symbols }) => symbols.length > 0);
  const isCode = language.defines !== undefined || (language.heads !== undefined && hasSymbols);
  const isPlain = language.name === plainText.name;
  if (isCode && !isPlain && text.length <= SEMANTIC_UNITS_MAX) return "semantic";
  return tokensMax >= TRUNCATION_SHARE_MIN * of ? "truncation" : "sampling";
}

type Ordering = CompressAsked & {
  text: string;
  lines: readonly CodeLine[];
  costs: readonly number[];
};

function orderOf(strategy: CompressStrategy, asked: Ordering): number[] {
  const { text, lines, costs, question, tokensMax, settings, chunks } = asked;
  if (strategy === "truncation") return orderFromEnds(lines);
  if (strategy === "sampling") return orderSpread(costs, tokensMax);
  const symbols = chunks.flatMap((chunk) => chunk.symbols);
  return orderByWorth(lines, {
    ...{ text, question, symbols, costs, tokensMax },
    ...(settings ? { settings } : {}),
  });
}

type Fitting = Omit<Ordering, "text"> & { order: readonly number[] };
type Fitted = Elided & { tokens: number };

/** Lines that are tried one by one where the room left is too small for the next. */
const LAST_TRIES = 16;

/** As much of the order as has room; the count of the whole has the last word. */
function fitted(text: string, asked: Fitting): Fitted {
  const { lines, order, tokensMax, keep = [] } = asked;
  const kept = new Uint8Array(lines.length);
  for (const i of linesOf(lines, keep)) kept[i] = 1;
  const made = (picked: Uint8Array): Fitted => {
    filled(picked, asked);
    const put = elided(text, lines, picked, {
      comments: asked.language.comments,
      withMarkers: true,
    });
    return { ...put, tokens: asked.count(put.text) };
  };
  let best: Fitted | null = null;
  let picked = kept;
  const tried = (more: Iterable<number>, before = kept): boolean => {
    const now = before.slice();
    for (const i of more) now[i] = 1;
    const found = made(now.slice());
    if (found.tokens > tokensMax) return false;
    best = found;
    picked = now;
    return true;
  };
  if (!tried([])) return bare(text, { ...asked, kept });
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tried(order.slice(0, middle))) low = middle;
    else high = middle - 1;
  }
  const room = () => tokensMax - (best?.tokens ?? 0);
  const rest = order.slice(low).filter((i) => (asked.costs[i] ?? 0) <= room());
  for (const i of rest.slice(0, LAST_TRIES)) {
    if ((asked.costs[i] ?? 0) <= room()) tried([i], picked);
  }
  return best ?? bare(text, { ...asked, kept });
}

/** Only what has to be kept, and no marker: not even those have room. */
function bare(text: string, { lines, kept, count }: Fitting & { kept: Uint8Array }): Fitted {
  const put = elided(text, lines, kept, { comments: {}, withMarkers: false });
  return { ...put, tokens: count(put.text) };
}

/** Lines that the spans touch. */
function linesOf(lines: readonly CodeLine[], spans: readonly Span[]): Set<number> {
  const starts = lines.map(({ start }) => start);
  const found = new Set<number>();
  for (const { start, end } of spans) {
    if (end <= start) continue;
    for (let at = lineAt(starts, start); at < lines.length; at += 1) {
      const line = lines[at];
      if (!line || line.start >= end) break;
      if (line.end > start) found.add(at);
    }
  }
  return found;
}

/** About what a marker costs, in tokens. */
const MARKER_TOKENS = 7;

/** Closes the gaps that cost no more than their marker would. */
function filled(picked: Uint8Array, { lines, costs }: Fitting): void {
  for (const { at, end, isPicked } of runsOf(picked)) {
    if (isPicked || end - at > MARKER_TOKENS) continue;
    const gap = lines.slice(at, end);
    if (gap.every(({ kind }) => kind === "blank")) continue;
    const cost = costs.slice(at, end).reduce((sum, tokens) => sum + tokens, 0);
    if (cost > MARKER_TOKENS) continue;
    for (let i = at; i < end; i += 1) if (lines[i]?.kind !== "blank") picked[i] = 1;
  }
}
