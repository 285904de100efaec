// BM25F over files and chunks at once: fields weighted and normalised each by its own length, as in
// Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), §3.6.
// What may stand for a term counts as a share of it, with the term's own rarity: else a rare synonym
// would count more than the word that was asked for.
import type { Corpus } from "#core/context/corpus.ts";
import { readPostings } from "#core/context/postings.ts";
import type { Term } from "#core/context/question.ts";
import { FIELDS } from "#core/context/terms.ts";

export type FieldSettings = {
  /** Weight of each field: name, signature, docs, body. */
  weights: readonly number[];
  k1: number;
  b: number;
};

export type ScoreSettings = {
  file: FieldSettings;
  chunk: FieldSettings;
  /** What having all of a question counts beside having parts of it well, for chunks. */
  cover: number;
};

export type Scores = {
  /** Of each file, for all terms and for those of the title. */
  files: Float32Array;
  titles: Float32Array;
  /** The share of the question, by weight and rarity, that a file has at all. */
  covers: Float32Array;
  /** Of each chunk; those of a segment begin at its place in `chunksFrom`. */
  chunks: Float32Array;
};

/** Scores terms over a corpus. Made once for many questions: lengths are weighed beforehand. */
export type Scorer = (terms: readonly Term[]) => Scores;

/** Files that a term is taken to be in, at least, where others stand for it. */
const LIKE_FILES_MIN = 5;

/** Of each segment the number of its first chunk, over all. */
export function chunksFrom(corpus: Corpus): readonly number[] {
  let from = 0;
  return corpus.segments.map(({ chunks }) => {
    from += chunks;
    return from - chunks;
  });
}

export function scorerOf(corpus: Corpus, settings: ScoreSettings): Scorer {
  const from = chunksFrom(corpus);
  const count = corpus.segments.reduce((sum, { chunks }) => sum + chunks, 0);
  const fileNorms = normsOf(corpus.lengths, corpus.fileMeans, settings.file);
  const chunkNorms = corpus.segments.map((segment) =>
    normsOf(segment.lengths, corpus.chunkMeans, settings.chunk),
  );
  const found = new Found(corpus.files.length, count);

  function read(term: string, share: number): void {
    for (const [i, segment] of corpus.segments.entries()) {
      const entries = segment.postings(term);
      if (!entries) continue;
      const norms = chunkNorms[i] ?? fileNorms;
      const first = from[i] ?? 0;
      readPostings(entries, (chunk, counts) => {
        const file = segment.fileOf[chunk] ?? -1;
        if (file < 0) return;
        const inFile = share * weighted(counts, fileNorms, file * FIELDS);
        found.add(file, first + chunk, inFile, share * weighted(counts, norms, chunk * FIELDS));
      });
    }
  }

  /** Adds what one term says. */
  function addTerm(term: Term, sums: Sums): void {
    found.clear();
    read(term.term, 1);
    const least = term.like ? Math.min(LIKE_FILES_MIN, corpus.files.length / 50) : 0;
    const rarity = {
      files: rarityOf(Math.max(found.files.length, least), corpus.files.length),
      chunks: rarityOf(Math.max(found.chunks.length, least), corpus.chunks),
    };
    // For files the word itself counts as much as all that may stand for it together with it.
    const part = { rarity: rarity.files, k1: settings.file.k1, by: term.like ? 0.5 : 1 };
    addFiles(sums.scores, found, term, part);
    if (term.like) {
      for (const { term: other, share } of term.like) read(other, share);
      addFiles(sums.scores, found, term, part);
    }
    if (found.files.length === 0) return;
    sums.files += term.weight * rarity.files;
    sums.chunks += term.weight * rarity.chunks;
    addChunks(sums, found, { share: term.weight * rarity.chunks, k1: settings.chunk.k1 });
  }

  return (terms) => {
    const scores: Scores = {
      files: new Float32Array(corpus.files.length),
      titles: new Float32Array(corpus.files.length),
      covers: new Float32Array(corpus.files.length),
      chunks: new Float32Array(count),
    };
    const sums = { scores, covers: new Float32Array(count), files: 0, chunks: 0 };
    for (const term of terms) addTerm(term, sums);
    for (let file = 0; file < scores.covers.length; file += 1) {
      scores.covers[file] = (scores.covers[file] ?? 0) / Math.max(sums.files, 1e-9);
    }
    if (settings.cover > 0) {
      raise(scores.chunks, sums.covers, settings.cover / Math.max(sums.chunks, 1e-9));
    }
    return scores;
  };
}

