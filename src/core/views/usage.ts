// Tokens by session, model and day (UTC), from every call that was settled, broken ones included.
import type { RowChange, View } from "#core/views/view.ts";

const DAY_MS = 86_400_000;

export const usage: View = {
  name: "usage",
  version: 2,
  types: new Set(["StepCompleted", "StepBroken", "SessionErased"]),
  atOnce: false,
  columns: {
    session: "text",
    model: "text",
    day: "integer",
    calls: "integer",
    broken: "integer",
    input: "integer",
    cached: "integer",
    written: "integer",
    output: "integer",
    reasoning: "integer",
  },
  key: ["session", "model", "day"],
  apply(record, decoded) {
    if (decoded.kind !== "event") return [];
    const e = decoded.event;
    if (e.type === "SessionErased") return [{ do: "drop", where: { session: record.stream } }];
    if (e.type !== "StepCompleted" && e.type !== "StepBroken") return [];
    const day = Math.floor(record.at / DAY_MS);
    const key = { session: record.stream, model: e.model, day };
    const { exact: _, written = 0, ...tokens } = e.usage;
    const zero = { calls: 0, broken: 0, input: 0, cached: 0, written: 0, output: 0, reasoning: 0 };
    const broken = e.type === "StepBroken" ? 1 : 0;
    const changes: RowChange[] = [
      { do: "add", key, zero, add: { calls: 1, broken, written, ...tokens } },
    ];
    return changes;
  },
};
