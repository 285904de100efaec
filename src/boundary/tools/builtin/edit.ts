// Changes parts of a file by search and replace: several in one call, each made at exactly one
// place or refused, all of them reported.

import * as z from "zod/mini";
import { sha256 } from "#boundary/digest.ts";
import {
  bytesOf,
  checkSeen,
  maskedText,
  numbered,
  presentFile,
  textIn,
} from "#boundary/tools/text-file.ts";
import { defineTool, outcome, refusal, reported } from "#boundary/tools/tool.ts";
import { closestPlace } from "#core/code/closest.ts";
import { countsOf, keptDiff, unifiedDiff } from "#core/code/diff.ts";
import { applyEdits, type Edit, type EditReport, type Region } from "#core/code/edit.ts";
import { linesOf, sourceText } from "#core/code/lines.ts";
import { tolerances } from "#core/code/tolerance.ts";
import { type Failed, fail, ok, sentenceOf } from "#core/failure.ts";

/** Edits of one call. */
const EDITS_MAX = 50;
/** UTF-16 units of `old` and of `new`. */
const TEXT_CHARACTERS_MAX = 200_000;
/** UTF-16 units looked through by one call: each edit may look through the whole file. */
const SEARCHED_CHARACTERS_MAX = 10_000_000;
/** Lines shown before and after what was changed. */
const AROUND_LINES = 2;
/** Lines shown of one changed region. */
const REGION_LINES_MAX = 12;
/** Changed regions shown of one edit. */
const REGIONS_MAX = 3;
/** UTF-16 units of a shown line. */
const LINE_CHARACTERS_MAX = 300;
/** UTF-16 units of all reports on edits; of further ones the first line is shown. */
const REPORT_CHARACTERS_MAX = 20_000;
/** Lines shown of a file that has changed since it was read. */
const PRESENT_LINES_MAX = 40;

export const edit = defineTool({
  name: "edit",
  effect: "verifiable",
  about: [
    "Replace text in a file that you have `read`. Each edit gives `old`, copied exactly from the",
    "file without line numbers and long enough to be there only once, and `new`. White space at",
    "line ends, line endings, common indentation and curly quotes may differ; what is ambiguous is",
    "refused with its places. `all: true` replaces every place. Edits are made in order, each on",
    "what the last one left; those that fit are kept, the others are reported. For new files use",
    `\`write\`. At most ${EDITS_MAX} edits of ${TEXT_CHARACTERS_MAX} characters.`,
  ].join(" "),
  input: z.strictObject({
    path: z
      .string()
      .check(z.minLength(1), z.maxLength(4_096), z.describe("Path in the workspace.")),
    edits: z
      .array(
        z.strictObject({
          old: z.string().check(z.maxLength(TEXT_CHARACTERS_MAX), z.describe("Text to replace.")),
          new: z
            .string()
            .check(z.maxLength(TEXT_CHARACTERS_MAX), z.describe("Text instead of it.")),
          all: z.optional(z.boolean().check(z.describe("Replace every place. Default false."))),
        }),
      )
      .check(z.minLength(1), z.maxLength(EDITS_MAX)),
  }),
  example: {
    path: "src/sum.ts",
    edits: [{ old: "  return a - b;", new: "  return a + b;" }],
  },
  async prepare({ path: given, edits }, context) {
    const { workspace, words } = context;
    const present = await presentFile(workspace, given);
    if (!present.ok) return present;
    const { path, hash: before } = present.value;
    if (before === "absent") {
      return fail("not_found", `\`${path}\` does not exist`, {
        fix: `create it with \`${words("write")}\`, or find the right path with \`${words("glob")}\``,
      });
    }
    const text = textIn(present.value);
    if (!text.ok) return text;
    const texts = edits.flatMap((one) => [one.old, one.new]);
    const masked = maskedText(texts, text.value);
    if (masked) return masked;
    const unseen = checkSeen(context, present.value, () => presentWindow(text.value, edits));
    if (unseen) return unseen;
    if (text.value.length * edits.length > SEARCHED_CHARACTERS_MAX)
      return tooMuch(path, text.value);
    const edited = applyEdits(text.value, edits);
    const count = edited.reports.filter((report) => report.state === "applied").length;
    if (count === 0) return allRefused(path, edited.reports);
    const bytes = bytesOf(edited.text);
    if (!bytes.ok) return bytes;
    const after = sha256(bytes.value);
    const diff = unifiedDiff(text.value, edited.text, { path });
    return ok({
      access: [{ kind: "write" as const, path, diff: diff.text }],
      effect: "verifiable" as const,
      intent: { files: [{ path, before, after }] },
      title: `edit ${path} (${countsOf(diff)})`,
      async run() {
        const written = await workspace.write(path, bytes.value, { expect: before });
        if (!written.ok) return refusal({ fix: "read it, then edit it again", ...written.error });
        const lines = linesOf(sourceText(edited.text));
        const head = `edited ${path} (${countsOf(diff)}), ${count} of ${edits.length} edits made`;
        const reports = edited.reports.map((report, i) => `edit ${i + 1}: ${told(report, lines)}`);
        return outcome(`${head}\n${reported(reports, REPORT_CHARACTERS_MAX)}`, {
          failed: count < edits.length,
          facts: [
            { type: "fileChanged", path, before, after, diff: keptDiff(diff.text, { of: 1 }) },
            { type: "fileSeen", path, hash: after },
          ],
        });
      },
    });
  },
});

