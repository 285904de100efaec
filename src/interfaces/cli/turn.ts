// Watching a turn until it ends, whichever process runs it: its events go to a view, its questions
// to the user, one at a time. Ends early where a question cannot be asked.
import type { App, Entry } from "#app";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";
import { addUsage, noUsage, textOf, type Usage } from "#core/model/message.ts";
import type { EventOf, SessionEvent, TurnEnd } from "#core/session/events.ts";
import { asksOf, emptySession, type Session } from "#core/session/state.ts";
import type { Ask, Reply } from "#interfaces/cli/permission.ts";
import type { TurnView } from "#interfaces/cli/view.ts";

export type Outcome = {
  end: TurnEnd | "permission_needed";
  /** The last answer. */
  text: string;
  usage: Usage;
  steps: number;
  failure?: EventOf<"TurnEnded">["failure"];
  /** How the session stood at the turn's end, where that was worth saying. */
  evidence?: EventOf<"TurnEnded">["evidence"];
  /** What nobody answered. */
  asks: readonly Ask[];
  /** Version of the last event that was seen. */
  version: number;
};

export type Watching = {
  app: App;
  session: string;
  /** Version after which the turn's events begin. */
  after: number;
  /** Questions that were open before that. */
  asks?: readonly Ask[];
  /** Children that were under way before that. */
  children?: readonly string[];
  /** The turn to watch: by its id, or as the one whose prompt is at this version. */
  turn: { id: string } | { at: number };
  view: TurnView;
  /** Answers a question; null where it cannot be answered. The signal voids the question. */
  answer(ask: Ask, signal: AbortSignal): Promise<Reply | null>;
};

export async function watchTurn(watching: Watching): Promise<Result<Outcome>> {
  const { app, session, after, view } = watching;
  const over = new AbortController();
  const questions = questionsOf(watching, over);
  const listening = listen(app, session, view, over.signal);
  const children = childrenFollowed(watching, questions.hear, over.signal);
  for (const child of watching.children ?? []) children.follow(child);
  const { turn } = watching;
  let version = after;
  let told: Told = { turn: "id" in turn ? turn.id : null, text: "", usage: noUsage, steps: 0 };
  try {
    for (const ask of watching.asks ?? []) questions.ask(ask);
    for await (const entry of app.follow({ stream: session, after }, over.signal)) {
      if (!entry.ok) return entry;
      view.event(entry.value);
      version = entry.value.record.version;
      const e = eventOf(entry.value);
      if (!e) continue;
      questions.hear(e);
      children.hear(e);
      told = heard(told, e, "at" in turn && entry.value.record.version === turn.at);
      if (e.type === "TurnEnded" && e.turn === told.turn) {
        const { end, failure, evidence } = e;
        const { text, usage, steps } = told;
        return ok({ end, failure, evidence, text, usage, steps, asks: [], version });
      }
    }
    const failed = questions.failure();
    if (failed) return { ok: false, error: failed };
    const asks = questions.unanswered();
    if (asks.length === 0) return closed;
    const { text, usage, steps } = told;
    return ok({ end: "permission_needed", text, usage, steps, asks, version });
  } finally {
    over.abort();
    await Promise.all([listening, children.over()]);
  }
}

/** Children of a session that are under way. */
export const childrenOf = ({ calls }: Session): string[] =>
  calls.flatMap(({ started, state }) =>
    started?.intent.child && state !== "ended" ? [started.intent.child] : [],
  );

/** Events behind an answer, at most, before its turn ends. */
const BEHIND_ANSWER_MAX = 50;

/**
 * The version before the turn's last answer, where only the turn's end was missing: who asked may
 * not have seen it. Null where the model is to speak again.
 */
export async function answerLeft(
  app: App,
  session: string,
  { version, turn, step }: Session,
): Promise<number | null> {
  if (turn?.wants !== "end" || step !== null) return null;
  const after = Math.max(0, version - BEHIND_ANSWER_MAX);
  let found: number | null = null;
  for await (const entry of app.follow({ stream: session, after }, new AbortController().signal)) {
    if (!entry.ok) return null;
    const { record } = entry.value;
    if (record.type === "StepCompleted") found = record.version - 1;
    if (record.version >= version) break;
  }
  return found;
}

type From = { session: string; role: string };

