// How near each part of a code text is to a question: definitions by the question's terms, then by
// what they share with those (who calls them, what they call, what both use), and each identifier
// by the nearest definition it stands in.
import type { CodeSymbol } from "#core/context/chunk.ts";
import type { CodeLine } from "#core/context/code-lines.ts";
import { questionOf } from "#core/context/question.ts";
import { synonymsOf } from "#core/context/synonyms.ts";
import { termCache, termsOfIdentifier } from "#core/context/terms.ts";

export type Relevance = {
  /** Of each line how near what it stands in is to the question, 0 to 1. */
  near: Float64Array;
  /** What each identifier is worth. */
  weights: ReadonlyMap<string, number>;
};

/** Tuned on the even rows of `bench/compression.jsonl`; the odd ones are measured apart. */
export type RelevanceSettings = {
  /** How much of a term a word counts that is another for the same, or begins the same. */
  like: number;
  /** A definition's name, against a word of its body. */
  name: number;
  /** A word of a string or a comment, against an identifier. */
  said: number;
  /** What goes on to a definition from one that it shares names with. */
  hop: number;
  /** What an identifier is worth that nothing speaks for. */
  base: number;
  /** What it is worth that its own terms are the question's. */
  direct: number;
  /** How much of a line's nearness is of the lines around it, and how much of the most is enough. */
  local: number;
  enough: number;
};

export const usualRelevance: RelevanceSettings = {
  like: 0.4,
  name: 3,
  said: 1,
  hop: 0.6,
  base: 0.05,
  direct: 0.5,
  local: 0.3,
  enough: 0.5,
};

/** Saturation and length of BM25, as Robertson and Zaragoza (2009) give them. */
const K1 = 1.2;
const B = 0.5;
const HOPS = 2;
const NAMESAKES_MAX = 8;

const termsOf = termCache(termsOfIdentifier);

/** What is looked at as one: a definition without those inside of it, or a paragraph outside. */
type Part = {
  /** -1 for a paragraph. */
  symbol: number;
  names: Map<string, number>;
  terms: Map<string, number>;
  size: number;
};

/** How near the lines of a text and its identifiers are to a question. */
export function relevanceOf(
  lines: readonly CodeLine[],
  symbols: readonly CodeSymbol[],
  { question, settings = usualRelevance }: { question: string; settings?: RelevanceSettings },
): Relevance {
  const inside = insideOf(lines, symbols);
  const partOf = numbered(lines, inside, symbols.length);
  const parts = partsOf(lines, symbols, { partOf, settings });
  const asked = askedTerms(question);
  const { scores, worth } = scored(parts, asked, settings);
  const spread = spreadOver(parts, symbols, normal(scores), settings);
  const local = normal(around(lines, worth));
  const near = Float64Array.from(partOf, (part, i) => {
    const here = Math.min(1, (local[i] ?? 0) / settings.enough);
    return (spread[part] ?? 0) * (1 - settings.local + settings.local * here);
  });
  return { near, weights: weightsOf(lines, near, { asked, settings }) };
}

/** The innermost definition of each line, -1 for none. */
function insideOf(lines: readonly CodeLine[], symbols: readonly CodeSymbol[]): Int32Array {
  const inside = new Int32Array(lines.length).fill(-1);
  // Outer ones first, so that inner ones have the last word.
  const order = symbols.map((symbol, at) => ({ symbol, at }));
  order.sort((a, b) => b.symbol.end - b.symbol.start - (a.symbol.end - a.symbol.start));
  const starts = lines.map(({ start }) => start);
  for (const { symbol, at } of order) {
    for (let i = lineAt(starts, symbol.start); i < lines.length; i += 1) {
      if ((lines[i]?.start ?? 0) >= symbol.end) break;
      inside[i] = at;
    }
  }
  // Comments before a definition are its.
  for (let i = lines.length - 2; i >= 0; i -= 1) {
    const [line, next] = [lines[i], inside[i + 1] ?? -1];
    const isLead = line?.kind === "comment" && lines[i + 1]?.kind !== "blank" && next >= 0;
    if (line && isLead && (symbols[next]?.start ?? 0) >= line.start) inside[i] = next;
  }
  return inside;
}

/** Of each line its part: definitions have the numbers of their symbols, paragraphs those after. */
function numbered(lines: readonly CodeLine[], inside: Int32Array, symbols: number): Int32Array {
  let next = symbols - 1;
  let isOpen = false;
  return inside.map((symbol, i) => {
    const isOutside = symbol < 0 && lines[i]?.kind !== "blank";
    if (isOutside && !isOpen) next += 1;
    isOpen = isOutside;
    return symbol >= 0 ? symbol : Math.max(next, symbols);
  });
}

/** The line that holds an offset. */
export function lineAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

function partsOf(
  lines: readonly CodeLine[],
  symbols: readonly CodeSymbol[],
  { partOf, settings }: { partOf: Int32Array; settings: RelevanceSettings },
): Part[] {
  const most = partOf.reduce((a, b) => Math.max(a, b), symbols.length - 1);
  const parts = Array.from(
    { length: most + 1 },
    (_, i): Part => ({
      symbol: i < symbols.length ? i : -1,
      ...{ names: new Map(), terms: new Map(), size: 0 },
    }),
  );
  const add = (part: Part, word: string, weight: number) => {
    for (const term of termsOf(word)) part.terms.set(term, (part.terms.get(term) ?? 0) + weight);
    part.size += weight;
  };
  for (const [i, line] of lines.entries()) {
    const part = parts[partOf[i] ?? 0];
    if (!part || line.kind === "import") continue;
    for (const name of line.names) {
      part.names.set(name, (part.names.get(name) ?? 0) + 1);
      add(part, name, 1);
    }
    for (const word of line.words) {
      add(part, word, settings.said);
      if (line.kind === "code") part.names.set(word, part.names.get(word) ?? 0);
    }
  }
  for (const [i, { name, path }] of symbols.entries()) {
    const part = parts[i];
    if (!part) continue;
    add(part, name, settings.name);
    for (const outer of path) add(part, outer, 1);
  }
  return parts;
}

