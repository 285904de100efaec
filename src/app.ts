// The door: everything an interface can ask of Aiex. Five verbs, two closed unions; the remote App
// is the same type. There is no second way in.
import * as z from "zod/mini";
import type { Live } from "#boundary/channel/port.ts";
import type {
  CodeHit,
  FileHit,
  Impact,
  IndexStatus,
  References,
  RepoMap,
  SymbolHit,
} from "#boundary/index/port.ts";
import type { Assembled } from "#core/context/assemble.ts";
import { symbolKinds } from "#core/context/languages.ts";
import { strictness } from "#core/evidence/standing.ts";
import type { Failure, Result } from "#core/failure.ts";
import type { Checkpoint } from "#core/location.ts";
import type { Facts } from "#core/model/catalog.ts";
import type { Usage } from "#core/model/message.ts";
import type { BlobState, LogRecord } from "#core/record.ts";
import { type Fields, sessionCommands } from "#core/session/commands.ts";
import type { CompactionView } from "#core/session/compactions.ts";
import { restoreCauses } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import { modes } from "#core/session/tool-facts.ts";
import type { Decoded } from "#core/session/upcast.ts";
import type { PathChange } from "#core/tree/entry.ts";
import type { LeftPath } from "#core/tree/undo.ts";
import type { Row } from "#core/views/view.ts";

const session = z.string().check(z.minLength(1), z.maxLength(64));
const path = z.string().check(z.minLength(1), z.maxLength(4_096));

/** A provider's name, as it stands before the slash of a model. */
const provider = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i));

/** A file that goes with a prompt, its bytes as base64. */
const attachment = z.object({ name: z.string(), media: z.string(), base64: z.string() });
const words = {
  session,
  text: z.string().check(z.minLength(1)),
  attachments: z.optional(z.array(attachment).check(z.maxLength(100))),
};

const amount = z.int().check(z.minimum(1));
/** One line that a terminal shows as it is: no control characters, and no line ends of Unicode. */
const line = z
  .string()
  .check(z.minLength(1), z.maxLength(200), z.regex(/^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$/));
const tags = z.array(line).check(z.maxLength(20));

/** Whether an undo takes back, too, what somebody else may have changed while a command ran. */
const doubtful = z.optional(z.boolean());

/** A version of a session, or the id of a tree. */
const version = z.int().check(z.minimum(1));
const moment = z.union([version, z.string().check(z.regex(/^[0-9a-f]{64}$/))]);

