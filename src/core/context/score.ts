// BM25F over files and chunks at once: fields weighted and normalised each by its own length, as in
// Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), §3.6.
// One pass over the postings of each term.
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

export type Scores = {
  /** Of each file, for all terms and for those of the title. */
  files: Float32Array;
  titles: Float32Array;
  /** The share of the question, by weight and rarity, that a file has at all. */
  covers: Float32Array;
  /** Of each chunk, by segment. */
  chunks: readonly Float32Array[];
};

export type ScoreSettings = { file: FieldSettings; chunk: FieldSettings };

/** How well each file and chunk answers the terms; 0 where none of them is in it. */
export function scored(corpus: Corpus, terms: readonly Term[], settings: ScoreSettings): Scores {
  const files = new Float32Array(corpus.files.length);
  const titles = new Float32Array(corpus.files.length);
  const covers = new Float32Array(corpus.files.length);
  let whole = 0;
  const chunks = corpus.segments.map((segment) => new Float32Array(segment.chunks));
  const norms = corpus.segments.map((segment) =>
    normsOf(segment.lengths, corpus.chunkMeans, settings.chunk),
  );
  const fileNorms = normsOf(corpus.lengths, corpus.fileMeans, settings.file);
  const found = new Found();
  for (const term of terms) {
    found.read(corpus, term.term);
    if (found.files === 0) continue;
    const fileWeight = weightOf(found.files, corpus.files.length);
    const chunkWeight = weightOf(found.used, corpus.chunks);
    const share = term.weight * fileWeight;
    whole += share;
    let file = -1;
    let sum = 0;
    const endFile = () => {
      if (file < 0) return;
      const score = (fileWeight * sum * (settings.file.k1 + 1)) / (settings.file.k1 + sum);
      files[file] = (files[file] ?? 0) + term.weight * score;
      covers[file] = (covers[file] ?? 0) + share;
      if (term.title > 0) titles[file] = (titles[file] ?? 0) + term.title * score;
    };
    for (let i = 0; i < found.used; i += 1) {
      const segment = found.segment[i] ?? 0;
      const chunk = found.chunk[i] ?? 0;
      const counts = found.counts[i] ?? 0;
      const of = corpus.segments[segment]?.fileOf[chunk] ?? -1;
      if (of !== file) {
        endFile();
        file = of;
        sum = 0;
      }
      sum += weighted(counts, fileNorms, of * FIELDS);
      const times = weighted(counts, norms[segment] ?? fileNorms, chunk * FIELDS);
      const score = (chunkWeight * times * (settings.chunk.k1 + 1)) / (settings.chunk.k1 + times);
      const scores = chunks[segment];
      if (scores) scores[chunk] = (scores[chunk] ?? 0) + term.weight * score;
    }
    endFile();
  }
  for (let file = 0; file < covers.length; file += 1) {
    covers[file] = (covers[file] ?? 0) / Math.max(whole, 1e-9);
  }
  return { files, titles, covers, chunks };
}

/** BM25's weight of a term that `n` of `count` have, in the form that is never negative. */
const weightOf = (n: number, count: number): number => Math.log(1 + (count - n + 0.5) / (n + 0.5));

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

/** The live entries of one term, over all segments; reused from term to term. */
class Found {
  used = 0;
  files = 0;
  segment = new Uint16Array(1 << 12);
  chunk = new Uint32Array(1 << 12);
  counts = new Uint32Array(1 << 12);

  read(corpus: Corpus, term: string): void {
    this.used = 0;
    this.files = 0;
    for (const [i, segment] of corpus.segments.entries()) {
      const bytes = segment.postings(term);
      if (!bytes) continue;
      let last = -1;
      readPostings(bytes, (chunk, counts) => {
        const file = segment.fileOf[chunk] ?? -1;
        if (file < 0) return;
        if (file !== last) this.files += 1;
        last = file;
        if (this.used === this.chunk.length) this.grow();
        this.segment[this.used] = i;
        this.chunk[this.used] = chunk;
        this.counts[this.used] = counts;
        this.used += 1;
      });
    }
  }

  private grow(): void {
    const size = this.chunk.length * 2;
    const segment = new Uint16Array(size);
    const chunk = new Uint32Array(size);
    const counts = new Uint32Array(size);
    segment.set(this.segment);
    chunk.set(this.chunk);
    counts.set(this.counts);
    Object.assign(this, { segment, chunk, counts });
  }
}
