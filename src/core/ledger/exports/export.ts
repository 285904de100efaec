// What a provider says was used, as rows of one form, and what the readers of its exports share.
// Whatever a file holds, a reader answers rows or a failure that names the place; it never throws.
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { nanoOf } from "#core/ledger/amount.ts";

/** What one line of an export says. What it does not say is missing. */
export type ExportRow = {
  /** Days since 1970, UTC. */
  day: number;
  /** As the provider names it; null where the line is about all models together. */
  model: string | null;
  requests?: number;
  /** All tokens of requests, those from the cache among them. */
  input?: number;
  cached?: number;
  output?: number;
  nanoDollars?: number;
};

/** A file as its form is: a table with its head, or JSON. */
export type Given =
  | { form: "table"; head: readonly string[]; rows: readonly (readonly string[])[] }
  | { form: "json"; value: unknown };

export type ExportFormat = {
  name: string;
  /** Whose models it is about, as they are called before the slash; null: anybody's. */
  provider: string | null;
  fits(given: Given): boolean;
  read(given: Given): Result<ExportRow[]>;
};

const DAY_MS = 86_400_000;
/** A count beyond this is not a count. */
const COUNT_MAX = 1e15;

/** A day from `2026-03-01`, alone or with a time; without a zone the time is UTC. */
export function dayIn(text: string): number | undefined {
  const [, date = "", rest = ""] = /^(\d{4}-\d{2}-\d{2})(.*)$/.exec(text.trim()) ?? [];
  const begins = Date.parse(`${date}T00:00:00Z`);
  // A day that there is not, as the 31st of June, comes back as another one or as none.
  if (!Number.isFinite(begins) || !new Date(begins).toISOString().startsWith(date))
    return undefined;
  const isZoned = /(?:Z|[+-]\d{2}:?\d{2})$/.test(rest);
  const at = isZoned ? Date.parse(`${date}${rest.replace(/^ /, "T")}`) : begins;
  return Number.isFinite(at) ? Math.floor(at / DAY_MS) : undefined;
}

/** A day from seconds since 1970. */
export function dayOfSeconds(value: unknown): number | undefined {
  const seconds = typeof value === "number" ? value : Number(String(value).trim() || Number.NaN);
  const isMoment = Number.isFinite(seconds) && seconds >= 0 && seconds < 1e11;
  return isMoment ? Math.floor(seconds / (DAY_MS / 1_000)) : undefined;
}

/** A whole count; `3.0` is one, an empty cell is 0. */
export function countIn(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0;
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const text = String(value).trim();
  if (!/^\d*(\.0+)?$/.test(text)) return undefined;
  const n = Number(text);
  return Number.isSafeInteger(n) && n <= COUNT_MAX ? n : undefined;
}

/** Dollars, or a hundredth of them, as the text or number that an export has. */
export function moneyIn(value: unknown, unit: "dollars" | "cents" = "dollars"): number | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const text = String(value).trim().replace(/^\$/, "");
  if (unit === "dollars") return nanoOf(text);
  const power = /^(.*?)e([+-]?\d+)$/i.exec(text);
  return nanoOf(power ? `${power[1]}e${Number(power[2]) - 2}` : `${text}e-2`);
}

/** A name, where there is one. */
export const nameIn = (value: unknown): string | null =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : null;

export const bad = (where: string, what: string): Failed =>
  fail("bad_input", `${where}: ${what}`, {
    fix: "export it again, or give a table with the head day,model,input,output,cost",
  });

/** Reads a table line by line; `line` answers what is wrong with one as text, or its row. */
export function tableRows(
  given: Given & { form: "table" },
  line: (cell: (name: string) => string | undefined) => ExportRow | string | null,
): Result<ExportRow[]> {
  const at = new Map(given.head.map((name, i) => [name, i]));
  const rows: ExportRow[] = [];
  for (const [i, cells] of given.rows.entries()) {
    const row = line((name) => cells[at.get(name) ?? -1]);
    // The head is the first line of the file.
    if (typeof row === "string") return bad(`line ${i + 2}`, row);
    if (row) rows.push(row);
  }
  return ok(rows);
}

/** The entries of pages `{data: […]}`, of one or of a list of them. */
export function entriesOf(value: unknown): Record<string, unknown>[] | null {
  const pages = Array.isArray(value) ? value : [value];
  const entries: unknown[] = [];
  for (const page of pages) {
    const data = isObject(page) ? page.data : undefined;
    if (!Array.isArray(data)) return null;
    for (const entry of data) entries.push(entry);
  }
  return entries.every(isObject) ? entries : null;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The results in time buckets, each with its bucket; null where one has none. */
export function resultsOf(
  value: unknown,
): { bucket: Record<string, unknown>; result: Record<string, unknown> }[] | null {
  const found = [];
  for (const bucket of entriesOf(value) ?? [{}]) {
    const { results } = bucket;
    if (!Array.isArray(results) || !results.every(isObject)) return null;
    for (const result of results) found.push({ bucket, result });
  }
  return found;
}
