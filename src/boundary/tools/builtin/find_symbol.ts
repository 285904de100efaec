// Finds where a name is defined, where it is used, and what depends on it, by the index of the
// workspace: in every language that it knows, without a language server.
import * as z from "zod/mini";
import type { CodeIndex, Impact, Reference, SymbolHit } from "#boundary/index/port.ts";
import { fittingPieces, freshIndex, type Present, presentIn } from "#boundary/tools/indexed.ts";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import { ok, type Result } from "#core/failure.ts";

/** Hits of each kind in one answer. */
const DEFINITIONS_MAX = 20;
const REFERENCES_MAX = 100;
const IMPACT_MAX = 60;
/** Lines of a file in which a signature may go on. */
const SIGNATURE_LINES = 20;

const input = z.strictObject({
  name: z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(500),
      z.describe("Name, Class.method, or with impact a path."),
    ),
  references: z.optional(z.boolean().check(z.describe("Also every line that has it."))),
  impact: z.optional(
    z.boolean().check(z.describe("Also what breaks if it changes: users, importers, tests.")),
  ),
});

type Wanted = z.output<typeof input>;

export const findSymbol = defineTool({
  name: "find_symbol",
  effect: "pure",
  about: "Find where a name is defined, by its name or a part of it; on demand who uses it.",
  input,
  example: { name: "cartTotal", references: true },
  async prepare(wanted, context) {
    return ok({
      access: [{ kind: "read" as const, path: "." }],
      effect: "pure" as const,
      intent: {},
      title: `find_symbol ${wanted.name}`,
      run: ({ signal }) => found(wanted, context, signal),
    });
  },
});

async function found(
  wanted: Wanted,
  context: ToolContext,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const fresh = await freshIndex(context, signal);
  if (!fresh.ok) return refusal(fresh.error);
  const { index, note } = fresh.value;
  const present = await presentIn(context);
  const lines = await linesOf(wanted, index, present);
  if (!lines.ok) return refusal(lines.error);
  const some = lines.value;
  const none = some.length === 0 ? ["(nothing found: try a part of the name)"] : [];
  return outcome(
    [...(note === "" ? [] : [note]), ...fittingPieces(some, context), ...none].join("\n"),
  );
}

async function linesOf(
  { name, references, impact }: Wanted,
  index: CodeIndex,
  present: Present,
): Promise<Result<string[]>> {
  const lines: string[] = [];
  const symbols = await index.symbols(name, { limit: DEFINITIONS_MAX });
  if (!symbols.ok) return symbols;
  const defined = await shown(symbols.value, (hit) => definitionLine(hit, present));
  if (defined.length > 0) lines.push("defined:", ...defined);
  if (references) {
    const all = await index.references(name, REFERENCES_MAX);
    if (!all.ok) return all;
    const { places, total } = all.value;
    const used = await shown(
      places.filter(({ kind }) => kind !== "definition"),
      (place) => referenceLine(place, present),
    );
    const more = total - places.length;
    if (used.length > 0) lines.push("lines with it:", ...used);
    if (more > 0) lines.push(`(${more} more lines)`);
  }
  if (impact) {
    const breaks = await index.impact(name, IMPACT_MAX);
    if (!breaks.ok) return breaks;
    lines.push(...impactLines(breaks.value, present));
  }
  return ok(lines);
}

async function shown<T>(
  all: readonly T[],
  line: (one: T) => Promise<string | null>,
): Promise<string[]> {
  return (await Promise.all(all.map(line))).filter((text) => text !== null);
}

/** Only what the workspace itself reads there is shown. */
async function definitionLine(hit: SymbolHit, present: Present): Promise<string | null> {
  const { path, line, endLine, kind, inside, name, signature } = hit;
  const lines = await present.lines(path);
  const text = lines
    ?.slice(line - 1, line + SIGNATURE_LINES)
    .join(" ")
    .replaceAll(/\s+/g, " ");
  if (!text?.includes(name)) return null;
  const isThere = plain(text).includes(plain(signature.replace(/…$/, "")));
  const where = inside.length > 0 ? ` in ${inside.join(" › ")}` : "";
  const head = `${inOneLine(path)}:${line}-${endLine} ${kind}${where}`;
  return `${head}: ${isThere && signature !== "" ? signature : name}`;
}

/** Without what a signature in one line has less of than the text. */
const plain = (text: string): string => text.replaceAll(/[\s,]/g, "");

async function referenceLine(place: Reference, present: Present): Promise<string | null> {
  const { path, line, kind, inside, text } = place;
  const own = (await present.lines(path))?.[line - 1]?.trim();
  if (own === undefined || !own.startsWith(text.replace(/…$/, ""))) return null;
  const where = inside.length > 0 ? ` in ${inside.join(" › ")}` : "";
  return `${inOneLine(path)}:${line} ${kind}${where}: ${text}`;
}

function impactLines({ users, importers, tests }: Impact, { mayRead }: Present): string[] {
  const lines: string[] = [];
  const add = (head: string, all: readonly string[]) => {
    if (all.length > 0) lines.push(head, ...all);
  };
  const mine = <T extends { path: string }>(all: readonly T[]) =>
    all.filter(({ path }) => mayRead(path));
  add(
    "used by:",
    mine(users).map(({ path, line, inside, calls, certain }) => {
      const where = inside.length > 0 ? ` in ${inside.join(" › ")}` : "";
      const how = `${calls ? "calls" : "mentions"}${certain ? "" : ", perhaps another of this name"}`;
      return `${inOneLine(path)}:${line}${where} (${how})`;
    }),
  );
  add(
    "imported by:",
    mine(importers).map(
      ({ path, depth }) => `${inOneLine(path)}${depth > 1 ? " (indirectly)" : ""}`,
    ),
  );
  add("tests:", tests.filter(mayRead).map(inOneLine));
  return lines;
}
