// Tokens and money of each settled call, for the story of one session: a row a call, with its turn.
// A probe stands before the step that it was made for: it has the numbers 0.
import { isSettled } from "#core/session/upcast.ts";
import { usageColumns, usageRow } from "#core/views/usage.ts";
import { isCopied, type View } from "#core/views/view.ts";

export const steps: View = {
  name: "steps",
  version: 4,
  types: new Set(["StepCompleted", "StepBroken", "ModelProbed", "SessionErased"]),
  atOnce: false,
  columns: {
    session: "text",
    version: "integer",
    at: "integer",
    turn: "text",
    step: "integer",
    attempt: "integer",
    model: "text",
    ...Object.fromEntries(usageColumns.map((name) => [name, "integer"])),
  },
  key: ["session", "version"],
  apply(record, decoded) {
    if (decoded.kind !== "event" || isCopied(record)) return [];
    const e = decoded.event;
    if (e.type === "SessionErased") return [{ do: "drop", where: { session: record.stream } }];
    if (!isSettled(e)) return [];
    const { stream: session, version, at, correlation } = record;
    const { model } = e;
    const { step, attempt } = e.type === "ModelProbed" ? { step: 0, attempt: 0 } : e;
    const counts = usageRow(e.usage, { broken: e.type === "StepBroken" });
    const row = { session, version, at, turn: correlation ?? "", step, attempt, model, ...counts };
    return [{ do: "put", row }];
  },
};
