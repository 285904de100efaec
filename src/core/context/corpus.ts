// What a search runs over: the segments of an index as one workspace sees them. A file that lies
// under several paths is one file here; chunks of what the workspace no longer has are passed over.
import { FIELDS } from "#core/context/terms.ts";

export type CorpusSegment = {
  chunks: number;
  lengths: Uint16Array;
  /** The postings of a term, where it has any. */
  postings(term: string): Uint8Array | undefined;
  /** Terms that begin like this, in no order; not all of very many. */
  termsLike(beginning: string): readonly string[];
  /** Gives the terms with as many bytes of postings: about how many chunks have each. */
  sizes(bytesMin: number, take: (term: string, bytes: number) => void): void;
  /** Of each chunk its file; -1 where the workspace does not have it. */
  fileOf: Int32Array;
};

export type CorpusFile = {
  /** Where it lies in the workspace, at least one. */
  paths: readonly string[];
  /** Where its chunks are. */
  segment: number;
  first: number;
  count: number;
};

export type Corpus = {
  segments: readonly CorpusSegment[];
  files: readonly CorpusFile[];
  /** Identifiers in each field of each file, `FIELDS` apart. */
  lengths: Float64Array;
  /** Means over all files, and over all chunks. */
  fileMeans: readonly number[];
  chunkMeans: readonly number[];
  chunks: number;
};

/** Puts files and segments together; sets each segment's `fileOf`. */
export function corpusOf(
  segments: readonly Omit<CorpusSegment, "fileOf">[],
  files: readonly CorpusFile[],
): Corpus {
  const whole = segments.map((segment) => ({
    ...segment,
    fileOf: new Int32Array(segment.chunks).fill(-1),
  }));
  const lengths = new Float64Array(files.length * FIELDS);
  const sums = new Array<number>(FIELDS).fill(0);
  let chunks = 0;
  for (const [i, { segment, first, count }] of files.entries()) {
    const of = whole[segment];
    if (!of) continue;
    of.fileOf.fill(i, first, first + count);
    chunks += count;
    for (let at = first * FIELDS; at < (first + count) * FIELDS; at += 1) {
      const field = at % FIELDS;
      const length = of.lengths[at] ?? 0;
      lengths[i * FIELDS + field] = (lengths[i * FIELDS + field] ?? 0) + length;
      sums[field] = (sums[field] ?? 0) + length;
    }
  }
  const meansOver = (n: number) => sums.map((sum) => Math.max(0.1, sum / Math.max(1, n)));
  return {
    segments: whole,
    files,
    lengths,
    fileMeans: meansOver(files.length),
    chunkMeans: meansOver(chunks),
    chunks,
  };
}
