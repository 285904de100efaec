// The help: short at first, all of it on request, one command in full. Pure texts from the same
// definitions that the parser reads.
import type { Arg, Command, Level, Option } from "#interfaces/cli/command.ts";
import { usageOf } from "#interfaces/cli/command.ts";
import { exitCodes } from "#interfaces/cli/exit.ts";
import { type Paint, plain } from "#interfaces/cli/paint.ts";
import { commonOptions } from "#interfaces/cli/parse.ts";

const titles: Record<Level, string> = {
  everyday: "Every day",
  advanced: "Now and then",
  operator: "Looking after it",
};

const intro = `Aiex, a coding assistant. Every session is a log that nothing is lost from.

  aiex               talk about the folder you are in
  aiex ask "…"       ask once; the answer goes to standard output
  aiex demo          see it at work, without a model
`;

/** The commands, everyday ones or all of them. */
export function overview(all: readonly Command[], options: { whole: boolean }, paint: Paint) {
  const levels: Level[] = options.whole ? ["everyday", "advanced", "operator"] : ["everyday"];
  const groups = levels.map((level) => {
    const rows = all
      .filter((command) => command.level === level)
      .map(({ name, about }) => ({ left: name, right: about }));
    return `${paint.bold(titles[level])}\n${table(rows, paint)}`;
  });
  const more = options.whole
    ? `${paint.bold("Exit codes")}\n${exitTable(paint)}\n`
    : "`aiex help --all` shows every command, `aiex help <command>` explains one.\n";
  return `${intro}\n${groups.join("\n")}\n${more}`;
}

export const exitTable = (paint: Paint): string =>
  table(
    Object.entries(exitCodes).map(([code, about]) => ({ left: code, right: about })),
    paint,
  );

/** The commands of a group such as `session`. */
export function groupHelp(group: string, all: readonly Command[], paint: Paint): string {
  const members = all.filter(({ name }) => name === group || name.startsWith(`${group} `));
  const rows = members.map((command) => ({ left: usageOf(command), right: command.about }));
  return `${table(rows, paint)}\n\`aiex help ${group} <verb>\` explains one.\n`;
}

/** Everything about one command. */
export function helpOf(command: Command, paint: Paint = plain): string {
  const { about, more, args = [], options = {}, examples } = command;
  const parts = [`${usageOf(command)}\n\n${about}\n`];
  if (more) parts.push(`${wrapped(more.replaceAll(/\s+/g, " "), WIDTH).join("\n")}\n`);
  if (args.length > 0) parts.push(`${paint.bold("Arguments")}\n${table(args.map(argRow), paint)}`);
  const rows = Object.entries({ ...options, ...commonOptions }).map(optionRow);
  parts.push(`${paint.bold("Options")}\n${table(rows, paint)}`);
  if (examples.length > 0) {
    const lines = examples.map((example) => `  ${example}\n`).join("");
    parts.push(`${paint.bold("Examples")}\n${lines}`);
  }
  return parts.join("\n");
}

const argRow = ({ name, about }: Arg) => ({ left: name, right: about });

function optionRow([name, option]: [string, Option]) {
  const { short, value, choices, many, about } = option;
  const letter = short ? `-${short}, ` : "    ";
  const typed = value === undefined ? "" : ` <${value}>`;
  const which = choices ? ` One of: ${choices.join(", ")}.` : "";
  const often = many ? " May be repeated." : "";
  return { left: `${letter}--${name}${typed}`, right: `${about}${which}${often}` };
}

const WIDTH = 80;
const LEFT_MAX = 28;

/** Two columns, the right one wrapped at `WIDTH`. */
export function table(rows: readonly { left: string; right: string }[], paint: Paint): string {
  const wide = Math.min(LEFT_MAX, Math.max(0, ...rows.map(({ left }) => left.length)));
  const gap = " ".repeat(wide + 4);
  return rows
    .map(({ left, right }) => {
      const lines = wrapped(right, WIDTH - gap.length);
      const first = left.length > wide ? `  ${left}\n${gap}` : `  ${left.padEnd(wide)}  `;
      return `${first}${paint.dim(lines.join(`\n${gap}`))}\n`;
    })
    .join("");
}

/** The words of a text in lines of at most this many characters. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
