// A turn on a screen: in a terminal the answer as it comes, elsewhere the last answer on standard
// output and everything else on standard error.
import type { Entry } from "#app";
import { textOf } from "#core/model/message.ts";
import { screen } from "#core/security/screen.ts";
import type { SessionEvent } from "#core/session/events.ts";
import {
  type Live,
  nothingShown,
  type Showing,
  type Shown,
  showFinished,
  showLive,
} from "#interfaces/cli/answer.ts";
import { cut } from "#interfaces/cli/figures.ts";
import {
  first,
  type Known,
  type Line,
  nothingKnown,
  stopLines,
  tell,
  titleOf,
} from "#interfaces/cli/render.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

/** Whatever shows a turn to somebody: a person or a program. */
export type TurnView = {
  event(entry: Entry): void;
  live(item: Live): void;
};

/** `session` is named where the turn ends, so that it can be gone on with. */
export function textView(
  terminal: Terminal,
  options: { session?: string; known?: Known } = {},
): TurnView {
  let shown: Shown = nothingShown;
  let { known = nothingKnown } = options;

  function print({ shown: next, print }: Showing): void {
    shown = next;
    terminal.out(print);
  }

  return {
    live(item) {
      if (item.type === "waiting") terminal.status(item.why);
      else if (terminal.live) print(showLive(shown, item));
    },
    event(entry) {
      const told = tell(known, entry);
      known = told.known;
      const e = entry.decoded.kind === "event" ? entry.decoded.event : null;
      if (e?.type === "StepCompleted") {
        if (terminal.live) print(showFinished(shown, e));
        else (e.stop === "calls" ? terminal.err : terminal.out)(answerOf(e));
        for (const line of stopLines(e)) say(terminal, line);
        return;
      }
      for (const line of told.lines) {
        if (line.kind === "prompt" || line.kind === "ask" || isKnown(e)) continue;
        const isLast = e?.type === "TurnEnded" && line === told.lines.at(-1);
        const named = isLast && options.session ? `session ${options.session} · ` : "";
        say(terminal, { ...line, text: named + line.text });
      }
      if (e?.type === "StepStarted") terminal.status(`${e.model} is answering`);
      if (e?.type === "ToolStarted") terminal.status(`${first(titleOf(e))} …`);
    },
  };
}

/** What somebody who watches has just seen or done. */
const isKnown = (e: SessionEvent | null): boolean =>
  e?.type === "PromptQueued" || e?.type === "CancelRequested";

function answerOf(e: Parameters<typeof showFinished>[1]): string {
  const text = screen(textOf(e.parts)).trimEnd();
  return text === "" ? "" : `${text}\n`;
}

/** A line about the work, on standard error. */
export function say(terminal: Terminal, line: Line): void {
  terminal.err(`${drawn(terminal, line)}\n`);
}

/** A line in its colours. What a tool did fits on one line of a terminal; nothing else is cut. */
export function drawn({ paint: { err: paint }, columns, live }: Terminal, line: Line): string {
  const { kind, text } = line;
  const fitted = (indented: string) => (live ? cut(indented, columns) : indented);
  switch (kind) {
    case "prompt":
      return paint.bold(text.replaceAll(/^/gm, "> "));
    case "answer":
      return text;
    case "trouble":
      return paint.yellow(fitted(`  ${text}`));
    case "fault":
    case "ask":
      return paint.yellow(`  ${text}`);
    case "work":
      return paint.dim(fitted(`  ${text}`));
    case "note":
      return paint.dim(`  ${text}`);
  }
}
