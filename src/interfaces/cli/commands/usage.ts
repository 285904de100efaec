// `aiex usage`: tokens and money, summed by what is asked for. What a call cost was fixed when it was
// settled; calls from before prices were known are priced now and marked as an estimate.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import { factsOf, type UserFacts } from "#core/model/catalog.ts";
import { costOf, dollars } from "#core/model/money.ts";
import { readLists } from "#core/model/settings.ts";
import { reveal } from "#core/security/screen.ts";
import { type UsageRow, usageColumns } from "#core/views/usage.ts";
import type { Row } from "#core/views/view.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { column, short } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";

const groups = ["session", "model", "day", "turn", "step"] as const;
type Group = (typeof groups)[number];

/** Rows read at once, and rows of all pages together. */
const PAGE = 1_000;
const ROWS_MAX = 1_000_000;
const DAY_MS = 86_400_000;

export const usage = defineCommand({
  name: "usage",
  level: "everyday",
  about: "Tokens and money, by session, model, day, turn or step.",
  more: `Money is what the prices were when a call was made; they come from Aiex's catalog or from
your \`models\`. "~" marks what was priced only now, "?" tokens whose price nobody knows, "≤" tokens
that the provider did not count.`,
  options: {
    by: { about: "What to sum by (session).", value: "what", choices: groups },
    session: { about: "Only this session; needed for turn and step.", value: "id" },
    days: { about: "Only the last days, today included.", value: "n", number: true },
    csv: { about: "As CSV, with a head." },
    json: { about: "One JSON object a line." },
  },
  examples: [
    "aiex usage",
    "aiex usage --by model --days 7",
    "aiex usage --by step --session 3k2j9x",
  ],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app, config } = opened.value;
    const by: Group = options.by ?? "session";
    if ((by === "turn" || by === "step") && options.session === undefined) {
      const fix = `aiex usage --by ${by} --session <id>`;
      return cli.fail({ code: "bad_input", say: `--by ${by} needs a session`, fix });
    }
    if (options.days === 0) {
      const fix = "--days 1 is today alone";
      return cli.fail({ code: "bad_input", say: "--days 0 would be no day at all", fix });
    }
    const own = readLists({ models: config.settings.get("models")?.value });
    if (!own.ok) return cli.fail(own.error);
    const rows = await rowsFor(app, by, options);
    if (!rows.ok) return cli.fail(rows.error);
    const since = options.days === undefined ? 0 : today(cli) - options.days + 1;
    const lines = summed(
      rows.value.filter((row) => dayOf(row) >= since),
      by,
      own.value.models,
    );
    if (options.json) for (const line of lines) cli.terminal.out(lineOf("usage", jsonOf(by, line)));
    else if (options.csv) cli.terminal.out(csvOf(by, lines));
    else cli.terminal.out(lines.length > 0 ? tableOf(by, lines) : nothingText(rows.value));
    return 0;
  },
});

const today = ({ now }: Cli): number => Math.floor(now() / DAY_MS);
const dayOf = (row: Row): number => Number(row.day ?? Math.floor(Number(row.at) / DAY_MS));

type Asked = { session: string | undefined };

async function rowsFor(app: App, by: Group, { session }: Asked): Promise<Result<Row[]>> {
  let where: Row = {};
  if (session !== undefined) {
    const found = await app.read({ type: "Session", session });
    if (!found.ok) return found;
    where = { session: found.value.session };
  }
  const view = by === "turn" || by === "step" ? "steps" : "usage";
  const rows: Row[] = [];
  while (rows.length < ROWS_MAX) {
    const page = await app.read({
      type: "View",
      view,
      where,
      newestFirst: false,
      limit: PAGE,
      offset: rows.length,
    });
    if (!page.ok) return page;
    rows.push(...page.value);
    if (page.value.length < PAGE) break;
  }
  return ok(rows);
}

/** One line of the answer. `estimated` nano-dollars are part of no event. */
type Line = { key: string; counts: UsageRow; estimated: number; unpriced: number };

