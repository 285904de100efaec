// OpenAI's exports. JSON: pages of the Usage API (`GET /v1/organization/usage/completions`, results of
// `organization.usage.completions.result`) and of the Costs API (`GET /v1/organization/costs`, results
// of `organization.costs.result`), both described at https://platform.openai.com/docs/api-reference/usage,
// in time buckets with `start_time` in seconds. CSV: what the usage page of the dashboard exports, the same
// fields as columns (`completions_usage_….csv`, and costs with `amount_value`, `amount_currency`,
// `line_item`), as public copies of such files show them. `input_tokens` counts cached tokens too.

import { ok } from "#core/failure.ts";
import {
  bad,
  countIn,
  dayOfSeconds,
  type ExportFormat,
  type ExportRow,
  moneyIn,
  nameIn,
  resultsOf,
  tableRows,
} from "#core/ledger/exports/export.ts";

type Fields = (name: string) => unknown;

/** Tokens of a bucket or line; a text says what is wrong with it. */
function usageRow(field: Fields): ExportRow | string {
  const day = dayOfSeconds(field("start_time"));
  const [requests, input, cached, output] = [
    "num_model_requests",
    "input_tokens",
    "input_cached_tokens",
    "output_tokens",
  ].map((name) => countIn(field(name)));
  if (day === undefined) return "start_time is no time in seconds";
  if (requests === undefined || input === undefined) return "a count is no whole number";
  if (cached === undefined || output === undefined) return "a count is no whole number";
  return { day, model: nameIn(field("model")), requests, input, cached, output };
}

/** Money of a bucket or line. A line item is a model and what of it: `gpt-5, input`. */
function costRow(field: Fields, amount: { value: unknown; currency: unknown }): ExportRow | string {
  const day = dayOfSeconds(field("start_time"));
  const nanoDollars = moneyIn(amount.value);
  if (day === undefined) return "start_time is no time in seconds";
  if (nanoDollars === undefined) return "the amount is no number";
  if (String(amount.currency).toLowerCase() !== "usd") return "the amount is not in dollars";
  const item = nameIn(field("line_item"));
  return { day, model: item === null ? null : (item.split(",")[0] ?? "").trim(), nanoDollars };
}

/** A bucket in which nothing happened is a line without any figures. */
const isEmpty = (cell: (name: string) => string | undefined, name: string): boolean =>
  (cell(name) ?? "").trim() === "";

export const openai: ExportFormat = {
  name: "openai",
  provider: "openai",
  fits(given) {
    if (given.form === "table") {
      const has = (name: string) => given.head.includes(name);
      return has("start_time") && (has("num_model_requests") || has("amount_value"));
    }
    const results = resultsOf(given.value);
    return !!results?.some(({ result }) => /^organization\./.test(String(result.object)));
  },
  read(given) {
    if (given.form === "table") {
      const isCost = given.head.includes("amount_value");
      return tableRows(given, (cell) => {
        if (isEmpty(cell, isCost ? "amount_value" : "num_model_requests")) return null;
        const [value, currency] = [cell("amount_value"), cell("amount_currency") ?? "usd"];
        return isCost ? costRow(cell, { value, currency }) : usageRow(cell);
      });
    }
    const rows: ExportRow[] = [];
    for (const [i, { bucket, result }] of (resultsOf(given.value) ?? []).entries()) {
      const field: Fields = (name) => result[name] ?? bucket[name];
      const isCost = result.object === "organization.costs.result";
      const amount = Object(result.amount) as { value: unknown; currency: unknown };
      const row = isCost ? costRow(field, amount) : usageRow(field);
      if (typeof row === "string") return bad(`result ${i + 1}`, row);
      rows.push(row);
    }
    return ok(rows);
  },
};
