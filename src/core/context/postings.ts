// Postings: which chunks of a segment have a term, and how often in which field. A segment is built
// once and never changed; its chunks are numbered from 0, those of one file after another.
import type { Chunk } from "#core/context/chunk.ts";
import type { Comments } from "#core/context/languages.ts";
import {
  FIELDS,
  scanChunk,
  scanText,
  type TakeIdentifier,
  termCache,
  termsOfIdentifier,
} from "#core/context/terms.ts";

/** How often a term is counted in one field of a chunk, at most. */
const TIMES_MAX = 255;
const LENGTH_MAX = 65_535;

/** The chunks of a file in a segment: from `first`, so many. */
export type FileSpan = { first: number; count: number };

export type Segment = {
  /** Terms in the order of their code units, and the postings of each. */
  terms: readonly string[];
  postings: readonly Uint8Array[];
  chunks: number;
  /** Identifiers in each field of each chunk. */
  lengths: Uint16Array;
};

export type SegmentBuilder = {
  /** Adds the chunks of a file; answers where they are. */
  addFile(text: string, chunks: readonly Chunk[], comments: Comments): FileSpan;
  /** Adds a text that is no code, as one chunk: its title counts as a name. */
  addText(title: string, text: string): FileSpan;
  /** Entries so far: what decides how much memory is taken. */
  size(): number;
  build(): Segment;
};

/** A segment in the making. Of bounded use: `size` says when to build it and begin another. */
export function segmentBuilder(): SegmentBuilder {
  const ids = new Map<string, number>();
  const terms: string[] = [];
  let counts = new Uint8Array(1 << 14);
  let touched: number[] = [];
  let log = new Uint32Array(1 << 16);
  let used = 0;
  let lengths = new Uint16Array(1 << 10);
  let chunks = 0;

  function idOf(term: string): number {
    const known = ids.get(term);
    if (known !== undefined) return known;
    const id = terms.length;
    ids.set(term, id);
    terms.push(term);
    if ((id + 1) * FIELDS > counts.length) counts = grown(counts, Uint8Array);
    return id;
  }

  const idsOf = termCache((identifier) => termsOfIdentifier(identifier).map((term) => idOf(term)));

  const take: TakeIdentifier = (identifier, field) => {
    lengths[chunks * FIELDS + field] = Math.min(
      LENGTH_MAX,
      (lengths[chunks * FIELDS + field] ?? 0) + 1,
    );
    for (const id of idsOf(identifier)) {
      const at = id * FIELDS;
      if (isUntouched(counts, at)) touched.push(id);
      const before = counts[at + field] ?? 0;
      if (before < TIMES_MAX) counts[at + field] = before + 1;
    }
  };

  function room(): void {
    while ((chunks + 1) * FIELDS > lengths.length) lengths = grown(lengths, Uint16Array);
  }

  function end(): void {
    while (used + touched.length * 3 > log.length) log = grown(log, Uint32Array);
    for (const id of touched) {
      const at = id * FIELDS;
      log[used] = id;
      log[used + 1] = chunks;
      log[used + 2] = packed(counts, at);
      used += 3;
      counts.fill(0, at, at + FIELDS);
    }
    touched = [];
    chunks += 1;
  }

  return {
    addFile(text, parts, comments) {
      const first = chunks;
      for (const chunk of parts) {
        room();
        scanChunk(text, chunk, comments, take);
        end();
      }
      return { first, count: chunks - first };
    },
    addText(title, text) {
      const first = chunks;
      room();
      scanText(title, (identifier) => take(identifier, 0));
      scanText(text, take);
      end();
      return { first, count: 1 };
    },
    size: () => used,
    build: () =>
      built(terms, log.subarray(0, used), {
        chunks,
        lengths: lengths.slice(0, chunks * FIELDS),
      }),
  };
}

const isUntouched = (counts: Uint8Array, at: number): boolean =>
  counts[at] === 0 && counts[at + 1] === 0 && counts[at + 2] === 0 && counts[at + 3] === 0;

const packed = (counts: Uint8Array, at: number): number =>
  (((counts[at + 3] ?? 0) << 24) |
    ((counts[at + 2] ?? 0) << 16) |
    ((counts[at + 1] ?? 0) << 8) |
    (counts[at] ?? 0)) >>>
  0;

function grown<T extends Uint8Array | Uint16Array | Uint32Array>(
  from: T,
  Kind: new (length: number) => T,
): T {
  const to = new Kind(from.length * 2);
  to.set(from);
  return to;
}

