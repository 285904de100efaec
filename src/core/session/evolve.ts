// What an event means: the one place where history becomes state. Never throws for any order of
// well-formed events, because a log from elsewhere may hold orders this version would not write.
import { unreachable } from "#core/assert.ts";
import { evidenceAfter } from "#core/evidence/evidence.ts";
import {
  type AnswerPart,
  addUsage,
  type Message,
  noUsage,
  textOf,
  toolCallsOf,
} from "#core/model/message.ts";
import { compacting } from "#core/session/compacting.ts";
import type { EventBody, EventOf, SessionEvent } from "#core/session/events.ts";
import { restoring, withTurn } from "#core/session/restoring.ts";
import { charsOf } from "#core/session/room.ts";
import { isSpending, spending } from "#core/session/spending.ts";
import {
  emptySession,
  GRANTS_MAX,
  INSTRUCTIONS_MAX,
  messagesOf,
  type OpenCall,
  type Prompt,
  SEEN_MAX,
  type Session,
  type Turn,
} from "#core/session/state.ts";
import { told, user } from "#core/session/told.ts";
import type { Fact, Mode } from "#core/session/tool-facts.ts";
import type { Decoded } from "#core/session/upcast.ts";

/** Folds one record, whatever became of its body. */
export function evolveDecoded(s: Session, decoded: Decoded, version: number): Session {
  const after = { ...evolvedBy(s, decoded), version };
  if (version !== after.start?.elsewhere) return after;
  // What was done so far was done to files of another folder.
  return { ...after, turns: [], undone: [], restoring: null };
}

function evolvedBy(s: Session, decoded: Decoded): Session {
  switch (decoded.kind) {
    case "event":
      return evolve(s, decoded.event);
    case "erased":
      return { ...emptySession, erased: true };
    case "unknown":
      return { ...s, unknown: true };
    case "far":
      throw new Error(`a ${decoded.type} in a blob was folded before it was fetched`);
    default:
      return unreachable(decoded);
  }
}

export function evolve(s: Session, e: SessionEvent): Session {
  const after = evolved(s, e);
  if (after.erased) return after;
  const evidence = evidenceAfter(s.evidence, e, after.start?.location.path ?? "/");
  return evidence === s.evidence ? after : { ...after, evidence };
}

function evolved(s: Session, e: SessionEvent): Session {
  if (isSpending(e)) return spending(s, e);
  switch (e.type) {
    case "SessionStarted":
      return started(s, e);
    case "ChildEnded":
    case "SessionAdopted":
      return e.type === "ChildEnded" ? childOver(s, e) : { ...s, epoch: e.epoch };
    case "SessionForked":
      return told({ ...s, usage: noUsage }, user("notice", forkedNotice));
    case "SessionRenamed":
      return { ...s, title: e.title };
    case "SessionErased":
      // As one who replays it after the erase: nothing of before is known any more.
      return { ...emptySession, erased: true, version: s.version };
    case "ModelDescribed":
      return { ...s, described: bodyOf(e) };
    case "ModelSwitched":
    case "EffortSwitched":
    case "ModeSwitched":
      return switched(s, e);
    case "ToolsChanged":
      return { ...s, tools: toolsOf(e) };
    case "FilesFound":
    case "VerifyDescribed":
    case "EvidenceAsked":
      return e.type === "EvidenceAsked" ? evidenceAsked(s, e) : s;
    case "ContextAdded":
    case "HookRan":
      return said(s, e);
    case "TurnStarted":
      return turnStarted(s, e);
    case "PromptQueued":
      return { ...s, queue: [...s.queue, promptOf(e)] };
    case "PromptUnqueued":
      return { ...s, queue: s.queue.filter((prompt) => prompt.turn !== e.turn) };
    case "Steered":
      return told(s, user("steer", e.text, e.attachments));
    case "CancelRequested":
      return inTurn(s, { cancelled: e.why });
    case "StepStarted":
    case "StepCompleted":
    case "StepBroken":
      return stepped(s, e);
    case "PermissionAsked":
      return withCall(s, e.callId, (c) => ({ ...c, state: "asked", ask: bodyOf(e) }));
    case "PermissionAnswered":
      return answered(s, e);
    case "ToolStarted":
      return toolStarted(s, e);
    case "ToolFinished":
      return toolFinished(s, e);
    case "SummaryStarted":
    case "SummaryEnded":
    case "Compacted":
    case "CompactionReverted":
      return compacting(s, e);
    case "TurnEnded":
      return turnEnded(s);
    case "RestoreStarted":
    case "RestoreFinished":
      return restoring(s, e);
    default:
      return unreachable(e);
  }
}