/** What may be asked to happen, by its owner. */
export const commandSchemas = {
  /** Begins a session in a folder. Answers its id as the stream. */
  StartSession: z.object({
    cwd: path,
    model: z.optional(z.string()),
    mode: z.optional(z.enum(modes)),
    /** Another id than a fresh one: for imports. */
    title: z.optional(z.string()),
  }),
  /** With `evidence` the turn ends as done only with evidence. */
  SubmitPrompt: z.object({ ...words, evidence: z.optional(z.enum(strictness)) }),
  Steer: z.object(words),
  Cancel: z.extend(sessionCommands.Cancel, { session }),
  Unqueue: z.extend(sessionCommands.Unqueue, { session }),
  AnswerPermission: z.extend(sessionCommands.AnswerPermission, { session }),
  Rename: z.extend(sessionCommands.Rename, { session }),
  SwitchModel: z.extend(sessionCommands.SwitchModel, { session }),
  SwitchMode: z.extend(sessionCommands.SwitchMode, { session }),
  SwitchEffort: z.extend(sessionCommands.SwitchEffort, { session }),
  /** What the session may spend from here on, with its children; null: no limit of its own. */
  SetBudget: z.object({
    session,
    amount: z.nullable(z.object({ nanoDollars: z.optional(amount), tokens: z.optional(amount) })),
  }),
  Compact: z.extend(sessionCommands.Compact, { session }),
  /** What compaction `n` of a session, counted from 1, and those after it replaced is seen again. */
  RevertCompaction: z.object({ session, n: version }),
  Erase: z.extend(sessionCommands.Erase, { session }),
  /** Takes the last turn back: its files path by path, and what the model saw of it. */
  Undo: z.object({ session, doubtful }),
  /** Brings the turn back that was taken back last. */
  Redo: z.object({ session }),
  /** Brings all files to the tree of a moment: a version of the session, or a tree's id. */
  Restore: z.object({ session, at: moment, to: z.optional(z.string()) }),
  /** A new session that begins as this one was at a version; with a folder, with its files there. */
  Fork: z.object({ session, at: z.optional(version), into: z.optional(path) }),
  /** Goes on with a turn that was left open: by a crash, or by a question nobody answered. */
  Resume: z.object({ session }),
  /** Adds a session that `export` wrote; refused where its records do not verify. */
  ImportSession: z.object({ text: z.string(), cwd: path }),
  /** Names the files of a folder as they are now. */
  CreateCheckpoint: z.object({ path, name: line, tags: z.optional(tags) }),
  TagCheckpoint: z.object({ path, checkpoint: line, tags }),
  RemoveCheckpoint: z.object({ path, checkpoint: line }),
  /** Brings all files of the folder back to a checkpoint; the present becomes one first. */
  RestoreCheckpoint: z.object({ path, checkpoint: line }),
  /**
   * Brings the code index of a folder up to date; with `anew` from nothing. Progress is listened to
   * as job `index`. Answers how many files were read as the version.
   */
  BuildIndex: z.object({ path, anew: z.optional(z.boolean()) }),
  /** Drops the trees of a folder that are older than they are kept for, and packs the rest anew. */
  TidyTrees: z.object({ path }),
  Trust: z.object({ path }),
  Distrust: z.object({ path }),
  /** From now on success of this verify command, as `Verify` showed it, is evidence there. */
  ConfirmVerify: z.object({ path, key: z.string() }),
  /** Keeps the keys of a provider, encrypted; they are never read back through this door. */
  SetKeys: z.object({ provider, keys: z.array(z.string()).check(z.minLength(1), z.maxLength(16)) }),
  RemoveKeys: z.object({ provider }),
  /** Encrypts all kept keys anew, under a new data key. */
  RotateKeys: z.object({}),
  /** Feeds every view again from the first record. Progress is listened to as job `views`. */
  RebuildViews: z.object({}),
};

export type CommandType = keyof typeof commandSchemas;
export type Command = {
  [T in CommandType]: { type: T } & Fields<(typeof commandSchemas)[T]>;
}[CommandType];

/** Rows of a page, at most. */
export const ROWS_MAX = 1_000;
const page = {
  limit: z.int().check(z.minimum(1), z.maximum(ROWS_MAX)),
  offset: z.optional(z.int()),
};

/** A question to the code index: a word, a sentence, or an issue of thousands of words. */
const question = z.string().check(z.minLength(1), z.maxLength(1_000_000));
/** A symbol's name, or a file's path. */
const name = z.string().check(z.minLength(1), z.maxLength(1_000));
/** Tokens of a map. */
export const MAP_TOKENS_MAX = 50_000;
const hits = z.int().check(z.minimum(1), z.maximum(200));

