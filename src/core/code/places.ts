// The places of a text that a search text fits, at the tightest tolerance at which there is any.
// Linear in both texts, and exact about how many places there are, because an edit of the wrong
// place is worse than none.
import { type LineEnd, lineAt, lineStarts, linesOf, type SourceText } from "#core/code/lines.ts";
import { codesOf, lineIds, occurrences } from "#core/code/occurrences.ts";
import {
  equalEnd,
  equalStart,
  foldedCodes,
  isBlank,
  type Shift,
  shiftBetween,
  shifted,
  type Tolerance,
} from "#core/code/tolerance.ts";

/** Offsets into `lf`, and what a replacement becomes here: moved and kept like what is there. */
export type Place = { from: number; to: number; replacement(wanted: string): string };

/** `more` says that there are further places than those listed. */
export type Fit = { tolerance: Tolerance; places: Place[]; more: boolean };

/** Places listed where there should be one. */
export const PLACES_MAX = 20;

/** Lines compared while looking for a block at another indentation, over all its candidates. */
const LINES_COMPARED_MAX = 1_000_000;

/** Where `old` fits. With `all`, every place that can be replaced together with the others. */
export function fitOf(
  source: SourceText,
  old: SourceText,
  { all }: { all: boolean },
): Fit | undefined {
  const hay = codesOf(source.lf);
  const needle = codesOf(old.lf);
  const limit = all ? { max: hay.length, apart: true } : { max: PLACES_MAX + 1 };
  const same = occurrences(hay, needle, limit);
  if (same.length > 0) return sameFit(source, old, same, { all });
  if (isBlank(old.lf)) return undefined;
  const byLine = lineFit(source, old, limit);
  if (byLine) return byLine;
  const alike = occurrences(foldedCodes(hay), foldedCodes(needle), limit);
  if (alike.length === 0) return undefined;
  const places = alike.map((from) => alikePlace(source, old, from));
  return { tolerance: "typography", ...listed(places, { all }) };
}

function listed(places: Place[], { all }: { all: boolean }): Omit<Fit, "tolerance"> {
  if (all || places.length <= PLACES_MAX) return { places, more: false };
  return { places: places.slice(0, PLACES_MAX), more: true };
}

/** Places with the same characters: those with the same line endings too, if there are any. */
function sameFit(
  source: SourceText,
  old: SourceText,
  found: number[],
  { all }: { all: boolean },
): Fit {
  const size = old.lf.length;
  const place = (from: number): Place => ({ from, to: from + size, replacement: (text) => text });
  const starts = lineStarts(source.lf);
  const exact = found.filter((from) => endsEqual(source.ends, lineAt(starts, from), old.ends));
  const counted = all || found.length <= PLACES_MAX;
  // Of places not all of which were looked at, none can be called the only exact one.
  const chosen = exact.length > 0 && (counted || exact.length > 1) ? exact : found;
  const tolerance = exact.length > 0 && chosen === exact ? "exact" : "lineEndings";
  const fit = listed(chosen.map(place), { all });
  return { tolerance, places: fit.places, more: fit.more || !counted };
}

function endsEqual(ends: readonly LineEnd[], from: number, wanted: readonly LineEnd[]): boolean {
  return wanted.every((end, i) => ends[from + i] === end);
}

function lineFit(
  source: SourceText,
  old: SourceText,
  limit: { max: number; apart?: boolean },
): Fit | undefined {
  const all = limit.apart === true;
  const search = lineSearch(source, old);
  const trailing = lineIds((line) => line.trimEnd());
  const found = occurrences(trailing(search.file), trailing(search.block), limit);
  if (found.length > 0) {
    const places = found.map((line) => linesPlace(search, line));
    return { tolerance: "trailingSpace", ...listed(places, { all }) };
  }
  const bare = lineIds((line) => line.trim());
  const budget = Math.ceil(LINES_COMPARED_MAX / search.block.length);
  const candidates = occurrences(bare(search.file), bare(search.block), { max: budget + 1 });
  const places: Place[] = [];
  for (const line of candidates.slice(0, budget)) {
    if (!all && places.length > PLACES_MAX) break;
    const shift = shiftBetween(search.block, search.file.slice(line, line + search.block.length));
    if (!shift) continue;
    const place = linesPlace(search, line, shift);
    if (!all || place.from >= (places.at(-1)?.to ?? 0)) places.push(place);
  }
  if (places.length === 0) return undefined;
  const fit = listed(places, { all });
  const more = fit.more || candidates.length > budget;
  return { tolerance: "indentation", places: fit.places, more };
}

/**
 * A search by whole lines. `written` is the search text line by line, with the empty text after
 * its final line ending if it has one; `block` is the same without that.
 */
type LineSearch = {
  lf: string;
  starts: number[];
  file: string[];
  written: string[];
  block: string[];
};

function lineSearch(source: SourceText, old: SourceText): LineSearch {
  return {
    lf: source.lf,
    starts: lineStarts(source.lf),
    file: linesOf(source),
    written: old.lf.split("\n"),
    block: linesOf(old),
  };
}

function linesPlace(search: LineSearch, line: number, shift?: Shift): Place {
  const { lf, starts, file, block } = search;
  const from = starts[line] ?? lf.length;
  const lastLine = line + block.length - 1;
  const lastEnd = (starts[lastLine] ?? lf.length) + (file[lastLine] ?? "").length;
  const whole = search.written.length > block.length;
  // The file's last line may lack the ending that the search text has: then nobody gets one.
  const unended = whole && lastEnd === lf.length;
  const to = whole && !unended ? lastEnd + 1 : lastEnd;
  const written = unended ? block : search.written;
  const replacement = (text: string) => {
    const wanted = (unended && text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
    return replacedLines(lf.slice(from, to).split("\n"), written, wanted, shift);
  };
  return { from, to, replacement };
}

/** `wanted` for `written`, but the lines they share at both ends stay as the file has them. */
function replacedLines(
  present: readonly string[],
  written: readonly string[],
  wanted: readonly string[],
  shift: Shift | undefined,
): string {
  const most = Math.min(written.length, wanted.length);
  let head = 0;
  while (head < most && written[head] === wanted[head]) head += 1;
  let tail = 0;
  while (tail < most - head && written.at(-1 - tail) === wanted.at(-1 - tail)) tail += 1;
  const changed = wanted.slice(head, wanted.length - tail);
  const moved = shift ? changed.map((line) => shifted(line, shift)) : changed;
  return [...present.slice(0, head), ...moved, ...present.slice(present.length - tail)].join("\n");
}

/** A place whose characters only look alike; what the replacement leaves alone stays as it is. */
function alikePlace(source: SourceText, old: SourceText, from: number): Place {
  const to = from + old.lf.length;
  const replacement = (text: string) => {
    const present = source.lf.slice(from, to);
    const head = equalStart(old.lf, text);
    const tail = equalEnd(old.lf, text, Math.min(old.lf.length, text.length) - head);
    const middle = text.slice(head, text.length - tail);
    return present.slice(0, head) + middle + present.slice(present.length - tail);
  };
  return { from, to, replacement };
}
