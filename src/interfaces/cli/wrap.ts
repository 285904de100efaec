// Breaks text at words where it would reach the terminal's edge, piece by piece as it comes. Blocks
// of code are left as they are, so that they can be copied.
import { width } from "#interfaces/cli/figures.ts";

export type Wrapping = {
  /** Columns that are taken on the present line. */
  column: number;
  /** The beginning of the line as it came: tells its indentation and whether it fences code. */
  lead: string;
  /** White space before `word`; it goes away where a line is broken. */
  gap: string;
  /** A word that has not ended yet: it may still have to move to the next line. */
  word: string;
  /** The first part of the word is printed already: the rest goes where that went. */
  isBegun: boolean;
  inCode: boolean;
};

export const lineBegun: Wrapping = {
  column: 0,
  lead: "",
  gap: "",
  word: "",
  isBegun: false,
  inCode: false,
};

/** Columns of a word that are kept back until it ends. */
const WORD_COLUMNS_MAX = 40;

/** Characters of a line that are looked at for its indentation. */
const LEAD_MAX = 24;

/** One more piece, and what of the text can be printed now. */
export function wrap(state: Wrapping, piece: string, columns: number): [Wrapping, string] {
  let now = state;
  let out = "";
  for (const token of piece.match(/\n|[^\S\n]+|\S+/g) ?? []) {
    if (token === "\n") {
      out += `${placed(now, columns)}\n`;
      const fences = /^\s*(```|~~~)/.test(now.lead + now.gap + now.word);
      now = { ...lineBegun, inCode: now.inCode !== fences };
    } else if (token.trim() === "" && now.word === "") {
      now = { ...now, gap: now.gap + token, isBegun: false };
    } else if (token.trim() === "") {
      out += placed(now, columns);
      now = { ...after(now, columns), gap: token };
    } else {
      now = { ...now, word: now.word + token };
      // Longer than a line, or a script without spaces: nothing is won by waiting for its end.
      if (width(now.word) < WORD_COLUMNS_MAX) continue;
      out += placed(now, columns);
      now = { ...after(now, columns), isBegun: true };
    }
  }
  return [now, out];
}

/** What was kept back, where something else is printed next. */
export const kept = (state: Wrapping, columns: number): string => placed(state, columns);

/** The word with its gap, or on a line of its own where it does not fit. */
function placed(state: Wrapping, columns: number): string {
  const { gap, word } = state;
  return breaks(state, columns) ? `\n${indentOf(state, columns)}${word}` : gap + word;
}

function after(state: Wrapping, columns: number): Wrapping {
  const { column, lead, gap, word } = state;
  const from = breaks(state, columns) ? indentOf(state, columns).length : column + gap.length;
  const begun = (lead + gap + word).slice(0, LEAD_MAX);
  return { ...state, column: from + width(word), lead: begun, gap: "", word: "", isBegun: false };
}

function breaks({ inCode, isBegun, column, gap, word }: Wrapping, columns: number): boolean {
  if (inCode || isBegun || word === "" || column === 0) return false;
  // Of a long word no more is looked at than is waited for, so that its pieces decide nothing.
  return column + gap.length + Math.min(width(word), WORD_COLUMNS_MAX) > columns;
}

/** Under the text of a list's item, or under the beginning of the line. */
function indentOf({ lead }: Wrapping, columns: number): string {
  const [begin = ""] = /^\s*(?:[-*+] |\d{1,3}[.)] |> )?/.exec(lead) ?? [];
  return begin.length * 2 > columns ? "" : " ".repeat(begin.length);
}