/** The children of a turn, and theirs: followed for what they ask. One that cannot be read asks nothing. */
function childrenFollowed(
  { app }: Watching,
  heard: (e: SessionEvent, from: From) => void,
  signal: AbortSignal,
) {
  const followed = new Map<string, Promise<void>>();

  async function whole(session: string): Promise<void> {
    // One that is under way since long ago: only what is open there is news. Another begins now.
    const known = await app.read({ type: "Session", session });
    const state = known.ok ? known.value.state : emptySession;
    let role = state.start?.child?.role ?? "";
    if (state.over) return;
    for (const ask of asksOf(state)) heard({ type: "PermissionAsked", ...ask }, { session, role });
    for (const child of childrenOf(state)) follow(child);
    const from = { stream: session, after: state.version };
    for await (const entry of app.follow(from, signal)) {
      const e = entry.ok ? eventOf(entry.value) : null;
      if (!entry.ok || e?.type === "ChildEnded") return;
      if (!e) continue;
      if (e.type === "SessionStarted") role = e.child?.role ?? "";
      heard(e, { session, role });
      hear(e);
    }
  }

  function follow(child: string): void {
    if (!followed.has(child)) followed.set(child, whole(child));
  }

  function hear(e: SessionEvent): void {
    if (e.type === "ToolStarted" && e.intent.child) follow(e.intent.child);
  }

  return { follow, hear, over: () => Promise.all(followed.values()) };
}

type Told = { turn: string | null; text: string; usage: Usage; steps: number };

/** What the outcome needs of the turn's events; `begins` says that this event brings its prompt. */
function heard(told: Told, e: SessionEvent, begins: boolean): Told {
  switch (e.type) {
    case "TurnStarted": {
      const turn = begins ? e.turn : told.turn;
      return turn === e.turn ? { turn, text: "", usage: noUsage, steps: 0 } : { ...told, turn };
    }
    case "PromptQueued":
      return begins ? { ...told, turn: e.turn } : told;
    case "StepCompleted":
      return {
        ...told,
        text: textOf(e.parts) || told.text,
        usage: addUsage(told.usage, e.usage),
        steps: told.steps + 1,
      };
    case "StepBroken":
    case "ModelProbed":
      return { ...told, usage: addUsage(told.usage, e.usage) };
    default:
      return told;
  }
}

const closed = fail("closed", "the node went away before the turn ended", {
  fix: "`aiex ask --continue` goes on with it",
});

const eventOf = ({ decoded }: Entry): SessionEvent | null =>
  decoded.kind === "event" ? decoded.event : null;

async function listen(app: App, session: string, view: TurnView, signal: AbortSignal) {
  for await (const item of app.listen({ session }, signal)) view.live(item);
}

/** The open questions of a turn. One that was answered elsewhere, or fell away, is void. */
function questionsOf({ app, session, answer }: Watching, over: AbortController) {
  const open = new Map<string, AbortController>();
  const left: Ask[] = [];
  let failed: Failure | null = null;
  let queue: Promise<void> = Promise.resolve();

  async function one(ask: Ask, void_: AbortController): Promise<void> {
    if (void_.signal.aborted || over.signal.aborted) return;
    const signal = AbortSignal.any([void_.signal, over.signal]);
    const reply = await answer(ask, signal);
    if (signal.aborted) return;
    if (!reply) {
      left.push(ask);
      return;
    }
    const { callId, hash } = ask;
    const at = ask.session ?? session;
    const sent = await app.send({ type: "AnswerPermission", session: at, callId, hash, ...reply });
    // A conflict means that somebody else answered, or that the call is over: nothing is lost.
    if (!sent.ok && sent.error.code !== "conflict") {
      failed = sent.error;
      over.abort();
    }
  }

  /** Gives up once every question was tried and some cannot be answered by anybody here. */
  const settle = () => {
    if (left.length > 0) over.abort();
  };

  const keyOf = (callId: string, from?: { session?: string }): string =>
    `${from?.session ?? session} ${callId}`;

  function asked(ask: Ask): void {
    const void_ = new AbortController();
    open.set(keyOf(ask.callId, ask), void_);
    queue = queue.then(() => one(ask, void_)).then(settle);
  }

  return {
    ask: asked,
    /** An event of the session, or of a child of it. */
    hear(e: SessionEvent, from?: From): void {
      if (e.type === "PermissionAsked") {
        const { type: _, ...ask } = e;
        asked({ ...ask, ...from });
      }
      if (e.type === "PermissionAnswered" || e.type === "ToolFinished") {
        const key = keyOf(e.callId, from);
        open.get(key)?.abort();
        open.delete(key);
      }
    },
    unanswered: (): readonly Ask[] => left,
    failure: (): Failure | null => failed,
  };
}
