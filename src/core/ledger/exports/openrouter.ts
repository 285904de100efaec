// OpenRouter's exports. CSV: what the activity page exports, a line for each generation
// (https://openrouter.ai/docs/guides/guides/activity-export; the columns as public copies of such files
// show them: `created_at` in UTC, `cost_total` in dollars, `tokens_completion` with reasoning tokens). JSON:
// `GET /api/v1/activity` (https://openrouter.ai/docs/api-reference/analytics), a line for each day and model.

import { ok } from "#core/failure.ts";
import {
  bad,
  countIn,
  dayIn,
  type ExportFormat,
  type ExportRow,
  entriesOf,
  moneyIn,
  nameIn,
  tableRows,
} from "#core/ledger/exports/export.ts";

type Figures = Record<
  "when" | "model" | "requests" | "input" | "cached" | "output" | "cost",
  unknown
>;

function rowOf(given: Figures): ExportRow | string {
  const day = dayIn(String(given.when));
  const requests = countIn(given.requests);
  const input = countIn(given.input);
  const cached = countIn(given.cached);
  const output = countIn(given.output);
  const nanoDollars = moneyIn(given.cost);
  if (day === undefined) return "there is no such day";
  if (requests === undefined || input === undefined) return "a count is no whole number";
  if (cached === undefined || output === undefined) return "a count is no whole number";
  if (nanoDollars === undefined) return "the cost is no number";
  return { day, model: nameIn(given.model), requests, input, cached, output, nanoDollars };
}

export const openrouter: ExportFormat = {
  name: "openrouter",
  provider: "openrouter",
  fits(given) {
    if (given.form === "table") {
      return ["created_at", "cost_total", "model_permaslug"].every((name) =>
        given.head.includes(name),
      );
    }
    return !!entriesOf(given.value)?.some((entry) => "model_permaslug" in entry);
  },
  read(given) {
    if (given.form === "table") {
      return tableRows(given, (cell) =>
        rowOf({
          when: cell("created_at"),
          model: cell("model_permaslug"),
          requests: 1,
          input: cell("tokens_prompt"),
          cached: cell("tokens_cached"),
          output: cell("tokens_completion"),
          cost: cell("cost_total"),
        }),
      );
    }
    const rows: ExportRow[] = [];
    for (const [i, entry] of (entriesOf(given.value) ?? []).entries()) {
      const row = rowOf({
        when: entry.date,
        model: entry.model_permaslug,
        requests: entry.requests,
        input: entry.prompt_tokens,
        cached: 0,
        output: entry.completion_tokens,
        cost: entry.usage,
      });
      if (typeof row === "string") return bad(`entry ${i + 1}`, row);
      const { cached: _, ...told } = row;
      rows.push(told);
    }
    return ok(rows);
  },
};
