// What `decide` and `next` need to know of a session: bounded, however long its history is.
// Screens fold a window of the same events with transcript.ts instead. Plain JSON, because
// snapshots keep it as it is.
import { type Evidence, emptyEvidence } from "#core/evidence/evidence.ts";
import {
  type Effort,
  type Message,
  noUsage,
  type ToolCall,
  type Usage,
} from "#core/model/message.ts";
import type { ChildEnd } from "#core/session/child.ts";
import type { EventBody, EventOf } from "#core/session/events.ts";
import type { Effect, Intent, Mode, TodoItem } from "#core/session/tool-facts.ts";

export type Prompt = Pick<EventOf<"TurnStarted">, "turn" | "text" | "attachments" | "evidence">;

/** A model call that was started and has not ended. */
export type OpenStep = {
  step: number;
  attempt: number;
  epoch: number;
  model: string;
  /** Tokens of its request at most: what it took, where nobody is left to say. */
  reserved: number;
  /** Tokens set aside for its answer. */
  output?: number;
  /** What both cost at most, in nano-dollars, where the price was known. */
  costAtMost?: number;
};

/**
 * A call of the present step: `waiting` nobody looked at it · `asked` the user must answer ·
 * `allowed` the user did · `started` its effect may have happened · `ended` it has its one result.
 */
export type OpenCall = {
  call: ToolCall;
  state: "waiting" | "asked" | "allowed" | "started" | "ended";
  ask?: EventBody<"PermissionAsked">;
  /** Hash of what the user allowed; the call runs only if it is still exactly that. */
  granted?: { hash: string; opens: EventBody<"PermissionAsked">["opens"] };
  started?: { epoch: number; effect: Effect; intent: Intent; title: string; tree?: string };
  result?: Extract<Message, { role: "tool" }>;
};

export type Turn = {
  id: string;
  steps: number;
  cancelled: string | null;
  /** The failure that ends the turn, once one did. */
  failure: EventBody<"StepBroken">["failure"] | null;
  /** Answers in a row that said nothing, were cut by the output limit, or were paused. */
  idleAnswers: number;
  /** The model that this turn is with: of a route or a chain the one that answers; null: any. */
  model: string | null;
  /**
   * Attempts at the present step that broke: all of them, and those of the present model with how
   * long was waited between them.
   */
  broken: { count: number; tries: number; waitedMs: number; retryInMs: number };
  /** The models that gave the present step up, and what each said. */
  gaveUp: readonly { model: string; say: string }[];
  /** Compactions since the last answer; one without progress ends the turn. */
  compactions: number;
  /** What the last answer asks for. */
  wants: "step" | "calls" | "refuseCalls" | "compact" | "end";
  end: "done" | "refused" | "filtered";
  /** Whether it may end as done only with evidence, and how often the model was asked for it. */
  evidence: Prompt["evidence"] | null;
  evidenceAsks: number;
};

/** A turn that ended or runs, as one that can be taken back. */
export type PastTurn = {
  turn: string;
  /** The version of its `TurnStarted`. */
  from: number;
  /** Messages before it; null once they were compacted, so that they cannot be cut there. */
  messages: number | null;
  todo: readonly TodoItem[];
  instructions: Session["instructions"];
};

/** A turn that was taken back, with what the model saw of it and the version of the undoing. */
export type UndoneTurn = PastTurn & { said: readonly Message[]; undoneAt: number };

/** Words of the user that a compaction dropped from the messages; its text has them as they are. */
export type Pin = { at: number; origin: "prompt" | "steer"; text: string };

/** A line on what was done before the messages, and the version of the event that tells it whole. */
export type TrailLine = { at: number; text: string };

/** A call for the summary of a compaction: under way, or ended with or without a text. */
export type Summary = {
  epoch: number;
  model: string;
  reserved: number;
  output?: number;
  costAtMost?: number;
  state: "open" | "ended";
  text: string | null;
};

/** Files that are being brought back. */
export type Restoring = Pick<
  EventBody<"RestoreStarted">,
  "cause" | "turn" | "changes" | "left" | "to"
> & { version: number };

