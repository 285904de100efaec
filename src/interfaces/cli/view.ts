// A turn on a screen: in a terminal the answer as it comes, elsewhere the last answer on standard
// output and everything else on standard error.
import type { Entry } from "#app";
import { screen } from "#core/security/screen.ts";
import {
  type AnswerItem,
  emptyTranscript,
  follow,
  type Item,
  settled,
  type Transcript,
} from "#core/session/transcript.ts";
import { type Live, nothingShown, showFinished, showLive } from "#interfaces/cli/answer.ts";
import { cut, width } from "#interfaces/cli/figures.ts";
import { first, type Line, linesOf, stopLines, titleOf } from "#interfaces/cli/render.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";
import { kept, lineBegun, wrap } from "#interfaces/cli/wrap.ts";

/** Whatever shows a turn to somebody: a person or a program. */
export type TurnView = {
  event(entry: Entry): void;
  live(item: Live): void;
};

/** `session` is named where the turn ends, so that it can be gone on with. */
export function textView(
  terminal: Terminal,
  options: { session?: string; from?: Transcript } = {},
): TurnView {
  let shown = nothingShown;
  let line = lineBegun;
  let { from: transcript = emptyTranscript } = options;

  /** Text of an answer, broken at words. */
  function print(text: string): void {
    const [next, out] = wrap(line, text, terminal.columns);
    line = next;
    terminal.out(out);
  }

  function answer(item: AnswerItem): void {
    if (terminal.live) {
      const showing = showFinished(shown, item);
      shown = showing.shown;
      print(showing.print);
    } else {
      const text = screen(item.text).trimEnd();
      (item.stop === "calls" ? terminal.err : terminal.out)(text === "" ? "" : `${text}\n`);
    }
    for (const line of stopLines(item)) say(terminal, line);
  }

  function show(item: Item): void {
    if (isSeen(item)) return;
    if (line.column > 0 || line.word !== "") terminal.out(kept(line, terminal.columns));
    line = lineBegun;
    const lines = linesOf(item, "glance");
    for (const [i, said] of lines.entries()) {
      if (said.kind === "ask") continue;
      const isLast = item.type === "end" && i === lines.length - 1;
      const named = isLast && options.session ? `session ${options.session} · ` : "";
      say(terminal, { ...said, text: named + said.text });
    }
  }

  return {
    live(item) {
      if (item.type === "waiting") return terminal.status(item.why);
      if (!terminal.live) return;
      const showing = showLive(shown, item);
      shown = showing.shown;
      print(showing.print);
    },
    event({ record, decoded }) {
      const { items, rest } = settled(follow(transcript, record, decoded));
      transcript = rest;
      for (const item of items) {
        if (item.type === "answer") answer(item);
        else show(item);
      }
      const e = decoded.kind === "event" ? decoded.event : null;
      if (e?.type === "StepStarted") terminal.status(`${e.model} is answering`);
      if (e?.type === "ToolStarted") terminal.status(`${first(titleOf(e))} …`);
    },
  };
}

/** What somebody who watches has just seen or done. */
const isSeen = (item: Item): boolean =>
  item.type === "prompt" ||
  (item.type === "note" &&
    (item.event.type === "PromptQueued" || item.event.type === "CancelRequested"));

/** A line about the work, on standard error. */
export function say(terminal: Terminal, line: Line): void {
  terminal.err(`${drawn(terminal, line)}\n`);
}

/** A line in its colours. What a tool did fits on one line of a terminal; nothing else is cut. */
export function drawn({ paint: { err: paint }, columns, live }: Terminal, line: Line): string {
  const { kind, text, end = "" } = line;
  const whole = `  ${text}${end}`;
  const fitted = live ? cutBefore(`  ${text}`, end, columns) : whole;
  switch (kind) {
    case "prompt":
      return paint.bold(text.replaceAll(/^/gm, "> "));
    case "answer":
      return text;
    case "trouble":
      return paint.yellow(fitted);
    case "added":
      return paint.green(fitted);
    case "removed":
      return paint.red(fitted);
    case "fault":
    case "ask":
      return paint.yellow(whole);
    case "work":
    case "output":
      return paint.dim(fitted);
    case "note":
      return paint.dim(whole);
  }
}

/** Columns that a title keeps where what stands at its end is long. */
const TITLE_COLUMNS_MIN = 20;

/** A text cut so that what stands at its end stays whole, unless it leaves no room. */
function cutBefore(text: string, end: string, columns: number): string {
  const taken = width(end);
  return columns - taken < TITLE_COLUMNS_MIN
    ? cut(text + end, columns)
    : cut(text, columns - taken) + end;
}
