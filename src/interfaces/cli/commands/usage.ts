// `aiex usage`: tokens and money, summed by what is asked for. What a call cost was fixed when it was
// settled; calls from before prices were known are priced now and marked as an estimate.
import type { App } from "#app";
import { fail, ok, type Result } from "#core/failure.ts";
import { dollars } from "#core/model/money.ts";
import { readLists } from "#core/model/settings.ts";
import { reveal } from "#core/security/screen.ts";
import type { Row } from "#core/views/view.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { csvText } from "#interfaces/cli/csv.ts";
import { type Days, dayOptions, daysIn } from "#interfaces/cli/days.ts";
import { column, count, short } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { dayOf, dayText, type Line, rowsOf, summed, totalOf } from "#interfaces/cli/spending.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

const groups = ["session", "model", "tool", "child", "day", "turn", "step"] as const;
type Group = (typeof groups)[number];

export const usage = defineCommand({
  name: "usage",
  level: "everyday",
  about: "Tokens and money, by session, model, tool, child, day, turn or step.",
  more: `Money is what the prices were when a call was made; they come from Aiex's catalog or from
your \`models\`. "~" marks what was priced only now, "?" tokens whose price nobody knows, "≤" tokens
that the provider did not count. By tool it says what the results of each brought into requests,
about: once, and as often as they were sent.`,
  options: {
    by: { about: "What to sum by (session).", value: "what", choices: groups },
    session: { about: "Only this session; needed for turn and step.", value: "id" },
    ...dayOptions,
    csv: { about: "As CSV, with a head." },
    json: { about: "One JSON object a line." },
  },
  examples: [
    "aiex usage",
    "aiex usage --by model --days 7",
    "aiex usage --by day --since 2026-03-01 --until 2026-03-31 --csv",
    "aiex usage --by step --session 3k2j9x",
  ],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app, config } = opened.value;
    const { by = "session" } = options;
    if ((by === "turn" || by === "step") && options.session === undefined) {
      const fix = `aiex usage --by ${by} --session <id>`;
      return cli.fail({ code: "bad_input", say: `--by ${by} needs a session`, fix });
    }
    const days = daysIn(options, cli);
    if (!days.ok) return cli.fail(days.error);
    const own = readLists({ models: config.settings.get("models")?.value });
    if (!own.ok) return cli.fail(own.error);
    const rows = await asked(app, by, options);
    if (!rows.ok) return cli.fail(rows.error);
    const within = rows.value.filter((row) => isIn(dayOf(row), days.value));
    const { terminal } = cli;
    if (within.length === 0 && !options.json && !options.csv) {
      terminal.out(nothingText(rows.value));
      return 0;
    }
    const how = options.json ? "json" : options.csv ? "csv" : "table";
    if (by === "tool") tell(terminal, how, toolTable(within));
    else {
      const keys = await keysFor(app, by);
      if (!keys.ok) return cli.fail(keys.error);
      tell(terminal, how, usageTable(by, summed(within, keys.value, own.value.models)));
    }
    return 0;
  },
});

const isIn = (day: number, { from, to }: Days): boolean => day >= from && day <= to;

type Asked = { session: string | undefined };

async function asked(app: App, by: Group, { session }: Asked): Promise<Result<Row[]>> {
  let where: Row = {};
  if (session !== undefined) {
    const found = await app.read({ type: "Session", session });
    if (!found.ok) return found;
    where = { session: found.value.session };
  }
  if (by === "tool") return await rowsOf(app, "results", { ...where, open: 0 });
  return await rowsOf(app, by === "turn" || by === "step" ? "steps" : "usage", where);
}

/** What a row counts to. A child is named with its parent, any other session alone. */
async function keysFor(app: App, by: Exclude<Group, "tool">): Promise<Result<(r: Row) => string>> {
  switch (by) {
    case "day":
      return ok((row) => dayText(dayOf(row)));
    case "step":
      return ok((row) => {
        const between = row.attempt === 0 ? "probe" : "summary";
        const step = row.step === 0 ? between : `${row.step}.${row.attempt}`;
        return `${step} ${row.model}`;
      });
    case "child": {
      const found = await rowsOf(app, "budgets", { depth: 1 });
      if (!found.ok) return found;
      const parents = new Map(found.value.map(({ session, within }) => [session, within]));
      return ok(({ session }) => {
        const parent = parents.get(session as string);
        return parent === undefined ? String(session) : `${parent}/${session}`;
      });
    }
    case "session":
    case "model":
    case "turn":
      return ok((row) => String(row[by]));
    default:
      return fail("bad_input", `there is no sum by ${by satisfies never}`);
  }
}

