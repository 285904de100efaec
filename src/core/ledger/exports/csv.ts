// Reads a table of comma-separated values (RFC 4180): quoted cells, doubled quotes, line breaks within
// quotes; a byte order mark and both line ends are taken. Linear, and never throws.
import { type Failed, fail, ok, type Result } from "#core/failure.ts";

export type Table = { head: string[]; rows: string[][] };

/** The head names each column once, in small letters; every line has as many cells as it. */
export function readCsv(text: string): Result<Table> {
  const lines = linesOf(text.replace(/^\u{feff}/u, ""));
  if (!lines.ok) return lines;
  const [first, ...rows] = lines.value.filter((cells) => cells.length > 1 || cells[0] !== "");
  if (!first || first.length < 2) return wrong("has no head with at least two columns");
  const head = first.map((name) => name.trim().toLowerCase());
  const twice = head.find((name, i) => head.indexOf(name) !== i);
  if (twice !== undefined) return wrong(`names the column "${twice.slice(0, 40)}" twice`);
  const odd = rows.findIndex((cells) => cells.length !== head.length);
  if (odd === -1) return ok({ head, rows });
  return wrong(
    `has ${rows[odd]?.length} cells where its head has ${head.length}`,
    `line ${odd + 2}`,
  );
}

const wrong = (what: string, where = "the table"): Failed =>
  fail("bad_input", `${where} ${what}`, { fix: "export it again as CSV with commas" });

function linesOf(text: string): Result<string[][]> {
  const lines: string[][] = [];
  let cells: string[] = [];
  let at = 0;
  while (at < text.length) {
    const cell = text[at] === '"' ? quoted(text, at) : bare(text, at);
    if (cell === null) return wrong("has a quote that is not closed, or text behind one");
    cells.push(cell.value);
    at = cell.end;
    const isLast = text[at] !== ",";
    // A comma at the very end of the text stands before one more, empty cell.
    if (!isLast && at + 1 === text.length) cells.push("");
    if (isLast || at + 1 === text.length) {
      lines.push(cells);
      cells = [];
    }
    at += text.startsWith("\r\n", at) ? 2 : 1;
  }
  return ok(lines);
}

type Cell = { value: string; end: number };

function bare(text: string, from: number): Cell {
  let end = from;
  while (end < text.length && !",\r\n".includes(text[end] ?? "")) end += 1;
  return { value: text.slice(from, end), end };
}

function quoted(text: string, from: number): Cell | null {
  const pieces: string[] = [];
  let begin = from + 1;
  for (;;) {
    const close = text.indexOf('"', begin);
    if (close === -1) return null;
    pieces.push(text.slice(begin, close));
    if (text[close + 1] !== '"') {
      const end = close + 1;
      const isOver = end >= text.length || ",\r\n".includes(text[end] ?? "");
      return isOver ? { value: pieces.join('"'), end } : null;
    }
    begin = close + 2;
  }
}
