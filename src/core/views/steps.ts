// Tokens and money of each settled call, for the story of one session: a row a call, with its turn.
import { usageColumns, usageRow } from "#core/views/usage.ts";
import { FORKED, type View } from "#core/views/view.ts";

export const steps: View = {
  name: "steps",
  version: 3,
  types: new Set(["StepCompleted", "StepBroken", "SummaryEnded", "SessionErased"]),
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
    if (decoded.kind !== "event" || record.actor === FORKED) return [];
    const e = decoded.event;
    if (e.type === "SessionErased") return [{ do: "drop", where: { session: record.stream } }];
    if (e.type !== "StepCompleted" && e.type !== "StepBroken" && e.type !== "SummaryEnded") {
      return [];
    }
    const { stream: session, version, at, correlation } = record;
    const { model } = e;
    // A summary is made between two steps: it is told as step 0.
    const { step, attempt } = e.type === "SummaryEnded" ? { step: 0, attempt: 0 } : e;
    const broken = e.type !== "StepCompleted" && e.failure !== undefined;
    const counts = usageRow(e.usage, { broken });
    const row = { session, version, at, turn: correlation ?? "", step, attempt, model, ...counts };
    return [{ do: "put", row }];
  },
};
