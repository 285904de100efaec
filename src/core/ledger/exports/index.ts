// The exports that can be read. A new one is a file and a line here; the first that fits reads a file.
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { anthropic } from "#core/ledger/exports/anthropic.ts";
import { readCsv } from "#core/ledger/exports/csv.ts";
import type { ExportFormat, ExportRow, Given } from "#core/ledger/exports/export.ts";
import { openai } from "#core/ledger/exports/openai.ts";
import { openrouter } from "#core/ledger/exports/openrouter.ts";
import { plain } from "#core/ledger/exports/plain.ts";

export const exportFormats: readonly ExportFormat[] = [openai, anthropic, openrouter, plain];

/** What a file says, by whom, and whether it says that more follows in another one. */
export type Exported = Pick<ExportFormat, "name" | "provider"> & {
  rows: readonly ExportRow[];
  isPart: boolean;
};

/** Reads the text of an export; `format` names which, where it is not to be told from the text. */
export function readExport(text: string, format?: string): Result<Exported> {
  const given = givenIn(text);
  if (!given.ok) return given;
  const candidates = exportFormats.filter(({ name }) => format === undefined || name === format);
  const found = candidates.find((one) => one.fits(given.value));
  if (!found) return unknown(given.value);
  const rows = found.read(given.value);
  if (!rows.ok) return rows;
  if (rows.value.length === 0) return fail("bad_input", "the export holds no usage at all");
  const { name, provider } = found;
  return ok({ name, provider, rows: rows.value, isPart: isPart(given.value) });
}

function givenIn(text: string): Result<Given> {
  const trimmed = text.replace(/^\u{feff}/u, "").trimStart();
  if (!/^[[{]/.test(trimmed)) {
    const table = readCsv(text);
    return table.ok ? ok({ form: "table", ...table.value }) : table;
  }
  try {
    return ok({ form: "json", value: JSON.parse(trimmed) });
  } catch (error) {
    return fail("bad_input", `the file is not JSON: ${(error as Error).message}`);
  }
}

function isPart(given: Given): boolean {
  if (given.form !== "json") return false;
  const last = Array.isArray(given.value) ? given.value.at(-1) : given.value;
  return Object(last).has_more === true;
}

const shortened = (name: string): string => (name.length > 40 ? `${name.slice(0, 39)}…` : name);

function unknown(given: Given): Failed {
  const what =
    given.form === "json"
      ? "JSON"
      : `a table of ${given.head.slice(0, 8).map(shortened).join(", ")}`;
  return fail("bad_input", `the file is no export that is known here (it is ${what})`, {
    fix: "give the usage or cost export of OpenAI, Anthropic or OpenRouter, or a table with the head day,model,input,output,cost",
  });
}
