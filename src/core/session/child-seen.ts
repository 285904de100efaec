// What a child's own events tell whoever waits for it: how far it is, what it changed, how it ended.
// A fold, bounded.
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { noProgress, type Progress, progressAfter } from "#core/session/progress.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Paths of its changes that are remembered. */
const CHANGED_MAX = 1_000;
/** Share of its time after which a child is told to come to an end. */
const LATE_SHARE = 0.8;
/** Notices that are remembered; there are few kinds. */
const TOLD_MAX = 50;

export type ChildSeen = {
  version: number;
  begunAt: number;
  /** Without the time that it waited for the user. */
  deadlineAt: number;
  /** How long it waited for the user's answers, and since when it does now. */
  waitedMs: number;
  waitsSince: number | null;
  /** Answers of its model. */
  steps: number;
  changed: ReadonlySet<string>;
  progress: Progress;
  /** The notices that it was given. */
  told: readonly string[];
  /** Calls of it that wait for the user's answer. */
  asks: ReadonlySet<string>;
  ended: (Pick<EventOf<"ChildEnded">, "end" | "text" | "failure"> & { at: number }) | null;
};

export const unseenChild: ChildSeen = {
  version: 0,
  begunAt: 0,
  deadlineAt: Number.POSITIVE_INFINITY,
  waitedMs: 0,
  waitsSince: null,
  steps: 0,
  changed: new Set(),
  progress: noProgress,
  told: [],
  asks: new Set(),
  ended: null,
};

/** One event more, at its version and moment. `hash` names a text briefly. */
export function childSeen(
  before: ChildSeen,
  { version, at }: { version: number; at: number },
  event: SessionEvent,
  hash: (text: string) => string,
): ChildSeen {
  const s = { ...before, version, progress: progressAfter(before.progress, event, hash) };
  switch (event.type) {
    case "SessionStarted":
      return event.child ? { ...s, begunAt: at, deadlineAt: event.child.deadlineAt } : s;
    case "StepCompleted":
      return { ...s, steps: s.steps + 1 };
    case "ContextAdded":
      return { ...s, told: [...s.told, event.text].slice(-TOLD_MAX) };
    case "PermissionAsked":
      return { ...s, asks: new Set([...s.asks, event.callId]), waitsSince: s.waitsSince ?? at };
    case "PermissionAnswered":
      return answered(s, event.callId, at);
    case "ToolFinished":
      return {
        ...answered(s, event.callId, at),
        changed: withPaths(s.changed, event.facts),
      };
    case "SessionErased":
      return { ...s, ended: { end: "cancelled", text: "", at, failure: erased } };
    case "ChildEnded": {
      const { end, text, failure } = event;
      return { ...s, ended: { end, text, at, ...(failure ? { failure } : {}) } };
    }
    default:
      return s;
  }
}

const erased = { code: "not_found", say: "it was erased" };

/** When it is over: never as long as it waits for the user, whose time is not its own. */
export const dueAt = ({ deadlineAt, waitedMs, waitsSince }: ChildSeen): number =>
  waitsSince === null ? deadlineAt + waitedMs : Number.POSITIVE_INFINITY;

/** When most of its time is over. */
export const lateAt = (seen: ChildSeen): number =>
  dueAt(seen) - (seen.deadlineAt - seen.begunAt) * (1 - LATE_SHARE);

function answered(s: ChildSeen, callId: string, at: number): ChildSeen {
  if (!s.asks.has(callId)) return s;
  const asks = new Set([...s.asks].filter((other) => other !== callId));
  if (asks.size > 0) return { ...s, asks };
  return { ...s, asks, waitedMs: s.waitedMs + (at - (s.waitsSince ?? at)), waitsSince: null };
}

function withPaths(all: ReadonlySet<string>, facts: readonly Fact[]): ReadonlySet<string> {
  const paths = facts.flatMap((fact) => {
    if (fact.type === "fileChanged" || fact.type === "fileGone") return [fact.path];
    if (fact.type !== "filesChanged") return [];
    return fact.files.flatMap(({ path }) => (fact.theirs?.includes(path) ? [] : [path]));
  });
  return paths.length === 0 ? all : new Set([...all, ...paths].slice(0, CHANGED_MAX));
}
