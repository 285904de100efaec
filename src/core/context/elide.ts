// Puts a text together without some of its lines: where code is left out stands a marker that says
// how much. Blank lines alone go without one.
import type { CodeLine } from "#core/context/code-lines.ts";
import type { Comments } from "#core/context/languages.ts";

/** Lines of a text, from 1, both included. */
export type Lines = { line: number; endLine: number };

export type Dropped = Lines & { what: "code" | "comments" | "imports" | "blank lines" };

export type Elided = { text: string; kept: Lines[]; dropped: Dropped[] };

/** The picked lines of a text in their order, with a marker for each gap if it is wanted. */
export function elided(
  text: string,
  lines: readonly CodeLine[],
  picked: Uint8Array,
  { comments, withMarkers }: { comments: Comments; withMarkers: boolean },
): Elided {
  const out: string[] = [];
  const kept: Lines[] = [];
  const dropped: Dropped[] = [];
  for (const { at, end, isPicked } of runsOf(picked)) {
    const span = { line: lines[at]?.line ?? 0, endLine: lines[end - 1]?.line ?? 0 };
    if (isPicked) {
      out.push(text.slice(lines[at]?.start, lines[end - 1]?.end));
      kept.push(span);
    } else {
      const what = whatOf(lines.slice(at, end));
      dropped.push({ ...span, what });
      if (withMarkers && what !== "blank lines")
        out.push(markerOf(text, lines.slice(at, end), comments));
    }
  }
  return { text: out.join(""), kept, dropped };
}

/** Runs of lines that are all picked, or all not. */
export function runsOf(picked: Uint8Array): { at: number; end: number; isPicked: boolean }[] {
  const runs: { at: number; end: number; isPicked: boolean }[] = [];
  for (let at = 0; at < picked.length; ) {
    let end = at + 1;
    while (end < picked.length && picked[end] === picked[at]) end += 1;
    runs.push({ at, end, isPicked: picked[at] === 1 });
    at = end;
  }
  return runs;
}

function whatOf(gap: readonly CodeLine[]): Dropped["what"] {
  const kinds = new Set(gap.map(({ kind }) => kind));
  if (kinds.has("code")) return "code";
  if (kinds.has("import")) return "imports";
  return kinds.has("comment") ? "comments" : "blank lines";
}

/** `// … 12 lines`, as far in as what it stands for; within a line ` … 300 characters `. */
function markerOf(
  text: string,
  gap: readonly CodeLine[],
  { line: [begin] = [], block }: Comments,
): string {
  const [first] = gap.filter(({ kind }) => kind !== "blank");
  const last = gap.at(-1);
  if (!first || !last) return "";
  const ends = text[last.end - 1] === "\n" ? "\n" : "";
  const isWithin = (gap[0]?.start ?? 0) > 0 && text[(gap[0]?.start ?? 0) - 1] !== "\n";
  if (isWithin || (ends === "" && last.end < text.length)) {
    return ` … ${last.end - (gap[0]?.start ?? 0)} characters ${ends}`;
  }
  const count = last.line - (gap[0]?.line ?? 0) + 1;
  const said = `… ${count} ${count === 1 ? "line" : "lines"}`;
  const whole = begin ? `${begin} ${said}` : block ? `${block[0]} ${said} ${block[1]}` : said;
  return `${text.slice(first.start, first.from)}${whole}${ends}`;
}
