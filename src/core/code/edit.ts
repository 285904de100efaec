// Search and replace as a model asks for it: edits are made one by one, each at exactly one place
// or refused with what to do. Line endings, byte order mark and what an edit leaves alone survive.
import { closestPlace } from "#core/code/closest.ts";
import {
  joined,
  lineAt,
  lineStarts,
  linesOf,
  newlinesIn,
  type SourceText,
  type Splice,
  sourceText,
  spliced,
} from "#core/code/lines.ts";
import { type Fit, fitOf, PLACES_MAX, type Place } from "#core/code/places.ts";
import { equalEnd, equalStart, type Tolerance } from "#core/code/tolerance.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";

/** Replace `old`, which must fit one place, or every place where `all` is set, by `new`. */
export type Edit = { old: string; new: string; all?: boolean };

/** Lines of the finished text, `line` counted from 1; `lines` is 0 where all was taken away. */
export type Region = { line: number; lines: number };

/** `regions` lists at most `PLACES_MAX` of the `count` places that were changed. */
export type EditReport =
  | { state: "applied"; tolerance: Tolerance; count: number; regions: Region[] }
  | { state: "refused"; failure: Failure };

export type Edited = { text: string; reports: EditReport[] };

/** A place as a refusal names it, with the beginning of its line. */
export type NamedPlace = { line: number; text: string };

/** Places spelled out in a sentence. */
const PLACES_SAID_MAX = 8;
/** Characters of a line in a list of places. */
const LINE_CHARACTERS_MAX = 100;

/**
 * Applies the edits in their order, each to what the ones before it left. Those that fit are kept,
 * the others refused: `ambiguous` and `no_match` with the places in `detail`, `bad_input` where an
 * edit asks for nothing.
 */
export function applyEdits(text: string, edits: readonly Edit[]): Edited {
  let source = sourceText(text);
  const reports: EditReport[] = [];
  for (const edit of edits) {
    const made = applied(source, edit);
    if (!made.ok) {
      reports.push({ state: "refused", failure: made.error });
      continue;
    }
    for (const report of reports) {
      if (report.state === "applied") moveRegions(report.regions, made.value.moves);
    }
    reports.push(made.value.report);
    source = made.value.source;
  }
  return { text: joined(source), reports };
}

/** Line of the text before, and how many lines it gained in all splices up to this one. */
type Move = { line: number; gained: number };
type Made = { source: SourceText; report: EditReport; moves: Move[] };

function applied(source: SourceText, edit: Edit): Result<Made> {
  const old = sourceText(edit.old);
  const wanted = sourceText(edit.new);
  const pointless = pointlessness(old, wanted);
  if (pointless) return pointless;
  const all = edit.all === true;
  const fit = fitOf(source, old, { all });
  if (!fit) return noMatch(source, old, wanted);
  if (fit.more || (fit.places.length > 1 && !all)) return ambiguous(source, fit, { all });
  const splices = fit.places.map((place) => spliceAt(source, place, wanted.lf));
  const next = spliced(source, splices, wanted.ends[0]);
  if (next.lf === source.lf) {
    return fail("bad_input", "the edit would leave the file as it is", {
      fix: "leave it out, or say in `new` what should be different",
    });
  }
  const { regions, moves } = regionsOf(source, splices);
  const report: EditReport = {
    state: "applied",
    tolerance: fit.tolerance,
    count: splices.length,
    regions,
  };
  return ok({ source: next, report, moves });
}

function pointlessness(old: SourceText, wanted: SourceText) {
  if (old.lf === "") {
    return fail("bad_input", "`old` is empty, so it names no place", {
      fix: "give the text to replace, or use `write` to set the whole file",
    });
  }
  if (old.lf === wanted.lf) {
    return fail("bad_input", "`old` and `new` are the same (line endings are kept as they are)", {
      fix: "leave the edit out, or say in `new` what should be different",
    });
  }
  return undefined;
}