function tooMuch(path: string, text: string): Failed {
  const most = Math.floor(SEARCHED_CHARACTERS_MAX / text.length);
  const say = `\`${path}\` is so long (${text.length} characters) that one call takes ${most} edits`;
  return fail("too_large", say, { fix: "make fewer edits at once, or use a command" });
}

function allRefused(path: string, reports: readonly EditReport[]): Failed {
  const failures = reports.flatMap((report) =>
    report.state === "refused" ? [report.failure] : [],
  );
  const said = failures.map((failure, i) =>
    failures.length === 1 ? sentenceOf(failure) : `edit ${i + 1}: ${sentenceOf(failure)}`,
  );
  const say = `\`${path}\`: ${reported(said, REPORT_CHARACTERS_MAX)}`;
  return fail(failures[0]?.code ?? "no_match", say, {
    fix: `\`${path}\` was not changed`,
    detail: { failures },
  });
}

function told(report: EditReport, lines: readonly string[]): string {
  if (report.state === "refused") return `refused: ${sentenceOf(report.failure)}`;
  const { regions, count, tolerance } = report;
  const how = tolerance === "exact" ? "" : `, ${tolerances[tolerance]}`;
  const at = count === 1 ? `at line ${regions[0]?.line}` : `at ${count} places`;
  const shown = regions.slice(0, REGIONS_MAX).map((region) => around(region, lines));
  if (count > shown.length) shown.push(`(${count - shown.length} more places)`);
  return [`made ${at}${how}`, ...shown].join("\n");
}

/** What is there now, so that the model sees what it did without reading again. */
function around({ line, lines: count }: Region, lines: readonly string[]): string {
  const from = Math.max(1, line - AROUND_LINES);
  const to = Math.min(lines.length, line + count - 1 + AROUND_LINES);
  const last = Math.min(to, from + REGION_LINES_MAX - 1);
  const shown = numbered(lines.slice(from - 1, last).map(cut), from);
  return last < to ? `${shown}\n(${to - last} more lines)` : shown;
}

/** The part of the present file that the first edit is likely to be about. */
function presentWindow(text: string, edits: readonly Edit[]): string {
  const lines = linesOf(sourceText(text));
  const close = closestPlace(lines, linesOf(sourceText(edits[0]?.old ?? "")));
  const from = Math.max(1, (close?.line ?? 1) - AROUND_LINES);
  const shown = lines.slice(from - 1, from - 1 + PRESENT_LINES_MAX).map(cut);
  return `It has ${lines.length} lines now, among them:\n${numbered(shown, from)}\n`;
}

function cut(line: string): string {
  return line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line;
}
