// What the results of tools brought into requests: a row for each call that a model made, with the size
// of its result and how many requests held it. No provider counts tokens by message, so the size is
// an estimate (`tokensLikely`, rather too much than too little) of the result as the log has it: what a
// tool brought is that size once, what it took is that size for each request until the next
// compaction, or until its turn was taken back. Most of the latter comes from a provider's cache.
import type { UserPart } from "#core/model/message.ts";
import { toolCallsOf } from "#core/model/message.ts";
import { IMAGE_TOKENS_LIKELY, tokensLikely } from "#core/model/tokens.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { isCopied, type RowChange, type View } from "#core/views/view.ts";

export const results: View = {
  name: "results",
  version: 1,
  types: new Set([
    "StepStarted",
    "StepCompleted",
    "ToolStarted",
    "ToolFinished",
    "Compacted",
    "RestoreStarted",
    "SessionErased",
  ]),
  atOnce: false,
  columns: {
    session: "text",
    /** The version of the answer that made the call, and the call's place in it. */
    version: "integer",
    place: "integer",
    callId: "text",
    turn: "text",
    tool: "text",
    at: "integer",
    /** Of the result, about; and the requests that held it. */
    tokens: "integer",
    requests: "integer",
    /** 1 while it has no result · 1 while requests hold that · 1 where a copy brought it along. */
    open: "integer",
    held: "integer",
    copied: "integer",
  },
  key: ["session", "version", "place"],
  indexes: [
    ["session", "held"],
    ["session", "open"],
  ],
  apply(record, decoded) {
    if (decoded.kind !== "event") return [];
    const { stream: session, version, at, correlation } = record;
    const e = decoded.event;
    if (e.type === "StepCompleted") {
      const turn = correlation ?? "";
      const copied = isCopied(record) ? 1 : 0;
      const blank = { tokens: 0, requests: 0, open: 1, held: 0, copied };
      return toolCallsOf(e.parts).map(({ id, tool }, place) => ({
        do: "put",
        row: { session, version, place, callId: id, turn, tool, at, ...blank },
      }));
    }
    // The requests of a copy were made where they were counted.
    return e.type === "StepStarted" && isCopied(record) ? [] : changes(session, at, e);
  },
};

function changes(session: string, at: number, e: SessionEvent): RowChange[] {
  switch (e.type) {
    case "ToolStarted":
      return [{ do: "change", key: { session, open: 1, callId: e.callId }, set: { tool: e.tool } }];
    case "ToolFinished": {
      const key = { session, open: 1, callId: e.callId };
      return [{ do: "change", key, set: { tokens: sizeOf(e.parts), at, open: 0, held: 1 } }];
    }
    case "StepStarted":
      return [{ do: "change", key: { session, held: 1 }, add: { requests: 1 } }];
    case "Compacted":
      return [{ do: "change", key: { session, held: 1 }, set: { held: 0 } }];
    case "RestoreStarted": {
      if (e.turn === undefined || e.cause === "restore") return [];
      const held = e.cause === "redo" ? 1 : 0;
      return [{ do: "change", key: { session, turn: e.turn, open: 0 }, set: { held } }];
    }
    case "SessionErased":
      return [{ do: "drop", where: { session } }];
    default:
      return [];
  }
}

const sizeOf = (parts: readonly UserPart[]): number =>
  parts.reduce(
    (sum, part) => sum + (part.type === "text" ? tokensLikely(part.text) : IMAGE_TOKENS_LIKELY),
    0,
  );
