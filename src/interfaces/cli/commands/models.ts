// `aiex models`: what is in reach, what is known of each model, and who says so.
import type { Answers, ModelRow } from "#app";
import type { FactName } from "#core/model/catalog.ts";
import { dollars, type Price } from "#core/model/money.ts";
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { column, lasted, short } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

const MILLION = 1_000_000;

export const models = defineCommand({
  name: "models",
  level: "everyday",
  about: "The models in reach: window, abilities, price, and how each can be asked.",
  more: `In brackets stands who told the facts before it: Aiex's catalog, the server, or the user (the
key \`models\`). Prices are dollars for a million tokens. \`aiex models probe\` asks a model itself.`,
  options: { json: { about: "One JSON object a line." } },
  examples: ["aiex models", "aiex models --json"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const read = await opened.value.app.read({ type: "Models" });
    if (!read.ok) return cli.fail(read.error);
    const { terminal } = cli;
    if (options.json) {
      for (const row of read.value.models) terminal.out(lineOf("model", row));
      for (const route of read.value.routes) terminal.out(lineOf("route", route));
      return 0;
    }
    terminal.out(tableOf(read.value, terminal.paint.out));
    return 0;
  },
});

function tableOf({ models: rows, routes, looked }: Answers["Models"], paint: Paint): string {
  const wide = Math.max(0, ...[...rows, ...routes].map(({ name }) => reveal(name).length));
  const lines = rows.map((row) => {
    const name = column(reveal(row.name), wide);
    return `${name}  ${factsText(row)}${paint.dim(stateText(row))}\n`;
  });
  const ways = routes.map(
    ({ name, models: names, strategy }) =>
      `${column(reveal(name), wide)}  ${strategy}: ${names.map(reveal).join(", ")}\n`,
  );
  if (lines.length > 0) return [...lines, ...ways].join("");
  const places = looked.map(({ where, outcome }) => `  ${reveal(where)}: ${reveal(outcome)}\n`);
  return `No model is in reach.\n${[...places, ...ways].join("")}`;
}

/** Facts by who told them: `window 1.1M, native calls (catalog)`; what nobody told, at the end. */
function factsText({ facts, sources }: ModelRow): string {
  const { windowTokens: window, calls, price } = facts;
  const told: [FactName, string][] = [];
  if (window !== undefined) told.push(["windowTokens", `window ${short(window)}`]);
  if (calls) told.push(["calls", `${calls} calls`]);
  for (const name of ["images", "thinking", "caching"] as const) {
    if (facts[name]) told.push([name, name]);
  }
  if (price) told.push(["price", priceText(price)]);
  const groups = Map.groupBy(told, ([name]) => sources[name] ?? "");
  const known = [...groups].map(([by, all]) => {
    const texts = all.map(([, text]) => text).join(", ");
    return by === "" ? texts : `${texts} (${by})`;
  });
  const unknown = [
    ...(window === undefined ? ["window"] : []),
    ...(price === undefined ? ["price"] : []),
  ];
  const rest = unknown.length > 0 ? [`${unknown.join(" and ")} not known`] : [];
  return [...known, ...rest].join("; ");
}

/** `$2.00 in, $0.10 cached, $10.00 out`, for a million tokens. */
export function priceText({ input, cached, output }: Price): string {
  const dollar = (nano: number) => dollars(nano * MILLION);
  const read = cached === undefined ? "" : `, ${dollar(cached)} cached`;
  return `${dollar(input)} in${read}, ${dollar(output)} out`;
}

function stateText({ ways, why, by }: ModelRow): string {
  if (why !== undefined) return `  cannot be asked: ${reveal(why)}`;
  const keys = ways.length > 1 ? `, ${ways.length} keys` : "";
  const closed = ways.filter((way) => way.why !== undefined);
  const left = ways.flatMap(({ left: { requests } }) => (requests === undefined ? [] : [requests]));
  const rest = left.reduce((sum, requests) => sum + requests, 0);
  const states = [
    ...closed.map((way) => `${reveal(way.why ?? "")}, for ${lasted(way.waitMs)}`),
    ...(left.length > 0 ? [`${rest} requests left this minute`] : []),
  ];
  return `  by ${reveal(by)}${keys}${states.map((state) => `; ${state}`).join("")}`;
}
