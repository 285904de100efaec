// Changes to a text at places of lines and characters (UTF-16 units), both from 0, as language
// servers give them.
import { fail, ok, type Result } from "#core/failure.ts";

type Position = { line: number; character: number };
export type TextEdit = { range: { start: Position; end: Position }; newText: string };

/** The text behind some edits, and what stood in their places; edits must not overlap. */
export function editedText(
  text: string,
  edits: readonly TextEdit[],
): Result<{ text: string; replaced: string[] }> {
  const starts = lineStarts(text);
  const places = edits
    .map(({ range, newText }) => ({
      from: offsetOf(range.start, starts, text),
      to: offsetOf(range.end, starts, text),
      newText,
    }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  let at = 0;
  let edited = "";
  const replaced: string[] = [];
  for (const { from, to, newText } of places) {
    // Also where one is no number, since there is no such line.
    if (!(from >= at && to >= from))
      return fail("bad_input", "the edits overlap or end in no place");
    edited += text.slice(at, from) + newText;
    replaced.push(text.slice(from, to));
    at = to;
  }
  return ok({ text: edited + text.slice(at), replaced });
}

/** Lines end as the protocol has it: by `\n`, `\r\n` or `\r`. */
function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((end) => end.index + end[0].length)];
}

/** A place behind the end of its line counts as that end; `NaN` where there is no such line. */
function offsetOf({ line, character }: Position, starts: readonly number[], text: string): number {
  const start = starts[line];
  if (start === undefined) return line === starts.length ? text.length : Number.NaN;
  const next = starts[line + 1];
  const end =
    next === undefined
      ? text.length
      : next - (text.slice(start, next).match(/[\r\n]+$/)?.[0].length ?? 0);
  return Math.min(start + character, end);
}

/**
 * The place of a symbol on a line counted from 1: of the last name in it where it has several, as
 * in `a.b`. A place where it stands as a whole word counts before one inside another word.
 */
export function symbolPlace(text: string, line: number, symbol: string): Result<Position> {
  const lines = text.split(/\r\n|\n|\r/);
  const character = columnOf(lines[line - 1] ?? "", symbol);
  const within = symbol.lastIndexOf(lastNameOf(symbol));
  if (character >= 0) return ok({ line: line - 1, character: character + within });
  const others = lines.flatMap((other, i) => (columnOf(other, symbol) >= 0 ? [i + 1] : []));
  const near = others.sort((a, b) => Math.abs(a - line) - Math.abs(b - line)).slice(0, 10);
  return fail("no_match", `line ${line} does not have \`${symbol}\``, {
    fix:
      near.length > 0
        ? `lines that do: ${near.sort((a, b) => a - b).join(", ")}`
        : "it is nowhere in this file; read it again",
  });
}

/** The last name in a symbol: `b` of `a.b`; a symbol without any is its own name. */
export const lastNameOf = (symbol: string): string =>
  symbol.match(/[\p{ID_Continue}$]+/gu)?.at(-1) ?? symbol;

function columnOf(line: string, symbol: string): number {
  const isWord = (character = ""): boolean => /[\p{ID_Continue}$]/u.test(character);
  let at = line.indexOf(symbol);
  const first = at;
  while (at >= 0) {
    const end = at + symbol.length;
    const splits = isWord(line[at - 1]) && isWord(symbol[0]);
    if (!splits && !(isWord(line[end]) && isWord(symbol.at(-1)))) return at;
    at = line.indexOf(symbol, at + 1);
  }
  return first;
}
