// Colour, where there is colour. What it marks can always be read without it.

export type Paint = {
  dim(text: string): string;
  bold(text: string): string;
  italic(text: string): string;
  underline(text: string): string;
  struck(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
  magenta(text: string): string;
  cyan(text: string): string;
};

const style =
  (open: number, close: number) =>
  (text: string): string =>
    text === "" ? "" : `\x1b[${open}m${text}\x1b[${close}m`;

const coloured: Paint = {
  dim: style(2, 22),
  bold: style(1, 22),
  italic: style(3, 23),
  underline: style(4, 24),
  struck: style(9, 29),
  red: style(31, 39),
  green: style(32, 39),
  yellow: style(33, 39),
  blue: style(34, 39),
  magenta: style(35, 39),
  cyan: style(36, 39),
};

const same = (text: string): string => text;

export const plain: Paint = {
  dim: same,
  bold: same,
  italic: same,
  underline: same,
  struck: same,
  red: same,
  green: same,
  yellow: same,
  blue: same,
  magenta: same,
  cyan: same,
};

/** Whether a stream gets colour: what was asked for, else NO_COLOR and TERM, else a terminal. */
export function paintFor(
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  when: "auto" | "always" | "never",
): Paint {
  if (when === "always") return coloured;
  if (when === "never" || env.NO_COLOR || env.TERM === "dumb") return plain;
  return stream.isTTY ? coloured : plain;
}