/** A copy of a child is a session of its own, which may go on. */
const childOver = (s: Session, { end }: EventOf<"ChildEnded">): Session =>
  s.start?.child ? { ...s, over: end } : s;

type Switched = EventOf<"ModelSwitched" | "EffortSwitched" | "ModeSwitched">;

function switched(s: Session, e: Switched): Session {
  if (e.type === "ModelSwitched") {
    // The user's word counts at once, also within a turn that is with another model.
    return { ...inTurn(s, { model: null, gaveUp: [] }), model: e.model };
  }
  if (e.type === "EffortSwitched") return { ...s, effort: e.effort };
  return told({ ...s, mode: e.mode }, user("environment", modeNotices[e.mode]));
}

const said = (s: Session, e: EventOf<"ContextAdded" | "HookRan">): Session =>
  e.type === "HookRan"
    ? told(s, user("notice", e.say))
    : told(instructed(s, e), user(e.origin, e.text));

const forkedNotice =
  "This session goes on from an earlier moment of another one. Files may be other than they were then: read them again before you change them.";

/** What the model is told when the user switches the mode; the first one is in its prompt. */
const modeNotices: Record<Mode, string> = {
  ask: "The user switched to mode ask: what leaves the sandbox asks first.",
  plan: "The user switched to mode plan: look and plan, change nothing.",
  "read-only": "The user switched to mode read-only: only read.",
  yes: "The user switched to mode yes: what stays in the sandbox runs without asking.",
};

function started(s: Session, e: EventOf<"SessionStarted">): Session {
  const { model, mode, child } = e;
  const grants = child?.grants ?? [];
  return { ...s, start: bodyOf(e), model, mode, tools: toolsOf(e), grants };
}

/** Sessions of before there were surfaces had the plain tools. */
const toolsOf = ({ tools, toolEffects, surface = "other" }: EventBody<"ToolsChanged">) => ({
  tools,
  toolEffects,
  surface,
});

function evidenceAsked(s: Session, e: EventOf<"EvidenceAsked">): Session {
  const evidenceAsks = (s.turn?.evidenceAsks ?? 0) + 1;
  return told(inTurn(s, { evidenceAsks }), user("notice", e.say));
}

const notBroken: Turn["broken"] = { count: 0, tries: 0, waitedMs: 0, retryInMs: 0 };

function turnStarted(s: Session, e: EventOf<"TurnStarted">): Session {
  const turn: Turn = {
    id: e.turn,
    steps: 0,
    cancelled: null,
    failure: null,
    idleAnswers: 0,
    model: null,
    broken: notBroken,
    gaveUp: [],
    compactions: 0,
    wants: "step",
    end: "done",
    evidence: e.evidence ?? null,
    evidenceAsks: 0,
  };
  const queue = s.queue.filter((prompt) => prompt.turn !== e.turn);
  const begun = { ...s, turn, queue, turns: withTurn(s, e.turn), undone: [] };
  return told(begun, user("prompt", e.text, e.attachments));
}

function stepped(s: Session, e: EventOf<"StepStarted" | "StepCompleted" | "StepBroken">): Session {
  switch (e.type) {
    case "StepStarted":
      return stepStarted(s, e);
    case "StepCompleted":
      return stepCompleted(s, e);
    case "StepBroken":
      return stepBroken(s, e);
    default:
      return unreachable(e);
  }
}

