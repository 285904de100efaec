// Anthropic's exports. JSON: pages of the Usage and Cost API (`GET /v1/organizations/usage_report/messages`
// and `…/cost_report`, https://platform.claude.com/docs/en/build-with-claude/usage-cost-api), in buckets with
// `starting_at`; amounts of the cost report are decimal text in cents. CSV: what the Console exports for usage
// (`usage_input_tokens_no_cache` …) and for cost (`cost_usd`, a line for each kind of token), as public
// copies of such files show them. The kinds of input add up: none counts another one's tokens.

import { ok } from "#core/failure.ts";
import {
  bad,
  countIn,
  dayIn,
  type ExportFormat,
  type ExportRow,
  isObject,
  moneyIn,
  nameIn,
  resultsOf,
  tableRows,
} from "#core/ledger/exports/export.ts";

const sum = (counts: readonly (number | undefined)[]): number | undefined =>
  counts.reduce<number | undefined>(
    (total, n) => (total === undefined || n === undefined ? undefined : total + n),
    0,
  );

function usageRow(
  when: unknown,
  model: unknown,
  counts: { fresh: unknown; written: unknown[]; read: unknown; output: unknown },
): ExportRow | string {
  const day = dayIn(String(when));
  const cached = countIn(counts.read);
  const input = sum([countIn(counts.fresh), ...counts.written.map(countIn), cached]);
  const output = countIn(counts.output);
  if (day === undefined) return "there is no such day";
  if (input === undefined || cached === undefined || output === undefined) {
    return "a count is no whole number";
  }
  return { day, model: nameIn(model), input, cached, output };
}

function costRow(
  when: unknown,
  model: unknown,
  nanoDollars: number | undefined,
): ExportRow | string {
  const day = dayIn(String(when));
  if (day === undefined) return "there is no such day";
  return nanoDollars === undefined
    ? "the amount is no number"
    : { day, model: nameIn(model), nanoDollars };
}

export const anthropic: ExportFormat = {
  name: "anthropic",
  provider: "anthropic",
  fits(given) {
    if (given.form === "table") return given.head.includes("usage_date_utc");
    const results = resultsOf(given.value);
    return !!results?.some(
      ({ bucket, result }) =>
        "starting_at" in bucket && ("uncached_input_tokens" in result || "amount" in result),
    );
  },
  read(given) {
    if (given.form === "table") {
      const isCost = given.head.includes("cost_usd");
      return tableRows(given, (cell) =>
        isCost
          ? costRow(cell("usage_date_utc"), cell("model"), moneyIn(cell("cost_usd")))
          : usageRow(cell("usage_date_utc"), cell("model_version"), {
              fresh: cell("usage_input_tokens_no_cache"),
              written: [
                cell("usage_input_tokens_cache_write_5m"),
                cell("usage_input_tokens_cache_write_1h"),
              ],
              read: cell("usage_input_tokens_cache_read"),
              output: cell("usage_output_tokens"),
            }),
      );
    }
    const rows: ExportRow[] = [];
    for (const [i, { bucket, result }] of (resultsOf(given.value) ?? []).entries()) {
      const { starting_at: when } = bucket;
      const row = "amount" in result ? costIn(when, result) : usageIn(when, result);
      if (typeof row === "string") return bad(`result ${i + 1}`, row);
      rows.push(row);
    }
    return ok(rows);
  },
};

function costIn(when: unknown, result: Record<string, unknown>): ExportRow | string {
  const { currency = "USD", amount, model, description } = result;
  if (String(currency).toUpperCase() !== "USD") return "the amount is not in dollars";
  // Grouped by description, a line names its model in words, or something that is no model.
  const isOther = nameIn(model) === null && nameIn(description) !== null;
  return costRow(when, isOther ? description : model, moneyIn(amount, "cents"));
}

function usageIn(when: unknown, result: Record<string, unknown>): ExportRow | string {
  const written = isObject(result.cache_creation) ? Object.values(result.cache_creation) : [];
  return usageRow(when, result.model, {
    fresh: result.uncached_input_tokens,
    written,
    read: result.cache_read_input_tokens,
    output: result.output_tokens,
  });
}
