// What the turn runner works with: ports and values, nothing global.
import type { Blobs } from "#boundary/blobs/port.ts";
import type { Channel } from "#boundary/channel/port.ts";
import type { Hooks } from "#boundary/hooks/port.ts";
import type { ReadInstructions } from "#boundary/instructions.ts";
import type { EventLog } from "#boundary/log/port.ts";
import type { Deadlines, ModelPort } from "#boundary/models/port.ts";
import type { Requests } from "#boundary/requests.ts";
import type { Sessions } from "#boundary/sessions.ts";
import type { Child, ChildTask, Readable, Tool, ToolContext } from "#boundary/tools/port.ts";
import type { Trees } from "#boundary/trees/port.ts";
import type { VerifyCommand } from "#core/evidence/verify.ts";
import type { Result } from "#core/failure.ts";
import type { Budgets } from "#core/ledger/budget.ts";
import type { Family, ModelFacts } from "#core/model/catalog.ts";
import type { Usage } from "#core/model/message.ts";
import type { Role } from "#core/role.ts";
import type { Access, Opened } from "#core/security/access.ts";
import type { Mask } from "#core/security/mask.ts";
import type { SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";

/** What the policy says of a prepared call. `what` is the exact command or diff. */
export type Verdict =
  | { do: "allow"; opens: Opened }
  | {
      do: "ask";
      title: string;
      why: string;
      what: string;
      opens: Opened;
      hash: string;
      /** What a lasting answer covers. */
      keys: string[];
    }
  | { do: "deny"; say: string };

export type Judge = (
  request: { access: readonly Access[]; title: string },
  session: Session,
) => Promise<Verdict>;

/** The place where a session's tools act. */
export type Place = Pick<ToolContext, "workspace" | "sandbox" | "index"> & {
  /** Our own tools, before a surface names them. */
  tools: readonly Tool[];
  judge: Judge;
  /** What the policy lets a session read without a question. */
  readable(session: Session): Promise<Readable>;
  /** What an access opens that the policy lets a session have without a question; else null. */
  allows?(session: Session, access: Access): Promise<Opened | null>;
  /** The mask of what a call says, where these files may be seen with their secrets. */
  masking(mayShow: (path: string) => boolean, shown: readonly string[]): Promise<Mask>;
  instructions: ReadInstructions;
  /** Its trees, opened when first asked for, or why none can be kept. */
  trees(): Promise<Result<Trees>>;
  /** The commands whose success proves something here, as the user set or confirmed them. */
  verify(): Promise<readonly VerifyCommand[]>;
  hooks: readonly Hooks[];
  /** The roles that a child can have here. */
  roles?(): Promise<readonly Role[]>;
};

/** A model to ask. What is missing is not known of it. */
export type ModelOpened = {
  port: ModelPort;
  model: string;
  /** What its provider needs at least: a local server loads a model first. */
  deadlines?: Deadlines;
  facts?: ModelFacts;
  /** Its server did not say yet what it knows: a window that is missing is no news. */
  unasked?: true;
  /** What a probe found of how it calls tools, for people. */
  found?: string;
};

export type OpenOptions = {
  /** Ends the opening at once, as `cancelled`, whatever it waits for. */
  signal: AbortSignal;
  /** Told what a probe took that was made for this opening, also one that was called off. */
  probed?: (usage: Usage) => void;
};

export type TurnParts = {
  log: EventLog;
  blobs: Blobs;
  sessions: Sessions;
  requests: Requests;
  channel: Channel;
  /** The place a session was started in, or why it cannot act here. */
  placeOf(session: Session): Promise<Result<Place>>;
  /** The family of a model: which surface of tools and which prompt it gets. */
  familyOf(model: string): Promise<Family>;
  /** The model a session names, loaded now. */
  openModel(name: string, options: OpenOptions): Promise<Result<ModelOpened>>;
  /**
   * The models behind a name, in the order in which they are to be asked: those of a route, then
   * the chain of fallbacks. `begin`: a turn begins with it, which counts for a round. Without it a
   * name stands for itself.
   */
  modelsFor?(name: string, use: "begin" | "next"): Promise<Result<readonly string[]>>;
  /** Who makes the summary of a compaction: a model, or `session` for the session's own. */
  summariser?: string;
  deadlines: Deadlines;
  /** The budgets that are set, and the clock that says which day it is; without it there are none. */
  budgets?: { set: Budgets; now(): number };
  /** Children of the sessions that run here; without it there are none. */
  children?: Children;
  node: string;
  /** Between 0 and 1, for jitter. */
  random(): number;
};

/** A session that begins children, and the call that does. */
export type Parent = { stream: string; session: Session; callId: string; place: Place };

export type Children = {
  /** The child of a call, with the role and the limits that it would have. */
  of(parent: Parent, task: ChildTask): Promise<Result<Child>>;
  /** Ends one that nobody waits for any more. */
  end(child: string): Promise<void>;
};

/**
 * A piece of work under way. It ends with events to append; `after` goes on only after they are
 * durable, which is how intent comes before effect.
 */
export type Flight = {
  key: string;
  /** The tool call it works on, where it is one. */
  callId?: string;
  abort: AbortController;
  done: Promise<Landing>;
};

export type Landing = {
  events: readonly SessionEvent[];
  /** Whether the events still make sense after others appended; without it they must be exact. */
  fits?: (s: Session) => boolean;
  after?: () => Promise<Landing>;
};
