// Text of models, tools and files made harmless for a terminal: nothing of it moves the cursor,
// sets a title, writes the clipboard, hides or reorders what a person reads.

/** Longest control sequence that is taken as one; of a longer one only the introducer goes. */
const SEQUENCE_CHARS_MAX = 4_096;

const CSI = String.raw`(?:\x1b\[|\x9b)[\x30-\x3f]{0,256}[\x20-\x2f]{0,16}`;
/** OSC, DCS, SOS, PM, APC: a text up to BEL or ST. A new line is never part of one. */
const TEXT = String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{0,${SEQUENCE_CHARS_MAX}}`;
const OTHER = String.raw`\x1b[\x20-\x2f]{0,16}`;
/** What may not stand alone either: C0 but tab and new line, DEL, C1, reordering, invisible tags. */
const SINGLE = String.raw`[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]`;

const harmful = new RegExp(
  String.raw`${CSI}[\x40-\x7e]|${TEXT}(?:\x07|\x1b\\|\x9c)|${OTHER}[\x30-\x7e]|${SINGLE}`,
  "gu",
);
/** The end of a piece that may be the beginning of a sequence, or half a character. */
const unfinished = new RegExp(String.raw`(?:${CSI}|${TEXT}\x1b?|${OTHER}|[\ud800-\udbff])$`, "u");

/** The text without control sequences, control characters (but tab and new line) and overrides. */
export function screen(text: string): string {
  return text.replace(harmful, "");
}

/** What of a piece can be shown now, and what must wait for the next piece. */
export type Screened = { text: string; carry: string };

/**
 * The same for text that comes in pieces, where a sequence may be cut in two: `carry` is what the
 * last piece left over. The pieces together give what `screen` gives for the whole.
 */
export function screenPiece(carry: string, piece: string): Screened {
  const whole = carry + piece;
  const end = unfinished.exec(whole)?.index ?? whole.length;
  return { text: screen(whole.slice(0, end)), carry: whole.slice(end) };
}

const hidden =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * The text with every character that a terminal would not show written out, as `\x1b` or
 * `\u{202e}`: for what a person must judge exactly as it is, such as a command to allow.
 */
export function reveal(text: string): string {
  return text.replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
