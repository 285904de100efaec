// Finds text in the files of the workspace, by regular expression or literally, with ripgrep.
import * as z from "zod/mini";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { nameIn, type RipgrepEnd, ripgrep, visibleFiles } from "#boundary/tools/ripgrep.ts";
import { confirmed, type Found, searchLines, shownLine } from "#boundary/tools/search-lines.ts";
import { FILE_BYTES_MAX } from "#boundary/tools/text-file.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { isSecretFile } from "#core/security/secret-files.ts";

/** Matching lines of one answer. */
const MATCHES_MAX = 100;
/** Matching lines that are counted in all. */
const COUNTED_MAX = 10_000;
/** UTF-8 bytes of one answer. */
const OUTPUT_BYTES_MAX = 30 * 1024;
/** Lines around each match. */
const CONTEXT_LINES_MAX = 10;
/** Files larger than `FILE_BYTES_MAX` are not searched; as ripgrep writes it. */
const FILESIZE_MAX = "10M";

const input = z.strictObject({
  pattern: z
    .string()
    .check(z.minLength(1), z.maxLength(1_000), z.describe("Regular expression (Rust syntax).")),
  path: z.optional(
    z
      .string()
      .check(z.minLength(1), z.maxLength(4_096), z.describe("Folder or file. Default: the root.")),
  ),
  glob: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(500),
        z.describe("Only files like this: *.ts, !*.test.ts"),
      ),
  ),
  literal: z.optional(z.boolean().check(z.describe("Take the pattern as plain text."))),
  ignoreCase: z.optional(z.boolean().check(z.describe("Upper and lower case are the same."))),
  context: z.optional(
    z.int().check(z.gte(0), z.lte(CONTEXT_LINES_MAX), z.describe("Lines around each match.")),
  ),
});

type Search = z.output<typeof input>;

export const search = defineTool({
  name: "search",
  effect: "pure",
  about: [
    "Find text in files by regular expression, or literally with `literal: true`; line by line.",
    "Hidden files are searched; files that .gitignore names, files that rules keep from you, binary",
    `files and files over ${FILESIZE_MAX}B are not. To find files by name use \`glob\`. At most ${MATCHES_MAX} matching`,
    `lines and ${OUTPUT_BYTES_MAX / 1024} KB; the answer says how many were left out.`,
  ].join(" "),
  input,
  example: { pattern: "function \\w+Total\\(", path: "src", glob: "*.ts", context: 2 },
  async prepare(wanted, context) {
    const path = context.workspace.relative(wanted.path ?? ".");
    if (!path.ok) return path;
    return ok({
      access: [{ kind: "read" as const, path: path.value }],
      effect: "pure" as const,
      intent: {},
      title: `search ${wanted.pattern} in ${path.value}`,
      run: ({ signal }) => searched(wanted, path.value, context, signal),
    });
  },
});

async function searched(
  wanted: Search,
  path: string,
  { workspace, readable, words }: ToolContext,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const stat = await workspace.stat(path);
  if (!stat.ok) {
    const fix = `find the right path with \`${words("glob")}\` or \`${words("list")}\``;
    return refusal({ ...stat.error, fix });
  }
  const lines = searchLines({ matchesMax: MATCHES_MAX, countedMax: COUNTED_MAX });
  const args = argsOf(wanted);
  let run: Result<RipgrepEnd>;
  if (stat.value.kind === "folder") {
    // A pattern of files that only takes away brings no ignored file back.
    const brings = wanted.glob !== undefined && !wanted.glob.startsWith("!");
    const visible = brings ? await visibleFiles(workspace, { folder: path, signal }) : undefined;
    if (visible && !visible.ok) return refusal(visible.error);
    const mayRead = await readable();
    const take = lines.taker((file) => {
      if (visible && !visible.value.has(file)) return "passed over";
      // Counting its matches would tell a secret piece by piece.
      if (isSecretFile(nameIn(path, file)) && !mayRead(nameIn(path, file))) return "passed over";
      return mayRead(nameIn(path, file)) ? "shown" : "withheld";
    });
    const where = { folder: path, separator: "\n" as const, signal };
    run = await ripgrep(workspace, { ...where, args: [...args, "./"], take });
  } else {
    // A single file is read by the workspace, which no link can deceive.
    const bytes = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
    if (!bytes.ok) return refusal(bytes.error);
    const take = lines.taker(() => "shown");
    const where = { folder: ".", separator: "\n" as const, signal, input: bytes.value };
    run = await ripgrep(workspace, { ...where, args: [...args, "-"], take });
  }
  if (!run.ok) return refusal(run.error);
  const found = lines.found();
  const withheld = lines.withheld();
  if (found.matches + withheld.matches === 0 && run.value.problem !== "") {
    const failed = fail("bad_input", `the search cannot be made: ${run.value.problem}`, {
      fix: `correct the pattern, or set \`${words("search.literal")}: true\` to search for plain text`,
    });
    return refusal(failed.error);
  }
  const nameOf = (file: string) => (stat.value.kind === "folder" ? nameIn(path, file) : path);
  const inside = await confirmed(found, async (file) => {
    const bytes = await workspace.read(nameOf(file), { bytesMax: FILE_BYTES_MAX });
    return bytes.ok ? bytes.value : undefined;
  });
  const answer = answerOf(inside, run.value, nameOf);
  return outcome(withheld.files === 0 ? answer : `${answer}\n${withheldSay(withheld)}`);
}

const withheldSay = ({ files, matches }: { files: number; matches: number }): string =>
  `(${matches} matching ${matches === 1 ? "line" : "lines"} in ${files} ` +
  `${files === 1 ? "file" : "files"} left out: the user's rules do not let you read there unasked)`;

function argsOf({ glob, literal, ignoreCase, context, pattern }: Search): string[] {
  return [
    "--json",
    "--crlf",
    "--sort=path",
    `--max-filesize=${FILESIZE_MAX}`,
    `--context=${context ?? 0}`,
    ...(literal ? ["--fixed-strings"] : []),
    ...(ignoreCase ? ["--ignore-case"] : []),
    ...(glob === undefined ? [] : [`--glob=${glob}`]),
    "--glob=!.git",
    "--",
    pattern,
  ];
}

function answerOf(
  { matches, files }: Found,
  run: RipgrepEnd,
  nameOf: (file: string) => string,
): string {
  const out: string[] = [];
  let bytes = 0;
  let shown = 0;
  const fits = (line: string) => {
    bytes += Buffer.byteLength(line) + 1;
    return bytes <= OUTPUT_BYTES_MAX;
  };
  filling: for (const { name, lines } of files) {
    const heading = inOneLine(nameOf(name));
    if (!fits(heading)) break;
    out.push(heading);
    for (const each of lines) {
      const line = shownLine(each);
      if (!fits(line)) break filling;
      out.push(line);
      if (each.isMatch) shown += 1;
    }
  }
  if (matches === 0) out.push("(no match)");
  const left = matches - shown;
  const atLeast = run.ended === "done" ? "" : "at least ";
  if (left > 0) {
    out.push(`(${atLeast}${left} more matching lines: narrow it by pattern, path or glob)`);
  }
  if (run.ended === "timeout") out.push("(stopped by the time limit: give a smaller folder)");
  return out.join("\n");
}
