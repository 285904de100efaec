// Applies the chunks of a patch's update to a text: each is sought after the one before, exactly
// first and then more tolerantly, and must fit one place. Lines that are context stay as they are.

import { closestPlace } from "#core/code/closest.ts";
import {
  joined,
  lineStarts,
  linesOf,
  type SourceText,
  type Splice,
  sourceText,
  spliced,
} from "#core/code/lines.ts";
import { lineIds, occurrences } from "#core/code/occurrences.ts";
import type { Chunk, ChunkLine } from "#core/code/patch.ts";
import { folded, type Shift, shiftBetween, shifted } from "#core/code/tolerance.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** Lines where the chunks were applied, counted from 1 in the finished text. */
export type Patched = { text: string; lines: number[] };

/** How a line of the patch and a line of the file may differ, tightest first. */
const sights: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  (line) => folded(line.trim()),
];

/** Places that are told apart, of a chunk or of a heading. */
const PLACES_MAX = 20;

/** Chunks of one update; each may look through the whole file. */
const CHUNKS_MAX = 1_000;

/**
 * All chunks or none: a chunk that fits nowhere fails as `no_match` and one that fits several
 * places, with nothing in the patch to choose by, as `ambiguous`; both name the chunk's line in
 * the patch. The file keeps its line endings and byte order mark; it gains a final line ending
 * only where its last line is changed.
 */
export function applyChunks(text: string, chunks: readonly Chunk[]): Result<Patched> {
  const source = sourceText(text);
  const seeker = seekerOf(linesOf(source));
  const changes: Change[] = [];
  if (chunks.length > CHUNKS_MAX) {
    return fail("too_large", `an update has at most ${CHUNKS_MAX} parts, not ${chunks.length}`, {
      fix: "send it as several patches",
    });
  }
  let cursor = 0;
  for (const chunk of chunks) {
    const sought = placeOf(chunk, seeker, cursor);
    if (!sought.ok) return sought;
    changes.push(sought.value);
    // What is added at the end of the file says nothing about where the next chunk is.
    if (sought.value.taken > 0 || chunk.headings.length > 0) {
      cursor = sought.value.line + sought.value.taken;
    }
  }
  changes.sort((a, b) => a.line - b.line);
  return ok(patched(source, seeker.file, changes));
}

/** `taken` lines of the file from `line` on (counted from 0) become what `lines` says. */
type Change = { line: number; taken: number; lines: readonly ChunkLine[] };

/** Finds a block of lines in the file at each of the sights; lines are numbered once per sight. */
type Seeker = {
  file: readonly string[];
  seek(block: readonly string[], from: number): number[];
};

function seekerOf(file: readonly string[]): Seeker {
  const numbered = sights.map((sight) => {
    let known: { ids: ReturnType<typeof lineIds>; file: Int32Array } | undefined;
    return () => {
      const ids = known?.ids ?? lineIds(sight);
      known ??= { ids, file: ids(file) };
      return known;
    };
  });
  const seek = (block: readonly string[], from: number) => {
    for (const sight of numbered) {
      const { ids, file: hay } = sight();
      const found = occurrences(hay, ids(block), { max: PLACES_MAX + 1, from });
      if (found.length > 0) return found;
    }
    return [];
  };
  return { file, seek };
}

function placeOf(chunk: Chunk, seeker: Seeker, cursor: number): Result<Change> {
  const begins = headingPlaces(chunk, seeker, cursor);
  if (!begins.ok) return begins;
  const { lines } = chunk;
  const block = lines.filter((line) => line.op !== "+").map((line) => line.text);
  if (block.length === 0) return insertion(chunk, seeker, begins.value);
  const sought = blockPlaces(block, chunk, seeker, begins.value);
  if (sought.length === 1 && sought[0] !== undefined) {
    return ok({ line: sought[0], taken: block.length, lines });
  }
  if (sought.length > 1) return ambiguous(chunk, seeker, sought);
  // Blank lines at the end of the context are often not the file's but the writer's.
  const less = { ...chunk, lines: withoutBlankEnd(lines) };
  if (less.lines.length < lines.length && less.lines.some((line) => line.op !== "+")) {
    return placeOf(less, seeker, cursor);
  }
  return noMatch(chunk, block, seeker, begins.value[0] ?? cursor);
}

function withoutBlankEnd(lines: readonly ChunkLine[]): ChunkLine[] {
  const last = lines.findLastIndex(({ op, text }) => op !== " " || text.trim() !== "");
  return lines.slice(0, last + 1);
}

/** Where the block lies: at the end where the chunk says so, else after each possible beginning. */
function blockPlaces(
  block: readonly string[],
  chunk: Chunk,
  seeker: Seeker,
  begins: readonly number[],
): number[] {
  const end = seeker.file.length - block.length;
  if (chunk.endOfFile && end >= (begins[0] ?? 0) && seeker.seek(block, end).length > 0)
    return [end];
  if (chunk.headings.length === 0) return seeker.seek(block, begins[0] ?? 0);
  const firsts = begins.flatMap((begin) => seeker.seek(block, begin).slice(0, 1));
  return [...new Set(firsts)];
}

