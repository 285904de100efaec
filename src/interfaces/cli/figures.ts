// How times, amounts and columns read: short, in plain words, the same everywhere.
import type { Usage } from "#core/model/message.ts";
import { dollars } from "#core/model/money.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A moment as seen from now: `just now`, `5 min ago`, `3 h ago`, `2 days ago`, else the date. */
export function ago(at: number, now: number): string {
  const past = now - at;
  if (past < MINUTE) return "just now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  if (past < 2 * DAY) return "yesterday";
  if (past < 14 * DAY) return `${Math.floor(past / DAY)} days ago`;
  return moment(at).slice(0, 10);
}

/** A moment to the second, in local time: `2026-03-01 14:05:09`. */
export function moment(at: number): string {
  const date = new Date(at);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

/** `0.3 s`, `12 s`, `3 min 5 s`. */
export function lasted(ms: number): string {
  if (ms < 10 * SECOND) return `${(Math.max(0, ms) / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  return `${Math.floor(ms / MINUTE)} min ${Math.round((ms % MINUTE) / SECOND)} s`;
}

/** `950`, `12.3k`, `1.2M`. */
export function short(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 999_950) return `${(n / 1_000).toFixed(1)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;

/** `12.3k in (8.0k cached), 456 out`; `at most` where a provider did not say. */
export function tokens({ input, cached, output, exact }: Usage): string {
  const read = cached > 0 ? ` (${short(cached)} cached)` : "";
  return `${exact ? "" : "at most "}${short(input)} in${read}, ${short(output)} out`;
}

/**
 * What calls cost, as people read money: `$0.042`, `at most $1.20` where tokens were not counted,
 * `over $1.20` where some of them had no price. Empty where nothing is known.
 */
export function moneyText({ cost, exact }: Pick<Usage, "cost" | "exact">): string {
  if (!cost) return "";
  const amount = dollars(cost.nanoDollars);
  if (!cost.whole) return `over ${amount}`;
  return exact ? amount : `at most ${amount}`;
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Texts of these characters alone take a column for each. */
const simple = /^[\x20-\x7e\u00a0-\u02ff\u2010-\u2027\u2030-\u205e\u2212]*$/;
/** Made when first needed: it takes as long as the whole start of a command. */
let segmenter: Intl.Segmenter | undefined;

function* characters(text: string): Generator<{ character: string; columns: number }> {
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(text)) {
    yield { character: segment, columns: wide.test(segment) ? 2 : 1 };
  }
}

/** Columns that a text takes in a terminal. */
export function width(text: string): number {
  if (simple.test(text)) return text.length;
  let sum = 0;
  for (const { columns } of characters(text)) sum += columns;
  return sum;
}

/** The text in at most this many columns; what is cut ends in `…`. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  if (simple.test(text)) return `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let used = 0;
  for (const { character, columns: taken } of characters(text)) {
    used += taken;
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text in exactly this many columns. */
export function column(text: string, columns: number): string {
  const fitting = cut(text, columns);
  return fitting + " ".repeat(Math.max(0, columns - width(fitting)));
}
