// `aiex usage reconcile`: the ledger beside what a provider says, for each day and model, with what could
// explain a difference. Nothing is asked of anybody: the file was exported before.
import { resolve } from "node:path";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { type Exported, exportFormats, readExport } from "#core/ledger/exports/index.ts";
import {
  type Compared,
  reconcile as compare,
  type Figures,
  type OurRow,
  type Reconciliation,
} from "#core/ledger/reconcile.ts";
import { dollars } from "#core/model/money.ts";
import { reveal } from "#core/security/screen.ts";
import type { Row } from "#core/views/view.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { csvText } from "#interfaces/cli/csv.ts";
import { type Days, dayOptions, daysIn } from "#interfaces/cli/days.ts";
import { column, count, short } from "#interfaces/cli/figures.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { dayOf, dayText, rowsOf } from "#interfaces/cli/spending.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

/** Bytes of an export that is read whole. */
const EXPORT_BYTES_MAX = 134_217_728;
const PERCENT = "1";

export const reconcile = defineCommand({
  name: "usage reconcile",
  level: "advanced",
  about: "Compare the ledger with a provider's export.",
  more: `Reads usage and cost exports of OpenAI and Anthropic (CSV, or the pages of their APIs),
the activity of OpenRouter, and any table with the head day,model,input,output,cost. Days
are UTC. Ends with 1 where a difference is over the tolerance (and over a cent).`,
  args: [{ name: "file", about: "The export." }],
  options: {
    format: {
      about: "What the file is, where that cannot be told from it.",
      value: "name",
      choices: exportFormats.map(({ name }) => name),
    },
    provider: { about: "Whose calls of ours are compared (the format's).", value: "name" },
    tolerance: { about: `Percent that may differ (${PERCENT}).`, value: "percent" },
    ...dayOptions,
    csv: { about: "As CSV, with a head." },
    json: { about: "One JSON object a line." },
  },
  examples: [
    "aiex usage reconcile completions_usage_2026-03-01_2026-03-31.csv",
    "aiex usage reconcile invoice.csv --provider corp --tolerance 0.5",
  ],
  async run({ args: [file = ""], options }, cli) {
    const percent = percentIn(options.tolerance ?? PERCENT);
    if (!percent.ok) return cli.fail(percent.error);
    const days = daysIn(options, cli);
    if (!days.ok) return cli.fail(days.error);
    const exported = await exportIn(resolve(cli.folder, file), file, options.format);
    if (!exported.ok) return cli.fail(exported.error);
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const rows = await rowsOf(opened.value.app, "usage", {});
    if (!rows.ok) return cli.fail(rows.error);
    const isIn = ({ day }: { day: number }) => day >= days.value.from && day <= days.value.to;
    const provider = options.provider ?? exported.value.provider;
    const theirs = exported.value.rows.filter(isIn);
    if (theirs.length === 0) return cli.fail(noDays(days.value).error);
    const ours = rows.value.map(ourRow).filter(isIn);
    const found = compare(theirs, ours, { provider, percent: percent.value });
    if (options.json) for (const line of found.lines) cli.terminal.out(jsonOf(line));
    else if (options.csv) cli.terminal.out(csvOf(found.lines));
    else cli.terminal.out(tableOf(found));
    say(cli.terminal, exported.value, { ...found, provider });
    return found.agrees ? 0 : 1;
  },
});

function percentIn(text: string): Result<number> {
  const percent = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  return percent <= 100
    ? ok(percent)
    : fail("bad_input", `--tolerance ${text} is no percentage`, { fix: "for example 0.5" });
}

const noDays = ({ from }: Days): Failed =>
  fail("bad_input", `the export says nothing of the days since ${dayText(from)}`, {
    fix: "leave --days, --since and --until out",
  });

