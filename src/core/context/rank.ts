// Which texts answer a question by its words: BM25 over lines with what stands beside them,
// identifiers split into their words, word forms folded together, the very phrase before all others.
// Pure, and made anew for each question: a session's texts are few enough.

/** A text and what it is called; words of the name count like those of the text. */
export type Source = { name: string; text: string };

/** The best line of a source, from the character `from` on; the higher the score the better. */
export type Ranked = { source: number; from: number; text: string; score: number };

/**
 * Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), §3.5:
 * how soon a repeated word counts no more, and how much long texts are marked down.
 */
const K1 = 1.2;
const B = 0.75;
/** What stands before and after a line, and the source's name, count by this share. */
const NEAR_SHARE = 0.4;
/** Characters of a sentence; a longer one is cut between two words. */
const LINE_CHARS_MAX = 300;
/** More than any sum of weights: the very phrase comes first. */
const EXACT = 1_000;
/** Of an excerpt the share in which the words have to be, so that what is around them is seen. */
const EXCERPT_SHARE = 3 / 4;
/** Words of a question that are looked for. */
const QUESTION_WORDS_MAX = 64;
/** Letters that a word keeps when an ending is taken off. */
const STEM_LETTERS_MIN = 3;

/** Words that questions are made of and that say nothing about their object. */
const empty = new Set(
  `a about after again all also an and any are as at be because been before but by can could did do
  does done for from get give given had has have he her him his how i if in into is it its just know
  like made make many may me more most much must my need no not now of off on one only or our out
  over please remember said say see seen she should so some such tell than that the their them then
  there these they thing this those time to told too under up us use used was we were what when
  where which while who whom whose why will with would you your`.split(/\s+/),
);

/** The sources in which the question's words are, best first, each once with its best line. */
export function ranked(sources: readonly Source[], question: string): Ranked[] {
  const wanted = wordsWanted(question);
  if (wanted.length === 0) return [];
  const phrase = phraseOf(question);
  const units = sources.map(({ text }) => linesOf(text));
  const scores = scoresBy(wanted, sources, units);
  const scored = units.flatMap((lines, source) => {
    const isExact = phrase !== null && plain(sources[source]?.text ?? "").includes(phrase);
    const near = scores[source]?.name ?? 0;
    const own = scores[source]?.lines ?? [];
    return lines.map(({ from, text }, i): Ranked => {
      const beside = Math.max(0, own[i - 1] ?? 0) + Math.max(0, own[i + 1] ?? 0) + near;
      const alone = own[i] ?? 0;
      const exact = isExact && plain(text).includes(phrase) ? EXACT : 0;
      const whole = isExact && exact === 0 ? EXACT / 2 : 0;
      const score = alone + NEAR_SHARE * beside;
      return { source, from, text, score: score > 0 ? score + exact + whole : 0 };
    });
  });
  return bestOf(scored);
}

type Scores = { name: number; lines: readonly number[] };

/** BM25 of each line and each name, over all of them. */
function scoresBy(
  wanted: readonly string[],
  sources: readonly Source[],
  units: readonly (readonly Line[])[],
): Scores[] {
  const known = new Map<string, string>();
  const wants = new Set(wanted);
  const held = new Map(wanted.map((word) => [word, 0]));
  let words = 0;
  let count = 0;
  const counted = (text: string) => {
    const times = new Map<string, number>();
    const all = wordsOf(text);
    for (const word of all) {
      const root = known.get(word) ?? stem(word);
      known.set(word, root);
      if (wants.has(root)) times.set(root, (times.get(root) ?? 0) + 1);
    }
    for (const word of times.keys()) held.set(word, (held.get(word) ?? 0) + 1);
    words += all.length;
    count += 1;
    return { times, length: all.length };
  };
  const counts = units.map((lines, i) => ({
    name: counted(sources[i]?.name ?? ""),
    lines: lines.map(({ text }) => counted(text)),
  }));
  const mean = Math.max(1, words / Math.max(1, count));
  const weights = new Map([...held].map(([word, n]) => [word, weightOf(n, count)]));
  const score = ({ times, length }: ReturnType<typeof counted>): number =>
    [...times].reduce((sum, [word, n]) => {
      const long = 1 - B + (B * length) / mean;
      return sum + ((weights.get(word) ?? 0) * n * (K1 + 1)) / (n + K1 * long);
    }, 0);
  return counts.map(({ name, lines }) => ({ name: score(name), lines: lines.map(score) }));
}

/** BM25's weight of a word that `n` of `count` texts have, in the form that is never negative. */
const weightOf = (n: number, count: number): number => Math.log(1 + (count - n + 0.5) / (n + 0.5));

/** The best line of each source; of sources with the same best line the newest. */
function bestOf(scored: readonly Ranked[]): Ranked[] {
  const best = new Map<number, Ranked>();
  const order = scored.filter(({ score }) => score > 0);
  order.sort((a, b) => b.score - a.score || b.source - a.source || a.from - b.from);
  for (const line of order) if (!best.has(line.source)) best.set(line.source, line);
  const lines = new Set<string>();
  return [...best.values()].filter(({ text }) => {
    const isNew = !lines.has(text);
    lines.add(text);
    return isNew;
  });
}

