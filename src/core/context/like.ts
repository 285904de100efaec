// What may stand for a word of a question: other words for the same thing, and words that are
// written alike, which is what is left of other forms, abbreviations and slips of the keyboard.
import type { Corpus } from "#core/context/corpus.ts";
import type { Question, Term } from "#core/context/question.ts";
import { stem } from "#core/context/rank.ts";
import { synonymsOf } from "#core/context/synonyms.ts";

/** How much of a word another one for the same thing counts, and one that is written alike. */
const SYNONYM_SHARE = 0.25;
const ALIKE_SHARE = 0.25;
/** How alike two words have to be. */
const ALIKE_MIN = 0.35;
/** Letters in which alike words begin the same. */
const BEGINNING = 4;
/** Words written alike that are taken for one. */
const ALIKE_MAX = 12;

/** Words of a question about code that every part of it could answer, whatever it is written in. */
const languageWords: ReadonlySet<string> = new Set(
  `python python3 javascript typescript golang java ruby rust elixir php code function method way use
  using without program`
    .split(/\s+/)
    .map(stem),
);

/** The terms of a short question with what may stand for them; those of a long one as they are. */
export function termsWithLike(corpus: Corpus, { terms, isLong }: Question): readonly Term[] {
  if (isLong) return terms;
  const telling = terms.filter(({ term }) => !languageWords.has(term));
  return (telling.length > 0 ? telling : terms).map((term) => ({
    ...term,
    like: likeOf(corpus, term.term),
  }));
}

function likeOf(corpus: Corpus, term: string): { term: string; share: number }[] {
  const shares = new Map<string, number>();
  for (const other of synonymsOf(term)) shares.set(other, SYNONYM_SHARE);
  for (const { other, alike } of alikeTo(corpus, term)) {
    shares.set(other, Math.max(shares.get(other) ?? 0, ALIKE_SHARE * alike));
  }
  return [...shares].map(([other, share]) => ({ term: other, share }));
}

function alikeTo(corpus: Corpus, term: string): { other: string; alike: number }[] {
  if (term.length < BEGINNING || !/^[a-z]+$/.test(term)) return [];
  const beginning = term.slice(0, BEGINNING);
  const others = new Set(corpus.segments.flatMap((segment) => segment.termsLike(beginning)));
  others.delete(term);
  const found = [...others]
    .filter((other) => /^[a-z]+$/.test(other))
    .map((other) => ({ other, alike: alikeness(term, other) }))
    .filter(({ alike }) => alike > ALIKE_MIN);
  return found.sort((a, b) => b.alike - a.alike).slice(0, ALIKE_MAX);
}

/**
 * Dice's coefficient of the runs of three to five letters of two words, their ends marked, as far as
 * they begin the same: of words that do, nearly all common runs are there, and it takes no sets.
 */
function alikeness(a: string, b: string): number {
  let same = BEGINNING;
  while (same < a.length && a[same] === b[same]) same += 1;
  const runs = (letters: number) => 3 * letters - 3;
  return (2 * (3 * same - 3)) / (runs(a.length) + runs(b.length));
}
