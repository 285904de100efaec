// What is another in files, as text: a line for each path, and the changed lines of texts.
import type { PathDifference } from "#app";
import { reveal, screen } from "#core/security/screen.ts";
import { ABSENT } from "#core/tree/entry.ts";
import { diffLines } from "#interfaces/cli/changes.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";
import { drawn } from "#interfaces/cli/view.ts";

/** Lines of one file's difference. */
const LINES = 400;

export function differenceText(
  differences: readonly PathDifference[],
  terminal: Terminal,
  { stat, json }: { stat: boolean; json: boolean },
): string {
  if (json) return differences.map((one) => `${JSON.stringify(one)}\n`).join("");
  if (differences.length === 0) return "no file is another\n";
  return differences.map((one) => textOf(one, terminal, stat)).join("");
}

function textOf({ path, before, after, diff }: PathDifference, terminal: Terminal, stat: boolean) {
  const what = before === ABSENT ? "new    " : after === ABSENT ? "gone   " : "changed";
  const paint = terminal.paint.out;
  const head = `${paint.bold(`${what} ${reveal(path)}`)}\n`;
  if (stat || !diff) return head;
  const screenOf = { ...terminal, paint: { ...terminal.paint, err: paint } };
  const lines = diffLines(screen(diff), LINES).map(({ kind, text }) => {
    const shown = { kind: kind === "context" ? ("output" as const) : kind, text: `  ${text}` };
    return `${drawn(screenOf, shown)}\n`;
  });
  return head + lines.join("");
}
