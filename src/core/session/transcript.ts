// What screens show of a session: any window of its events, folded to items. The same code serves a
// running turn, a finished session and a page of a long one. An item knows the versions of the first
// and the last event that made it; one whose beginning lies before the window says so (`partial`),
// and every other item is exactly what the fold of the whole session has.
import { addUsage, noUsage, textOf, type Usage, type UserPart } from "#core/model/message.ts";
import type { CallEnd, EventBody, EventOf, SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import type { Fact } from "#core/session/tool-facts.ts";
import type { Decoded } from "#core/session/upcast.ts";

/** What every item has: versions of its first and last event, and the moment of the first. */
type Made = { from: number; to: number; at: number; partial: boolean };

/** `wanted` by the model · `asked` the user must answer · `started` · else how it ended. */
export type ToolState = "wanted" | "asked" | "started" | CallEnd;

export type PromptItem = Made & {
  type: "prompt";
  /** `steer`: said into a running turn. */
  how: "prompt" | "steer";
  text: string;
  attachments: EventBody<"TurnStarted">["attachments"];
};

export type AnswerItem = Made & {
  type: "answer";
  text: string;
  reasoning: string;
} & Pick<EventBody<"StepCompleted">, "step" | "attempt" | "model" | "stop" | "usage">;

export type ToolItem = Made & {
  type: "tool";
  callId: string;
  tool: string;
  /** One line for a person; the raw arguments until the tool gave it one. */
  title: string;
  input: string;
  state: ToolState;
  /** The newest question about it, and what the user said. */
  ask: EventBody<"PermissionAsked"> | null;
  answer: EventBody<"PermissionAnswered"> | null;
  /** What it answered, and what came of it. */
  result: readonly UserPart[];
  facts: readonly Fact[];
  startedAt: number | null;
  endedAt: number | null;
};

export type BrokenItem = Made & { type: "broken"; cancelled: boolean } & Pick<
    EventBody<"StepBroken">,
    "step" | "attempt" | "model" | "failure" | "retryInMs" | "next"
  >;

/** How a turn ended, with what it took altogether. */
export type EndItem = Made & {
  type: "end";
  turn: string;
  end: EventBody<"TurnEnded">["end"];
  failure: EventBody<"TurnEnded">["failure"] | null;
  steps: number;
  usage: Usage;
  /** Files that it changed, each once, in the order of their last change. */
  changed: readonly string[];
  tookMs: number;
  /** How the session stood then, where that was worth saying. */
  evidence: EventBody<"TurnEnded">["evidence"] | null;
  /** What was said last of a step that broke for good. */
  fault: string | null;
};

/** Any other event, as it is. */
export type NoteItem = Made & { type: "note"; event: Noted };

/** An event whose body is not at hand, and why. */
export type GapItem = Made & { type: "gap"; of: string; why: "erased" | "unknown" | "far" };

export type Item = PromptItem | AnswerItem | ToolItem | BrokenItem | EndItem | NoteItem | GapItem;

type Noted = Exclude<
  SessionEvent,
  {
    type:
      | "TurnStarted"
      | "Steered"
      | "ModelProbed"
      | "StepStarted"
      | "StepCompleted"
      | "StepBroken"
      | "PermissionAsked"
      | "PermissionAnswered"
      | "ToolStarted"
      | "ToolFinished"
      | "TurnEnded";
  }
>;

/** What the open turn took so far. */
type Tally = Pick<EndItem, "from" | "at" | "steps" | "usage" | "changed" | "fault"> & {
  turn: string;
  /** Whether its beginning was seen. */
  partial: boolean;
};

export type Transcript = {
  items: readonly Item[];
  /** The open turn; null between turns, and where the window has not told yet. */
  turn: Tally | null;
  /** The model call that is under way. */
  step: EventBody<"StepStarted"> | null;
};

export const emptyTranscript: Transcript = { items: [], turn: null, step: null };

/** The beginning of a transcript that goes on where `session` stands: its open turn and calls. */
export function transcriptFrom(session: Session | null): Transcript {
  if (!session?.turn) return emptyTranscript;
  const { version, turn } = session;
  const made: Made = { from: version, to: version, at: 0, partial: true };
  const open = session.calls.filter(({ state }) => state !== "ended");
  return {
    items: open.map(({ call, state, ask, started }) => ({
      ...blank(made, call.id),
      tool: call.tool,
      input: call.input,
      title: started?.title ?? ask?.title ?? `${call.tool} ${call.input}`,
      state: started ? "started" : state === "asked" ? "asked" : "wanted",
      ask: ask ?? null,
    })),
    turn: { ...made, turn: turn.id, steps: 0, usage: noUsage, changed: [], fault: null },
    step: null,
  };
}

/** The place of an event in its session. */
export type Place = { version: number; at: number };

/** One more event. Never throws, whatever the order or the window. */
export function follow(t: Transcript, place: Place, decoded: Decoded): Transcript {
  if (decoded.kind === "event") return followEvent(t, place, decoded.event);
  return added(t, { ...made(place), type: "gap", of: decoded.type, why: decoded.kind });
}

/**
 * Splits off the items that no later event can change, so that a screen that prints them once does
 * not keep them. What is left goes on as before. A call that is still open holds nothing up.
 */
export function settled(t: Transcript): { items: readonly Item[]; rest: Transcript } {
  const items = t.items.filter((item) => !isOpen(item));
  return { items, rest: { ...t, items: t.items.filter(isOpen) } };
}

/** Whether a later event may still change it. */
export const isOpen = (item: Item): boolean =>
  item.type === "tool" &&
  (item.state === "wanted" || item.state === "asked" || item.state === "started");

function followEvent(t: Transcript, place: Place, e: SessionEvent): Transcript {
  switch (e.type) {
    case "TurnStarted": {
      const { text, attachments } = e;
      const { version: from, at } = place;
      const turn = { from, at, turn: e.turn, steps: 0, usage: noUsage, changed: [], fault: null };
      const item: PromptItem = { ...made(place), type: "prompt", how: "prompt", text, attachments };
      return { ...added(t, item), turn: { ...turn, partial: false }, step: null };
    }
    case "Steered": {
      const { text, attachments } = e;
      return added(t, { ...made(place), type: "prompt", how: "steer", text, attachments });
    }
    case "ModelProbed":
      return { ...t, turn: t.turn && { ...t.turn, usage: addUsage(t.turn.usage, e.usage) } };
    case "StepStarted":
      return { ...t, step: e };
    case "StepCompleted":
      return completed(t, place, e);
    case "StepBroken":
      return broken(t, place, e);
    case "PermissionAsked":
      return changed(t, place, e.callId, { title: e.title, ask: e, answer: null, state: "asked" });
    case "PermissionAnswered":
      return changed(t, place, e.callId, { answer: e, state: "wanted" });
    case "ToolStarted": {
      const { tool, title } = e;
      return changed(t, place, e.callId, { tool, title, state: "started", startedAt: place.at });
    }
    case "ToolFinished":
      return finished(t, place, e);
    case "TurnEnded":
      return ended(t, place, e);
    case "SummaryEnded": {
      const turn = t.turn && { ...t.turn, usage: addUsage(t.turn.usage, e.usage) };
      return { ...added(t, { ...made(place), type: "note", event: e }), turn };
    }
    case "SessionAdopted":
      // Every process that goes on with a session adopts it; in the middle of a turn that tells
      // that another one was there before.
      return t.turn && t.turn.steps > 0
        ? added(t, { ...made(place, t.turn), type: "note", event: e })
        : t;
    default:
      return added(t, { ...made(place), type: "note", event: e });
  }
}

/** Made by one event; with a turn it is also of what that turn was before. */
function made({ version, at }: Place, turn?: Tally | null): Made {
  if (turn === undefined) return { from: version, to: version, at, partial: false };
  const from = turn?.from ?? version;
  return { from, to: version, at: turn?.at ?? at, partial: turn?.partial ?? true };
}

const added = (t: Transcript, ...items: Item[]): Transcript => ({
  ...t,
  items: [...t.items, ...items],
});

function completed(t: Transcript, place: Place, e: EventOf<"StepCompleted">): Transcript {
  const { step, attempt, model, stop, usage } = e;
  const reasoning = e.parts
    .flatMap((part) => (part.type === "reasoning" ? [part.text] : []))
    .join("\n");
  const answer: AnswerItem = {
    ...{ ...made(place), type: "answer", text: textOf(e.parts), reasoning },
    ...{ step, attempt, model, stop, usage },
  };
  const tools = e.parts.flatMap((part): ToolItem[] => {
    if (part.type !== "call") return [];
    const { id, tool, input } = part;
    return [{ ...blank(made(place), id), tool, input, title: `${tool} ${input}` }];
  });
  const tally = t.turn && {
    ...t.turn,
    steps: t.turn.steps + 1,
    usage: addUsage(t.turn.usage, usage),
    fault: null,
  };
  return { ...added(t, answer, ...tools), turn: tally, step: null };
}

function broken(t: Transcript, place: Place, e: EventOf<"StepBroken">): Transcript {
  const { step, attempt, model, failure, retryInMs, next, usage } = e;
  const cancelled = failure.code === "cancelled";
  const item: BrokenItem = {
    ...{ ...made(place), type: "broken", cancelled },
    ...{ step, attempt, model, failure, retryInMs },
    ...(next === undefined ? {} : { next }),
  };
  const tally = t.turn && {
    ...t.turn,
    usage: addUsage(t.turn.usage, usage),
    fault: failure.say,
  };
  return { ...added(t, item), turn: tally, step: null };
}

function blank(made: Made, callId: string): ToolItem {
  return {
    ...made,
    type: "tool",
    callId,
    tool: "",
    title: callId,
    input: "",
    state: "wanted",
    ask: null,
    answer: null,
    result: [],
    facts: [],
    startedAt: null,
    endedAt: null,
  };
}

/** The open call of this id with what is new of it; one that began before the window is partial. */
function changed(
  t: Transcript,
  { version, at }: Place,
  callId: string,
  change: Partial<ToolItem>,
): Transcript {
  const index = t.items.findLastIndex(
    (item) => item.type === "tool" && item.callId === callId && isOpen(item),
  );
  const known = t.items[index];
  if (known?.type !== "tool") {
    const begun = blank({ from: version, to: version, at, partial: true }, callId);
    return added(t, { ...begun, ...change });
  }
  return { ...t, items: t.items.with(index, { ...known, ...change, to: version }) };
}

function finished(t: Transcript, place: Place, e: EventOf<"ToolFinished">): Transcript {
  const { end: state, parts: result, facts } = e;
  const next = changed(t, place, e.callId, { state, result, facts, endedAt: place.at });
  if (!next.turn) return next;
  const paths = facts.flatMap(changedBy);
  const before = next.turn.changed.filter((path) => !paths.includes(path));
  const now = [...new Set(paths)];
  return { ...next, turn: { ...next.turn, changed: [...before, ...now] } };
}

function changedBy(fact: Fact): string[] {
  if (fact.type === "fileChanged" || fact.type === "fileGone") return [fact.path];
  if (fact.type !== "filesChanged") return [];
  // A folder that came or went shows in what is in it.
  const files = fact.files.filter(
    ({ path, before, after }) =>
      [before, after].some((state) => state.includes(" ")) && !fact.theirs?.includes(path),
  );
  return files.map(({ path }) => path);
}

function ended(t: Transcript, place: Place, e: EventOf<"TurnEnded">): Transcript {
  const { turn, end, failure = null, evidence = null } = e;
  const { steps = 0, usage = noUsage, changed = [], fault = null } = t.turn ?? {};
  const base = made(place, t.turn);
  const item: EndItem = {
    ...{ ...base, type: "end", turn, end, failure, steps, usage, changed, fault, evidence },
    tookMs: base.partial ? 0 : place.at - base.at,
  };
  return { ...added(t, item), turn: null, step: null };
}
