// Sessions that were erased and whose content may not be gone yet: one row each, from the event that
// erases to the record that says that nothing is left. Normally empty, so that a start can look.
import type { View } from "#core/views/view.ts";

/** The stream whose records say that nothing is left of an erased session. */
export const SWEPT_STREAM = "node:swept";
/** The type of such a record; its body is `{session}`. */
export const SWEPT = "SessionSwept";

export const erased: View = {
  name: "erased",
  version: 1,
  types: new Set(["SessionErased", SWEPT]),
  beside: SWEPT_STREAM,
  atOnce: true,
  columns: { session: "text", version: "integer", at: "integer" },
  key: ["session"],
  apply({ stream, version, at, type, body }) {
    if (type !== SWEPT) return [{ do: "put", row: { session: stream, version, at } }];
    const { session } = JSON.parse(body ?? "{}") as { session?: string };
    return [{ do: "drop", where: { session: session ?? "" } }];
  },
};
