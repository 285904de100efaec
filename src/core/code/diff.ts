// The difference between two texts, for people and for models: a unified diff of bounded size and
// how many lines it adds and removes. The only file that knows the diff library.
import { structuredPatch } from "diff";
import { dominantEnd, linesOf, type SourceText, sourceText } from "#core/code/lines.ts";

/**
 * `text` is a unified diff (empty where nothing differs), cut at a whole hunk, with a line that
 * says what was left out. The counts are of the whole difference; `exact` is false where the texts
 * differ too much to be aligned and the counts are of lines that only one of them has.
 */
export type TextDiff = { text: string; added: number; removed: number; exact: boolean };

export type DiffOptions = {
  /** Name in both headers; no header without it. */
  path?: string;
  /** Name in the second header where it is another. */
  toPath?: string;
  contextLines?: number;
  charactersMax?: number;
};

const CONTEXT_LINES = 3;

/** Characters of a diff that a person or a model can be asked to read. */
const DIFF_CHARACTERS_MAX = 40_000;

/** Lines added and removed beyond which aligning takes too long; its cost grows with the square. */
const ALIGNED_LINES_MAX = 2_000;

/** Characters of one line that are shown. */
const LINE_CHARACTERS_MAX = 2_000;

/** `null` stands for a file that is not there. */
export function unifiedDiff(
  before: string | null,
  after: string | null,
  options: DiffOptions = {},
): TextDiff {
  const { contextLines = CONTEXT_LINES, charactersMax = DIFF_CHARACTERS_MAX } = options;
  const old = sourceText(before ?? "");
  const now = sourceText(after ?? "");
  const notes = formNotes(old, now);
  if (old.lf === now.lf && notes.length === 0 && before !== null && after !== null) {
    return { text: "", added: 0, removed: 0, exact: true };
  }
  const head = [...headerOf(before, after, options), ...notes];
  const aligned = alignedHunks(old, now, contextLines);
  if (!aligned) {
    const counts = unalignedCounts(linesOf(old), linesOf(now));
    const says = `(too different to show: ${countsOf(counts)} or more)`;
    return { text: [...head, says].join("\n"), ...counts, exact: false };
  }
  const counts = { added: 0, removed: 0 };
  for (const line of aligned.flatMap((hunk) => hunk.lines)) {
    if (line.startsWith("+")) counts.added += 1;
    if (line.startsWith("-")) counts.removed += 1;
  }
  return { text: shownHunks(head, aligned, charactersMax), ...counts, exact: true };
}

/** `+2 −1`, for titles and reports. */
export function countsOf({ added, removed }: { added: number; removed: number }): string {
  return `+${added} −${removed}`;
}

type Hunk = { oldStart: number; newStart: number; lines: string[] };

function headerOf(before: string | null, after: string | null, options: DiffOptions): string[] {
  if (options.path === undefined) return [];
  const from = before === null ? "/dev/null" : `a/${options.path}`;
  const to = after === null ? "/dev/null" : `b/${options.toPath ?? options.path}`;
  return [`--- ${from}`, `+++ ${to}`];
}

/** What a line-by-line diff would not show: the byte order mark and the line endings. */
function formNotes(old: SourceText, now: SourceText): string[] {
  const notes: string[] = [];
  if (old.bom !== now.bom) notes.push(`(byte order mark ${now.bom ? "added" : "removed"})`);
  const [was, is] = [endsIn(old), endsIn(now)];
  if (was !== "none" && is !== "none" && was !== is) notes.push(`(line endings: ${was} → ${is})`);
  return notes;
}

function endsIn(source: SourceText): "none" | "LF" | "CRLF" | "mixed" {
  if (source.ends.length === 0) return "none";
  const main = dominantEnd(source);
  if (source.ends.some((end) => end !== main)) return "mixed";
  return main === "\n" ? "LF" : "CRLF";
}

/** The hunks, or nothing where the texts are too different to be aligned in good time. */
function alignedHunks(old: SourceText, now: SourceText, contextLines: number): Hunk[] | undefined {
  // The library is given only what lies between the common beginning and end, and some context.
  const before = old.lf.split("\n");
  const after = now.lf.split("\n");
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const from = Math.max(0, head - contextLines);
  const less = Math.max(0, tail - contextLines - 1);
  const middleOf = (lines: string[]) =>
    lines.slice(from, lines.length - less).join("\n") + (less > 0 ? "\n" : "");
  const patch = structuredPatch("", "", middleOf(before), middleOf(after), "", "", {
    context: contextLines,
    maxEditLength: ALIGNED_LINES_MAX,
  });
  return patch?.hunks.map(({ oldStart, newStart, lines }) => ({
    oldStart: oldStart + from,
    newStart: newStart + from,
    lines,
  }));
}

function shownHunks(head: string[], hunks: readonly Hunk[], charactersMax: number): string {
  const out = [...head];
  let characters = head.join("\n").length;
  for (const [i, hunk] of hunks.entries()) {
    const text = hunkText(hunk);
    if (characters + text.length > charactersMax) {
      out.push(`(${hunks.length - i} of ${hunks.length} changed regions are not shown)`);
      break;
    }
    characters += text.length + 1;
    out.push(text);
  }
  return out.join("\n");
}

function hunkText({ oldStart, newStart, lines }: Hunk): string {
  const oldLines = lines.filter((line) => line.startsWith("-") || line.startsWith(" ")).length;
  const newLines = lines.filter((line) => line.startsWith("+") || line.startsWith(" ")).length;
  const cut = lines.map((line) =>
    line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line,
  );
  const at = (start: number, count: number) => `${count === 0 ? start - 1 : start},${count}`;
  return [`@@ -${at(oldStart, oldLines)} +${at(newStart, newLines)} @@`, ...cut].join("\n");
}

/** Lines that only one side has, each as often as it has more of it. */
function unalignedCounts(before: string[], after: string[]): { added: number; removed: number } {
  const balance = new Map<string, number>();
  for (const line of before) balance.set(line, (balance.get(line) ?? 0) - 1);
  for (const line of after) balance.set(line, (balance.get(line) ?? 0) + 1);
  let added = 0;
  let removed = 0;
  for (const more of balance.values()) {
    if (more > 0) added += more;
    else removed -= more;
  }
  return { added, removed };
}
