// The difference between two texts, for people and for models: a unified diff of bounded size and
// how many lines it adds and removes. The only file that knows the diff library.
import { structuredPatch } from "diff";
import { dominantEnd, type SourceText, sourceText } from "#core/code/lines.ts";

/**
 * `text` is a unified diff (empty where nothing differs), cut after a line where it is too long,
 * with a note of what was left out. The counts are of the whole difference; `exact` is false where
 * the texts differ too much to be aligned, and the changed part is shown as replaced altogether.
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
const ALIGNED_LINES_MAX = 1_500;

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
  const { hunks, exact } = hunksOf(linesWithEnds(old.lf), linesWithEnds(now.lf), contextLines);
  const counts = { added: 0, removed: 0 };
  for (const { lines } of hunks) {
    for (const line of lines) {
      if (line.startsWith("+")) counts.added += 1;
      if (line.startsWith("-")) counts.removed += 1;
    }
  }
  return { text: shownHunks(head, hunks, charactersMax), ...counts, exact };
}

/** Characters of diffs that the event of one call keeps, so that it stays a small event. */
const KEPT_CHARACTERS_MAX = 8_000;

/** The beginning of a diff for the log, in whole lines and without its header; `of` share a call. */
export function keptDiff(text: string, { of }: { of: number }): string {
  const from = text.startsWith("--- ") ? text.indexOf("\n", text.indexOf("\n") + 1) + 1 : 0;
  const most = Math.floor(KEPT_CHARACTERS_MAX / Math.max(1, of));
  const body = text.slice(from);
  return body.length <= most ? body : body.slice(0, body.lastIndexOf("\n", most) + 1).trimEnd();
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

/** Each line with its ending, which the last may lack: without it, it is another line. */
function linesWithEnds(lf: string): string[] {
  const lines = lf.split("\n");
  const last = lines.pop() ?? "";
  const ended = lines.map((line) => `${line}\n`);
  return last === "" ? ended : [...ended, last];
}

function hunksOf(
  before: readonly string[],
  after: readonly string[],
  contextLines: number,
): { hunks: Hunk[]; exact: boolean } {
  // Only what lies between the common beginning and end, and some context, has to be aligned.
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  if (head === before.length && head === after.length) return { hunks: [], exact: true };
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const from = Math.max(0, head - contextLines);
  const less = Math.max(0, tail - contextLines);
  const parts = [before, after].map((lines) => lines.slice(from, lines.length - less)) as Pair;
  const around = { head: head - from, tail: tail - less };
  const oneSided = head + tail === most;
  const aligned = oneSided ? undefined : alignedHunks(parts, contextLines);
  const hunks = aligned ?? [replacingHunk(parts, around)];
  return {
    hunks: hunks.map(({ oldStart, newStart, lines }) => ({
      oldStart: oldStart + from,
      newStart: newStart + from,
      lines,
    })),
    exact: oneSided || aligned !== undefined,
  };
}

type Pair = [before: string[], after: string[]];

/** As few changes as there can be; nothing where finding them takes too long. */
function alignedHunks([before, after]: Pair, contextLines: number): Hunk[] | undefined {
  return structuredPatch("", "", before.join(""), after.join(""), "", "", {
    context: contextLines,
    maxEditLength: ALIGNED_LINES_MAX,
  })?.hunks;
}

/** One hunk that takes out all between the common ends and puts in all that is there now. */
function replacingHunk(
  [before, after]: Pair,
  { head, tail }: { head: number; tail: number },
): Hunk {
  const marked = (mark: string, lines: readonly string[]) =>
    lines.flatMap((line) =>
      line.endsWith("\n")
        ? [mark + line.slice(0, -1)]
        : [mark + line, "\\ No newline at end of file"],
    );
  const lines = [
    ...marked(" ", before.slice(0, head)),
    ...marked("-", before.slice(head, before.length - tail)),
    ...marked("+", after.slice(head, after.length - tail)),
    ...marked(" ", before.slice(before.length - tail)),
  ];
  return { oldStart: 1, newStart: 1, lines };
}

function shownHunks(head: string[], hunks: readonly Hunk[], charactersMax: number): string {
  const lines = hunks.flatMap(hunkLines);
  const out = [...head];
  let characters = head.join("\n").length;
  for (const [i, line] of lines.entries()) {
    characters += line.length + 1;
    if (characters > charactersMax) {
      out.push(`(${lines.length - i} more lines of this diff are not shown)`);
      break;
    }
    out.push(line);
  }
  return out.join("\n");
}

function hunkLines({ oldStart, newStart, lines }: Hunk): string[] {
  const count = (mark: string) =>
    lines.filter((line) => line.startsWith(mark) || line.startsWith(" ")).length;
  const cut = lines.map((line) =>
    line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line,
  );
  const at = (start: number, size: number) => `${size === 0 ? start - 1 : start},${size}`;
  return [`@@ -${at(oldStart, count("-"))} +${at(newStart, count("+"))} @@`, ...cut];
}
