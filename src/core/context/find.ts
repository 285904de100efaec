// Puts the signals of a question together: which files it is about, which chunks answer it, and why.
import type { Corpus } from "#core/context/corpus.ts";
import {
  type History,
  type PathIndex,
  type Signal,
  type SignalScores,
  signals,
  signalsOf,
  topOf,
} from "#core/context/locate.ts";
import type { FileRole } from "#core/context/paths.ts";
import type { Question } from "#core/context/question.ts";
import {
  chunksFrom,
  type FieldSettings,
  type Scorer,
  type ScoreSettings,
  type Scores,
  scorerOf,
} from "#core/context/score.ts";
import { partsOf } from "#core/context/terms.ts";

/** Fields: name, signature, docs, body. Measured in `bench -- retrieval`. */
const fields: FieldSettings = { weights: [5, 2, 1, 1], k1: 1.5, b: 0.75 };
const longSettings: ScoreSettings = { file: fields, chunk: fields, cover: 0 };
/** A short question asks for what something does: names and documentation say that. */
const shortFields: FieldSettings = { weights: [6, 1, 4, 1], k1: 2, b: 0.7 };
const shortSettings: ScoreSettings = { file: fields, chunk: shortFields, cover: 0.5 };

/** What each signal counts, once it is brought to the height of 1 within the question. */
const weights: Readonly<Record<Signal, number>> = {
  text: 2,
  title: 0.5,
  chunk: 1.5,
  cover: 0.6,
  path: 1.5,
  scope: 0.6,
  mention: 1.5,
  symbol: 0.7,
  history: 2,
  tests: 0.5,
};

/** The first line of a long text says more of it than its words are a part. */
const LONG_TITLE = 1;

/** What a file of each kind counts beside code, where the question does not ask for such files. */
const roleShares: Readonly<Record<FileRole, number>> = {
  code: 1,
  entry: 0.9,
  page: 0.6,
  data: 0.2,
  docs: 0.2,
  test: 0.3,
};

/** Words by which a question asks for tests or documentation. */
const asksFor: Readonly<Partial<Record<FileRole, RegExp>>> = {
  test: /^(?:tests?|testing|specs?|fixtures?|mocks?|conftest)$/,
  docs: /^(?:docs?|documentation|readme|changelog|guides?|examples?|typos?)$/,
};

const reasons: Readonly<Record<Signal, string>> = {
  text: "its text",
  title: "words of the title",
  chunk: "one place in it",
  cover: "most of the words",
  path: "its path",
  scope: "in the part that is named",
  mention: "named in the text",
  symbol: "defines what is named",
  history: "changed by commits that say the like",
  tests: "its tests match",
};

/** Of all that a file could score, what a signal adds for it to be a reason; and reasons told. */
const TELLING_SHARE = 0.05;
const REASONS_MAX = 4;

export type FoundFile = { file: number; score: number; why: readonly string[] };

export type Finder = {
  /** The files that a question is about, best first. Scores are of this question only; at most 1. */
  files(question: Question, limit: number): FoundFile[];
  /** The chunks that answer a question, best first. */
  chunks(question: Question, limit: number): FoundChunk[];
};

/** A scorer that is made when it is first asked: it weighs all lengths. */
function once(make: () => Scorer): Scorer {
  let made: Scorer | null = null;
  return (terms) => {
    made ??= make();
    return made(terms);
  };
}

/** Finds in a corpus; made once for many questions. */
export function finderOf(corpus: Corpus, paths: PathIndex, history: History | null): Finder {
  const parts = {
    corpus,
    paths,
    history,
    long: once(() => scorerOf(corpus, longSettings)),
    short: once(() => scorerOf(corpus, shortSettings)),
    commits: history ? scorerOf(history.corpus, longSettings) : null,
  };
  const from = chunksFrom(corpus);
  return {
    files(question, limit) {
      const { signals: found } = signalsOf(parts, question);
      return ranked(found, { question, roles: paths.roles }, limit);
    },
    chunks(question, limit) {
      const { signals: found, scores } = signalsOf(parts, question);
      const most = heightOf(found.chunk);
      const files = ranked(found, { question, roles: paths.roles }, limit * 4);
      const all = files.flatMap((hit) => chunksOf(corpus, hit, { scores, from, most }));
      all.sort((a, b) => b.score - a.score);
      return all.slice(0, limit);
    },
  };
}