function wordsWanted(question: string): string[] {
  const words = wordsOf(question);
  const telling = words.filter((word) => !empty.has(word));
  const roots = new Set((telling.length > 0 ? telling : words).map(stem));
  return [...roots].slice(0, QUESTION_WORDS_MAX);
}

/** The part of a text, of at most so many characters, in which most of the question's words are. */
export function excerpt(
  text: string,
  question: string,
  charsMax: number,
): { from: number; text: string } {
  if (text.length <= charsMax) return { from: 0, text };
  const wanted = new Set(wordsWanted(question));
  const places = text
    .matchAll(/[\p{L}\p{N}]+(?:[_.-][\p{L}\p{N}]+)*/gu)
    .flatMap(({ 0: name, index }) => {
      const found = wordsOf(name)
        .map(stem)
        .filter((word) => wanted.has(word));
      return found.length > 0 ? [{ at: index, found }] : [];
    })
    .toArray();
  const room = Math.floor(charsMax * EXCERPT_SHARE);
  let best = { at: places[0]?.at ?? 0, words: 0, end: places[0]?.at ?? 0 };
  for (const [i, { at }] of places.entries()) {
    const inside = places.slice(i).filter((place) => place.at <= at + room);
    const words = new Set(inside.flatMap(({ found }) => found)).size;
    if (words > best.words) best = { at, words, end: inside.at(-1)?.at ?? at };
  }
  const middle = Math.floor((best.at + best.end - charsMax) / 2);
  const from = Math.max(0, Math.min(middle, text.length - charsMax));
  return { from, text: text.slice(from, from + charsMax).toWellFormed() };
}

type Line = { from: number; text: string };

/** The lines that say something, sentence by sentence. */
function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let from = 0;
  while (from < text.length) {
    const end = text.indexOf("\n", from);
    const stop = end === -1 ? text.length : end;
    const at = Math.min(stop, sentenceEnd(text, from));
    const line = text.slice(from, at);
    if (line.trim() !== "") lines.push({ from, text: line });
    from = at === stop ? stop + 1 : at;
  }
  return lines;
}

/** The end of the sentence, else of the last word that fits, else of what fits. */
function sentenceEnd(text: string, from: number): number {
  const part = text.slice(from, from + LINE_CHARS_MAX);
  const sentence = part.search(/[.?!] /);
  if (sentence > 0) return from + sentence + 2;
  if (part.length < LINE_CHARS_MAX) return from + part.length;
  const word = part.lastIndexOf(" ");
  return word > 0 ? from + word + 1 : from + LINE_CHARS_MAX;
}

/** What has to stand there as it is: all of the question, unless it is one plain word. */
function phraseOf(question: string): string | null {
  const phrase = plain(question);
  return wordsOf(phrase).length > 1 || wordsOf(question).length > 1 ? phrase : null;
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, " ").trim();

/**
 * Words in lower case. An identifier gives its parts, and itself where it has several:
 * `readFileSync` gives read, file, sync and readfilesync; `max_retries` and `max-retries` likewise.
 */
export function wordsOf(text: string): string[] {
  const found: string[] = [];
  for (const [name] of text.matchAll(/[\p{L}\p{N}]+(?:[_.-][\p{L}\p{N}]+)*/gu)) {
    const parts = name.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+/gu) ?? [
      name,
    ];
    for (const part of parts) {
      // One character of an identifier says nothing.
      if (part.length > 1 || parts.length === 1) found.push(part.toLowerCase());
    }
    if (parts.length > 1) found.push(name.toLowerCase().replaceAll(/[_-]/g, ""));
  }
  return found;
}

/**
 * English word forms folded together: plurals as in Harman's "How effective is suffixing?" (1991),
 * then -ing, -ed, -ly, -er and a last e, where enough is left. What it makes need be no word.
 */
export function stem(word: string): string {
  if (!/^[a-z]+$/.test(word)) return word;
  let short = word;
  if (/[^ea]ies$/.test(short)) short = short.replace(/ies$/, "y");
  else if (/[^aeo]es$/.test(short)) short = short.replace(/s$/, "");
  else if (/[^us]s$/.test(short)) short = short.replace(/s$/, "");
  for (const ending of ["ing", "ed", "ly", "er", "e"]) {
    const cut = short.length - ending.length;
    if (!short.endsWith(ending) || cut < STEM_LETTERS_MIN) continue;
    if (!/[aeiouy]/.test(short.slice(0, cut))) continue;
    return undoubled(short.slice(0, cut));
  }
  return short.endsWith("y") && short.length > STEM_LETTERS_MIN ? `${short.slice(0, -1)}i` : short;
}

/** `stopp` of stopping is `stop`, `till` stays. */
const undoubled = (word: string): string =>
  /([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word;
