// Finds files of the workspace by their names, those changed last first. Ignored files are left out.
import * as z from "zod/mini";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { nameIn, ripgrep, visibleFiles } from "#boundary/tools/ripgrep.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import { fail, ok } from "#core/failure.ts";

/** Files of one answer. */
const FILES_MAX = 200;
/** Files that are counted beyond those shown. */
const COUNTED_MAX = 10_000;

export const glob = defineTool({
  name: "glob",
  effect: "pure",
  about: [
    "Find files by name, those changed last first. Patterns are as in .gitignore: `*.ts` at any",
    "depth, `src/**/*.ts` below src, `{a,b}.md` either. Hidden files are found, files that .gitignore",
    "names are not. To find text use `search`; to see one folder use `list`.",
    `At most ${FILES_MAX} files.`,
  ].join(" "),
  input: z.strictObject({
    pattern: z.string().check(z.minLength(1), z.maxLength(500), z.describe("Glob pattern.")),
    path: z.optional(
      z
        .string()
        .check(
          z.minLength(1),
          z.maxLength(4_096),
          z.describe("Folder to look in. Default: the root."),
        ),
    ),
  }),
  example: { pattern: "**/*.test.ts", path: "src" },
  async prepare({ pattern, path = "." }, context) {
    const folder = context.workspace.relative(path);
    if (!folder.ok) return folder;
    if (pattern.startsWith("!")) {
      return fail("bad_input", "a pattern that begins with `!` finds everything else", {
        fix: "say what to find instead",
      });
    }
    return ok({
      access: [{ kind: "read" as const, path: folder.value }],
      effect: "pure" as const,
      intent: {},
      title: `glob ${pattern} in ${folder.value}`,
      run: ({ signal }) => found(pattern, folder.value, context, signal),
    });
  },
});

async function found(
  pattern: string,
  folder: string,
  { workspace }: ToolContext,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const visible = await visibleFiles(workspace, { folder, signal });
  if (!visible.ok) return refusal(visible.error);
  const files: string[] = [];
  let left = 0;
  const take = (file: string) => {
    if (!visible.value.has(file)) return false;
    if (files.length < FILES_MAX) files.push(file);
    else left += 1;
    return left >= COUNTED_MAX;
  };
  const args = ["--files", "--null", "--sortr=modified", `--glob=${pattern}`, "--glob=!.git", "./"];
  const run = await ripgrep(workspace, { args, folder, separator: "\0", signal, take });
  if (!run.ok) return refusal(run.error);
  if (files.length === 0 && run.value.problem !== "") {
    const failed = fail("bad_input", `the pattern cannot be used: ${run.value.problem}`, {
      fix: "write it like `src/**/*.{ts,tsx}`",
    });
    return refusal(failed.error);
  }
  const notes: string[] = [];
  if (files.length === 0) notes.push(`(no file in \`${folder}\` matches \`${pattern}\`)`);
  const count = run.value.ended === "done" ? `${left}` : `at least ${left}`;
  if (left > 0) notes.push(`(${count} more files: use a narrower pattern or a folder)`);
  if (run.value.ended === "timeout") notes.push("(stopped by the time limit; give a folder)");
  // A folder swapped for a link while ripgrep walked may have led it out: name what is inside.
  const names: string[] = [];
  for (const file of files) {
    const name = nameIn(folder, file);
    if ((await workspace.stat(name)).ok) names.push(inOneLine(name));
  }
  return outcome([...names, ...notes].join("\n"));
}