type Ranking = { question: Question; roles: readonly FileRole[] };

function ranked(found: SignalScores, { question, roles }: Ranking, limit: number): FoundFile[] {
  const shares = sharesOf(question);
  const heights = signals.map((signal) => heightOf(found[signal]));
  const own = question.isLong ? { ...weights, title: LONG_TITLE } : weights;
  const used = signals.map((signal, i) => ((heights[i] ?? 0) > 0 ? own[signal] : 0));
  const most = used.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float32Array(found.text.length);
  const parts = (file: number) =>
    signals.map((signal, i) => ((used[i] ?? 0) * (found[signal][file] ?? 0)) / (heights[i] || 1));
  for (const [i, signal] of signals.entries()) {
    const by = (used[i] ?? 0) / (heights[i] || 1) / Math.max(most, 1e-9);
    if (by > 0) add(scores, found[signal], by);
  }
  for (let file = 0; file < scores.length; file += 1) {
    scores[file] = (scores[file] ?? 0) * shares[roles[file] ?? "code"];
  }
  return topOf(scores, limit).map((file) => {
    const each = parts(file).map((part, i) => ({ part, signal: signals[i] ?? "text" }));
    each.sort((a, b) => b.part - a.part);
    const telling = each.filter(({ part }) => part > TELLING_SHARE * most);
    const why = telling.slice(0, REASONS_MAX).map(({ signal }) => reasons[signal]);
    return { file, score: scores[file] ?? 0, why: why.length > 0 ? why : ["its text"] };
  });
}

function add(to: Float32Array, scores: Float32Array, by: number): void {
  for (let i = 0; i < to.length; i += 1) to[i] = (to[i] ?? 0) + by * (scores[i] ?? 0);
}

function heightOf(scores: Float32Array): number {
  let most = 0;
  for (const score of scores) if (score > most) most = score;
  return most;
}

function sharesOf({ title }: Question): Readonly<Record<FileRole, number>> {
  const words = title.flatMap(partsOf);
  const asks = (role: FileRole) => words.some((word) => asksFor[role]?.test(word));
  return {
    ...roleShares,
    ...(asks("test") ? { test: 1 } : {}),
    ...(asks("docs") ? { docs: 1 } : {}),
  };
}

export type FoundChunk = {
  file: number;
  /** The chunk's place in its file. */
  chunk: number;
  score: number;
  why: readonly string[];
};

/** What the file of a chunk counts beside the chunk itself. */
const FILE_SHARE = 0.3;
/** Chunks of one file in an answer: the others would say the like. */
const CHUNKS_OF_A_FILE_MAX = 3;

type Chunks = { scores: Scores; from: readonly number[]; most: number };

/** The best chunks of a file; what the file is worth counts for them, too. */
function chunksOf(corpus: Corpus, hit: FoundFile, { scores, from, most }: Chunks): FoundChunk[] {
  const { segment, first, count } = corpus.files[hit.file] ?? { segment: 0, first: 0, count: 0 };
  const begin = (from[segment] ?? 0) + first;
  const chunks = Array.from({ length: count }, (_, chunk) => ({
    file: hit.file,
    chunk,
    why: hit.why,
    score: (scores.chunks[begin + chunk] ?? 0) / Math.max(most, 1e-9),
  }));
  const telling = chunks.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  return telling.slice(0, CHUNKS_OF_A_FILE_MAX).map((chunk) => ({
    ...chunk,
    score: (chunk.score + FILE_SHARE * hit.score) / (1 + FILE_SHARE),
  }));
}