/** Sorts the entries by term, keeping the order of chunks, and writes each term's postings. */
function built(
  terms: readonly string[],
  log: Uint32Array,
  rest: Pick<Segment, "chunks" | "lengths">,
): Segment {
  const starts = new Uint32Array(terms.length + 1);
  for (let i = 0; i < log.length; i += 3) {
    const id = log[i] ?? 0;
    starts[id + 1] = (starts[id + 1] ?? 0) + 1;
  }
  for (let id = 0; id < terms.length; id += 1) {
    starts[id + 1] = (starts[id + 1] ?? 0) + (starts[id] ?? 0);
  }
  const order = new Uint32Array(log.length / 3);
  const next = starts.slice();
  for (let i = 0; i < log.length; i += 3) {
    const id = log[i] ?? 0;
    const at = next[id] ?? 0;
    order[at] = i;
    next[id] = at + 1;
  }
  const sorted = terms.map((term, id) => ({ term, id }));
  sorted.sort((a, b) => (a.term < b.term ? -1 : 1));
  const out = new Writer();
  const postings = sorted.map(({ id }) => {
    const from = out.used;
    let last = -1;
    for (let i = starts[id] ?? 0; i < (starts[id + 1] ?? 0); i += 1) {
      const at = order[i] ?? 0;
      const chunk = log[at + 1] ?? 0;
      out.entry(chunk - last, log[at + 2] ?? 0);
      last = chunk;
    }
    return { from, to: out.used };
  });
  const bytes = out.bytes;
  return {
    terms: sorted.map(({ term }) => term),
    postings: postings.map(({ from, to }) => bytes.subarray(from, to)),
    ...rest,
  };
}

/** The packed count of what stands once in the body: nearly every entry. */
const ONCE = 1 << 24;

/**
 * An entry is the distance to the chunk before, doubled, as a number of 7 bits a byte, lowest
 * first; odd where more follows: a byte with a bit for each field that has the term, and a byte
 * with the times for each of these. Nothing follows for once in the body.
 */
class Writer {
  bytes = new Uint8Array(1 << 16);
  used = 0;

  entry(distance: number, counts: number): void {
    if (this.used + 16 > this.bytes.length) this.bytes = grown(this.bytes, Uint8Array);
    const isOnce = counts === ONCE;
    let rest = distance * 2 + (isOnce ? 0 : 1);
    while (rest > 127) {
      this.bytes[this.used] = (rest & 127) | 128;
      this.used += 1;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.used] = rest;
    this.used += 1;
    if (isOnce) return;
    const head = this.used;
    this.used += 1;
    let bits = 0;
    for (let field = 0; field < FIELDS; field += 1) {
      const times = (counts >>> (field * 8)) & 255;
      if (times === 0) continue;
      bits |= 1 << field;
      this.bytes[this.used] = times;
      this.used += 1;
    }
    this.bytes[head] = bits;
  }
}

/** Writes the postings of one term after another. */
export function postingsWriter(): {
  /** The next entry of the term; chunks in their order. */
  add(chunk: number, counts: number): void;
  /** What was added, and begins the next term. */
  take(): Uint8Array;
} {
  const writer = new Writer();
  let last = -1;
  return {
    add(chunk, counts) {
      writer.entry(chunk - last, counts);
      last = chunk;
    },
    take() {
      const entries = writer.bytes.slice(0, writer.used);
      writer.used = 0;
      last = -1;
      return entries;
    },
  };
}

/** Takes an entry: the chunk, and how often the term is in each field, 8 bits a field. */
export type TakePosting = (chunk: number, counts: number) => void;

/** Reads postings in the order of their chunks; what is cut short ends early. */
export function readPostings(bytes: Uint8Array, take: TakePosting): void {
  let at = 0;
  let chunk = -1;
  while (at < bytes.length) {
    let rest = 0;
    let scale = 1;
    let byte = bytes[at] ?? 0;
    while (byte > 127) {
      rest += (byte & 127) * scale;
      scale *= 128;
      at += 1;
      byte = bytes[at] ?? 0;
    }
    rest += byte * scale;
    at += 1;
    chunk += rest >>> 1;
    if ((rest & 1) === 0) {
      take(chunk, ONCE);
      continue;
    }
    const bits = bytes[at] ?? 0;
    at += 1;
    let counts = 0;
    for (let field = 0; field < FIELDS; field += 1) {
      if ((bits & (1 << field)) === 0) continue;
      counts |= (bytes[at] ?? 0) << (field * 8);
      at += 1;
    }
    take(chunk, counts >>> 0);
  }
}