function stepStarted(s: Session, e: EventOf<"StepStarted">): Session {
  const { step, attempt, model, reserved, output, costAtMost } = e;
  const aside = {
    ...(output === undefined ? {} : { output }),
    ...(costAtMost === undefined ? {} : { costAtMost }),
  };
  const steps = attempt === 1 ? (s.turn?.steps ?? 0) + 1 : (s.turn?.steps ?? 1);
  return {
    ...inTurn(s, { steps, model }),
    refused: s.refused?.model === model ? s.refused : null,
    messages: messagesOf(s),
    calls: [],
    steers: [],
    summary: null,
    step: { step, attempt, epoch: s.epoch, model, reserved, ...aside },
  };
}

function stepCompleted(s: Session, e: EventOf<"StepCompleted">): Session {
  const calls = toolCallsOf(e.parts);
  const heard = e.parts.length > 0;
  const at = s.version + 1;
  const answer: Message[] = heard ? [{ role: "assistant", parts: e.parts, at }] : [];
  const idle = e.stop === "length" || e.stop === "paused" || !saysSomething(e.parts);
  const turn: Partial<Turn> = {
    wants: wantsOf(e, calls.length),
    broken: notBroken,
    gaveUp: [],
    idleAnswers: idle ? (s.turn?.idleAnswers ?? 0) + 1 : 0,
    ...(e.stop === "overflow" ? {} : { compactions: 0 }),
    ...(e.stop === "refused" || e.stop === "filtered" ? { end: e.stop } : {}),
  };
  const notice = e.notice === undefined ? [] : [{ ...user("notice", e.notice), at }];
  return {
    ...inTurn(s, turn),
    step: null,
    refused: e.stop === "overflow" ? refusedWith(s, e.model) : s.refused,
    messages: [...s.messages, ...answer],
    calls: calls.map((call): OpenCall => ({ call, state: "waiting" })),
    steers: [...s.steers, ...notice],
    usage: addUsage(s.usage, e.usage),
    contextTokens: e.usage.input + e.usage.output,
  };
}

function refusedWith({ messages, refused }: Session, model: string): Session["refused"] {
  const chars = messages.reduce((sum, message) => sum + charsOf(message), 0);
  return { model, chars: Math.min(chars, refused?.chars ?? chars) };
}

/** What has to follow an answer, by why it stopped. The bounds are next.ts's. */
function wantsOf(e: EventOf<"StepCompleted">, calls: number): Turn["wants"] {
  switch (e.stop) {
    case "done":
    case "calls":
      if (calls > 0) return "calls";
      return saysSomething(e.parts) ? "end" : "step";
    case "length":
      return calls > 0 ? "refuseCalls" : "step";
    case "paused":
    case "broken":
      return calls > 0 ? "refuseCalls" : "step";
    case "overflow":
      return "compact";
    case "refused":
    case "filtered":
      return calls > 0 ? "refuseCalls" : "end";
    default:
      return unreachable(e.stop);
  }
}

const saysSomething = (parts: readonly AnswerPart[]): boolean =>
  textOf(parts).trim() !== "" || parts.some((part) => part.type === "call");

function stepBroken(s: Session, e: EventOf<"StepBroken">): Session {
  const usage = addUsage(s.usage, e.usage);
  if (!s.turn) return { ...s, step: null, usage };
  const before = s.turn.broken;
  const count = before.count + 1;
  const gaveUp = [...s.turn.gaveUp, { model: e.model, say: e.failure.say }];
  if (e.next !== undefined && e.retryInMs !== null) {
    // Unless the user chose another model meanwhile: then that one is asked.
    const model = s.turn.model === e.model ? e.next : s.turn.model;
    const broken = { ...notBroken, count, retryInMs: e.retryInMs };
    return { ...inTurn(s, { broken, model, gaveUp }), step: null, usage };
  }
  const retryInMs = e.retryInMs ?? 0;
  const waitedMs = before.waitedMs + retryInMs;
  const broken = { count, tries: before.tries + 1, waitedMs, retryInMs };
  const failure = e.retryInMs === null ? plainFailure(e.failure, gaveUp) : null;
  return { ...inTurn(s, { broken, failure }), step: null, usage };
}

