// How near the lines of a code text are to a question: definitions by the question's terms, then by
// what they share with those (who calls them, what they call), and each identifier by the nearest
// line that it stands in.
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
  /** How much of a line's nearness is of the lines around it, and what of the most is enough. */
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
/** How often nearness goes on: to what a near definition calls, and to what that calls. */
const HOPS = 2;
/** Definitions of one name; more say nothing of each other. */
const NAMESAKES_MAX = 8;
/** Terms of a question that are looked for, those of the most weight first. */
const TERMS_MAX = 80;

const termsOf = termCache(termsOfIdentifier);

/** What is looked at as one: a definition without those inside of it, or a paragraph outside. */
type Passage = {
  /** -1 for a paragraph. */
  symbol: number;
  names: Set<string>;
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
  const passageOf = numbered(lines, inside, symbols.length);
  const passages = passagesOf(lines, symbols, { passageOf, settings });
  const asked = askedTerms(question);
  const { scores, worth } = scored(passages, asked, settings);
  const spread = spreadOver(passages, symbols, normal(scores), settings);
  const local = normal(around(lines, worth));
  const near = Float64Array.from(passageOf, (passage, i) => {
    const here = Math.min(1, (local[i] ?? 0) / settings.enough);
    return (spread[passage] ?? 0) * (1 - settings.local + settings.local * here);
  });
  return { near, weights: weightsOf(lines, near, { asked, settings }) };
}

/** The innermost definition of each line, -1 for none. */
function insideOf(lines: readonly CodeLine[], symbols: readonly CodeSymbol[]): Int32Array {
  const inside = new Int32Array(lines.length).fill(-1);
  // Outer ones first, so that inner ones have the last word.
  const order = symbols.map((symbol, at) => ({ symbol, at }));
  order.sort((a, b) => a.symbol.start - b.symbol.start || b.symbol.end - a.symbol.end);
  const starts = lines.map(({ start }) => start);
  for (const { symbol, at } of order) {
    const first = lineAt(starts, symbol.start);
    const indent = lines[first]?.indent ?? 0;
    for (let i = first; i < lines.length; i += 1) {
      const line = lines[i];
      // Without a grammar a definition is known by its first line: what is farther in is its, too.
      const isFarther = line?.kind === "blank" || (line?.indent ?? 0) > indent;
      const isPast = (line?.start ?? 0) >= symbol.end;
      if (isPast && !(symbol.kind === "function" && isFarther)) break;
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

/** Of each line its passage: definitions are numbered as their symbols, paragraphs after them. */
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

function passagesOf(
  lines: readonly CodeLine[],
  symbols: readonly CodeSymbol[],
  { passageOf, settings }: { passageOf: Int32Array; settings: RelevanceSettings },
): Passage[] {
  const most = passageOf.reduce((a, b) => Math.max(a, b), symbols.length - 1);
  const passages = Array.from(
    { length: most + 1 },
    (_, i): Passage => ({
      symbol: i < symbols.length ? i : -1,
      ...{ names: new Set(), terms: new Map(), size: 0 },
    }),
  );
  const add = (passage: Passage, word: string, weight: number) => {
    for (const term of termsOf(word))
      passage.terms.set(term, (passage.terms.get(term) ?? 0) + weight);
    passage.size += weight;
  };
  for (const [i, line] of lines.entries()) {
    const passage = passages[passageOf[i] ?? 0];
    if (!passage || line.kind === "import") continue;
    for (const name of line.names) {
      passage.names.add(name);
      add(passage, name, 1);
    }
    for (const word of line.words) {
      add(passage, word, settings.said);
      if (line.kind === "code") passage.names.add(word);
    }
  }
  for (const [i, { name, path }] of symbols.entries()) {
    const passage = passages[i];
    if (!passage) continue;
    add(passage, name, settings.name);
    for (const outer of path) add(passage, outer, 1);
  }
  return passages;
}

/** The question's terms with their weights. */
function askedTerms(question: string): Map<string, number> {
  const { terms } = questionOf(question);
  return new Map(terms.slice(0, TERMS_MAX).map(({ term, weight }) => [term, weight]));
}

/** Letters in which words begin the same that are taken for forms of one. */
const BEGINNING = 5;

/** How much of the question's terms a definition has, as BM25 has it. */
function scored(
  passages: readonly Passage[],
  asked: ReadonlyMap<string, number>,
  { like }: RelevanceSettings,
): { scores: number[]; worth: Map<string, number> } {
  const worth = new Map<string, number>();
  const mean = passages.reduce((sum, { size }) => sum + size, 0) / Math.max(1, passages.length);
  const all = new Set(passages.flatMap(({ terms }) => [...terms.keys()]));
  const scores = passages.map(() => 0);
  for (const [term, weight] of asked) {
    const shares = new Map([[term, 1]]);
    for (const other of synonymsOf(term)) if (!shares.has(other)) shares.set(other, like);
    for (const other of all)
      if (!shares.has(other) && isAlike(term, other)) shares.set(other, like);
    const counts = passages.map(({ terms }) => {
      let count = 0;
      for (const [other, share] of shares) count += share * (terms.get(other) ?? 0);
      return count;
    });
    const having = counts.filter((count) => count > 0).length;
    const idf = Math.log(1 + (passages.length - having + 0.5) / (having + 0.5));
    for (const [other, share] of shares) {
      worth.set(other, Math.max(worth.get(other) ?? 0, weight * idf * share));
    }
    for (const [i, count] of counts.entries()) {
      const length = K1 * (1 - B + (B * (passages[i]?.size ?? 0)) / Math.max(1, mean));
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

const isAlike = (a: string, b: string): boolean =>
  a.length >= BEGINNING &&
  b.length >= BEGINNING &&
  (a.slice(0, BEGINNING) === b.slice(0, BEGINNING) || b.includes(a));

const normal = (scores: readonly number[]): number[] => {
  const most = scores.reduce((a, b) => Math.max(a, b), 1e-9);
  return scores.map((score) => score / most);
};

/** Nearness goes on to what near definitions call, and to who calls them. */
function spreadOver(
  passages: readonly Passage[],
  symbols: readonly CodeSymbol[],
  first: readonly number[],
  { hop }: RelevanceSettings,
): number[] {
  const byName = Map.groupBy(symbols.keys(), (i) => symbols[i]?.name ?? "");
  const edges = passages.flatMap(({ names, symbol }, i) =>
    [...names].flatMap((name) => {
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
