// The list of sessions: one row each, in step with the log. A row changes when a turn begins, asks
// or ends, not with every event between: an append inside a turn then writes nothing but itself.
import type { LogRecord } from "#core/record.ts";
import type { SessionEvent } from "#core/session/events.ts";
import type { RowChange, View } from "#core/views/view.ts";

/** Characters of the first prompt that stand in for a title. */
const TITLE_CHARS_MAX = 80;
/** Stands in for the title where the first prompt is so long that it lies in a blob. */
const LONG_PROMPT = "(a long prompt)";

export const sessions: View = {
  name: "sessions",
  version: 2,
  types: new Set([
    "SessionStarted",
    "TurnStarted",
    "SessionRenamed",
    "SessionErased",
    "ModelSwitched",
    "PermissionAsked",
    "PermissionAnswered",
    "TurnEnded",
  ]),
  atOnce: true,
  columns: {
    session: "text",
    workspace: "text",
    path: "text",
    /** 1 for a child of another session. */
    child: "integer",
    title: "text",
    named: "integer",
    model: "text",
    state: "text",
    turns: "integer",
    startedAt: "integer",
    updatedAt: "integer",
  },
  key: ["session"],
  indexes: [
    ["child", "updatedAt"],
    ["path", "child", "updatedAt"],
  ],
  apply(record, decoded) {
    if (decoded.kind === "far" && decoded.type === "TurnStarted") {
      return rowsOf(record, { type: "TurnStarted", turn: "", text: LONG_PROMPT, attachments: [] });
    }
    return decoded.kind === "event" ? rowsOf(record, decoded.event) : [];
  },
};

function rowsOf(record: LogRecord, e: SessionEvent): RowChange[] {
  const key = { session: record.stream };
  const seen = { updatedAt: record.at };
  const change = (set: Record<string, string | number>): RowChange[] => [
    { do: "change", key, set: { ...seen, ...set } },
  ];
  switch (e.type) {
    case "SessionStarted":
      return [
        {
          do: "put",
          row: {
            ...key,
            ...seen,
            workspace: e.workspace,
            path: e.location.path,
            child: e.child ? 1 : 0,
            title: "",
            named: 0,
            model: e.model,
            state: "idle",
            turns: 0,
            startedAt: record.at,
          },
        },
      ];
    case "TurnStarted":
      return [
        { do: "change", key, set: { ...seen, state: "running" }, add: { turns: 1 } },
        { do: "change", key: { ...key, title: "" }, set: { title: titleOf(e.text) } },
      ];
    case "SessionRenamed":
      return change({ title: e.title, named: 1 });
    case "SessionErased":
      return [{ do: "drop", where: key }];
    case "ModelSwitched":
      return change({ model: e.model });
    case "PermissionAsked":
      return change({ state: "asks" });
    case "PermissionAnswered":
      return change({ state: "running" });
    case "TurnEnded":
      return change({ state: e.end === "done" ? "idle" : e.end });
    default:
      return [];
  }
}

function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n")[0] ?? "";
  return line.length > TITLE_CHARS_MAX ? `${line.slice(0, TITLE_CHARS_MAX - 1)}…` : line || "…";
}
