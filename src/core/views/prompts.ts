// What users asked, for `session search`: one row a prompt.
import type { View } from "#core/views/view.ts";

/** Characters of a prompt that are searched. */
const TEXT_CHARS_MAX = 4_000;

export const prompts: View = {
  name: "prompts",
  version: 1,
  types: new Set(["TurnStarted", "Steered", "SessionErased"]),
  atOnce: false,
  columns: { session: "text", version: "integer", at: "integer", text: "text" },
  key: ["session", "version"],
  apply(record, decoded) {
    if (decoded.kind !== "event") return [];
    const e = decoded.event;
    const key = { session: record.stream };
    if (e.type === "SessionErased") return [{ do: "drop", where: key }];
    if (e.type !== "TurnStarted" && e.type !== "Steered") return [];
    const text = e.text.slice(0, TEXT_CHARS_MAX);
    return [{ do: "put", row: { ...key, version: record.version, at: record.at, text } }];
  },
};
