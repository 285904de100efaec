// An answer as it comes: deltas are shown at once, the finished text completes them, and nothing is
// shown twice. A new attempt voids what was shown of the one before, and says so. Pure.
import type { App } from "#app";
import { screen, screenPiece } from "#core/security/screen.ts";
import type { AnswerItem } from "#core/session/transcript.ts";

export type Live = ReturnType<App["listen"]> extends AsyncIterable<infer Item> ? Item : never;

export type Shown = {
  step: number;
  attempt: number;
  /** Number of the last item taken. */
  seq: number;
  /** The text as the model sent it, so far. */
  text: string;
  /** Its end, where that may be the beginning of a control sequence. */
  carry: string;
  /** Steps up to this one are finished: what still comes of them is late. */
  finished: number;
};

export const nothingShown: Shown = {
  step: 0,
  attempt: 0,
  seq: 0,
  text: "",
  carry: "",
  finished: 0,
};

export type Showing = { shown: Shown; print: string };

/** Said before the text of a new attempt, where some of the one before was shown. */
export const AGAIN = "(again)\n";

/** One live item. What is not a piece of an answer's text prints nothing. */
export function showLive(shown: Shown, live: Live): Showing {
  if (live.type !== "delta" || live.kind !== "text") return { shown, print: "" };
  const { step, attempt, seq, text } = live;
  const late =
    step <= shown.finished ||
    step < shown.step ||
    (step === shown.step && attempt < shown.attempt) ||
    (step === shown.step && attempt === shown.attempt && seq <= shown.seq);
  if (late) return { shown, print: "" };
  const isSame = step === shown.step && attempt === shown.attempt;
  const voids = step === shown.step && attempt > shown.attempt && shown.text !== "";
  const before: Shown = isSame ? shown : { ...shown, step, attempt, text: "", carry: "" };
  const piece = screenPiece(before.carry, text);
  return {
    shown: { ...before, seq, text: before.text + text, carry: piece.carry },
    print: (voids ? `\n${AGAIN}` : "") + piece.text,
  };
}

/** The finished answer: prints what is missing of it, or all of it where something else was shown. */
export function showFinished(
  shown: Shown,
  e: Pick<AnswerItem, "text" | "step" | "attempt">,
): Showing {
  const { text: said } = e;
  const whole = said === "" || said.endsWith("\n") ? said : `${said}\n`;
  const isSame = shown.step === e.step && shown.attempt === e.attempt;
  const done: Shown = { ...nothingShown, finished: Math.max(shown.finished, e.step) };
  if (isSame && whole.startsWith(shown.text)) {
    const { text } = screenPiece(shown.carry, whole.slice(shown.text.length));
    return { shown: done, print: text };
  }
  const voids = shown.step === e.step && shown.text !== "";
  return { shown: done, print: (voids ? `\n${AGAIN}` : "") + screen(whole) };
}