/** The lines after each place of the chunk's headings, each sought after the one before. */
function headingPlaces(chunk: Chunk, seeker: Seeker, cursor: number): Result<number[]> {
  let begins = [cursor];
  for (const [i, heading] of chunk.headings.entries()) {
    const found = begins.flatMap((begin) => {
      const places = seeker.seek([heading], begin);
      return (i === 0 ? places : places.slice(0, 1)).map((line) => line + 1);
    });
    begins = [...new Set(found)];
    if (begins.length === 0) {
      return fail("no_match", `${named(chunk)}: \`@@ ${heading}\` is no line of the file`, {
        fix: "a heading is a whole line of the file, copied as it is; or leave it out",
      });
    }
  }
  return ok(begins);
}

/** A chunk that only adds: behind its heading, or at the end of the file. */
function insertion(chunk: Chunk, seeker: Seeker, begins: readonly number[]): Result<Change> {
  const at = (line: number): Result<Change> => ok({ line, taken: 0, lines: chunk.lines });
  if (chunk.headings.length === 0 || chunk.endOfFile) return at(seeker.file.length);
  if (begins.length === 1) return at(begins[0] ?? 0);
  return ambiguous(
    chunk,
    seeker,
    begins.map((line) => line - 1),
  );
}

function patched(source: SourceText, file: readonly string[], changes: readonly Change[]): Patched {
  const starts = lineStarts(source.lf);
  const begin = (line: number) => (line < file.length ? (starts[line] ?? 0) : source.lf.length);
  const splices: Splice[] = [];
  const lines: number[] = [];
  let gained = 0;
  for (const change of changes) {
    const runs = runsOf(change, shiftOf(change, file));
    if (runs[0]) lines.push(runs[0].line + gained + 1);
    for (const { line, taken, put } of runs) {
      const [from, to] = [begin(line), begin(line + taken)];
      // What follows a last line without a line ending has to end that line first.
      const joins = from > 0 && source.lf[from - 1] !== "\n" && splices.at(-1)?.to !== from;
      splices.push({
        from,
        to,
        text: (joins ? "\n" : "") + put.map((text) => `${text}\n`).join(""),
      });
      gained += put.length - taken;
    }
  }
  return { text: joined(spliced(source, splices)), lines };
}

/** What a change takes out and puts in between two lines of context. */
type Run = { line: number; taken: number; put: string[] };

function runsOf({ line, lines }: Change, shift: Shift | undefined): Run[] {
  const runs: Run[] = [];
  let at = line;
  let run: Run | undefined;
  for (const { op, text } of lines) {
    if (op === " ") {
      run = undefined;
      at += 1;
      continue;
    }
    if (!run) {
      run = { line: at, taken: 0, put: [] };
      runs.push(run);
    }
    if (op === "+") run.put.push(shift ? shifted(text, shift) : text);
    else {
      run.taken += 1;
      at += 1;
    }
  }
  return runs;
}

/** How far the lines put in must move, where the whole block was found at another indentation. */
function shiftOf({ line, taken, lines }: Change, file: readonly string[]): Shift | undefined {
  const written = lines.flatMap(({ op, text }) => (op === "+" ? [] : [text]));
  const shift = shiftBetween(written, file.slice(line, line + taken));
  return shift && shift.from !== shift.to ? shift : undefined;
}

const named = (chunk: Chunk): string => `the part at line ${chunk.patchLine} of the patch`;

function ambiguous(chunk: Chunk, seeker: Seeker, found: readonly number[]) {
  const places = found.slice(0, PLACES_MAX).map((line) => ({
    line: line + 1,
    text: (seeker.file[line] ?? "").trim().slice(0, 100),
  }));
  const count = found.length > PLACES_MAX ? `more than ${PLACES_MAX}` : `${found.length}`;
  const at = places.map(({ line }) => line).join(", ");
  return fail("ambiguous", `${named(chunk)} fits ${count} places of the file: lines ${at}`, {
    fix: "add context lines, or an `@@ LINE` heading with a line of the file that stands above it",
    detail: { places },
  });
}

function noMatch(chunk: Chunk, block: readonly string[], seeker: Seeker, begin: number) {
  const earlier = begin > 0 ? seeker.seek(block, 0)[0] : undefined;
  if (earlier !== undefined) {
    return fail(
      "no_match",
      `${named(chunk)} lies at line ${earlier + 1}, before what precedes it`,
      {
        fix: "put the parts of an update in the order of the file",
      },
    );
  }
  const closest = closestPlace(seeker.file, block);
  const where = closest
    ? `; closest is line ${closest.line}, where - is what the patch expects and + what the file ` +
      `has:\n${closest.differs}`
    : ", and nothing is close to it";
  return fail("no_match", `${named(chunk)} fits no place of the file${where}`, {
    fix: "copy context and removed lines exactly as the file has them",
    ...(closest && { detail: { closest } }),
  });
}
