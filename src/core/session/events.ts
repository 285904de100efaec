// What can happen to a session. Past tense, append-only: a changed shape raises its number in
// the log and adds an upcaster (upcast.ts). Whatever can vary (prompts, tools, environment, retries,
// notices) is in an event before it is in a request, so that any request can be rebuilt.
import * as z from "zod/mini";
import { strictness } from "#core/evidence/standing.ts";
import { tookShape } from "#core/ledger/figures.ts";
import { families } from "#core/model/catalog.ts";
import { efforts, origins, stops } from "#core/model/message.ts";
import { scopes } from "#core/security/permission.ts";
import { childBegun, childEnded } from "#core/session/child.ts";
import { change, fact, tests, todo } from "#core/session/fact-shapes.ts";
import { modes } from "#core/session/tool-facts.ts";

const text = z.string();
const count = z.number();
const blob = z.object({ hash: text, bytes: count, media: text, name: z.optional(text) });
const opaque = z.object({ model: text, data: text });
const userPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text, opaque: z.optional(opaque) }),
  z.object({ type: z.literal("blob"), blob }),
]);
const answerPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text, opaque: z.optional(opaque) }),
  z.object({ type: z.literal("reasoning"), text, opaque: z.optional(opaque) }),
  z.object({
    type: z.literal("call"),
    id: text,
    tool: text,
    input: text,
    opaque: z.optional(opaque),
  }),
]);
const usage = z.object({
  input: count,
  cached: count,
  written: z.optional(count),
  output: count,
  reasoning: count,
  exact: z.boolean(),
  /** Fixed when the call is settled, so that later prices do not change what it cost. */
  cost: z.optional(z.object({ nanoDollars: count, whole: z.boolean() })),
});
const failure = z.object({ code: text, say: text, fix: z.optional(text) });
const mode = z.enum(modes);
const surface = z.optional(z.enum(families));
const hash = text;
const opened = z.object({
  network: z.optional(z.boolean()),
  hosts: z.optional(z.readonly(z.array(text))),
  write: z.optional(z.readonly(z.array(text))),
  secrets: z.optional(z.readonly(z.array(text))),
  unsandboxed: z.optional(z.boolean()),
});
const leftPath = z.object({ path: text, why: text });

/** Why files are brought back. */
export const restoreCauses = ["undo", "redo", "restore"] as const;

/** Why a turn came to rest. */
export const turnEnds = [
  "done",
  "unproven",
  "cancelled",
  "failed",
  "refused",
  "filtered",
  "limit",
] as const;

/** How a call ended: `interrupted` = started, and nobody knows how far it came. */
export const callEnds = ["ok", "failed", "denied", "cancelled", "interrupted"] as const;

const at = z.optional(count);
const message = z.discriminatedUnion("role", [
  z.object({
    role: z.literal("user"),
    origin: z.enum(origins),
    parts: z.readonly(z.array(userPart)),
    at,
  }),
  z.object({ role: z.literal("assistant"), parts: z.readonly(z.array(answerPart)), at }),
  z.object({
    role: z.literal("tool"),
    callId: text,
    failed: z.boolean(),
    parts: z.readonly(z.array(userPart)),
    at,
  }),
]);
const instructions = z.readonly(z.array(z.object({ path: text, hash })));
const past = {
  turn: text,
  from: count,
  messages: z.nullable(count),
  todo: z.readonly(z.array(todo)),
  instructions,
};
/** What is set aside for a call of a model before it is made. */
const aside = {
  /** Tokens of the request, at most. */
  reserved: count,
  /** What budgets hold back until it is settled: what it will about take, money where priced. */
  budget: z.optional(z.object({ tokens: count, nanoDollars: z.optional(count) })),
  /** Tokens set aside for the answer, and nano-dollars of both at most: its cost if it dies. */
  output: z.optional(count),
  costAtMost: z.optional(count),
};
const pastTurn = z.object(past);
const undoneTurn = z.object({ ...past, said: z.readonly(z.array(message)), undoneAt: count });

const newTurn = {
  turn: text,
  text,
  attachments: z.readonly(z.array(blob)),
  /** The turn may end as done only with evidence. */
  evidence: z.optional(z.enum(strictness)),
};
const paths = z.readonly(z.array(text));
const standing = z.object({
  state: z.enum(["nothing", "unproven", "doubted", "proven"]),
  unproven: paths,
  unprovenFiles: count,
  by: z.readonly(z.array(z.object({ command: text, folder: text, tests: z.optional(tests) }))),
  checks: paths,
  checksChanged: count,
  why: z.optional(text),
});

