// What the ledger says, read page by page and added up in lines. Money is what events say; calls from
// before a price was known are priced now, apart, so that it can be said.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import { type Figures, figureNames, noFigures } from "#core/ledger/figures.ts";
import { factsOf, type UserFacts } from "#core/model/catalog.ts";
import { costOf } from "#core/model/money.ts";
import type { Row } from "#core/views/view.ts";

/** Rows read at once, and rows of all pages together. */
const PAGE = 1_000;
const ROWS_MAX = 1_000_000;
const DAY_MS = 86_400_000;

type ViewName = "usage" | "steps" | "results" | "budgets";

/** All rows of a view with these values. */
export async function rowsOf(app: App, view: ViewName, where: Row): Promise<Result<Row[]>> {
  const rows: Row[] = [];
  while (rows.length < ROWS_MAX) {
    const page = { limit: PAGE, offset: rows.length };
    const read = await app.read({ type: "View", view, where, newestFirst: false, ...page });
    if (!read.ok) return read;
    for (const row of read.value) rows.push(row);
    if (read.value.length < PAGE) break;
  }
  return ok(rows);
}

/** The day of a row, since 1970, UTC. */
export const dayOf = (row: Row): number => Number(row.day ?? Math.floor(Number(row.at) / DAY_MS));
export const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** One line of an answer. `estimated` nano-dollars are part of no event. */
export type Line = {
  key: string;
  counts: Figures;
  estimated: number;
  /** Tokens whose price nobody knows, and of which models they are. */
  unpriced: number;
  bare: ReadonlySet<string>;
};

export function summed(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  own: readonly UserFacts[],
): Line[] {
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const key = keyOf(row);
    lines.set(key, added(lines.get(key) ?? emptyLine(key), lineOf(row, own)));
  }
  return [...lines.values()];
}

/** All lines as one. */
export const totalOf = (lines: readonly Line[]): Line => lines.reduce(added, emptyLine("total"));

const emptyLine = (key: string): Line => ({
  ...{ key, counts: zero(), estimated: 0, unpriced: 0 },
  bare: new Set(),
});

const zero = (): Figures => ({ ...noFigures });

function added(a: Line, b: Line): Line {
  const counts = zero();
  for (const name of figureNames) counts[name] = a.counts[name] + b.counts[name];
  const [estimated, unpriced] = [a.estimated + b.estimated, a.unpriced + b.unpriced];
  const bare = b.bare.size === 0 ? a.bare : new Set([...a.bare, ...b.bare]);
  return { key: a.key, counts, estimated, unpriced, bare };
}

function lineOf(row: Row, own: readonly UserFacts[]): Line {
  const counts = zero();
  for (const name of figureNames) counts[name] = Number(row[name] ?? 0);
  const model = String(row.model);
  const bare = bareOf(counts);
  const { price } = factsOf(model, { user: own }).facts;
  // Sums of many calls: what is dearer for a long request alone is not known any more.
  const cost = costOf(bare, price && { ...price, above: undefined });
  const unpriced = cost ? 0 : bare.input + bare.output;
  const named = new Set(unpriced > 0 ? [model] : []);
  return { key: "", counts, estimated: cost?.nanoDollars ?? 0, unpriced, bare: named };
}

/** The tokens of a row that have no cost of their own. */
const bareOf = (row: Figures) => ({
  input: row.unpricedInput,
  cached: row.unpricedCached,
  written: row.unpricedWritten,
  output: row.unpricedOutput,
  reasoning: 0,
  exact: true,
});