/** What may be asked to be known. */
export const querySchemas = {
  /** Rows of a view. */
  View: z.object({
    view: z.enum(["sessions", "usage", "steps", "prompts", "budgets", "results", "children"]),
    where: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
    contains: z.optional(z.object({ column: z.string(), text: z.string() })),
    newestFirst: z.optional(z.boolean()),
    ...page,
  }),
  /** The state of a session, by its id or a beginning of it that only it has. */
  Session: z.object({ session }),
  /** What an undo, a redo or a restore would do now: end one that was only begun, if there is one. */
  RestorePlan: z.object({
    session,
    cause: z.enum(restoreCauses),
    at: z.optional(moment),
    doubtful,
  }),
  /** What is another in the workspace between two moments of a session; without `to`: now. */
  Difference: z.object({ session, from: moment, to: z.optional(moment) }),
  /** What each compaction of a session left out, oldest first. */
  Compactions: z.object({ session }),
  /** The newest records of a session before a version, oldest first. */
  Transcript: z.object({ session, before: z.optional(z.int()), ...page }),
  /** Records of all streams after a position, bodies as text. */
  Records: z.object({ after: z.int(), stream: z.optional(z.string()), ...page }),
  Blob: z.object({ hash: z.string(), from: z.optional(z.int()), bytes: z.optional(z.int()) }),
  /** Whether a blob is what its name says; reads it to its end. */
  BlobState: z.object({ hash: z.string() }),
  Checkpoints: z.object({ path }),
  /** What is another in the files since a checkpoint; without `to`: now. */
  CheckpointDifference: z.object({ path, from: line, to: z.optional(line) }),
  /** What restoring a checkpoint would do now. */
  CheckpointPlan: z.object({ path, checkpoint: line }),
  /** What the newest restore of a checkpoint left as it was; null where there was none. */
  CheckpointOutcome: z.object({ path }),
  /** What is damaged in the trees of a folder. */
  TreeFaults: z.object({ path }),
  /** The chunks of code that answer a question, as the index of the folder has them. */
  Search: z.object({ path, text: question, limit: hits }),
  /** The files that a text of any length is about. */
  Locate: z.object({ path, text: question, limit: hits }),
  /** What a first request for a prompt would hold, why, and what it would cost. Nothing is sent. */
  Context: z.object({ path, text: question, model: z.optional(z.string()) }),
  /** Definitions by name, `Class.method` or a part of one; those of exactly this name first. */
  Symbols: z.object({ path, name, limit: hits, kind: z.optional(z.enum(symbolKinds)) }),
  /** The lines that have a name, and as what. */
  References: z.object({ path, name, limit: hits }),
  /** The most referred symbols of a folder within so many tokens; what it is to be about. */
  Map: z.object({
    path,
    tokens: z.int().check(z.minimum(1), z.maximum(MAP_TOKENS_MAX)),
    focus: z.optional(question),
  }),
  /** What uses a symbol or a file, imports it, or tests it. */
  Impact: z.object({ path, name, limit: hits }),
  /** What is in the code index of a folder, and when it was last brought up to date. */
  IndexStatus: z.object({ path }),
  /** What is known of a folder: is it trusted? */
  Location: z.object({ path }),
  /** What proves something in a folder, and what could if the user confirmed it. */
  Verify: z.object({ path }),
  /** What lies outside the log to prove it by: the anchors of its seals. */
  Anchors: z.object({}),
  /** The public key that seals and exports are signed with here; null before there is one. */
  SealKey: z.object({}),
  /** A signature under an export of the log, by the key of the seals. */
  SignExport: z.object({ digest: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  /** Node, sandbox, log, models in reach. */
  Health: z.object({}),
  /** The models in reach, with what is known of each and where from. */
  Models: z.object({}),
  /** Asks a model's server what it is and sends it one tiny request, which may cost a little. */
  ProbeModel: z.object({ model: z.string().check(z.minLength(1)) }),
  /** Whose keys are kept, and how many; never the keys. */
  Keys: z.object({}),
  /** The providers that there are, built in and configured: whose keys may be kept. */
  Providers: z.object({}),
};

export type QueryType = keyof typeof querySchemas;
export type Query = {
  [T in QueryType]: { type: T } & Fields<(typeof querySchemas)[T]>;
}[QueryType];

export type Entry = { record: Omit<LogRecord, "body" | "salt">; decoded: Decoded };

export type Check = { name: string; ok: boolean; say: string; fix?: string };

/** How one key's way to a model is. */
export type Way = {
  account: string;
  breaker: "closed" | "open" | "half-open";
  /** Why nothing goes that way, where nothing does. */
  why?: string;
  /** Milliseconds until something may go. */
  waitMs: number;
  /** Calls under way. */
  open: number;
  /** Requests and tokens that this minute has left, where there is a limit. */
  left: { requests?: number; tokens?: number };
};

/** A model in reach. `ways` is empty where it cannot be asked, and `why` then says it. */
export type ModelRow = Facts & { name: string; by: string; ways: readonly Way[]; why?: string };

/** A command that can prove something: where it is from, what it runs, and whether it counts. */
export type VerifyRow = {
  command: string;
  /** Workspace-relative. */
  folder: string;
  /** `configuration`, or the file of the project that it was found in. */
  from: string;
  definition: string;
  key: string;
  confirmed: boolean;
};

/** What a probe found, or the `failure` for which it found nothing; how tools go, in words `say`. */
export type Probe = Facts & {
  model: string;
  ms: number;
  calls?: "native" | "text";
  say?: string;
  usage: Usage;
  failure?: Failure;
};

/** A path that differs; text files with their unified diff, cut where it is long. */
export type PathDifference = PathChange & { diff?: string };

/** What each query answers. */
export type Answers = {
  View: Row[];
  Session: { session: string; state: Session };
  RestorePlan: {
    /** Of another cause than was asked for where one of that cause was begun before. */
    cause: (typeof restoreCauses)[number];
    begun: boolean;
    turn: string | null;
    changes: readonly PathChange[];
    left: readonly LeftPath[];
    to: string | null;
  };
  Difference: readonly PathDifference[];
  Checkpoints: readonly Checkpoint[];
  CheckpointDifference: readonly PathDifference[];
  CheckpointPlan: { changes: readonly PathChange[]; left: readonly LeftPath[] };
  /** `left` is how many; `paths` are the first of them. */
  CheckpointOutcome: { left: number; paths: readonly LeftPath[] } | null;
  TreeFaults: readonly string[];
  Compactions: readonly CompactionView[];
  Transcript: Entry[];
  Records: LogRecord[];
  Blob: Uint8Array;
  BlobState: BlobState;
  Search: readonly CodeHit[];
  Locate: readonly FileHit[];
  Symbols: readonly SymbolHit[];
  References: References;
  Map: RepoMap;
  Impact: Impact;
  IndexStatus: IndexStatus;
  /**
   * `window` is what the request may have with its answer. A count of tokens is `within` these
   * shares of the truth: both are 1 where the model's own encoding counted.
   */
  Context: Assembled & {
    model: string;
    window: number;
    nanoDollars: number | null;
    within: readonly [number, number];
  };
  Location: {
    path: string;
    workspace: string;
    trusted: boolean;
    /** Hash of the project's configuration, and the very text that was hashed, if there is one. */
    config: string;
    project: { file: string; text: string } | null;
  };
  Verify: readonly VerifyRow[];
  Anchors: readonly { file: string; text: string | null; own: boolean }[];
  SealKey: { key: string | null };
  SignExport: { key: string; signature: string };
  Health: { version: string; node: string; home: string; checks: Check[] };
  Models: {
    models: readonly ModelRow[];
    routes: readonly { name: string; models: readonly string[]; strategy: string }[];
    looked: readonly { where: string; outcome: string }[];
  };
  ProbeModel: Probe;
  Keys: readonly { provider: string; keys: number; at: number }[];
  Providers: readonly string[];
};

export type App = {
  /** Makes something happen, or says why not. Long work goes on after the answer. */
  send(command: Command): Promise<Result<{ stream: string; version: number }>>;
  read<Q extends Query>(query: Q): Promise<Result<Answers[Q["type"]]>>;
  /** Durable events of a stream after a version, then every new one; ends with the signal. */
  follow(
    from: { stream: string; after: number },
    signal: AbortSignal,
  ): AsyncIterable<Result<Entry>>;
  /** What is live and may be lost, beginning with the text so far. */
  listen(to: { session: string }, signal: AbortSignal): AsyncIterable<Live>;
  /** Stops what runs here; nothing durable is lost. */
  close(): Promise<void>;
};