/** Each event's body. The key is the record's `type`. */
export const eventBodies = {
  /** The first event: what every request of this session begins with. Prompt and tools are blobs. */
  SessionStarted: z.object({
    workspace: text,
    location: z.object({ node: text, path: text }),
    system: blob,
    tools: blob,
    toolEffects: z.record(text, z.enum(["pure", "verifiable", "keyed", "opaque"])),
    /** The family whose names the tools have; absent: our plain ones. */
    surface,
    environment: z.record(text, text),
    model: text,
    mode,
    limits: z.object({ contextTokens: count, stepsPerTurn: count }),
    parent: z.optional(text),
    /**
     * Of a child: its parent, the parent's parent … What it spends counts in their budgets too. A
     * parent alone does as well; copies of a session name one and count for themselves.
     */
    ancestors: z.optional(z.readonly(z.array(text))),
    /** Of a child, what it is to do under and until when. */
    child: z.optional(childBegun),
    /**
     * The events up to this version are copies from another folder, and so are the trees they name:
     * nothing of them is taken back or brought back here.
     */
    elsewhere: z.optional(count),
  }),
  /** A child is over, once and for all. */
  ChildEnded: childEnded,
  /** A runner took the session over; every later event of a runner carries this epoch. */
  SessionAdopted: z.object({ epoch: count, node: text }),
  /**
   * The events before this one are copies of those of another session, up to a version of it; the
   * session goes on by itself from here.
   */
  SessionForked: z.object({ from: text, version: count }),
  SessionRenamed: z.object({ title: text }),
  /** All other records of the session lost their bodies at this moment. */
  SessionErased: z.object({
    why: text,
    /** What it took, by model and day, and whose budgets it counted in: the ledger keeps that. */
    took: z.optional(z.readonly(z.array(tookShape))),
    within: z.optional(z.readonly(z.array(text))),
  }),
  ModelSwitched: z.object({ model: text }),
  /**
   * What is known of the model that is asked from here on, where that changes what is done: its
   * window, where it is smaller than the session's limit (null: it is not, or nobody knows), and how
   * its tools go.
   */
  ModelDescribed: z.object({
    model: text,
    windowTokens: z.nullable(count),
    calls: z.optional(z.enum(["native", "text"])),
    /** What a probe found, for people. */
    say: z.optional(text),
  }),
  /** A model was asked, for this session, whether it calls tools; what that took. */
  ModelProbed: z.object({ model: text, usage }),
  ModeSwitched: z.object({ mode }),
  /** How much the model thinks before it answers; null: as its provider has it. */
  EffortSwitched: z.object({ effort: z.nullable(z.enum(efforts)) }),
  /** From the next step on: another version of Aiex, or a model of another family. */
  ToolsChanged: z.object({
    tools: blob,
    toolEffects: z.record(text, z.enum(["pure", "verifiable", "keyed", "opaque"])),
    surface,
  }),
  /** The commands whose success proves something here; `files` is what each is made of. */
  VerifyDescribed: z.object({
    commands: z.readonly(
      z.array(
        z.object({ command: text, folder: text, files: paths, counts: z.optional(z.boolean()) }),
      ),
    ),
  }),
  /** A strict turn wanted to end without evidence, and the model was told so. */
  EvidenceAsked: z.object({ turn: text, say: text }),
  /** Text for the model that is not the user's: project instructions, notices. */
  ContextAdded: z.object({
    origin: z.enum(["instructions", "notice"]),
    text,
    path: z.optional(text),
    /** Of an instruction file: the hash of its bytes, or `absent` where it is gone. */
    hash: z.optional(hash),
  }),
  /** A prompt was accepted and its turn runs. */
  TurnStarted: z.object(newTurn),
  /** A prompt waits until the running turn ends. */
  PromptQueued: z.object(newTurn),
  PromptUnqueued: z.object({ turn: text }),
  /** Words for the running turn; the model reads them with its next step. */
  Steered: z.object({ text, attachments: z.readonly(z.array(blob)) }),
  CancelRequested: z.object({ why: text }),
  /** The request exists as a blob and the model is about to be called with it. */
  StepStarted: z.object({ step: count, attempt: count, model: text, request: blob, ...aside }),
  /**
   * The user set what the session, with its children, may have spent in all, counted from its
   * beginning; null: no limit of its own. `say` is what the user wrote.
   */
  BudgetSet: z.object({ nanoDollars: z.nullable(count), tokens: z.nullable(count), say: text }),
  /** Most of a budget is spent; said once for each. `budget` tells it from others. */
  BudgetNeared: z.object({ budget: text, say: text }),
  StepCompleted: z.object({
    step: count,
    attempt: count,
    model: text,
    parts: z.readonly(z.array(answerPart)),
    stop: z.enum(stops),
    usage,
    /** What the model is told besides the results: its answer was cut, was empty … */
    notice: z.optional(text),
  }),
  /** The call gave no usable answer. `retryInMs` says when the step is tried again; null: not. */
  StepBroken: z.object({
    step: count,
    attempt: count,
    model: text,
    failure,
    partial: z.optional(text),
    usage,
    retryInMs: z.nullable(count),
    /** The model that the same step is asked of next: this one gave it up. */
    next: z.optional(text),
  }),
  PermissionAsked: z.object({
    callId: text,
    title: text,
    why: text,
    /** The exact command or diff. */
    what: text,
    opens: opened,
    /** Binds the answer to exactly this argv, folder, environment or change. */
    hash,
    /** What an answer beyond `once` covers, one key for each access that is asked about. */
    keys: z.readonly(z.array(text)),
  }),
  PermissionAnswered: z.object({
    callId: text,
    answer: z.enum(["allow", "deny"]),
    scope: z.enum(scopes),
    hash,
    say: z.optional(text),
  }),
  /** Durable before the tool acts: from here on the call's effect may have happened. */
  ToolStarted: z.object({
    callId: text,
    tool: text,
    effect: z.enum(["pure", "verifiable", "keyed", "opaque"]),
    title: text,
    intent: z.object({
      files: z.optional(z.readonly(z.array(change))),
      key: z.optional(text),
      /** The child that does it: its changes are in its own events. */
      child: z.optional(text),
    }),
    /** Of a tool that can write: the workspace before it acts. */
    tree: z.optional(text),
    /** Of the first command, and of each that can prove something: what is installed. */
    installed: z.optional(z.readonly(z.array(z.object({ path: text, mark: text })))),
    /** Why there is no such tree: what it changes cannot be taken back. */
    untracked: z.optional(text),
    /** What was repaired to read the arguments; the model's own text is in its `StepCompleted`. */
    repairs: z.optional(z.readonly(z.array(text))),
  }),
  ToolFinished: z.object({
    callId: text,
    end: z.enum(callEnds),
    parts: z.readonly(z.array(userPart)),
    facts: z.readonly(z.array(fact)),
    /** The workspace after it, where it was recorded before it. */
    tree: z.optional(text),
  }),
  /**
   * What is another than when the workspace was looked at last, where a job ran since: the first
   * paths of many. Nobody can say who did it, so it counts as the job's.
   */
  FilesFound: z.object({ tree: text, files: z.readonly(z.array(change)), more: count }),
  /** A hook spoke: its result is part of history like any other. */
  HookRan: z.object({ hook: text, callId: z.optional(text), say: text }),
  /** A model is about to be asked for the summary of what a compaction drops. */
  SummaryStarted: z.object({ model: text, request: blob, ...aside }),
  /** What it cost, and its text where that may be used; else why not. */
  SummaryEnded: z.object({
    model: text,
    usage,
    text: z.optional(text),
    failure: z.optional(failure),
  }),
  /**
   * The oldest messages are replaced by `text` in what the model sees; `keep` stay whole. `by` is the
   * model whose summary is part of the text.
   */
  Compacted: z.object({
    text,
    keep: count,
    droppedMessages: count,
    why: text,
    by: z.optional(text),
  }),
  /**
   * What the model sees is again as if the compaction at version `compaction`, and those after it, had
   * not been: these messages, each with the version of its event.
   */
  CompactionReverted: z.object({
    compaction: count,
    messages: z.readonly(z.array(message)),
    turns: z.readonly(z.array(pastTurn)),
    undone: z.readonly(z.array(undoneTurn)),
    instructions,
  }),
  TurnEnded: z.object({
    turn: text,
    end: z.enum(turnEnds),
    failure: z.optional(failure),
    /** How the session stood then, where the turn changed or proved anything or left it unproven. */
    evidence: z.optional(standing),
  }),
  /**
   * Files are about to be brought back: what a turn changed (`undo`), what an undo took away
   * (`redo`), or everything to a tree (`restore`). Durable before the first file is touched.
   */
  RestoreStarted: z.object({
    cause: z.enum(restoreCauses),
    /** The turn that is taken back, or brought back. */
    turn: z.optional(text),
    /** The workspace as it is now: what any restore can go back to. */
    present: text,
    changes: z.readonly(z.array(change)),
    left: z.readonly(z.array(leftPath)),
    /** What it goes to, for people: a moment of the session, the name of a checkpoint. */
    to: z.optional(text),
  }),
  /**
   * What was not done is in `left`, with why; everything else was. `tree` is empty where the files
   * could not be recorded afterwards.
   */
  RestoreFinished: z.object({ tree: text, left: z.readonly(z.array(leftPath)) }),
};

export type EventType = keyof typeof eventBodies;
export type EventBody<T extends EventType> = z.infer<(typeof eventBodies)[T]>;
export type SessionEvent = { [T in EventType]: { type: T } & EventBody<T> }[EventType];
/** Whether an event from elsewhere has the shape of its type. */
export const isWellFormed = (event: SessionEvent): boolean =>
  z.safeParse(eventBodies[event.type], event).success;

export type EventOf<T extends EventType> = Extract<SessionEvent, { type: T }>;

export type TurnEnd = (typeof turnEnds)[number];
export type CallEnd = (typeof callEnds)[number];