/** What is summed up over the terms: scores, what each chunk has of the question, and all of it. */
type Sums = { scores: Scores; covers: Float32Array; files: number; chunks: number };

function addChunks(
  { scores, covers }: Sums,
  found: Found,
  { share, k1 }: { share: number; k1: number },
): void {
  for (const chunk of found.chunks) {
    const times = found.inChunk[chunk] ?? 0;
    const score = (share * times * (k1 + 1)) / (k1 + times);
    scores.chunks[chunk] = (scores.chunks[chunk] ?? 0) + score;
    covers[chunk] = (covers[chunk] ?? 0) + share * Math.min(1, times);
  }
}

/** Raises the scores of what has more of the question. */
function raise(scores: Float32Array, covers: Float32Array, by: number): void {
  for (let at = 0; at < scores.length; at += 1) {
    scores[at] = (scores[at] ?? 0) * (1 + by * (covers[at] ?? 0));
  }
}

function addFiles(
  scores: Scores,
  found: Found,
  { weight, title }: Term,
  { rarity, k1, by }: { rarity: number; k1: number; by: number },
): void {
  for (const file of found.files) {
    const times = found.inFile[file] ?? 0;
    const score = (by * rarity * times * (k1 + 1)) / (k1 + times);
    scores.files[file] = (scores.files[file] ?? 0) + weight * score;
    scores.covers[file] = (scores.covers[file] ?? 0) + by * weight * rarity;
    if (title > 0) scores.titles[file] = (scores.titles[file] ?? 0) + title * score;
  }
}

/** BM25's weight of a term that `n` of `count` have, in the form that is never negative. */
const rarityOf = (n: number, count: number): number =>
  Math.log(1 + Math.max(0, count - n + 0.5) / (n + 0.5));

/** What one occurrence in a field counts, by the field's length there. */
function normsOf(
  lengths: Uint16Array | Float64Array,
  means: readonly number[],
  { weights, b }: FieldSettings,
): Float32Array {
  const norms = new Float32Array(lengths.length);
  for (let i = 0; i < lengths.length; i += 1) {
    const field = i % FIELDS;
    const long = 1 - b + (b * (lengths[i] ?? 0)) / (means[field] ?? 1);
    norms[i] = (weights[field] ?? 0) / long;
  }
  return norms;
}

function weighted(counts: number, norms: Float32Array, at: number): number {
  return (
    (counts & 255) * (norms[at] ?? 0) +
    ((counts >>> 8) & 255) * (norms[at + 1] ?? 0) +
    ((counts >>> 16) & 255) * (norms[at + 2] ?? 0) +
    (counts >>> 24) * (norms[at + 3] ?? 0)
  );
}

/** What one term has, over all segments; reused from term to term. */
class Found {
  files: number[] = [];
  chunks: number[] = [];
  readonly inFile: Float32Array;
  readonly inChunk: Float32Array;

  constructor(files: number, chunks: number) {
    this.inFile = new Float32Array(files);
    this.inChunk = new Float32Array(chunks);
  }

  add(file: number, chunk: number, inFile: number, inChunk: number): void {
    if (this.inFile[file] === 0) this.files.push(file);
    if (this.inChunk[chunk] === 0) this.chunks.push(chunk);
    // Never 0 for what is there: that would be met as new again.
    this.inFile[file] = (this.inFile[file] ?? 0) + Math.max(inFile, 1e-9);
    this.inChunk[chunk] = (this.inChunk[chunk] ?? 0) + Math.max(inChunk, 1e-9);
  }

  clear(): void {
    for (const file of this.files) this.inFile[file] = 0;
    for (const chunk of this.chunks) this.inChunk[chunk] = 0;
    this.files = [];
    this.chunks = [];
  }
}