/** One failure for all models of a chain, which names what each said. */
function plainFailure(
  last: EventOf<"StepBroken">["failure"],
  gaveUp: Turn["gaveUp"],
): EventOf<"StepBroken">["failure"] {
  if (gaveUp.length < 2) return last;
  const all = gaveUp.map(({ model, say }) => `${model}: ${say}`).join("; ");
  return { ...last, say: `no model of the chain answered (${all})` };
}

function answered(s: Session, e: EventOf<"PermissionAnswered">): Session {
  const asked = s.calls.find(({ call }) => call.id === e.callId)?.ask;
  const remembered = e.answer === "allow" && e.scope !== "once" ? (asked?.keys ?? []) : [];
  const grants = [...s.grants, ...remembered].slice(-GRANTS_MAX);
  return withCall({ ...s, grants }, e.callId, (c) =>
    e.answer === "allow"
      ? { ...c, state: "allowed", granted: { hash: e.hash, opens: c.ask?.opens ?? {} } }
      : c,
  );
}

function toolStarted(s: Session, e: EventOf<"ToolStarted">): Session {
  const { effect, intent, title, tree } = e;
  const started = { epoch: s.epoch, effect, intent, title, ...(tree ? { tree } : {}) };
  return withCall(s, e.callId, (c) => ({ ...c, state: "started", started }));
}

function toolFinished(s: Session, e: EventOf<"ToolFinished">): Session {
  const result = {
    role: "tool" as const,
    callId: e.callId,
    failed: e.end !== "ok",
    parts: e.parts,
    at: s.version + 1,
  };
  const after = withCall(s, e.callId, ({ call }) => ({ call, state: "ended", result }));
  return e.facts.reduce(learned, after);
}

function learned(s: Session, fact: Fact): Session {
  switch (fact.type) {
    case "fileSeen":
      return saw(s, fact.path, fact.hash);
    case "fileChanged":
      if (fact.unread) return forgot(s, fact.path);
      return fact.after === "absent"
        ? forgot(s, fact.path)
        : saw(s, fact.path, fact.after, "changed");
    case "fileGone":
      return forgot(s, fact.path);
    case "todo":
      return { ...s, todo: fact.items };
    case "filesChanged":
    case "commandEnded":
    case "quarantined":
    case "hostsTried":
    case "jobStarted":
    case "jobEnded":
    case "childEnded":
      return s;
    default:
      return unreachable(fact);
  }
}

const forgot = (s: Session, path: string): Session => ({
  ...s,
  seen: s.seen.filter((file) => file.path !== path),
});

function saw(s: Session, path: string, hash: string, how: "read" | "changed" = "read"): Session {
  const isChanged = how === "changed" || s.seen.some((file) => file.path === path && file.changed);
  const file = { path, hash, ...(isChanged ? { changed: true as const } : {}) };
  return { ...s, seen: [...forgot(s, path).seen, file].slice(-SEEN_MAX) };
}

function turnEnded(s: Session): Session {
  const closed = { turn: null, step: null, summary: null, calls: [], steers: [] };
  return { ...s, messages: messagesOf(s), ...closed };
}

const instructed = (s: Session, { path, hash }: EventOf<"ContextAdded">): Session =>
  path === undefined || hash === undefined
    ? s
    : {
        ...s,
        instructions: [
          ...s.instructions.filter((other) => other.path !== path),
          { path, hash },
        ].slice(-INSTRUCTIONS_MAX),
      };

const promptOf = ({ turn, text, attachments, evidence }: Prompt): Prompt => ({
  ...{ turn, text, attachments },
  ...(evidence === undefined ? {} : { evidence }),
});

const inTurn = (s: Session, change: Partial<Turn>): Session =>
  s.turn ? { ...s, turn: { ...s.turn, ...change } } : s;

const withCall = (s: Session, id: string, change: (call: OpenCall) => OpenCall): Session => ({
  ...s,
  calls: s.calls.map((open) => (open.call.id === id && !open.result ? change(open) : open)),
});

function bodyOf<E extends SessionEvent>(e: E): Omit<E, "type"> {
  const { type: _, ...body } = e;
  return body;
}
