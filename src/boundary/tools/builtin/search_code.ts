// Finds the places in the code that answer a question in words, by the index of the workspace.
import * as z from "zod/mini";
import type { CodeHit } from "#boundary/index/port.ts";
import { fittingPieces, freshIndex, type Present, presentIn } from "#boundary/tools/indexed.ts";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";

const HITS = 8;
const HITS_MAX = 30;
/** Lines of a hit that are shown. */
const LINES_MAX = 40;
/** UTF-16 units of a line. */
const LINE_CHARACTERS_MAX = 300;

export const searchCode = defineTool({
  name: "search_code",
  effect: "pure",
  about: [
    "Find code by what it does, in words or by names; the best places first.",
    "An exact text or pattern is for a text search.",
  ].join(" "),
  input: z.strictObject({
    query: z.string().check(z.minLength(1), z.maxLength(20_000)),
    limit: z.optional(z.int().check(z.gte(1), z.lte(HITS_MAX))),
  }),
  example: { query: "where is the total of a cart computed" },
  async prepare({ query, limit = HITS }, context) {
    return ok({
      access: [{ kind: "read" as const, path: "." }],
      effect: "pure" as const,
      intent: {},
      title: `search_code ${query}`,
      run: ({ signal }) => searched({ query, limit }, context, signal),
    });
  },
});

async function searched(
  { query, limit }: { query: string; limit: number },
  context: ToolContext,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const fresh = await freshIndex(context, signal);
  if (!fresh.ok) return refusal(fresh.error);
  const { index, note } = fresh.value;
  // Some of them may not be shown.
  const found = await index.search(query, limit * 2);
  if (!found.ok) return refusal(found.error);
  const present = await presentIn(context);
  const pieces = await Promise.all(found.value.map((hit) => pieceOf(hit, present)));
  const shown = pieces.filter((piece) => piece !== null).slice(0, limit);
  const none = shown.length === 0 ? ["(nothing found: try other words)"] : [];
  const notes = note === "" ? [] : [note];
  return outcome([...notes, ...fittingPieces(shown, context), ...none].join("\n\n"));
}

/** A hit by the lines of its file as the workspace reads them. */
async function pieceOf(hit: CodeHit, present: Present): Promise<string | null> {
  const lines = await present.lines(hit.path);
  if (!lines) return null;
  const own = lines.slice(hit.line - 1, hit.endLine);
  const inside = hit.inside.length > 0 ? ` in ${hit.inside.join(" › ")}` : "";
  const head = `${inOneLine(hit.path)}:${hit.line}-${hit.endLine}${inside}`;
  const texts = own
    .slice(0, LINES_MAX)
    .map((line, i) => `${hit.line + i}\t${line.slice(0, LINE_CHARACTERS_MAX)}`);
  const more = own.length > LINES_MAX ? [`(${own.length - LINES_MAX} more lines)`] : [];
  return own.length === 0 ? null : [head, ...texts, ...more].join("\n");
}
