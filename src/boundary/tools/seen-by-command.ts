// Files that a plain command such as `cat` or `sed -n` shows count as read, so that a model that
// reads by the shell may edit. As with the `read` tool a part is enough, and what is seen is one
// state: the file must have been the same before and after the command.
import { sha256 } from "#boundary/digest.ts";
import type { Collected } from "#boundary/tools/output.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import { FILE_BYTES_MAX, isBinary } from "#boundary/tools/text-file.ts";
import type { CommandEnd } from "#boundary/workspace/sandbox-port.ts";
import { linesOf, sourceText } from "#core/code/lines.ts";
import { shownFiles } from "#core/security/shown-files.ts";
import type { Fact } from "#core/session/tool-facts.ts";

type Before = { path: string; hash: string };

/** The files that the command is about to show, as they are now; none where it is not plain. */
export async function plainlyShown(
  command: string,
  cwd: string,
  { workspace }: ToolContext,
): Promise<readonly Before[]> {
  const found: Before[] = [];
  for (const { path: given, from } of shownFiles(command)) {
    const path = workspace.relative(given.startsWith("/") ? given : `${cwd}/${given}`);
    const bytes = path.ok ? await workspace.read(path.value, { bytesMax: FILE_BYTES_MAX }) : path;
    if (!path.ok || !bytes.ok || isBinary(bytes.value)) continue;
    // A window behind the end of the file shows nothing of it.
    const lines = linesOf(sourceText(new TextDecoder().decode(bytes.value))).length;
    if (from <= Math.max(1, lines)) found.push({ path: path.value, hash: sha256(bytes.value) });
  }
  return found;
}

/** What the session has seen by it: nothing where the command failed, was cut off or said nothing. */
export async function seenFacts(
  before: readonly Before[],
  { end, output }: { end: CommandEnd; output: Collected },
  { workspace }: ToolContext,
): Promise<Fact[]> {
  if (end.code !== 0 || end.ended !== "exit" || output.length === 0) return [];
  const facts: Fact[] = [];
  for (const { path, hash } of before) {
    const now = await workspace.hash(path);
    if (now.ok && now.value === hash) facts.push({ type: "fileSeen", path, hash });
  }
  return facts;
}
