// What a child's own events tell whoever waits for it: how far it is, what it changed, how it ended.
// A fold, bounded.
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { noProgress, type Progress, progressAfter } from "#core/session/progress.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Paths of its changes that are remembered. */
const CHANGED_MAX = 1_000;
/** Notices that are remembered; there are few kinds. */
const TOLD_MAX = 50;

export type ChildSeen = {
  version: number;
  begunAt: number;
  deadlineAt: number;
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
      return { ...s, asks: new Set([...s.asks, event.callId]) };
    case "PermissionAnswered":
      return { ...s, asks: without(s.asks, event.callId) };
    case "ToolFinished":
      return {
        ...s,
        asks: without(s.asks, event.callId),
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

const without = (all: ReadonlySet<string>, one: string): ReadonlySet<string> =>
  all.has(one) ? new Set([...all].filter((other) => other !== one)) : all;

function withPaths(all: ReadonlySet<string>, facts: readonly Fact[]): ReadonlySet<string> {
  const paths = facts.flatMap((fact) => {
    if (fact.type === "fileChanged" || fact.type === "fileGone") return [fact.path];
    if (fact.type !== "filesChanged") return [];
    return fact.files.flatMap(({ path }) => (fact.theirs?.includes(path) ? [] : [path]));
  });
  return paths.length === 0 ? all : new Set([...all, ...paths].slice(0, CHANGED_MAX));
}
