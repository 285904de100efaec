// Which files a text is about: an issue, a commit's message, a question of a few words. Signals are
// scored each by itself, brought to the same height within the question, and added by weights that
// `bench -- retrieval` measured on other repositories than those it scores.
import type { Corpus } from "#core/context/corpus.ts";
import { termsWithLike } from "#core/context/like.ts";
import { type FileRole, pathWords, roleOf, subjectOf } from "#core/context/paths.ts";
import { readPostings } from "#core/context/postings.ts";
import type { Question } from "#core/context/question.ts";
import type { Scorer, Scores } from "#core/context/score.ts";
import { partsOf } from "#core/context/terms.ts";

export const signals = [
  "text",
  "title",
  "chunk",
  "cover",
  "path",
  "scope",
  "mention",
  "symbol",
  "history",
  "tests",
] as const;
export type Signal = (typeof signals)[number];

/** What is known of the paths of a corpus, made once for many questions. */
export type PathIndex = {
  /** Of each word of a path the files that have it: in their own name, or in a folder's. */
  words: ReadonlyMap<string, readonly { file: number; weight: number }[]>;
  roles: readonly FileRole[];
  /** Files of each name, in lower case. */
  names: ReadonlyMap<string, readonly number[]>;
  /** Code by the name that its tests share with it. */
  subjects: ReadonlyMap<string, readonly number[]>;
};

/** What a word in a folder's name counts beside one in the file's own. */
const FOLDER_SHARE = 0.4;

export function pathIndexOf(corpus: Corpus): PathIndex {
  const words = new Map<string, { file: number; weight: number }[]>();
  const names = new Map<string, number[]>();
  const subjects = new Map<string, number[]>();
  const roles = corpus.files.map(({ paths }) => roleOf(paths[0] ?? ""));
  for (const [file, { paths }] of corpus.files.entries()) {
    const path = paths[0] ?? "";
    const { name, folders } = pathWords(path);
    const own = new Set(name);
    for (const word of own) push(words, word, { file, weight: 1 });
    for (const word of folders)
      if (!own.has(word)) push(words, word, { file, weight: FOLDER_SHARE });
    push(names, path.slice(path.lastIndexOf("/") + 1).toLowerCase(), file);
    if (roles[file] === "code" || roles[file] === "entry") push(subjects, subjectOf(path), file);
  }
  return { words, roles, names, subjects };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

/** Commits, as files of a corpus of their own, and what each changed. */
export type History = {
  corpus: Corpus;
  /** Of each commit the files it changed that are still there, by their number. */
  changed(commit: number): readonly number[];
};

export type SignalScores = Readonly<Record<Signal, Float32Array>>;

/** What signals are made from, made once for many questions. */
export type SignalParts = {
  corpus: Corpus;
  paths: PathIndex;
  history: History | null;
  /** Scores of long questions, of short ones, and of the history's commits. */
  long: Scorer;
  short: Scorer;
  commits: Scorer | null;
};

/** Every signal of every file, and the scores of the chunks. */
export function signalsOf(
  parts: SignalParts,
  question: Question,
): { signals: SignalScores; scores: Scores } {
  const { corpus, paths, history, commits } = parts;
  const terms = termsWithLike(corpus, question);
  const scores = (question.isLong ? parts.long : parts.short)(terms);
  const chunk = bestChunks(corpus, scores);
  const none = new Float32Array(corpus.files.length);
  const all: Record<Signal, Float32Array> = {
    text: scores.files,
    title: scores.titles,
    chunk,
    cover: scores.covers.map((share) => share ** 2),
    path: pathScores(corpus, paths, question),
    scope: scopeScores(corpus, question),
    mention: mentions(corpus, paths, question),
    symbol: symbolScores(corpus, question),
    history: history && commits ? historyScores(corpus, history, commits(question.terms)) : none,
    tests: testScores(corpus, paths, { files: scores.files, chunk }),
  };
  return { signals: all, scores };
}

function bestChunks(corpus: Corpus, { chunks }: Scores): Float32Array {
  const best = new Float32Array(corpus.files.length);
  let at = 0;
  for (const { fileOf } of corpus.segments) {
    for (let chunk = 0; chunk < fileOf.length; chunk += 1, at += 1) {
      const file = fileOf[chunk] ?? -1;
      const score = chunks[at] ?? 0;
      if (file >= 0 && score > (best[file] ?? 0)) best[file] = score;
    }
  }
  return best;
}

function pathScores(corpus: Corpus, index: PathIndex, { terms }: Question): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  for (const { term, weight } of terms) {
    const found = index.words.get(term);
    if (!found) continue;
    const rare = Math.log(1 + corpus.files.length / (found.length + 0.5));
    for (const { file, weight: own } of found) {
      scores[file] = (scores[file] ?? 0) + weight * own * rare;
    }
  }
  return scores;
}

