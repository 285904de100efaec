// The children of sessions, one row each: what it is for, until when, and how it ended. In step with the
// log, so that a node that starts finds those whose time is over while nobody ran them.
import type { Row, RowChange, View } from "#core/views/view.ts";
import { isCopied } from "#core/views/view.ts";

export const children: View = {
  name: "children",
  version: 1,
  types: new Set(["SessionStarted", "SessionRenamed", "ChildEnded", "SessionErased"]),
  atOnce: true,
  columns: {
    child: "text",
    parent: "text",
    role: "text",
    title: "text",
    begunAt: "integer",
    deadlineAt: "integer",
    /** `running`, or how it ended. */
    state: "text",
    /** 1 until it ended. */
    open: "integer",
    endedAt: "integer",
  },
  key: ["child"],
  indexes: [["parent"], ["open", "deadlineAt"]],
  apply(record, decoded) {
    const { stream: child, at } = record;
    if (record.type === "SessionErased") return [{ do: "drop", where: { child } }];
    if (isCopied(record)) return [];
    // A long last answer lies in a blob, and how it ended with it: that it did is what counts here.
    if (decoded.kind === "far" && decoded.type === "ChildEnded") return ended(child, "ended", at);
    if (decoded.kind !== "event") return [];
    const e = decoded.event;
    if (e.type === "ChildEnded") return ended(child, e.end, at);
    if (e.type === "SessionRenamed")
      return [{ do: "change", key: { child }, set: { title: e.title } }];
    if (e.type !== "SessionStarted" || !e.child) return [];
    const { role, deadlineAt } = e.child;
    const of: Row = { child, parent: e.parent ?? "", role, title: "", begunAt: at, deadlineAt };
    return [{ do: "put", row: { ...of, state: "running", open: 1, endedAt: null } }];
  },
};

const ended = (child: string, state: string, at: number): RowChange[] => [
  { do: "change", key: { child }, set: { state, open: 0, endedAt: at } },
];
