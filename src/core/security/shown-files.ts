// Which files a shell command plainly shows: `cat`, `nl`, `head`, `tail` and `sed -n` on named files,
// perhaps one of them through a pipe. Anything cleverer shows nothing, as far as this can tell.
import { readShell } from "#core/security/shell.ts";

/** A file that a command shows from this line on, counted from 1, to its own limit. */
export type ShownFile = { path: string; from: number };

/** Files of one command that are looked at. */
const FILES_MAX = 20;

/**
 * The files that a command shows if it succeeds. Which lines is not asked, as the `read` tool does
 * not ask either: whoever has seen a part, knows which state of the file it is.
 */
export function shownFiles(command: string): readonly ShownFile[] {
  // Output that goes elsewhere shows nothing; errors may.
  const plain = command.replaceAll(/2>\s*\/dev\/null|2>&1/g, " ");
  const pipes = plain.split("|").length - 1;
  if (/[<>]/.test(plain) || pipes > 1) return [];
  const reading = readShell(command);
  if (reading.kind === "opaque") return [];
  const readers = reading.commands.map(readerOf);
  const [first, second] = readers;
  if (readers.some((reader) => reader === undefined)) return [];
  if (pipes === 1) {
    // One file into one filter: whatever comes out of it is of that file.
    const isPair = readers.length === 2 && first?.paths.length === 1 && second?.paths.length === 0;
    return isPair ? filesOf([first]) : [];
  }
  const all = readers.flatMap((reader) => (reader ? [reader] : []));
  return all.every(({ paths }) => paths.length > 0) ? filesOf(all) : [];
}

type Reader = { paths: readonly string[]; from: number };

const filesOf = (readers: readonly Reader[]): ShownFile[] =>
  readers.flatMap(({ paths, from }) => paths.map((path) => ({ path, from }))).slice(0, FILES_MAX);

function readerOf(argv: readonly string[]): Reader | undefined {
  const [program, ...words] = argv;
  switch (program) {
    case "cat":
      return operands(words, { flags: /^-[nbsAETveu]+$/ });
    case "nl":
      return operands(words, { flags: /^-b[at]$/, valued: /^-b$/ });
    case "head":
    case "tail":
      return counted(words);
    case "sed":
      return sedReader(words);
    default:
      return undefined;
  }
}

function operands(
  words: readonly string[],
  known: { flags: RegExp; valued?: RegExp },
): Reader | undefined {
  const paths: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) paths.push(word);
    else if (known.valued?.test(word)) at += 1;
    else if (!known.flags.test(word)) return undefined;
  }
  return { paths, from: 1 };
}

/** `head` and `tail` with a count of lines above zero; `tail -n +5` begins at line 5. */
function counted(words: readonly string[]): Reader | undefined {
  let rest = words;
  let count = "10";
  const [first = "", second = ""] = words;
  const glued = /^(?:-n|--lines=|-)(\+?\d{1,9})$/.exec(first)?.[1];
  if (glued !== undefined) {
    count = glued;
    rest = words.slice(1);
  } else if (first === "-n") {
    count = second;
    rest = words.slice(2);
  }
  if (!/^\+?[1-9]\d{0,8}$/.test(count) || rest.some((word) => word.startsWith("-"))) {
    return undefined;
  }
  return { paths: rest, from: count.startsWith("+") ? Number(count) : 1 };
}

/** `sed -n '10,20p'`: lines by their numbers, nothing else. */
function sedReader(words: readonly string[]): Reader | undefined {
  const [flag, script = "", ...paths] = words;
  const lines = /^([1-9]\d{0,8})(?:,(?:[1-9]\d{0,8}|\$))?p$/.exec(script)?.[1];
  if (flag !== "-n" || lines === undefined || paths.some((path) => path.startsWith("-"))) {
    return undefined;
  }
  return { paths, from: Number(lines) };
}
