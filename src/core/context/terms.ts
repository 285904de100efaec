// What a text is found by: its identifiers whole and split, stemmed, with the field each stands in.
// One pass over the characters, and what an identifier gives is remembered: code repeats itself.
import type { Chunk, Span } from "#core/context/chunk.ts";
import type { Comments } from "#core/context/languages.ts";
import { stem } from "#core/context/rank.ts";
import { commonWords } from "#core/context/synonyms.ts";

/** Where in a chunk a term stands. */
export const fields = ["name", "signature", "docs", "body"] as const;
export const FIELDS = fields.length;
const NAME = 0;
const SIGNATURE = 1;
const DOCS = 2;
const BODY = 3;

/** Characters of an identifier that is one; what is longer is data. */
const IDENTIFIER_MAX = 80;
/** Identifiers whose terms are remembered. */
const KNOWN_MAX = 50_000;

/** English words that say nothing about code, and are in no index. */
export const emptyWords: ReadonlySet<string> = new Set(
  `the and for that this with are was were has have had been its from into they them then
  than there these those which would could should will shall does did doing done being about
  also just very what who whom whose how why our your you we he she his her it is in of to a
  an on or as at by be so we can may might must any some such each other only own same too
  us me my i am not no nor do if but when where while because until since`.split(/\s+/),
);

/** The terms of identifiers, each once looked up: a word gives its stem; several give all, and the whole. */
export function termsOfIdentifier(identifier: string): string[] {
  const parts = partsOf(identifier);
  const terms: string[] = [];
  for (const part of parts) {
    // Inside of a name a small word says what it does: `is_open`, `to_list`.
    if (part.length < 2 || (parts.length === 1 && emptyWords.has(part))) continue;
    terms.push(stem(part));
    for (const word of gluedWords(part)) terms.push(stem(word));
  }
  if (parts.length > 1) {
    const whole = parts.join("");
    if (whole.length > 2) terms.push(whole);
  }
  return terms;
}

/** Letters of a word that may be two, written as one. */
const GLUED_MIN = 6;

/** `getvalue`, `staticdir`: two words that programmers know, written as one. */
function gluedWords(part: string): string[] {
  if (part.length < GLUED_MIN || commonWords.has(part)) return [];
  for (let at = part.length - 2; at >= 2; at -= 1) {
    const [head, tail] = [part.slice(0, at), part.slice(at)];
    if (commonWords.has(head) && commonWords.has(tail)) return [head, tail];
  }
  return [];
}

/** Whether it has several parts: then the whole of it is the last of its terms. */
export const isCompound = (identifier: string): boolean => partsOf(identifier).length > 1;

/** `readFileSync`, `read_file_sync`, `READ_FILE` and `HTTPServer2` in their words, in lower case. */
export function partsOf(identifier: string): string[] {
  const parts: string[] = [];
  for (const [part] of identifier.matchAll(
    /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+/gu,
  )) {
    parts.push(part.toLowerCase());
  }
  return parts;
}

const isWordCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code > 191;

/** Takes what stands in a text: an identifier and its field. */
export type TakeIdentifier = (identifier: string, field: number) => void;

/** Gives every identifier of a chunk with its field; names of what it defines once more as names. */
export function scanChunk(
  text: string,
  chunk: Chunk,
  comments: Comments,
  take: TakeIdentifier,
): void {
  for (const { name } of chunk.symbols)
    scan(name, { start: 0, end: name.length }, () => NAME, take);
  const spans = [
    ...chunk.docs.map((span) => ({ start: span.start, end: span.end, field: DOCS })),
    ...chunk.symbols.map(({ start, signature }) => ({ start, end: signature, field: SIGNATURE })),
  ].sort((a, b) => a.start - b.start);
  const skip = commentsOf(text, comments);
  let next = 0;
  let open = spans[0];
  let comment = -1;
  const fieldAt = (at: number): number => {
    while (open && at >= open.end) {
      next += 1;
      open = spans[next];
    }
    if (open && at >= open.start) return open.field;
    return at < comment ? DOCS : BODY;
  };
  scan(text, chunk, fieldAt, take, (at) => {
    // What looks like a comment's beginning inside of one is none.
    if (at < comment) return;
    const end = skip(at);
    if (end > comment) comment = end;
  });
}

/** Gives every identifier of a plain text, all in the field `docs`. */
export function scanText(text: string, take: TakeIdentifier): void {
  scan(text, { start: 0, end: text.length }, () => DOCS, take);
}

function scan(
  text: string,
  { start, end }: Span,
  fieldAt: (at: number) => number,
  take: TakeIdentifier,
  mark?: (at: number) => void,
): void {
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isWordCode(code)) {
      const from = at;
      do at += 1;
      while (at < end && isWordCode(text.charCodeAt(at)));
      if (at - from > 1 && at - from <= IDENTIFIER_MAX) take(text.slice(from, at), fieldAt(from));
      continue;
    }
    if (
      mark &&
      (code === 47 || code === 35 || code === 45 || code === 37 || code === 60 || code === 59)
    )
      mark(at);
    at += 1;
  }
}

/** Tells where a comment that begins at a place ends; -1 where none does. */
function commentsOf(text: string, { line = [], block }: Comments): (at: number) => number {
  return (at) => {
    if (block && text.startsWith(block[0], at)) {
      const end = text.indexOf(block[1], at + block[0].length);
      return end < 0 ? text.length : end;
    }
    for (const begin of line) {
      // The slashes of an address are no comment.
      if (!text.startsWith(begin, at) || text.charCodeAt(at - 1) === 58) continue;
      const end = text.indexOf("\n", at);
      return end < 0 ? text.length : end;
    }
    return -1;
  };
}

const codesOf = (text: string): number[] =>
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

/** Remembers what identifiers give, up to a bound. */
export function termCache<T>(make: (identifier: string) => T): (identifier: string) => T {
  const known = new Map<string, T>();
  return (identifier) => {
    const found = known.get(identifier);
    if (found !== undefined) return found;
    if (known.size >= KNOWN_MAX) known.clear();
    // A part of a text keeps all of the text in memory: what is remembered is a copy.
    const own = String.fromCharCode(...codesOf(identifier));
    const made = make(own);
    known.set(own, made);
    return made;
  };
}
