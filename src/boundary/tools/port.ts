// Tools: what a model may ask for. A source offers the tools of a session; the built-in ones are
// one source, MCP servers are another later. Promises of every tool:
// - `prepare` changes nothing: it checks the arguments, looks at files, and says what the call
//   would touch (`access`), how recovery must treat it (`effect`, `intent`), and how to `run` it;
// - `run` is started only after the policy or the user allowed `access` and `ToolStarted` is
//   durable; it never throws for what a model or a user can cause, and it stops on its signal;
// - results are bounded; what was left out is kept as a blob and named;
// - an error ends with the next step, because its reader is a model that will take it.

import type { Blobs } from "#boundary/blobs/port.ts";
import type { CodeIndex } from "#boundary/index/port.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import type { Result } from "#core/failure.ts";
import type { ToolSpec, UserPart } from "#core/model/message.ts";
import type { Words } from "#core/model/surface.ts";
import type { Access, Opened } from "#core/security/access.ts";
import type { Mask } from "#core/security/mask.ts";
import type { EventBody } from "#core/session/events.ts";
import type { Piece } from "#core/session/recall.ts";
import type { Effect, Fact, Intent, Mode, TodoItem } from "#core/session/tool-facts.ts";

export type ToolOutcome = {
  failed: boolean;
  parts: UserPart[];
  /** What the call taught the session: files seen or changed, todos, jobs. */
  facts: Fact[];
  /** Of a child, the paths that it says it changed. */
  changed?: readonly string[];
};

export type Prepared = {
  access: readonly Access[];
  effect: Effect;
  intent: Intent;
  /** One line for a person: the command, or the path and the size of the change. */
  title: string;
  /** It changes nothing in the workspace, though it is more than a look at it. */
  harmless?: true;
  /** What had to be repaired to read the arguments, in a few words each; absent where nothing. */
  repairs?: readonly string[];
  run(running: ToolRun): Promise<ToolOutcome>;
};

export type ToolRun = {
  signal: AbortSignal;
  /** What a permission opened for this very call; empty without one. */
  opened: Opened;
  /** Live output, for listeners; lossy. */
  progress(text: string): void;
  /** Masks secrets, but those of files that the user allowed: before a text is kept or shown. */
  mask: Mask;
};

/** A piece of work for a child; `minutes` as far as the user's own limit. */
export type ChildTask = { title: string; prompt: string; role?: string; minutes?: number };

/** A child that may be begun, or is under way since before a crash. */
export type Child = {
  id: string;
  role: string;
  /** It only reads. */
  harmless: boolean;
  /**
   * Begins it, unless it was, and waits for its end. Called off by the signal it is ended, except
   * where this node closes: then it is left to whoever goes on.
   */
  run(running: Pick<ToolRun, "signal" | "progress">): Promise<Result<ChildReport>>;
};

/** How a child ended, what it said last, and what it took. */
export type ChildReport = Pick<EventBody<"ChildEnded">, "end" | "text" | "failure"> & {
  steps: number;
  tokens: number;
  tookMs: number;
  /** Paths that it changed, the first ones of many. */
  changed: readonly string[];
};

/** What a tool may know and use. Handed to `prepare`; there is nothing else to reach. */
export type ToolContext = {
  callId: string;
  session: string;
  mode: Mode;
  /** Hash of each file as this session last read or wrote it, by workspace-relative path. */
  seen: ReadonlyMap<string, string>;
  /** Of those, the files that this session changed. */
  changed?: readonly string[];
  todo: readonly TodoItem[];
  /** How the model at hand calls the tools and their keys: what a tool advises is in its words. */
  words: Words;
  /** UTF-8 bytes that the text of a result may have: a share of the model's window. */
  resultBytesMax: number;
  workspace: Workspace;
  sandbox: Sandbox;
  blobs: Blobs;
  /**
   * Which files may be read without a question, by workspace-relative path: for a tool whose
   * `access` names a folder and whose result shows the lines of files in it.
   */
  readable(): Promise<Readable>;
  /**
   * What this session's log holds that its model does not see any more, oldest first; with `at` that
   * one event, seen or not. Outputs that were kept are part of it: whole where one is asked for,
   * else their beginning.
   */
  history(at?: number): Promise<Result<readonly Piece[]>>;
  /**
   * Says that something goes on to write after its call; what it answers says that it ended, and
   * answers what else could write meanwhile.
   */
  writing?(title: string): Promise<() => readonly string[]>;
  /** The code index of the workspace; without it there is none. */
  index?(): Promise<Result<CodeIndex>>;
  /** What something opens that may be done without a question; null where it may not. */
  allows?(access: Access): Promise<Opened | null>;
  /** The child that this call begins; the same one again where the call is recovered. */
  child?(task: ChildTask): Promise<Result<Child>>;
  signal: AbortSignal;
};

export type Tool = {
  spec: ToolSpec;
  /** The widest class a call of it can have: only `pure` ones run side by side. */
  effect: Effect;
  prepare(input: string, context: ToolContext): Promise<Result<Prepared>>;
};

/** Whether a file may be read without a question; with `secret`, with its secrets. */
export type Readable = (path: string, secret?: true) => boolean;

export type ToolSource = {
  readonly name: string;
  /**
   * The tools on offer now, with a folder those that are only of use there. The list is frozen per
   * step; a change becomes an event.
   */
  tools(root?: string): Promise<readonly Tool[]>;
};
