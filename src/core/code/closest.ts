// The place of a text that a search text comes closest to, and what differs there: so that whoever
// wrote the search text can correct it at once.
import { unifiedDiff } from "#core/code/diff.ts";
import { indentOf, isBlank } from "#core/code/tolerance.ts";

/** `line` counts from 1. `differs` has the text asked for as `-` and the file's as `+`. */
export type Closest = { line: number; differs: string };

/** Lines of the search text that are compared. */
const LINES_MAX = 200;
/** Characters of a line that are compared by words, and shown. */
const LINE_CHARACTERS_MAX = 400;
/** Characters of the shown difference. */
const DIFFERS_CHARACTERS_MAX = 2_000;
/** Share of the words two lines must have in common to be called close. */
const WORDS_SHARED_MIN = 0.4;

export function closestPlace(
  file: readonly string[],
  searched: readonly string[],
): Closest | undefined {
  const block = searched.slice(0, LINES_MAX);
  const start = startByLines(file, block) ?? startByWords(file, block);
  if (start === undefined) return undefined;
  const from = Math.max(0, start);
  const present = file.slice(from, start + block.length);
  return { line: from + 1, differs: differenceOf(block, present) };
}

/** Each line both have votes for the start at which it would be in its place, rare ones more. */
function startByLines(file: readonly string[], block: readonly string[]): number | undefined {
  const counts = new Map<string, number>();
  for (const line of block) if (!isBlank(line)) counts.set(line.trim(), 0);
  const keys = file.map((line) => line.trim());
  for (const key of keys) {
    const count = counts.get(key);
    if (count !== undefined) counts.set(key, count + 1);
  }
  const [rarest, times] = rarestOf(counts);
  if (rarest === undefined) return undefined;
  const votes = new Map<number, number>();
  const places = new Map<string, number>();
  block.forEach((line, i) => {
    const key = line.trim();
    const count = counts.get(key) ?? 0;
    // Lines that are everywhere, such as a lone brace, would make this quadratic and say little.
    if (count > 0 && count <= times * 4 && !places.has(key)) places.set(key, i);
  });
  keys.forEach((key, i) => {
    const at = places.get(key);
    if (at === undefined) return;
    const weight = Math.min(key.length, 40) / (counts.get(key) ?? 1);
    votes.set(i - at, (votes.get(i - at) ?? 0) + weight);
  });
  return bestOf(votes);
}

function rarestOf(counts: ReadonlyMap<string, number>): [string | undefined, number] {
  let rarest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [key, count] of counts) {
    if (count > 0 && count < least) [rarest, least] = [key, count];
  }
  return [rarest, least];
}

function bestOf(votes: ReadonlyMap<number, number>): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (const [start, vote] of votes) if (vote > most) [best, most] = [start, vote];
  return best;
}

/** The line that shares most words with the longest one asked for. */
function startByWords(file: readonly string[], block: readonly string[]): number | undefined {
  let longest = 0;
  block.forEach((line, i) => {
    if (line.trim().length > (block[longest] ?? "").trim().length) longest = i;
  });
  const wanted = wordsOf(block[longest] ?? "");
  if (wanted.size === 0) return undefined;
  let best: number | undefined;
  let most = WORDS_SHARED_MIN;
  file.forEach((line, i) => {
    const words = wordsOf(line);
    if (words.size === 0) return;
    let shared = 0;
    for (const word of words) if (wanted.has(word)) shared += 1;
    const score = (2 * shared) / (words.size + wanted.size);
    if (score > most) [best, most] = [i - longest, score];
  });
  return best;
}

function wordsOf(line: string): Set<string> {
  return new Set(line.slice(0, LINE_CHARACTERS_MAX).match(/[\p{L}\p{N}_]+/gu));
}

function differenceOf(block: readonly string[], present: readonly string[]): string {
  const options = { contextLines: 1, charactersMax: DIFFERS_CHARACTERS_MAX };
  const show = onlySpaceDiffers(block, present) ? visible : (line: string) => line;
  const textOf = (lines: readonly string[]) =>
    lines.map((line) => show(line.slice(0, LINE_CHARACTERS_MAX))).join("\n");
  const { text } = unifiedDiff(textOf(block), textOf(present), options);
  return text
    .split("\n")
    .filter((line) => !line.startsWith("@@") && !line.startsWith("\\"))
    .join("\n");
}

function onlySpaceDiffers(a: readonly string[], b: readonly string[]): boolean {
  const bare = (lines: readonly string[]) => lines.map((line) => line.replace(/\s/g, "")).join("");
  return bare(a) === bare(b);
}

/** Indentation that can be told apart: `→` for a tab, `·` for a space. */
function visible(line: string): string {
  const indent = indentOf(line);
  return indent.replaceAll("\t", "→").replaceAll(" ", "·") + line.slice(indent.length);
}
