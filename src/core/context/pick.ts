// In which order the lines of a text are taken, as far as the room goes: by what they are worth to
// a question, from both ends, or evenly spread.
import type { CodeSymbol } from "#core/context/chunk.ts";
import type { CodeLine } from "#core/context/code-lines.ts";
import { largestFirst } from "#core/context/largest-first.ts";
import {
  lineAt,
  type Relevance,
  type RelevanceSettings,
  relevanceOf,
  usualRelevance,
} from "#core/context/relevance.ts";

/** Tuned on the even rows of `bench/compression.jsonl`; the odd ones are measured apart. */
export type PickSettings = RelevanceSettings & {
  /** What an identifier is worth once more that is kept already, where it is near. */
  repeat: number;
  /** A word of a string, and an import's identifier, against one of the code. */
  string: number;
  imports: number;
  /** A comment's word. */
  comment: number;
  /** A signature, and any line, besides its identifiers, where it is near. */
  signature: number;
  line: number;
  /** What a gap is thought to cost, in tokens: about its marker. */
  marker: number;
  /** The share of the room that signatures are sure of. */
  heads: number;
};

export const usualPicks: PickSettings = {
  ...usualRelevance,
  repeat: 0.3,
  string: 0.2,
  imports: 0.2,
  comment: 0.02,
  signature: 0.3,
  line: 0.1,
  marker: 5,
  heads: 0.5,
};

export type Picking = {
  text: string;
  question: string;
  symbols: readonly CodeSymbol[];
  /** Tokens of each line, and of all that has room. */
  costs: readonly number[];
  tokensMax: number;
  settings?: PickSettings;
};

/**
 * By worth: signatures first, the nearest ones if not all have room, then what adds for its tokens
 * most identifiers that the question is likely to need. A line brings the lines it stands under.
 */
export function orderByWorth(
  lines: readonly CodeLine[],
  { text, question, symbols, costs, tokensMax, settings = usualPicks }: Picking,
): number[] {
  const relevance = relevanceOf(lines, symbols, { question, settings });
  const heads = headsOf(lines, { text, symbols });
  const parents = parentsOf(lines, text);
  const under = Object.groupBy(lines.keys(), (i) => parents[i] ?? -1);
  const { before, after } = besideOf(lines);
  const taken = new Uint8Array(lines.length);
  const seen = new Set<string>();
  const order: number[] = [];
  const take = (i: number): readonly number[] => {
    const added = withParents(i, parents, taken);
    for (const line of added) {
      taken[line] = 1;
      order.push(line);
      const { names = [], words = [], kind } = lines[line] ?? {};
      for (const name of names) seen.add(name);
      if (kind !== "comment") for (const word of words) seen.add(word);
    }
    return added
      .flatMap((line) => [...(under[line] ?? []), before[line] ?? -1, after[line] ?? -1])
      .filter((line) => line >= 0 && taken[line] === 0);
  };
  let room = settings.heads * tokensMax;
  for (const i of nearest(heads, relevance)) {
    room -= costs[i] ?? 0;
    if (room < 0) break;
    take(i);
  }
  const isHead = new Set(heads);
  const value = (i: number) => {
    // A line between two that are kept saves the marker of their gap; one by itself makes another.
    const beside = [before[i], after[i]].filter((line) => line !== undefined && taken[line] === 1);
    let gain = 0;
    let cost = settings.marker * (1 - beside.length);
    for (const line of withParents(i, parents, taken)) {
      gain += worthOf(line, { lines, relevance, seen, settings, isHead: isHead.has(line) });
      cost += costs[line] ?? 0;
    }
    return gain / Math.max(1, cost);
  };
  const candidates = lines.keys().filter((i) => lines[i]?.kind !== "blank" && taken[i] === 0);
  largestFirst(candidates, { value, take, isDone: (i) => taken[i] === 1 });
  return order;
}

/** Lines under which others stand that are taken with them: more is the shape of data. */
const PARENTS_MAX = 12;

/** A line after those that it stands under, as far as they are not taken. */
function withParents(i: number, parents: Int32Array, taken: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = i; at >= 0 && found.length < PARENTS_MAX; at = parents[at] ?? -1) {
    if (taken[at]) break;
    found.push(at);
  }
  return found.reverse();
}

/** The lines before and after each, blank ones not counted. */
function besideOf(lines: readonly CodeLine[]) {
  const [before, after] = [new Array<number>(lines.length), new Array<number>(lines.length)];
  let last = -1;
  for (const [i, { kind }] of lines.entries()) {
    if (kind === "blank") continue;
    if (last >= 0) after[last] = i;
    before[i] = last;
    last = i;
  }
  return { before, after };
}

