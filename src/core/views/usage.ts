// Tokens and money by session, model and day (UTC), from every call that was settled, broken ones and
// probes included. Money is what the event says; tokens of calls without it stand apart, so that a reader
// can price them and say that it is an estimate.
import { type Figures, figureNames, noFigures, type Took } from "#core/ledger/figures.ts";
import type { Usage } from "#core/model/message.ts";
import { isSettled, SETTLING, type Settling } from "#core/session/upcast.ts";
import { isCopied, type RowChange, type View } from "#core/views/view.ts";

const DAY_MS = 86_400_000;

/** What one settled call adds to a row. */
export function usageRow(usage: Usage, how: { broken: boolean }): Figures {
  const { input, cached, written = 0, output, reasoning, exact, cost } = usage;
  const bare = cost === undefined;
  return {
    calls: 1,
    broken: how.broken ? 1 : 0,
    input,
    cached,
    written,
    output,
    reasoning,
    inexact: exact ? 0 : 1,
    nanoDollars: cost?.nanoDollars ?? 0,
    unpricedInput: bare ? input : 0,
    unpricedCached: bare ? cached : 0,
    unpricedWritten: bare ? written : 0,
    unpricedOutput: bare ? output : 0,
  };
}

/** Whether the call gave no answer that could be used. */
export const isBroken = (e: Settling): boolean =>
  e.type === "StepBroken" || (e.type === "SummaryEnded" && e.failure !== undefined);

export const usage: View = {
  name: "usage",
  version: 8,
  types: new Set([...SETTLING, "SessionErased"]),
  atOnce: false,
  columns: {
    session: "text",
    model: "text",
    day: "integer",
    ...Object.fromEntries(figureNames.map((name) => [name, "integer"])),
  },
  key: ["session", "model", "day"],
  apply(record, decoded) {
    if (decoded.kind !== "event" || isCopied(record)) return [];
    const e = decoded.event;
    if (e.type === "SessionErased") return erased(record.stream, e.took);
    if (!isSettled(e)) return [];
    const day = Math.floor(record.at / DAY_MS);
    const key = { session: record.stream, model: e.model, day };
    const add = usageRow(e.usage, { broken: isBroken(e) });
    const changes: RowChange[] = [{ do: "add", key, zero: noFigures, add }];
    return changes;
  },
};

/** What it took is told by the event that erased it: the ledger goes on to be that of the bill. */
const erased = (session: string, took: readonly Took[] = []): RowChange[] => [
  { do: "drop", where: { session } },
  ...took.map((row): RowChange => ({ do: "put", row: { session, ...row } })),
];
