// Tokens and money of each settled call, for the story of one session: a row a call, with its turn.
// A probe stands before the step that it was made for: it has the numbers 0.

import { figureNames } from "#core/ledger/figures.ts";
import { isSettled, type Settling } from "#core/session/upcast.ts";
import { isBroken, usage, usageRow } from "#core/views/usage.ts";
import { isCopied, type View } from "#core/views/view.ts";

/** A probe and a summary are made between steps: they are told as step 0, attempt 0 and 1. */
function placeOf(e: Settling): { step: number; attempt: number } {
  if (e.type === "ModelProbed") return { step: 0, attempt: 0 };
  return e.type === "SummaryEnded" ? { step: 0, attempt: 1 } : e;
}

export const steps: View = {
  name: "steps",
  version: 5,
  types: usage.types,
  atOnce: false,
  columns: {
    session: "text",
    version: "integer",
    at: "integer",
    turn: "text",
    step: "integer",
    attempt: "integer",
    model: "text",
    ...Object.fromEntries(figureNames.map((name) => [name, "integer"])),
  },
  key: ["session", "version"],
  apply(record, decoded) {
    if (decoded.kind !== "event" || isCopied(record)) return [];
    const e = decoded.event;
    if (e.type === "SessionErased") return [{ do: "drop", where: { session: record.stream } }];
    if (!isSettled(e)) return [];
    const { stream: session, version, at, correlation } = record;
    const { model } = e;
    const { step, attempt } = placeOf(e);
    const counts = usageRow(e.usage, { broken: isBroken(e) });
    const row = { session, version, at, turn: correlation ?? "", step, attempt, model, ...counts };
    return [{ do: "put", row }];
  },
};