/** An answer in all its forms: cells for people, fields for programs, and what to say below. */
type Told = {
  title: string;
  head: readonly string[];
  lines: readonly { key: string; cells: readonly string[]; fields: Record<string, unknown> }[];
  total: { cells: readonly string[]; fields: Record<string, unknown> };
  by: Group;
  notes: readonly string[];
};

function tell(terminal: Terminal, how: "json" | "csv" | "table", told: Told): void {
  const { by, lines, total } = told;
  if (how === "json") {
    for (const { key, fields } of lines) terminal.out(lineOf("usage", { by, key, ...fields }));
    if (lines.length > 0) terminal.out(lineOf("usageTotal", { by, ...total.fields }));
  } else if (how === "csv") {
    const rows = lines.map(({ key, fields }) => ({ [by]: key, ...fields }));
    terminal.out(csvText(rows, [by, ...Object.keys(total.fields)]));
  } else terminal.out(tableText(told));
}

function tableText({ title, head, lines, total, notes }: Told): string {
  const wide = lines.reduce((max, { key }) => Math.max(max, key.length), Math.max(title.length, 5));
  const row = (key: string, cells: readonly string[]) =>
    `${column(reveal(key), wide)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
  return [
    row(title, head),
    ...lines.map(({ key, cells }) => row(key, cells)),
    ...(lines.length > 1 ? [row("total", total.cells)] : []),
    ...notes.map((note) => `${note}\n`),
  ].join("");
}

const titles: Record<Exclude<Group, "tool">, string> = {
  session: "session",
  model: "model",
  child: "session and child",
  day: "day (UTC)",
  turn: "turn",
  step: "step and model",
};

/** Where no line is left: was there nothing at all, or only nothing in the days asked for? */
const nothingText = (rows: readonly Row[]): string =>
  `No model was asked anything ${rows.length === 0 ? "yet" : "in these days"}.\n`;

function usageTable(by: Exclude<Group, "tool">, lines: readonly Line[]): Told {
  const total = totalOf(lines);
  return {
    ...{ by, title: titles[by], notes: notesOf(total) },
    head: ["calls", "input", "cached", "output", "reasoning", "money"],
    lines: lines.map((line) => ({
      ...{ key: line.key, cells: cellsOf(line), fields: fieldsOf(line) },
    })),
    total: { cells: cellsOf(total), fields: fieldsOf(total) },
  };
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

function fieldsOf({ counts, estimated, unpriced }: Line): Record<string, unknown> {
  const { unpricedInput: _, unpricedCached: __, unpricedWritten: ___, ...rest } = counts;
  const { unpricedOutput: ____, nanoDollars, ...tokens } = rest;
  return { ...tokens, nanoDollars, estimatedNanoDollars: estimated, unpriced };
}

/** Models named as ones without a price. */
const NAMED_MAX = 4;

/** What is not exact in a sum, and why. */
function notesOf({ counts, estimated, unpriced, bare }: Line): string[] {
  const { inexact } = counts;
  const named = [...bare].slice(0, NAMED_MAX).map(reveal);
  const models = `${named.join(", ")}${bare.size > NAMED_MAX ? " …" : ""}`;
  return [
    ...(inexact > 0
      ? [`≤ ${count(inexact, "call")} not counted to the end by the provider: an upper bound`]
      : []),
    ...(estimated > 0 ? [`~ ${dollars(estimated)} at the prices of now, not of the call`] : []),
    ...(unpriced > 0 ? [`? ${short(unpriced)} tokens without a price: ${models}`] : []),
  ];
}

function toolTable(rows: readonly Row[]): Told {
  const sums = new Map<string, { results: number; tokens: number; sent: number }>();
  const total = { results: 0, tokens: 0, sent: 0 };
  for (const row of rows) {
    const sum = sums.get(String(row.tool)) ?? { results: 0, tokens: 0, sent: 0 };
    const size = Number(row.tokens);
    // A copy brought the result along: it was called and read first elsewhere.
    const own = row.copied === 1 ? 0 : 1;
    for (const to of [sum, total]) {
      to.results += own;
      to.tokens += own * size;
      to.sent += size * Number(row.requests);
    }
    sums.set(String(row.tool), sum);
  }
  const cells = ({ results, tokens, sent }: typeof total) => [
    String(results),
    `~${short(tokens)}`,
    `~${short(sent)}`,
  ];
  const lines = [...sums].toSorted(([, a], [, b]) => b.sent - a.sent);
  return {
    ...{ by: "tool", title: "tool", head: ["results", "tokens", "sent"] },
    lines: lines.map(([key, sum]) => ({ key, cells: cells(sum), fields: { ...sum } })),
    total: { cells: cells(total), fields: total },
    notes: [
      "~ no provider counts results: estimated from their text, for each request they were in",
    ],
  };
}