export type Session = {
  version: number;
  /** Epoch of the newest take-over; 0 before the first. */
  epoch: number;
  start: EventBody<"SessionStarted"> | null;
  erased: boolean;
  /** How a child ended; null while it may go on, and for any other session. */
  over: ChildEnd | null;
  /** Events of a newer version were seen: the session reads, but refuses commands. */
  unknown: boolean;
  title: string;
  model: string;
  mode: Mode;
  effort: Effort | null;
  /** What the log says of the model that is asked; null: nothing that would change a thing. */
  described: EventBody<"ModelDescribed"> | null;
  /** Characters of the smallest messages that were too large for the model that is asked. */
  refused: { model: string; chars: number } | null;
  tools: Required<EventBody<"ToolsChanged">> | null;
  turn: Turn | null;
  step: OpenStep | null;
  calls: readonly OpenCall[];
  queue: readonly Prompt[];
  /** Words that the model reads with its next step. */
  steers: readonly Message[];
  /** What the model has been told and has answered since the last compaction. */
  messages: readonly Message[];
  /** What the messages had before: bounded lists that each compaction tells again. */
  pins: readonly Pin[];
  trail: readonly TrailLine[];
  /** The summary for the compaction that is due. */
  summary: Summary | null;
  /** Hash of each file as this session last read or wrote it; the newest `SEEN_MAX`. */
  seen: readonly { path: string; hash: string; changed?: true }[];
  todo: readonly TodoItem[];
  /** The newest turns that can be taken back, `TURNS_MAX` at most. */
  turns: readonly PastTurn[];
  /** Turns that were taken back since the last prompt, the newest last. */
  undone: readonly UndoneTurn[];
  restoring: Restoring | null;
  /** The instruction files that the messages hold, each as it was told last. */
  instructions: readonly { path: string; hash: string }[];
  /** Keys of what the user allowed for this session. */
  grants: readonly string[];
  /** What was changed, and what proves it. */
  evidence: Evidence;
  /** Tokens of the whole session, and the size of the last request with its answer. */
  usage: Usage;
  contextTokens: number;
  /** What it may have spent in all, with its children, where the user set that. */
  budget: Pick<EventBody<"BudgetSet">, "nanoDollars" | "tokens"> | null;
  /** Budgets of which was said that most of them is spent; the newest `NEARED_MAX`. */
  neared: readonly string[];
};

/** Files remembered as read; an edit of a forgotten one asks to read it again. */
export const SEEN_MAX = 2_000;
/** Turns remembered as ones that can be taken back. */
export const TURNS_MAX = 100;
/** Instruction files remembered as told; a forgotten one is told again. */
export const INSTRUCTIONS_MAX = 500;
/** Warnings remembered as said; a forgotten one is said again. */
export const NEARED_MAX = 50;
/** Permissions remembered for the session. */
export const GRANTS_MAX = 500;

export const emptySession: Session = {
  version: 0,
  epoch: 0,
  start: null,
  erased: false,
  over: null,
  unknown: false,
  title: "",
  model: "",
  mode: "ask",
  effort: null,
  described: null,
  refused: null,
  tools: null,
  turn: null,
  step: null,
  calls: [],
  queue: [],
  steers: [],
  messages: [],
  pins: [],
  trail: [],
  summary: null,
  seen: [],
  todo: [],
  turns: [],
  undone: [],
  restoring: null,
  instructions: [],
  grants: [],
  evidence: emptyEvidence,
  usage: noUsage,
  contextTokens: 0,
  budget: null,
  neared: [],
};

/**
 * The messages of the next request: what was said, the results of the last step's calls together
 * in call order, then the words that came meanwhile. `StepStarted` makes them part of `messages`,
 * so each request begins with the previous one's exact content.
 */
export function messagesOf(s: Session): readonly Message[] {
  const results = s.calls.flatMap((call) => (call.result ? [call.result] : []));
  return results.length + s.steers.length === 0
    ? s.messages
    : [...s.messages, ...results, ...s.steers];
}

/** Tokens that a request may have: the session's limit, or the model's window where that is less. */
export const contextLimit = (s: Session): number =>
  Math.min(
    s.start?.limits.contextTokens ?? 0,
    s.described?.windowTokens ?? Number.POSITIVE_INFINITY,
  );

/** Whether a turn is open: a prompt was accepted and its turn has not ended. */
export const isRunning = (s: Session): boolean => s.turn !== null;

/** Permissions that wait for the user's answer. */
export const asksOf = (s: Session): EventBody<"PermissionAsked">[] =>
  s.calls.flatMap((call) => (call.state === "asked" && call.ask ? [call.ask] : []));
