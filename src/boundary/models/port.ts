// The one way to ask a model. Its promises, proved for every adapter by contract.ts:
// - `call` never throws and never rejects: its last item is always `end`, also when aborted;
// - deltas come in order, and the parts of `end` hold the same text and calls as the deltas did;
// - a call part appears in `end` only when its block was closed and the answer ended: an answer
//   that was cut ends as `broken` (or with a failure) and has no call in it;
// - the raw argument text of a call is what the model wrote, and `opaque` data goes back byte for
//   byte to the same model;
// - the same request always becomes the same wire bytes (`encode`), which name the step in the log,
//   and a longer one begins with a shorter one's content; settings that follow the size of the
//   request (Ollama's window) stand behind that content, marks of a cache (Anthropic's) are no part
//   of it;
// - at most one HTTP exchange is made: retries belong to the gateway, one loop for all.
import type { Failure } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import type { AnswerPart, Effort, Message, Stop, ToolSpec, Usage } from "#core/model/message.ts";

/** What a model is asked. `images` holds the base64 text of each blob that a message names. */
export type ModelRequest = {
  /** The provider's own name of the model, as in its documentation. */
  model: string;
  system: string;
  messages: readonly Message[];
  tools: readonly ToolSpec[];
  /** Output limit in tokens, where one is set. */
  outputTokensMax?: number;
  /** Key under which the provider may cache the common beginning; the session's id. */
  cacheKey?: string;
  /** How much it may think; as the provider has it where this is missing. */
  effort?: Effort;
  /**
   * What is known of the model, where something is. Messages and effort are within it already
   * (core/model/within-facts.ts); adapters ask for nothing else that it cannot do.
   */
  facts?: ModelFacts;
  /** Base64 of the blobs named in messages, by hash; a missing one becomes a line of text. */
  blobs: ReadonlyMap<string, string>;
};

/** The exact bytes of a request, with the parts of it that are secret left to `send`. */
export type WireRequest = { path: string; body: string };

/** The named deadlines of a call, in milliseconds; what passes first ends it, and is named. */
export type Deadlines = {
  /** Until the response headers arrive. */
  connectMs: number;
  /** From the headers to the first meaningful event. */
  firstTokenMs: number;
  /** Between two chunks of bytes of any kind, pings included. */
  silenceMs: number;
  /** Between two meaningful events; pings do not count. */
  idleMs: number;
  /** The whole call. */
  totalMs: number;
};

/** Defaults of `reliability` §4: what healthy slow models were seen to need. */
export const deadlinesDefault: Deadlines = {
  connectMs: 10_000,
  firstTokenMs: 300_000,
  silenceMs: 120_000,
  idleMs: 300_000,
  totalMs: 1_800_000,
};

export type ModelDelta =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "callStarted"; id: string; tool: string }
  | { type: "callInput"; id: string; text: string };

/** How a call ended. With a `failure` the parts are what had arrived, without any call. */
export type ModelEnd = {
  type: "end";
  stop: Stop;
  parts: AnswerPart[];
  usage: Usage;
  failure?: Failure;
  /** Calls that had begun and are not among the parts: the answer did not end as `calls`. */
  callsDropped?: number;
  /** How long the other end asks to wait before the next try, where it says so. */
  retryAfterMs?: number;
  /** Another key of the same provider can be asked at once. */
  otherKey?: true;
};

export type ModelItem = ModelDelta | ModelEnd;

export type CallOptions = {
  model: string;
  signal: AbortSignal;
  deadlines: Deadlines;
  /** Told when the call has to wait before it is made, for how long and for what. */
  waiting?: (forMs: number, forWhat: string) => void;
};

export type ModelPort = {
  /** `provider/dialect`, for the log and for error messages. */
  readonly name: string;
  encode(request: ModelRequest): WireRequest;
  call(wire: WireRequest, options: CallOptions): AsyncIterable<ModelItem>;
};
