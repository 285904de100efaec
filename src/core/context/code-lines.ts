// A code text as the lines it is made of: what each is (code, comment, import, nothing) and which
// identifiers stand in it. Lexical, so that it holds for every language, broken code included; a
// slip of it (a quote inside of a pattern) costs weight of a line, never text.
import { betweenCharacters, type Chunk, type Span } from "#core/context/chunk.ts";
import type { Comments } from "#core/context/languages.ts";

export type LineKind = "code" | "comment" | "import" | "blank";

/** A line with its end of line, or a stretch of a long one. */
export type CodeLine = Span & {
  /** Its number, from 1. */
  line: number;
  kind: LineKind;
  /** Where its first word stands. */
  from: number;
  /** Columns before its first word, a tab as four; infinite for a later stretch of a line. */
  indent: number;
  /** Identifiers of its code, each once. */
  names: readonly string[];
  /** Words of its strings and comments, as they are written, each once. */
  words: readonly string[];
};

/** Columns of a tab, where spaces are compared with it. */
const TAB = 4;
/** UTF-16 units of a stretch: lines that somebody wrote are shorter, and stay whole. */
const STRETCH_UNITS_MAX = 600;

const IDENTIFIER = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

/** The lines of a text; joined again they are the text. */
export function codeLines(
  text: string,
  comments: Comments,
  chunks: readonly Pick<Chunk, "imports">[] = [],
): CodeLine[] {
  const imports = chunks.flatMap((chunk) => chunk.imports).sort((a, b) => a.start - b.start);
  const read = readerOf(text, comments);
  const lines: CodeLine[] = [];
  let next = 0;
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start) + 1 || text.length;
    number += 1;
    for (const stretch of stretchesOf(text, { start, end })) {
      const line = { ...read(stretch), line: number };
      while (next < imports.length && (imports[next]?.end ?? 0) <= line.from) next += 1;
      const isImport = line.kind === "code" && (imports[next]?.start ?? end) <= line.from;
      if (isImport) line.kind = "import";
      if (stretch.start > start) line.indent = Number.POSITIVE_INFINITY;
      lines.push(line);
    }
    start = end;
  }
  return lines;
}

/** A line as it is, a long one in stretches, cut between words where there are such. */
function stretchesOf(text: string, { start, end }: Span): Span[] {
  const stretches: Span[] = [];
  let from = start;
  while (end - from > STRETCH_UNITS_MAX) {
    const most = from + STRETCH_UNITS_MAX;
    let at = most;
    while (at > from + STRETCH_UNITS_MAX / 2 && /[\p{L}\p{N}_$\p{Cs}]/u.test(text[at - 1] ?? ""))
      at -= 1;
    if (at <= from + STRETCH_UNITS_MAX / 2) at = betweenCharacters(text, most);
    stretches.push({ start: from, end: at });
    from = at;
  }
  stretches.push({ start: from, end });
  return stretches;
}

/** What is open where a line ends: a comment or a string, and what closes it. */
type Open = { isComment: boolean; close: string };

function readerOf(text: string, comments: Comments): (line: Span) => Omit<CodeLine, "line"> {
  let open: Open | null = null;
  const lastTick = text.lastIndexOf("`");
  return ({ start, end }) => {
    const from = firstWord(text, { start, end });
    const isInside: boolean = open !== null;
    const {
      code,
      said,
      hasComment,
      open: left,
    } = scanLine(
      text,
      { start: from, end },
      {
        ...{ comments, open, lastTick },
      },
    );
    open = left;
    const isBlank = text.slice(from, end).trim() === "";
    const isCode = code.trim() !== "" || (isInside && !hasComment);
    return {
      ...{ start, end, from },
      kind: isBlank ? "blank" : isCode || !hasComment ? "code" : "comment",
      indent: columns(text.slice(start, from)),
      names: wordsIn(code),
      words: wordsIn(said),
    };
  };
}

function firstWord(text: string, { start, end }: Span): number {
  let at = start;
  while (at < end && (text[at] === " " || text[at] === "\t")) at += 1;
  return at;
}

const columns = (space: string): number =>
  [...space].reduce((sum, unit) => sum + (unit === "\t" ? TAB : 1), 0);

const wordsIn = (text: string): string[] => [...new Set(text.match(IDENTIFIER))];

type Scanned = { code: string; said: string; open: Open | null; hasComment: boolean };

function scanLine(
  text: string,
  { start, end }: Span,
  { comments, open, lastTick }: { comments: Comments; open: Open | null; lastTick: number },
): Scanned {
  const found: Scanned = { code: "", said: "", open, hasComment: open?.isComment ?? false };
  let at = start;
  while (at < end) {
    if (found.open) {
      const rest = text.slice(at, end);
      const closed = rest.indexOf(found.open.close);
      const to = closed < 0 ? end : at + closed + found.open.close.length;
      found.said += ` ${text.slice(at, to)}`;
      if (closed >= 0) found.open = null;
      at = to;
      continue;
    }
    const begun = beginning(text, at, {
      comments,
      lastTick,
      isFirst: /^\s*[A-Za-z]?$/.test(found.code),
    });
    if (!begun) {
      found.code += text[at];
      at += 1;
    } else if (begun.close === "\n") {
      const isComment = begun.isComment;
      const to = isComment ? end : stringEnd(text, { start: at, end });
      found.said += ` ${text.slice(at, to)}`;
      found.code += isComment ? "" : "'";
      found.hasComment ||= isComment;
      at = Math.max(to, at + 1);
    } else {
      found.open = begun;
      found.hasComment ||= begun.isComment;
      if (!begun.isComment) found.code += "'";
      at += begun.length;
    }
  }
  return found;
}

type Beginning = { comments: Comments; lastTick: number; isFirst: boolean };

/** What begins at a place: a comment or a string; `"\n"` closes what ends with its line. */
function beginning(
  text: string,
  at: number,
  { comments: { line = [], block }, lastTick, isFirst }: Beginning,
): (Open & { length: number }) | null {
  if (block && text.startsWith(block[0], at)) {
    return { isComment: true, close: block[1], length: block[0].length };
  }
  if (line.some((mark) => text.startsWith(mark, at)) && text[at - 1] !== ":") {
    return { isComment: true, close: "\n", length: 1 };
  }
  const quote = text[at] ?? "";
  if (quote !== '"' && quote !== "'" && quote !== "`") return null;
  const triple = quote.repeat(3);
  if (quote !== "`" && text.startsWith(triple, at)) {
    return { isComment: isFirst, close: triple, length: 3 };
  }
  if (quote === "`" && lastTick > at) {
    return { isComment: false, close: "`", length: 1 };
  }
  return { isComment: false, close: "\n", length: 1 };
}

/** The end of a string in its line; one that is not closed there is no string, as in `it's`. */
function stringEnd(text: string, { start, end }: Span): number {
  const quote = text[start];
  for (let at = start + 1; at < end; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return start + 1;
}