async function exportIn(path: string, name: string, format?: string): Promise<Result<Exported>> {
  const tooLargeFix = "export fewer days at once";
  const given = await readGiven(path, { name, bytesMax: EXPORT_BYTES_MAX, tooLargeFix });
  if (!given.ok) return given;
  const read = readExport(given.value.toString("utf8"), format);
  if (read.ok) return read;
  const { code, say, ...more } = read.error;
  return fail(code, `${name}: ${say}`, more);
}

const ourRow = (row: Row): OurRow => ({
  day: dayOf(row),
  model: String(row.model),
  calls: Number(row.calls),
  input: Number(row.input),
  output: Number(row.output),
  nanoDollars: Number(row.nanoDollars),
  inexact: Number(row.inexact),
  unpriced: Number(row.unpricedInput) + Number(row.unpricedOutput),
});

const units = ["requests", "input", "output", "nanoDollars"] as const;

function jsonOf({ day, ...rest }: Compared): string {
  return lineOf("reconciled", { day: dayText(day), ...rest });
}

function csvOf(lines: readonly Compared[]): string {
  const sides = ["theirs", "ours", "difference"] as const;
  const head = sides.flatMap((side) => units.map((unit) => `${side}.${unit}`));
  const rows = lines.map((line) => ({
    ...{ day: dayText(line.day), model: line.model },
    ...Object.fromEntries(
      sides.flatMap((side) => units.map((unit) => [`${side}.${unit}`, line[side]?.[unit]])),
    ),
    ...{ agrees: line.agrees ? 1 : 0, explanations: line.explanations.join("; ") },
  }));
  return csvText(rows, ["day", "model", ...head, "agrees", "explanations"]);
}

/** Three cells for each unit that the export has: theirs, ours, and by how much ours is more. */
function tableOf({ lines }: Reconciliation): string {
  const told = units.filter((unit) =>
    lines.some(({ difference }) => difference[unit] !== undefined),
  );
  const wide = lines.reduce((max, { model }) => Math.max(max, model.length), 5);
  const row = (cells: readonly string[], mark: string, key: [string, string]) =>
    `${mark} ${key[0].padEnd(10)}  ${column(reveal(key[1]), wide)}${cells.map((cell) => cell.padStart(12)).join("")}\n`;
  const names = { requests: "requests", input: "input", output: "output", nanoDollars: "money" };
  const head = told.flatMap((unit) => [names[unit], "ours", "more"]);
  return [
    row(head, " ", ["day (UTC)", "model"]),
    ...lines.flatMap((line) => [
      row(
        told.flatMap((unit) => [
          cellOf(unit, line.theirs),
          cellOf(unit, line.ours),
          signed(unit, line.difference[unit] ?? 0),
        ]),
        line.agrees ? " " : "!",
        [dayText(line.day), line.model],
      ),
      ...line.explanations.map((why) => `    ${why}\n`),
    ]),
  ].join("");
}

const shown = (unit: keyof Figures, n: number): string =>
  unit === "nanoDollars" ? dollars(n) : short(n);

const cellOf = (unit: keyof Figures, figures: Figures | null): string =>
  figures?.[unit] === undefined ? "–" : shown(unit, figures[unit]);

const signed = (unit: keyof Figures, n: number): string =>
  n === 0 ? "0" : `${n < 0 ? "-" : "+"}${shown(unit, Math.abs(n))}`;

/** What is true of the whole, on standard error. */
function say(
  { err }: Terminal,
  { name, isPart }: Exported,
  { lines, beyond, provider }: Reconciliation & { provider: string | null },
): void {
  const off = lines.filter(({ agrees }) => !agrees).length;
  const whose = provider === null ? "all calls of ours" : `our calls of ${reveal(provider)}`;
  err(
    `(${name}, compared with ${whose}: ${count(lines.length, "line")}, ${off} over the tolerance)\n`,
  );
  if (beyond > 0) err(`(${count(beyond, "call")} of ours on days that the export is not about)\n`);
  if (isPart) err("(the export is one page of several: has_more is set)\n");
}