function summed(rows: readonly Row[], by: Group, own: readonly UserFacts[]): Line[] {
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const line = lines.get(key) ?? { key, counts: zero(), estimated: 0, unpriced: 0 };
    for (const name of usageColumns) line.counts[name] += Number(row[name] ?? 0);
    const bare = bareOf(row);
    const { price } = factsOf(String(row.model), { user: own }).facts;
    // Sums of many calls: what is dearer for a long request alone is not known any more.
    const cost = costOf(bare, price && { ...price, above: undefined });
    if (cost) line.estimated += cost.nanoDollars;
    else line.unpriced += bare.input + bare.output;
    lines.set(key, line);
  }
  return [...lines.values()];
}

const zero = (): UsageRow => Object.fromEntries(usageColumns.map((name) => [name, 0])) as UsageRow;

/** The tokens of a row that have no cost of their own. */
const bareOf = (row: Row) => ({
  input: Number(row.unpricedInput ?? 0),
  cached: Number(row.unpricedCached ?? 0),
  written: Number(row.unpricedWritten ?? 0),
  output: Number(row.unpricedOutput ?? 0),
  reasoning: 0,
  exact: true,
});

function keyOf(row: Row, by: Group): string {
  if (by === "day") return new Date(dayOf(row) * DAY_MS).toISOString().slice(0, 10);
  if (by !== "step") return String(row[by]);
  return `${row.step === 0 ? "probe" : `${row.step}.${row.attempt}`} ${row.model}`;
}

const titles: Record<Group, string> = {
  session: "session",
  model: "model",
  day: "day (UTC)",
  turn: "turn",
  step: "step and model",
};

/** Where no line is left: was there nothing at all, or only nothing in the days asked for? */
const nothingText = (rows: readonly Row[]): string =>
  `No model was asked anything ${rows.length === 0 ? "yet" : "in these days"}.\n`;

function tableOf(by: Group, lines: readonly Line[]): string {
  const total: Line = { key: "total", counts: zero(), estimated: 0, unpriced: 0 };
  for (const line of lines) {
    for (const name of usageColumns) total.counts[name] += line.counts[name];
    total.estimated += line.estimated;
    total.unpriced += line.unpriced;
  }
  const wide = Math.max(...lines.map(({ key }) => key.length), titles[by].length, 5);
  const head = ["calls", "input", "cached", "output", "reasoning", "money"];
  const row = (key: string, cells: readonly string[]) =>
    `${column(reveal(key), wide)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
  return [
    row(titles[by], head),
    ...lines.map((line) => row(line.key, cellsOf(line))),
    ...(lines.length > 1 ? [row("total", cellsOf(total))] : []),
  ].join("");
}

function cellsOf({ counts, estimated, unpriced }: Line): string[] {
  const money = dollars(counts.nanoDollars + estimated);
  const nobodyKnows = unpriced > 0 && counts.nanoDollars + estimated === 0;
  const marks = `${counts.inexact > 0 ? "≤" : ""}${estimated > 0 ? "~" : ""}`;
  const { calls, input, cached, output, reasoning } = counts;
  return [
    String(calls),
    ...[input, cached, output, reasoning].map(short),
    nobodyKnows ? "?" : `${marks}${money}${unpriced > 0 ? "+?" : ""}`,
  ];
}

const jsonOf = (by: Group, { key, counts, estimated, unpriced }: Line) => {
  const { unpricedInput: _, unpricedCached: __, unpricedWritten: ___, ...rest } = counts;
  const { unpricedOutput: ____, nanoDollars, ...tokens } = rest;
  return { by, key, ...tokens, nanoDollars, estimatedNanoDollars: estimated, unpriced };
};

function csvOf(by: Group, lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const { by: _, key, ...numbers } = jsonOf(by, line);
    return { [by]: key, ...numbers };
  });
  const head = Object.keys(rows[0] ?? { [by]: "" });
  const cell = (value: unknown): string => {
    const text = String(value);
    // A cell that begins like a formula is one to a spreadsheet.
    const safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [head, ...rows.map((row) => Object.values(row))]
    .map((cells) => `${cells.map(cell).join(",")}\n`)
    .join("");
}
