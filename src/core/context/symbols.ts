// Finds what is defined by its name: exactly, then written otherwise, then by how it begins, then by
// the words in it. Candidates are the chunks whose postings have the name; what they define decides.
import type { Corpus, CorpusSegment } from "#core/context/corpus.ts";
import type { SymbolKind } from "#core/context/languages.ts";
import type { FileRole } from "#core/context/paths.ts";
import { readPostings } from "#core/context/postings.ts";
import { stem } from "#core/context/rank.ts";
import { emptyWords, partsOf } from "#core/context/terms.ts";

/** A definition and where it is: offsets in UTF-16 units, lines from 1. */
export type PlacedSymbol = {
  name: string;
  kind: SymbolKind;
  /** Names of what it stands in, outermost first. */
  path: readonly string[];
  start: number;
  end: number;
  /** End of the signature, which begins with the symbol. */
  signature: number;
  line: number;
  endLine: number;
};

/** Whether a symbol is worth making. */
export type SymbolWanted = (name: string, kind: SymbolKind) => boolean;

export type FoundSymbol = { file: number; symbol: PlacedSymbol; score: number };

/** What is asked: `read`, `Reader.read`, `Store::Cache#put`, a part of a name. */
export type WantedSymbol = { name: string; kind?: SymbolKind; limit: number };

export type SymbolParts = {
  corpus: Corpus;
  roles: readonly FileRole[];
  symbols(file: number): readonly PlacedSymbol[];
};

/** Files whose symbols are looked at for names that are only alike. */
const FILES_LIKE_MAX = 300;
/** Files that define exactly this name. */
const FILES_MAX = 3_000;
/** Scores of the ways to fit a name; within one the shorter name is the better. */
const SAME = 1;
const SAME_LETTERS = 0.8;
const BEGINS = 0.6;
const HAS_WORDS = 0.4;

/** What other kinds of files and of symbols are put behind. */
const behind: Readonly<Partial<Record<FileRole | SymbolKind, number>>> = {
  ...{ test: 0.06, docs: 0.1, data: 0.1, entry: 0.01 },
  ...{ constant: 0.01, variable: 0.03, field: 0.03, section: 0.05 },
};

/** The term by which a whole identifier is found; null where none is kept of it. */
export function wholeTerm(identifier: string): string | null {
  const parts = partsOf(identifier);
  const [only = ""] = parts;
  if (parts.length === 1) return only.length < 2 || emptyWords.has(only) ? null : stem(only);
  const whole = parts.join("");
  return whole.length > 2 ? whole : null;
}

/** Takes the chunks that have a term, of the files that are there. */
export function chunksWith(
  segments: readonly CorpusSegment[],
  term: string,
  take: (file: number, chunk: number, counts: number) => void,
): void {
  for (const segment of segments) {
    const entries = segment.postings(term);
    if (!entries) continue;
    readPostings(entries, (chunk, counts) => {
      const file = segment.fileOf[chunk] ?? -1;
      if (file >= 0) take(file, chunk, counts);
    });
  }
}

/** The symbols of a name, best first. */
export function symbolsNamed(parts: SymbolParts, wanted: WantedSymbol): FoundSymbol[] {
  const asked = plainName(wanted.name);
  const word = lastWord(asked);
  if (word === "") return [];
  const found = new Map<PlacedSymbol, FoundSymbol>();
  const seen = new Set<number>();
  const look = (files: Iterable<number>, filesMax: number) => {
    for (const file of files) {
      if (seen.has(file)) continue;
      if (seen.size >= filesMax) return;
      seen.add(file);
      for (const symbol of parts.symbols(file)) {
        if (wanted.kind !== undefined && symbol.kind !== wanted.kind) continue;
        const fit = fitOf(symbol, asked);
        if (fit === 0) continue;
        const role = parts.roles[file] ?? "code";
        const score = fit - (behind[role] ?? 0) - (behind[symbol.kind] ?? 0);
        found.set(symbol, { file, symbol, score });
      }
    }
  };
  look(definingFiles(parts.corpus, wholeTerm(word)), FILES_MAX);
  if (found.size < wanted.limit) look(filesLike(parts.corpus, word), seen.size + FILES_LIKE_MAX);
  const pathOf = (file: number) => parts.corpus.files[file]?.paths[0] ?? "";
  return [...found.values()]
    .sort(
      (a, b) =>
        b.score - a.score ||
        (pathOf(a.file) < pathOf(b.file) ? -1 : Number(pathOf(a.file) !== pathOf(b.file))) ||
        a.symbol.start - b.symbol.start,
    )
    .slice(0, wanted.limit);
}

/** `A::b`, `A#b`, `A->b` and `A/b` as `A.b`. */
export const plainName = (name: string): string =>
  name
    .trim()
    .replace(/\(.*$/, "")
    .replace(/::|->|#|\//g, ".")
    .replace(/^\.+|\.+$/g, "");

export const lastWord = (name: string): string =>
  name.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu)?.at(-1) ?? "";

/** A symbol's name with what it stands in. */
export const wholeName = ({ path, name }: Pick<PlacedSymbol, "path" | "name">): string =>
  plainName([...path, name].join("."));

const isTail = (whole: string, tail: string): boolean =>
  whole === tail || whole.endsWith(`.${tail}`);

/** How well a symbol fits what is asked; 0 where it does not. */
function fitOf(symbol: PlacedSymbol, asked: string): number {
  const whole = wholeName(symbol);
  if (isTail(whole, asked)) return SAME;
  const letters = (text: string) => text.replaceAll(/[_$\s-]/g, "").toLowerCase();
  const [own, other] = [letters(whole), letters(asked)];
  if (isTail(own, other)) return SAME_LETTERS;
  const name = letters(symbol.name);
  const share = Math.min(1, other.length / Math.max(1, name.length));
  if (name.startsWith(other)) return BEGINS * (0.5 + share / 2);
  const words = new Set(partsOf(symbol.name).map(stem));
  const asks = partsOf(asked).map(stem);
  return asks.every((word) => words.has(word)) ? HAS_WORDS * (0.5 + share / 2) : 0;
}

/** Files that define something of which this is a term. */
function definingFiles(corpus: Corpus, term: string | null): Set<number> {
  const files = new Set<number>();
  if (term === null) return files;
  chunksWith(corpus.segments, term, (file, _, counts) => {
    if ((counts & 255) > 0) files.add(file);
  });
  return files;
}

function* filesLike(corpus: Corpus, word: string): Generator<number> {
  const beginning = partsOf(word).join("");
  if (beginning.length > 1) {
    const terms = new Set(corpus.segments.flatMap((segment) => segment.termsLike(beginning)));
    for (const term of [...terms].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))) {
      yield* definingFiles(corpus, term);
    }
  }
  const all = partsOf(word).map((part) => definingFiles(corpus, stem(part)));
  const [first = new Set<number>(), ...others] = all.sort((a, b) => a.size - b.size);
  for (const file of first) if (others.every((files) => files.has(file))) yield file;
}
