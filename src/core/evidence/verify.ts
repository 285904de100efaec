// The commands whose success proves something, and whether what was run is one of them as it is. What
// a shell would make of a text is never guessed: anything but the command alone, in the folder that
// it belongs to, counts as another command.
import { relativeTo } from "#core/security/paths.ts";
import { readShell } from "#core/security/shell.ts";

/** A command by which a project checks itself. */
export type VerifyCommand = {
  command: string;
  /** The folder it belongs to, workspace-relative; it speaks for the files below it. */
  folder: string;
  /** Files of the workspace that it is made of: a script that it names, and so on. */
  files: readonly string[];
  /** It always counts its tests: a run without a count ran none, or was ended before. */
  counts?: boolean;
};

/** Verify commands of a location. */
export const VERIFY_COMMANDS_MAX = 50;
/** Characters of one. */
const COMMAND_CHARS_MAX = 1_000;

/** What would let it end with 0 although a part of it failed, or hide what it says. */
const MORE_THAN_ONE = /[|;<>\n]|(?<!&)&(?!&)|&&&/;

/** Why a text can prove nothing, or null: words and quotes, several commands joined by `&&`. */
export function defectOfVerify(text: string): string | null {
  if (text.trim() === "") return "it is empty";
  if (text.length > COMMAND_CHARS_MAX) return `it has more than ${COMMAND_CHARS_MAX} characters`;
  if (MORE_THAN_ONE.test(text)) {
    return "only `&&` may join its parts, and nothing may be redirected: else it can end well although a part of it failed";
  }
  const reading = readShell(text);
  return reading.kind === "opaque" ? reading.why : null;
}

export type Matched =
  | { is: "verify"; command: VerifyCommand }
  /** It has a verify command in it, but was not that command as it is. */
  | { is: "near"; command: VerifyCommand; why: string }
  | { is: "other" };

/** What a command that was run in `cwd` (workspace-relative) of the workspace at `root` was. */
export function matched(
  ran: { text: string; cwd: string; root: string },
  commands: readonly VerifyCommand[],
): Matched {
  const text = ran.text.trim();
  const moved = movedBy(text, ran);
  const { folder, rest } = moved ?? { folder: ran.cwd, rest: text };
  const same = commands.filter(({ command }) => isSame(rest, command));
  const here = same.find((one) => one.folder === folder);
  if (here) return { is: "verify", command: here };
  const [elsewhere] = same;
  if (elsewhere) {
    const why = `it belongs to ${elsewhere.folder} and was run in ${folder}`;
    return { is: "near", command: elsewhere, why };
  }
  const within = commands.find(({ command }) => text.includes(command));
  return within
    ? { is: "near", command: within, why: `it was not run as it is: ${whatElse(text)}` }
    : { is: "other" };
}

/** `cd FOLDER && …`, which changes nothing but the folder. */
function movedBy(text: string, { cwd, root }: { cwd: string; root: string }) {
  const [, to, rest] =
    /^cd[ \t]+([^\s;|&<>]+|"[^"]*"|'[^']*')[ \t]*&&[ \t]*(.*)$/s.exec(text) ?? [];
  if (to === undefined || rest === undefined) return null;
  const reading = readShell(`cd ${to}`);
  const path = reading.kind === "literal" ? reading.commands[0]?.[1] : undefined;
  if (path === undefined || path === "" || path.startsWith("-")) return null;
  const folder = relativeTo(root, path.startsWith("/") ? path : `${cwd}/${path}`);
  return folder.ok ? { folder: folder.value, rest: rest.trim() } : null;
}

/** The same text, or the same words of one single command. */
function isSame(text: string, command: string): boolean {
  if (text === command.trim()) return true;
  if (MORE_THAN_ONE.test(text) || text.includes("&")) return false;
  const [one, other] = [readShell(text), readShell(command)];
  if (one.kind === "opaque" || other.kind === "opaque") return false;
  if (one.commands.length !== 1 || other.commands.length !== 1) return false;
  return JSON.stringify(one.commands) === JSON.stringify(other.commands);
}

function whatElse(text: string): string {
  if (/\|\|/.test(text)) return "with `||` it ends well although it failed";
  if (/\|/.test(text)) return "a pipe ends as its last command does";
  if (/[;\n]/.test(text)) return "it ends as its last command does";
  if (/[<>]/.test(text)) return "what it prints was redirected";
  if (/(?<!&)&(?!&)/.test(text)) return "it was left in the background of the shell";
  return "more was typed with it";
}

/** Runners that print how many tests they ran, unless they are told to print otherwise. */
const COUNTING =
  /\b(?:pytest|unittest|vitest|jest|mocha|rspec|phpunit|ctest|prove|bats|cargo test|mix test|node --test)\b/;
const OTHERWISE =
  /(?:^|\s)-q|--?(?:quiet|silent|reporter|format|json|list|printer|progress)|\bsh\b/;

/** Whether a command, with what it runs, always counts its tests. */
export const isCounting = (text: string): boolean => COUNTING.test(text) && !OTHERWISE.test(text);

/** What lets a script end well although a part of it failed; `-` begins such a line for make. */
const FORGIVING = /\||(?<!&)&(?!&)|;\s*(?:true|:|exit 0|echo)(?:\s|$)|^\t@?-|\bset \+e\b/m;

/** Whether a script may end with 0 although its tests failed. */
export const isForgiving = (definition: string): boolean => FORGIVING.test(definition);

/** The paths below `folder` that a command, or what it runs, names; workspace-relative. */
export function filesNamedIn(text: string, folder: string): string[] {
  const words = text.split(/[\s;|&<>()"'`=,]+/).filter((word) => /[./]/.test(word));
  const paths = words.flatMap((word) => {
    const path = relativeTo("/w", word.startsWith("/") ? word : `${folder}/${word}`);
    return path.ok && path.value !== "." && !path.value.endsWith("...") ? [path.value] : [];
  });
  return [...new Set(paths)].slice(0, FILES_MAX);
}

/** Files that one verify command may name. */
const FILES_MAX = 50;
