// Whether a child gets anywhere: what its calls brought that was not there before. A new state of the
// files, a new outcome of a command, an answer that was not read yet are progress; the same error
// once more is none, however the call was written. Repeating a call is none by itself and no loop
// either: what counts is what came of it. A fold of the child's own events, bounded.
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Outcomes remembered; a child that made so many has got somewhere. */
const KNOWN_MAX = 2_000;
/** Steps in a row that brought nothing new, before the child is told so. */
export const IDLE_TOLD = 5;
/** And before it is ended. */
export const IDLE_MAX = 8;
/** The same while a job of it runs: whoever waits for one sees the same for a while. */
export const IDLE_WAITING_MAX = 40;

export type Progress = {
  known: ReadonlySet<string>;
  /** The arguments of the calls of the present step. */
  calls: ReadonlyMap<string, string>;
  /** What the present step brought; null before its first result. */
  brought: "something" | "nothing" | null;
  /** Steps in a row that brought nothing. */
  idle: number;
  /** Jobs that were started and of which no end was seen. */
  jobs: number;
};

export const noProgress: Progress = {
  known: new Set(),
  calls: new Map(),
  brought: null,
  idle: 0,
  jobs: 0,
};

/** How many idle steps are too many now. */
export const idleMax = ({ jobs }: Progress): number => (jobs > 0 ? IDLE_WAITING_MAX : IDLE_MAX);

/** One event more. `hash` names a text briefly. */
export function progressAfter(
  p: Progress,
  event: SessionEvent,
  hash: (text: string) => string,
): Progress {
  switch (event.type) {
    case "StepStarted":
      return event.attempt === 1 ? stepOver(p) : p;
    case "StepCompleted": {
      const calls = event.parts.flatMap((part) => (part.type === "call" ? [part] : []));
      return { ...p, calls: new Map(calls.map(({ id, tool, input }) => [id, `${tool} ${input}`])) };
    }
    case "Steered":
      // Somebody said something: what follows is another matter.
      return { ...p, idle: 0, brought: null };
    case "ToolFinished":
      return finished(p, event, hash);
    default:
      return p;
  }
}

const stepOver = (p: Progress): Progress => ({
  ...p,
  brought: null,
  idle: p.brought === "nothing" ? p.idle + 1 : p.brought === "something" ? 0 : p.idle,
});

function finished(
  p: Progress,
  event: EventOf<"ToolFinished">,
  hash: (text: string) => string,
): Progress {
  const outcomes = outcomesOf(event, p.calls.get(event.callId) ?? "").map(hash);
  const fresh = outcomes.filter((one) => !p.known.has(one));
  const known = [...p.known, ...fresh].slice(-KNOWN_MAX);
  const begun = event.facts.filter(({ type }) => type === "jobStarted").length;
  const ended = event.facts.filter(({ type }) => type === "jobEnded").length;
  return {
    ...p,
    known: fresh.length > 0 ? new Set(known) : p.known,
    brought: fresh.length > 0 ? "something" : (p.brought ?? "nothing"),
    jobs: Math.max(0, p.jobs + begun - ended),
  };
}

/** What a result is, in words that are the same whenever it is the same again. */
function outcomesOf({ end, parts, facts, tree }: EventOf<"ToolFinished">, call: string): string[] {
  const states = facts.flatMap(stateOf);
  const files = facts.some(({ type }) => type === "filesChanged") && tree ? [`tree ${tree}`] : [];
  const said = parts.map((part) => (part.type === "text" ? part.text : part.blob.hash)).join("\n");
  const failed = end !== "ok" || facts.some(isFailedRun);
  // The same error is the same however the call was written; an answer belongs to its question.
  const answer = failed ? `error ${steady(said)}` : `answer ${call} ${steady(said)}`;
  return [...states, ...files, answer];
}

const isFailedRun = (fact: Fact): boolean => fact.type === "commandEnded" && fact.code !== 0;

function stateOf(fact: Fact): string[] {
  switch (fact.type) {
    case "fileChanged":
      return [`file ${fact.path} ${fact.after}`];
    case "commandEnded":
      return fact.tests === undefined ? [] : [`tests ${JSON.stringify(fact.tests)}`];
    default:
      return [];
  }
}

/** Without what is another each time though nothing else is: numbers, and names made of them. */
const steady = (text: string): string =>
  text.replaceAll(/\b(?=\w*\d)[0-9a-f]{6,}\b/gi, "#").replaceAll(/\d+/g, "#");
