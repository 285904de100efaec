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
import type { ScoreSettings } from "#core/context/score.ts";
import { partsOf } from "#core/context/terms.ts";

/** Fields: name, signature, docs, body. Measured in `bench -- retrieval`. */
const fieldSettings: ScoreSettings = {
  file: { weights: [5, 2, 1, 1], k1: 1.5, b: 0.75 },
  chunk: { weights: [5, 2, 1, 1], k1: 1.5, b: 0.75 },
};

/** What each signal counts, once it is brought to the height of 1 within the question. */
const weights: Readonly<Record<Signal, number>> = {
  text: 2,
  title: 0.5,
  chunk: 1.2,
  cover: 1,
  path: 1.5,
  mention: 1.5,
  symbol: 0.7,
  history: 2,
  tests: 0.5,
};

/** What a file of each kind counts beside code, where the question does not ask for such files. */
const roleShares: Readonly<Record<FileRole, number>> = {
  code: 1,
  entry: 0.9,
  data: 0.2,
  docs: 0.2,
  test: 0.2,
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
  mention: "named in the text",
  symbol: "defines what is named",
  history: "changed by commits that say the like",
  tests: "its tests match",
};

export type FoundFile = { file: number; score: number; why: readonly string[] };

/** The files that a question is about, best first. Scores are of this question only; at most 1. */
export function foundFiles(
  corpus: Corpus,
  given: { paths: PathIndex; history: History | null },
  question: Question,
  limit: number,
): FoundFile[] {
  const { signals: found } = signalsOf(corpus, given.paths, given.history, question, fieldSettings);
  return ranked(found, { question, roles: given.paths.roles }, limit);
}

type Ranking = { question: Question; roles: readonly FileRole[] };

function ranked(found: SignalScores, { question, roles }: Ranking, limit: number): FoundFile[] {
  const shares = sharesOf(question);
  const heights = signals.map((signal) => heightOf(found[signal]));
  const used = signals.map((signal, i) => ((heights[i] ?? 0) > 0 ? weights[signal] : 0));
  const most = used.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float32Array(found.text.length);
  const parts = (file: number) =>
    signals.map((signal, i) => ((used[i] ?? 0) * (found[signal][file] ?? 0)) / (heights[i] || 1));
  for (let file = 0; file < scores.length; file += 1) {
    const sum = parts(file).reduce((a, b) => a + b, 0);
    scores[file] = (shares[roles[file] ?? "code"] * sum) / Math.max(most, 1e-9);
  }
  return topOf(scores, limit).map((file) => {
    const own = parts(file).map((part, i) => ({ part, signal: signals[i] ?? "text" }));
    own.sort((a, b) => b.part - a.part);
    const why = own.filter(({ part }) => part > 0.05 * most).map(({ signal }) => reasons[signal]);
    return { file, score: scores[file] ?? 0, why: why.length > 0 ? why : ["its text"] };
  });
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
const FILE_SHARE = 0.6;
/** Chunks of one file in an answer: the others would say the like. */
const CHUNKS_OF_A_FILE_MAX = 3;

/** The chunks that answer a question, best first. */
export function foundChunks(
  corpus: Corpus,
  given: { paths: PathIndex; history: History | null },
  question: Question,
  limit: number,
): FoundChunk[] {
  const { signals: found, scores } = signalsOf(
    corpus,
    given.paths,
    given.history,
    question,
    fieldSettings,
  );
  const files = ranked(found, { question, roles: given.paths.roles }, limit * 4);
  const most = heightOf(found.chunk);
  const all = files.flatMap(({ file, score, why }) => {
    const { segment, first, count } = corpus.files[file] ?? { segment: 0, first: 0, count: 0 };
    const own = scores.chunks[segment];
    const chunks = Array.from({ length: count }, (_, chunk) => ({
      file,
      chunk,
      why,
      score: (own?.[first + chunk] ?? 0) / Math.max(most, 1e-9),
    }));
    chunks.sort((a, b) => b.score - a.score);
    return chunks
      .slice(0, CHUNKS_OF_A_FILE_MAX)
      .filter((chunk) => chunk.score > 0)
      .map((chunk) => ({ ...chunk, score: chunk.score + FILE_SHARE * score }));
  });
  all.sort((a, b) => b.score - a.score);
  return all.slice(0, limit).map((hit) => ({ ...hit, score: hit.score / (1 + FILE_SHARE) }));
}