/** The part of the replacement that changes something, so that all around it stays untouched. */
function spliceAt(source: SourceText, place: Place, wanted: string): Splice {
  const present = source.lf.slice(place.from, place.to);
  const text = place.replacement(wanted);
  const head = equalStart(present, text);
  const tail = equalEnd(present, text, Math.min(present.length, text.length) - head);
  return {
    from: place.from + head,
    to: place.to - tail,
    text: text.slice(head, text.length - tail),
  };
}

function regionsOf(
  source: SourceText,
  splices: readonly Splice[],
): { regions: Region[]; moves: Move[] } {
  const starts = lineStarts(source.lf);
  const regions: Region[] = [];
  const moves: Move[] = [];
  let gained = 0;
  for (const { from, to, text } of splices) {
    const line = lineAt(starts, from) + 1;
    const removed = source.lf.slice(from, to);
    const added = newlinesIn(text);
    if (regions.length < PLACES_MAX) {
      // Whole lines put in, taken out or replaced: the line that follows them is not changed.
      const whole = starts[line - 1] === from && isLines(text) && isLines(removed);
      regions.push({ line: line + gained, lines: whole ? added : added + 1 });
    }
    gained += added - newlinesIn(removed);
    moves.push({ line, gained });
  }
  return { regions, moves };
}

const isLines = (text: string): boolean => text === "" || text.endsWith("\n");

/** Brings regions of earlier edits to where a later edit has moved them. */
function moveRegions(regions: Region[], moves: readonly Move[]): void {
  for (const region of regions) {
    let low = 0;
    let high = moves.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((moves[middle]?.line ?? 0) < region.line) low = middle + 1;
      else high = middle;
    }
    region.line += moves[low - 1]?.gained ?? 0;
  }
}

function ambiguous(source: SourceText, fit: Fit, { all }: { all: boolean }) {
  const places = namedPlaces(source, fit.places);
  const count = fit.more ? `more than ${places.length}` : `${places.length}`;
  const said = places.slice(0, PLACES_SAID_MAX).map(({ line, text }) => `  line ${line}: ${text}`);
  if (said.length < places.length || fit.more) said.push("  …");
  return fail("ambiguous", `\`old\` fits ${count} places:\n${said.join("\n")}`, {
    fix: all
      ? "they are too many to tell apart; copy `old` exactly as the file has it"
      : "add neighbouring lines to `old` until only one place fits, or set `all: true` for every place",
    detail: { places },
  });
}

function namedPlaces(source: SourceText, places: readonly Place[]): NamedPlace[] {
  const starts = lineStarts(source.lf);
  return places.slice(0, PLACES_MAX).map(({ from }) => {
    const at = lineAt(starts, from);
    const end = (starts[at + 1] ?? source.lf.length + 1) - 1;
    const text = source.lf.slice(starts[at] ?? 0, Math.min(end, (starts[at] ?? 0) + 1_000)).trim();
    return { line: at + 1, text: cut(text) };
  });
}

function noMatch(source: SourceText, old: SourceText, wanted: SourceText) {
  const searched = linesOf(old);
  if (searched.every((line) => /^\s*\d+(\t|→|\|)/.test(line))) {
    return fail("no_match", "`old` begins its lines with line numbers, which the file does not", {
      fix: "copy the lines without their numbers",
    });
  }
  const file = linesOf(source);
  const closest = closestPlace(file, searched);
  const done = wanted.lf.trim() === "" ? -1 : source.lf.indexOf(wanted.lf);
  const there =
    done === -1
      ? ""
      : ` (\`new\` is already there, at line ${lineAt(lineStarts(source.lf), done) + 1})`;
  if (!closest) {
    return fail("no_match", `\`old\` fits no place, and nothing is close to it${there}`, {
      fix: "read the file again and copy the text from it",
    });
  }
  return fail(
    "no_match",
    `\`old\` fits no place${there}; closest is line ${closest.line}, where ` +
      `- is what was asked for and + what the file has:\n${closest.differs}`,
    { fix: "copy the text exactly as the file has it", detail: { closest } },
  );
}

function cut(line: string): string {
  return line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line;
}
