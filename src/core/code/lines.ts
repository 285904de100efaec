// A source text taken apart so that it can be changed without being disturbed: line endings and
// the byte order mark are put aside, and put back where they were. `joined(sourceText(t))` is `t`.

export type LineEnd = "\n" | "\r\n";

/**
 * A text with every line ending written as `\n`. `ends[i]` is what the i-th `\n` of `lf` really is;
 * a lone `\r` is an ordinary character. Offsets everywhere are UTF-16 units of `lf`.
 */
export type SourceText = { bom: boolean; lf: string; ends: readonly LineEnd[] };

/** `text` instead of what is between two offsets of `lf`. */
export type Splice = { from: number; to: number; text: string };

const BOM = "\uFEFF";

export function sourceText(text: string): SourceText {
  const bom = text.startsWith(BOM);
  const body = bom ? text.slice(1) : text;
  const pieces = body.split("\n");
  if (!body.includes("\r\n")) {
    return { bom, lf: body, ends: new Array<LineEnd>(pieces.length - 1).fill("\n") };
  }
  const ends: LineEnd[] = [];
  const last = pieces.length - 1;
  for (let i = 0; i < last; i += 1) {
    const piece = pieces[i] ?? "";
    const crlf = piece.endsWith("\r");
    if (crlf) pieces[i] = piece.slice(0, -1);
    ends.push(crlf ? "\r\n" : "\n");
  }
  return { bom, lf: pieces.join("\n"), ends };
}

export function joined(source: SourceText): string {
  const mark = source.bom ? BOM : "";
  if (!source.ends.includes("\r\n")) return mark + source.lf;
  const out: string[] = [mark];
  source.lf.split("\n").forEach((line, i) => {
    out.push(line, source.ends[i] ?? "");
  });
  return out.join("");
}

/** The lines without their endings; a final line ending does not begin another line. */
export function linesOf(source: SourceText): string[] {
  const lines = source.lf.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Where each line begins in `lf`, the place after a final line ending included. */
export function lineStarts(lf: string): number[] {
  const starts = [0];
  for (let at = lf.indexOf("\n"); at !== -1; at = lf.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the line that holds an offset, counted from 0. */
export function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Makes the splices, which come in order and do not overlap. A line that stays keeps its ending;
 * an inserted one takes the ending of the line it replaces or splits, else of its neighbour; in a
 * text without any, `first`.
 */
export function spliced(
  source: SourceText,
  splices: readonly Splice[],
  first: LineEnd = "\n",
): SourceText {
  const pieces: string[] = [];
  const ends: LineEnd[] = [];
  let at = 0;
  let line = 0;
  const keep = (to: number) => {
    const kept = source.lf.slice(at, to);
    pieces.push(kept);
    for (let n = newlinesIn(kept); n > 0; n -= 1) ends.push(source.ends[line++] ?? first);
  };
  for (const { from, to, text } of splices) {
    keep(from);
    const removed = newlinesIn(source.lf.slice(from, to));
    const after = line + removed;
    const added = newlinesIn(text);
    const beside = (removed > 0 ? source.ends[after - 1] : source.ends[after]) ?? ends.at(-1);
    for (let n = 0; n < added; n += 1) {
      ends.push((n < removed ? source.ends[line + n] : beside) ?? first);
    }
    pieces.push(text);
    line = after;
    at = to;
  }
  keep(source.lf.length);
  return { bom: source.bom, lf: pieces.join(""), ends };
}

/** What most lines end with; `\n` where there is a tie or no ending at all. */
export function dominantEnd(source: SourceText): LineEnd {
  let crlf = 0;
  for (const end of source.ends) if (end === "\r\n") crlf += 1;
  return crlf * 2 > source.ends.length ? "\r\n" : "\n";
}

export function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
