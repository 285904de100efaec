// Names what is in one folder of the workspace, folders first.
import * as z from "zod/mini";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import type { FileKind, FolderEntry } from "#boundary/workspace/port.ts";
import { ok } from "#core/failure.ts";

/** Entries of one answer. */
const ENTRIES_MAX = 500;

const marks: Record<FileKind, string> = { folder: "/", file: "", link: "@", other: "?" };

export const list = defineTool({
  name: "list",
  effect: "pure",
  about: [
    "List one folder, folders first: `name/` is a folder, `name@` a link, `name?` neither file nor",
    "folder. Hidden and ignored entries are listed too. To find files at any depth use `glob`, to",
    `find text \`search\`. At most ${ENTRIES_MAX} entries.`,
  ].join(" "),
  input: z.strictObject({
    path: z.optional(
      z
        .string()
        .check(z.minLength(1), z.maxLength(4_096), z.describe("Folder. Default: the root.")),
    ),
  }),
  example: { path: "src" },
  async prepare({ path = "." }, context) {
    const name = context.workspace.relative(path);
    if (!name.ok) return name;
    return ok({
      access: [{ kind: "read" as const, path: name.value }],
      effect: "pure" as const,
      intent: {},
      title: `list ${name.value}`,
      run: () => listed(name.value, context),
    });
  },
});

async function listed(path: string, { workspace, words }: ToolContext): Promise<ToolOutcome> {
  const entries = await workspace.list(path);
  if (!entries.ok) {
    const found = await workspace.stat(path);
    const isFile = found.ok && found.value.kind === "file";
    if (isFile)
      return refusal({
        ...entries.error,
        say: `\`${path}\` is a file`,
        fix: `\`${words("read")}\` it`,
      });
    return refusal({
      ...entries.error,
      fix: `list the folder above it, or use \`${words("glob")}\``,
    });
  }
  if (entries.value.length === 0) return outcome(`(\`${path}\` is empty)`);
  const sorted = entries.value.toSorted(foldersFirst);
  const names = sorted.slice(0, ENTRIES_MAX).map(({ name, kind }) => inOneLine(name) + marks[kind]);
  const left = sorted.length - names.length;
  if (left > 0) names.push(`(${left} more entries: use \`${words("glob")}\` with a pattern)`);
  return outcome(names.join("\n"));
}

function foldersFirst(a: FolderEntry, b: FolderEntry): number {
  const folders = Number(b.kind === "folder") - Number(a.kind === "folder");
  return folders || (a.name < b.name ? -1 : 1);
}
