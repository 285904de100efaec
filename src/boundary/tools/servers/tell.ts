// What language servers say, in lines for a model: errors, and places with the line that is there.
import type { ToolContext } from "#boundary/tools/port.ts";
import { fileAt } from "#boundary/tools/servers/documents.ts";
import type { Reported } from "#boundary/tools/servers/shapes.ts";
import type { Found } from "#boundary/tools/servers/talk.ts";
import { presentFile, textIn } from "#boundary/tools/text-file.ts";
import { inOneLine } from "#boundary/tools/tool.ts";

/** Characters of one message, and of one shown line. */
const MESSAGE_CHARACTERS_MAX = 300;
const LINE_CHARACTERS_MAX = 200;
/** Files whose lines are shown in one answer. */
const FILES_MAX = 100;

export const isError = ({ severity = 1 }: Reported): boolean => severity === 1;
export const isWarning = ({ severity = 1 }: Reported): boolean => severity === 2;

/** One of them in a line: `src/a.ts:3:5 error 2322: …`. */
export function lineOf(path: string, one: Reported): string {
  const { start } = one.range;
  const code = one.code === undefined ? "" : ` ${one.code}`;
  const kind = isError(one) ? "error" : "warning";
  const said = one.message.replaceAll(/\s+/g, " ").slice(0, MESSAGE_CHARACTERS_MAX);
  return `${inOneLine(path)}:${start.line + 1}:${start.character + 1} ${kind}${code}: ${said}`;
}

/** What tells two of them apart, wherever they stand. */
export const keyOf = ({ code, message }: Reported): string => `${code}\0${message}`;

/** Places in order, each with its line as far as the policy lets the session read the file. */
export async function placesTold(
  found: readonly Found[],
  { workspace, readable }: Pick<ToolContext, "workspace" | "readable">,
): Promise<string[]> {
  const mayRead = await readable();
  const texts = new Map<string, readonly string[] | null>();
  const linesIn = async (path: string): Promise<readonly string[] | null> => {
    const known = texts.get(path);
    if (known !== undefined || texts.size >= FILES_MAX) return known ?? null;
    const present = mayRead(path) ? await presentFile(workspace, path) : null;
    const text = present?.ok ? textIn(present.value) : null;
    const lines = text?.ok ? text.value.split(/\r\n|\n|\r/) : null;
    texts.set(path, lines);
    return lines;
  };
  const told: string[] = [];
  for (const { uri, range } of found) {
    const file = fileAt(workspace.root, uri);
    if (!file) continue;
    const line = range.start.line;
    const isInside = "inside" in file;
    const path = isInside ? file.inside : file.outside;
    const shown = isInside ? (await linesIn(path))?.[line]?.trim() : undefined;
    const where = `${inOneLine(path)}:${line + 1}`;
    told.push(shown === undefined ? where : `${where}\t${shown.slice(0, LINE_CHARACTERS_MAX)}`);
  }
  return told;
}