const CLOSES = /^[)\]}]|^(?:end|else|elif|elsif|except|finally|catch|rescue)\b/;

/** Of each line the one it stands under by indentation; of what closes or goes on, its beginning. */
function parentsOf(lines: readonly CodeLine[], text: string): Int32Array {
  const parents = new Int32Array(lines.length).fill(-1);
  const open: number[] = [];
  const indentOf = (i: number | undefined) => (i === undefined ? -1 : (lines[i]?.indent ?? 0));
  for (const [i, line] of lines.entries()) {
    if (line.kind === "blank") continue;
    while (indentOf(open.at(-1)) > line.indent) open.pop();
    const begins = text.slice(line.from, Math.min(line.end, line.from + 12));
    const isSame = indentOf(open.at(-1)) === line.indent;
    const above = isSame && !CLOSES.test(begins) && !/^\{\s*$/.test(begins) ? -2 : -1;
    parents[i] = open.at(above) ?? -1;
    if (line.kind === "comment") continue;
    if (isSame) open.pop();
    open.push(i);
  }
  return parents;
}

/** What a signature is worth that nothing is near to, as nearness. */
const FAR_HEAD = 0.2;

function worthOf(
  i: number,
  {
    lines,
    relevance: { near, weights },
    seen,
    settings,
    isHead,
  }: {
    lines: readonly CodeLine[];
    relevance: Relevance;
    seen: ReadonlySet<string>;
    settings: PickSettings;
    isHead: boolean;
  },
): number {
  const line = lines[i];
  const nearness = near[i] ?? 0;
  if (!line) return 0;
  const worth = (name: string) =>
    (weights.get(name) ?? 0) * (seen.has(name) ? settings.repeat * nearness : 1);
  const sum = (words: readonly string[]) => words.reduce((all, word) => all + worth(word), 0);
  if (line.kind === "comment") {
    return (
      line.words.reduce((all, word) => all + (weights.get(word) ?? 0), 0) *
      settings.comment *
      nearness
    );
  }
  const share = line.kind === "import" ? settings.imports : 1;
  const extra =
    settings.line * nearness + (isHead ? settings.signature * (FAR_HEAD + nearness) : 0);
  return share * (sum(line.names) + settings.string * sum(line.words)) + extra;
}

/** Lines of the signatures of what has a body. */
function headsOf(
  lines: readonly CodeLine[],
  { text, symbols }: Pick<Picking, "text" | "symbols">,
): number[] {
  const heads = new Set<number>();
  const starts = lines.map(({ start }) => start);
  for (const { start, signature, kind } of symbols) {
    if (kind === "variable" || kind === "constant" || kind === "field") continue;
    const said = text.slice(start, signature).trimEnd();
    const last = lineAt(starts, start + Math.max(0, said.length - 1));
    for (let at = lineAt(starts, start); at <= last; at += 1) {
      if (lines[at]?.kind !== "blank") heads.add(at);
    }
  }
  return [...heads];
}

const nearest = (heads: readonly number[], { near }: Relevance): number[] =>
  heads.toSorted((a, b) => (near[b] ?? 0) - (near[a] ?? 0) || a - b);

/** From both ends: of five lines three from the head, two from the tail. */
export function orderFromEnds(lines: readonly CodeLine[]): number[] {
  const order: number[] = [];
  let [head, tail] = [0, lines.length - 1];
  while (head <= tail) {
    if (order.length % 5 < 3) {
      order.push(head);
      head += 1;
    } else {
      order.push(tail);
      tail -= 1;
    }
  }
  return order;
}

/** Groups of lines that would fill the room; fewer are coarse, more are all markers. */
const GROUPS = 24;

/**
 * Evenly spread: groups of lines at places that halve the gaps again and again (the sequence of van
 * der Corput), so that wherever it ends it is spread over the whole. No dice are rolled.
 */
export function orderSpread(costs: readonly number[], tokensMax: number): number[] {
  const all = costs.reduce((sum, cost) => sum + cost, 0);
  const mean = all / Math.max(1, costs.length);
  const size = Math.max(1, Math.floor(tokensMax / GROUPS / Math.max(1, mean)));
  const groups = Math.ceil(costs.length / size);
  const bits = Math.ceil(Math.log2(Math.max(2, groups)));
  const order: number[] = [];
  for (let n = 0; n < 2 ** bits; n += 1) {
    const group = reversed(n, bits);
    if (group >= groups) continue;
    const end = Math.min(costs.length, (group + 1) * size);
    for (let at = group * size; at < end; at += 1) order.push(at);
  }
  return order;
}

function reversed(n: number, bits: number): number {
  let found = 0;
  for (let bit = 0; bit < bits; bit += 1) if (n & (1 << bit)) found |= 1 << (bits - 1 - bit);
  return found;
}