/** How much of the scope of the title is in a path. */
function scopeScores(corpus: Corpus, { scope }: Question): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  if (scope.length === 0) return scores;
  for (const [file, { paths }] of corpus.files.entries()) {
    const words = new Set((paths[0] ?? "").toLowerCase().match(/[a-z0-9]+/g));
    scores[file] = scope.filter((word) => words.has(word)).length / scope.length;
  }
  return scores;
}

/** Files whose path is named, and by how much of it. */
function mentions(corpus: Corpus, index: PathIndex, { paths }: Question): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  for (const named of paths) {
    const parts = named.split("/");
    const same = index.names.get(parts.at(-1) ?? "") ?? [];
    for (const file of same) {
      const own = (corpus.files[file]?.paths[0] ?? "").toLowerCase().split("/");
      let depth = 0;
      while (depth < parts.length && parts.at(-1 - depth) === own.at(-1 - depth)) depth += 1;
      const score = depth > 1 ? 1 : 1 / Math.sqrt(same.length);
      scores[file] = Math.max(scores[file] ?? 0, score);
    }
  }
  return scores;
}

/** Files that define what stands as code in the question. */
function symbolScores(corpus: Corpus, { code }: Question): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  for (const identifier of code) {
    const whole = partsOf(identifier).join("");
    const files = new Set<number>();
    for (const segment of corpus.segments) {
      const bytes = segment.postings(whole);
      if (!bytes) continue;
      readPostings(bytes, (chunk, counts) => {
        const file = segment.fileOf[chunk] ?? -1;
        if (file >= 0 && (counts & 255) > 0) files.add(file);
      });
    }
    for (const file of files) scores[file] = (scores[file] ?? 0) + 1 / files.size;
  }
  return scores;
}

/** Commits that are looked at for one question, the most alike first. */
const COMMITS_MAX = 60;
/** What a further commit that changed a file counts. */
const AGAIN_SHARE = 0.25;

function historyScores(
  corpus: Corpus,
  { changed }: History,
  { files: found, covers }: Scores,
): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  const alike = found.map((score, commit) => score * (covers[commit] ?? 0));
  for (const commit of topOf(alike, COMMITS_MAX)) {
    const files = changed(commit);
    const share = (alike[commit] ?? 0) / Math.sqrt(Math.max(1, files.length));
    for (const file of files) {
      scores[file] = Math.max(scores[file] ?? 0, share) + AGAIN_SHARE * share;
    }
  }
  return scores;
}

/** Tests that are looked at for one question. */
const TESTS_MAX = 20;

/** Code whose tests match: a test tells by its name what it is for. */
function testScores(
  corpus: Corpus,
  index: PathIndex,
  { files, chunk }: { files: Float32Array; chunk: Float32Array },
): Float32Array {
  const scores = new Float32Array(corpus.files.length);
  const tests = files.map((score, file) => (index.roles[file] === "test" ? score : 0));
  for (const test of topOf(tests, TESTS_MAX)) {
    const path = corpus.files[test]?.paths[0] ?? "";
    const code = index.subjects.get(subjectOf(path)) ?? [];
    for (const file of code) {
      const score = ((files[test] ?? 0) + (chunk[test] ?? 0)) / Math.sqrt(code.length);
      scores[file] = Math.max(scores[file] ?? 0, score);
    }
  }
  return scores;
}

/** The places of the highest scores above 0, highest first. */
export function topOf(scores: Float32Array, count: number): number[] {
  const sorted = scores.slice().sort();
  const least = sorted[Math.max(0, sorted.length - count)] ?? 0;
  const places: number[] = [];
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] ?? 0;
    if (score > 0 && score >= least) places.push(i);
  }
  places.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return places.slice(0, count);
}
