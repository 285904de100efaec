// The differences between what a model wrote and what a file holds that may be overlooked: white
// space at the end of lines, a block moved in or out as a whole, and typographic look-alikes.

/** How far a place was from being equal, tightest first, in words for a report. */
export const tolerances = {
  exact: "exactly",
  lineEndings: "with other line endings",
  trailingSpace: "ignoring white space at the end of lines",
  indentation: "at another indentation",
  typography: "ignoring the form of quotes, dashes and spaces",
} as const;

export type Tolerance = keyof typeof tolerances;

/** A block of lines moved in or out: `from` is the indentation it was written with, `to` has. */
export type Shift = { from: string; to: string };

// Each stands for one ASCII character, so that folding changes no offset.
const folds: readonly (readonly [string, string])[] = [
  ["\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"],
  ["\u2018\u2019\u201A\u201B\u2032", "'"],
  ["\u201C\u201D\u201E\u201F\u2033", '"'],
  ["\u00A0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000", " "],
];

const foldedCode = new Map(
  folds.flatMap(([forms, plain]) =>
    Array.from(forms, (form) => [form.charCodeAt(0), plain.charCodeAt(0)] as const),
  ),
);

/** The codes of a text with typographic forms replaced by the ASCII character they look like. */
export function foldedCodes(codes: Uint16Array): Uint16Array {
  return codes.map((code) => (code < 0x80 ? code : (foldedCode.get(code) ?? code)));
}

export function folded(text: string): string {
  if (!/[^\0-\x7F]/.test(text)) return text;
  return Array.from(text, (c) => {
    const plain = foldedCode.get(c.charCodeAt(0));
    return plain === undefined ? c : String.fromCharCode(plain);
  }).join("");
}

export const isBlank = (line: string): boolean => line.trim() === "";

/** The white space a line begins with. */
export function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length);
}

/** The longest white space that all lines begin with; blank lines have no say. */
export function blockIndent(lines: readonly string[]): string {
  let common: string | undefined;
  for (const line of lines) {
    if (isBlank(line)) continue;
    const indent = indentOf(line);
    if (common === undefined) common = indent;
    else common = common.slice(0, equalStart(common, indent));
    if (common === "") break;
  }
  return common ?? "";
}

/** The shift that makes `written` equal to `present` (trailing space aside), if one does. */
export function shiftBetween(
  written: readonly string[],
  present: readonly string[],
): Shift | undefined {
  const from = blockIndent(written);
  const to = blockIndent(present);
  const fits = written.every((line, i) => {
    const other = present[i] ?? "";
    if (isBlank(line) || isBlank(other)) return isBlank(line) && isBlank(other);
    return line.slice(from.length).trimEnd() === other.slice(to.length).trimEnd();
  });
  return fits ? { from, to } : undefined;
}

/** A line of the replacement, moved like the block it belongs to. A blank line stays as it is. */
export function shifted(line: string, { from, to }: Shift): string {
  if (isBlank(line)) return line;
  if (line.startsWith(from)) return to + line.slice(from.length);
  // Further out than the block: give back as much of the new indentation as it lacks of the old.
  const kept = equalStart(line, from);
  return to.slice(0, Math.max(0, to.length - (from.length - kept))) + line.slice(kept);
}

/** How many characters two texts have in common at their beginning. */
export function equalStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a.charCodeAt(n) === b.charCodeAt(n)) n += 1;
  return n;
}

/** How many characters two texts have in common at their end, of at most `most`. */
export function equalEnd(a: string, b: string, most: number): number {
  let n = 0;
  while (n < most && a.charCodeAt(a.length - 1 - n) === b.charCodeAt(b.length - 1 - n)) n += 1;
  return n;
}