/** The question's terms with their weights. */
function askedTerms(question: string): Map<string, number> {
  const asked = new Map<string, number>();
  for (const { term, weight } of questionOf(question).terms) asked.set(term, weight);
  return asked;
}

/** Letters in which words begin the same that are taken for forms of one. */
const BEGINNING = 5;

/** How much of the question's terms a definition has, as BM25 has it. */
function scored(
  parts: readonly Part[],
  asked: ReadonlyMap<string, number>,
  { like }: RelevanceSettings,
): { scores: number[]; worth: Map<string, number> } {
  const worth = new Map<string, number>();
  const mean = parts.reduce((sum, { size }) => sum + size, 0) / Math.max(1, parts.length);
  const all = new Set(parts.flatMap(({ terms }) => [...terms.keys()]));
  const scores = parts.map(() => 0);
  for (const [term, weight] of asked) {
    const shares = new Map([[term, 1]]);
    for (const other of synonymsOf(term)) if (!shares.has(other)) shares.set(other, like);
    for (const other of all)
      if (!shares.has(other) && isAlike(term, other)) shares.set(other, like);
    const counts = parts.map(({ terms }) => {
      let count = 0;
      for (const [other, share] of shares) count += share * (terms.get(other) ?? 0);
      return count;
    });
    const having = counts.filter((count) => count > 0).length;
    const idf = Math.log(1 + (parts.length - having + 0.5) / (having + 0.5));
    for (const [other, share] of shares) {
      worth.set(other, Math.max(worth.get(other) ?? 0, weight * idf * share));
    }
    for (const [i, count] of counts.entries()) {
      const length = K1 * (1 - B + (B * (parts[i]?.size ?? 0)) / Math.max(1, mean));
      scores[i] = (scores[i] ?? 0) + (weight * idf * count * (K1 + 1)) / (count + length);
    }
  }
  return { scores, worth };
}

/** Lines before and after that speak for a line, too, the farther the less. */
const AROUND = 5;

/** What the question's terms in and around each line are worth. */
function around(lines: readonly CodeLine[], worth: ReadonlyMap<string, number>): number[] {
  const hits = lines.map(({ names, words, kind }) => {
    if (kind === "import") return 0;
    const terms = new Set([...names, ...words].flatMap((word) => termsOf(word)));
    return terms.values().reduce((sum, term) => sum + (worth.get(term) ?? 0), 0);
  });
  return hits.map((_, i) => {
    let sum = 0;
    for (let far = -AROUND; far <= AROUND; far += 1) {
      sum += (hits[i + far] ?? 0) * (1 - Math.abs(far) / (AROUND + 1));
    }
    return sum;
  });
}

export const isAlike = (a: string, b: string): boolean =>
  a.length >= BEGINNING &&
  b.length >= BEGINNING &&
  (a.slice(0, BEGINNING) === b.slice(0, BEGINNING) || b.includes(a));

const normal = (scores: readonly number[]): number[] => {
  const most = scores.reduce((a, b) => Math.max(a, b), 1e-9);
  return scores.map((score) => score / most);
};

/** Nearness goes on to what near definitions call, to who calls them, and to what uses the same. */
function spreadOver(
  parts: readonly Part[],
  symbols: readonly CodeSymbol[],
  first: readonly number[],
  { hop }: RelevanceSettings,
): number[] {
  const byName = Map.groupBy(symbols.keys(), (i) => symbols[i]?.name ?? "");
  // Many that have the same name say little about each other.
  const edges = parts.flatMap(({ names, symbol }, i) =>
    [...names.keys()].flatMap((name) => {
      const named = byName.get(name) ?? [];
      if (named.length > NAMESAKES_MAX) return [];
      const share = hop / Math.sqrt(Math.max(1, named.length));
      return named.filter((other) => other !== symbol).map((other) => ({ i, other, share }));
    }),
  );
  let near = [...first];
  for (let n = 0; n < HOPS; n += 1) {
    const next = [...near];
    for (const { i, other, share } of edges) {
      next[other] = Math.max(next[other] ?? 0, share * (near[i] ?? 0));
      next[i] = Math.max(next[i] ?? 0, share * (near[other] ?? 0));
    }
    near = next;
  }
  return near;
}

function weightsOf(
  lines: readonly CodeLine[],
  near: Float64Array,
  { asked, settings }: { asked: ReadonlyMap<string, number>; settings: RelevanceSettings },
): Map<string, number> {
  const weights = new Map<string, number>();
  for (const [i, { names, words, kind }] of lines.entries()) {
    if (kind === "import") continue;
    for (const name of kind === "code" ? [...names, ...words] : names) {
      weights.set(name, Math.max(weights.get(name) ?? 0, near[i] ?? 0));
    }
  }
  for (const [name, weight] of weights) {
    const terms = termsOf(name);
    const hit = terms.some((term) => asked.has(term));
    weights.set(name, settings.base + weight + (hit ? settings.direct : 0));
  }
  return weights;
}
