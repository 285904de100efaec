// The strict stub: an HTTP server on loopback that speaks every dialect from a script, and
// answers 400 to any request that the real one could refuse: unknown keys, wrong types, wrong
// order, unpaired calls. It records everything; a suite ends by asserting that nothing was malformed.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import {
  type Cue,
  cueIn,
  type Heard,
  type Script,
  type ScriptedAnswer,
} from "#boundary/models/script.ts";
import type { Failure, FailureCode } from "#core/failure.ts";
import { type Fields, fieldsOf, listOf, parsed, textAt } from "#core/model/json.ts";
import type { Frame } from "./frame.ts";
import { type Dialect, framesOf } from "./strict-answers.ts";
import { asTyped, ollamaProblems } from "./strict-ollama.ts";
import { chatProblems, type Issued, responsesProblems } from "./strict-rules.ts";
import { problemsOf } from "./strict-schema.ts";

/** What goes wrong with one answer. Bytes count the response's body. */
export type Fault =
  /** A response of its own, such as an error status. */
  | { do: "answer"; status: number; headers?: Record<string, string>; body?: string | Uint8Array }
  /** The scripted answer up to a byte, then a reset, or an end as if that were all. */
  | { do: "cut"; atByte: number; how: "reset" | "close" }
  /** Silence for ever: before the headers, or after so many bytes; with pings if asked. */
  | { do: "hang"; after: "accept" | number; pingMs?: number }
  /** The scripted answer, once this has settled. */
  | { do: "hold"; until: Promise<unknown> }
  /** The scripted answer, late or in drips of `bytes` every `pauseMs`. */
  | { do: "slow"; headersMs?: number; firstMs?: number; pauseMs?: number; bytes?: number };

/** The faults of an answer that is being given. */
type Played = Exclude<Fault, { do: "answer" | "hold" }>;

type Playing = { dialect: Dialect; frames: readonly Frame[]; cue: Cue; fault: Played | undefined };

export type Recorded = {
  dialect: Dialect;
  headers: IncomingMessage["headers"];
  body: string;
  /** What was malformed; empty where nothing was. */
  problems: readonly string[];
};

export type StrictStub = {
  /** The base URL, as for `OPENAI_BASE_URL`; ends in `/v1`. */
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** The malformed ones among them. */
  malformed(): readonly Recorded[];
  /** Connections opened so far. */
  connections(): number;
  /** Settles when the next connection is closed. */
  gone(): Promise<void>;
  close(): Promise<void>;
};

export type StrictStubOptions = {
  script: Script;
  /** The fault of the request with this index (0 is the first), if it has one. */
  fault?(index: number, request: Recorded): Fault | undefined;
  /** Names that `GET /v1/models` lists. */
  models?: readonly string[];
  /** Further answers, by method and path (`GET /api/tags`). */
  pages?: Readonly<Record<string, object>>;
};

export async function startStrictStub(options: StrictStubOptions): Promise<StrictStub> {
  const requests: Recorded[] = [];
  const issued: Issued = new Map();
  const failed = new Map<number, number>();
  const gone = new AbortController();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://stub").pathname;
    const page = options.pages?.[`${request.method} ${path}`];
    if (page) return sendJson(response, 200, page);
    if (request.method === "GET" && path === "/v1/models") {
      const data = (options.models ?? ["stub"]).map((id) => ({ id, object: "model" }));
      return sendJson(response, 200, { object: "list", data });
    }
    const dialect = dialectAt(path);
    if (request.method !== "POST" || !dialect) {
      return sendJson(response, 404, errorBody(`Invalid URL (${request.method} ${path})`, null));
    }
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const problems = await problemsIn(dialect, body, issued);
    const recorded: Recorded = { dialect, headers: request.headers, body, problems };
    const index = requests.push(recorded) - 1;
    if (problems.length > 0) {
      return sendJson(response, 400, wires[dialect].error(problems.join("; "), null));
    }
    const fault = options.fault?.(index, recorded);
    if (fault?.do === "answer") {
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      return void response.end(fault.body ?? JSON.stringify(errorBody("injected fault", null)));
    }
    const cue = cueIn(options.script, heardIn(dialect, fieldsOf(parsed(body))));
    if (!cue.ok) return sendFailure(response, dialect, cue.error);
    if (fault?.do === "hold") await fault.until;
    const freeform = freeformIn(fieldsOf(parsed(body)));
    const frames = framesOf(dialect, cue.value, { issued, freeform });
    const played = fault?.do === "hold" ? undefined : fault;
    await play(response, { dialect, frames, cue: cue.value, fault: played });
  }

  async function play(
    response: ServerResponse,
    { dialect, frames, cue, fault }: Playing,
  ): Promise<void> {
    const failure = failureIn(cue);
    if (failure && failure.code !== "broken") {
      return sendFailure(response, dialect, failure);
    }
    if (failure) {
      const bytes = Buffer.from(cutFrames(frames, failure.afterChars ?? 0));
      return stream(response, dialect, bytes, { reset: true });
    }
    if (fault) return faulty(response, dialect, Buffer.from(joined(frames)), fault);
    head(response, dialect);
    let pauseMs = cue.answer.delayMs ?? 0;
    for (const frame of frames) {
      if (frame.chars > 0 && pauseMs > 0) await paused(pauseMs);
      if (frame.chars > 0) pauseMs = cue.answer.pauseMs ?? 0;
      if (!response.writable) return;
      response.write(frame.text);
    }
    response.end();
  }

  /** The failure that the script has for this answer, as often as it says. */
  function failureIn({ answer, position }: Cue): ScriptedAnswer["failure"] {
    if (!answer.failure) return undefined;
    const before = failed.get(position) ?? 0;
    failed.set(position, before + 1);
    return before < (answer.failure.times ?? Number.POSITIVE_INFINITY) ? answer.failure : undefined;
  }

  async function faulty(
    response: ServerResponse,
    dialect: Dialect,
    bytes: Buffer,
    fault: Played,
  ): Promise<void> {
    if (fault.do === "cut") {
      const part = bytes.subarray(0, fault.atByte);
      return stream(response, dialect, part, { reset: fault.how === "reset" });
    }
    if (fault.do === "hang") {
      if (fault.after === "accept") return;
      head(response, dialect);
      const { ping, between } = wires[dialect];
      // Pings come between events, never inside one.
      const event = bytes.lastIndexOf(between, fault.after);
      const until =
        fault.pingMs === undefined || event === -1 ? fault.after : event + between.length;
      response.write(bytes.subarray(0, until));
      while (fault.pingMs !== undefined && response.writable && !gone.signal.aborted) {
        await paused(fault.pingMs);
        response.write(ping);
      }
      return;
    }
    await paused(fault.headersMs ?? 0);
    head(response, dialect);
    await paused(fault.firstMs ?? 0);
    const step = fault.bytes ?? bytes.length;
    for (let at = 0; at < bytes.length && response.writable; at += step) {
      response.write(bytes.subarray(at, at + step));
      await paused(fault.pauseMs ?? 0);
    }
    response.end();
  }

  const paused = (ms: number) => wait(ms, undefined, { signal: gone.signal }).catch(() => {});

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      if (response.writable) sendJson(response, 500, errorBody(String(error), "stub_bug"));
    });
  });
  let connections = 0;
  const leavers = new Set<() => void>();
  server.on("connection", (socket) => {
    connections += 1;
    socket.once("close", () => {
      for (const left of leavers) left();
      leavers.clear();
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    malformed: () => requests.filter(({ problems }) => problems.length > 0),
    connections: () => connections,
    gone: () => new Promise((left) => leavers.add(left)),
    async close() {
      gone.abort();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** What a dialect's server does in its own way, besides its answers: one entry each. */
type DialectWire = {
  path: string;
  media: string;
  /** What ends an event, and what is sent to keep a connection alive. */
  between: string;
  ping: string;
  /** The messages of a conversation. */
  items(body: Fields): readonly unknown[];
  problems(json: unknown, text: string, issued: Issued): Promise<string[]>;
  error(message: string, code: string | null): object;
};

const sse = { media: "text/event-stream; charset=utf-8", between: "\n\n", ping: ": ping\n\n" };

const wires: Record<Dialect, DialectWire> = {
  responses: {
    ...sse,
    path: "/v1/responses",
    items: (body) => listOf(body.input),
    problems: async (json, text, issued) => [
      ...(await problemsOf("ResponseCreateParamsStreaming", json)),
      ...responsesProblems(fieldsOf(json), text, issued),
    ],
    error: errorBody,
  },
  chat: {
    ...sse,
    path: "/v1/chat/completions",
    items: (body) => listOf(body.messages),
    problems: async (json) => [
      ...(await problemsOf("ChatCompletionCreateParamsStreaming", json)),
      ...chatProblems(fieldsOf(json)),
    ],
    error: errorBody,
  },
  ollama: {
    path: "/api/chat",
    media: "application/x-ndjson",
    between: "\n",
    // Ollama itself sends none; an empty line is all that a proxy could.
    ping: "\n",
    items: (body) => listOf(body.messages),
    problems: async (json) => [
      ...(await problemsOf("ChatRequest", asTyped(json))),
      ...ollamaProblems(fieldsOf(json)),
    ],
    // `gin.H{"error": …}` throughout `server/routes.go`.
    error: (message) => ({ error: message }),
  },
};

const dialectAt = (path: string): Dialect | undefined =>
  (Object.keys(wires) as Dialect[]).find((dialect) => wires[dialect].path === path);

async function problemsIn(dialect: Dialect, body: string, issued: Issued): Promise<string[]> {
  const json = parsed(body);
  if (json === undefined) return ["the body is not JSON"];
  // Strict parsers, Rust's and Go's among them, refuse or spoil half a surrogate pair.
  const halves = /\\ud[89a-f]/i.test(body) && !isWellFormed(json);
  const torn = halves ? ["a text holds half a surrogate pair"] : [];
  return [...torn, ...(await wires[dialect].problems(json, body, issued))];
}

/** Names of the tools that a request offers with free-form input. */
const freeformIn = (body: Fields): ReadonlySet<unknown> =>
  new Set(
    listOf(body.tools)
      .map(fieldsOf)
      .flatMap(({ type, name }) => (type === "custom" ? [name] : [])),
  );

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}

/** A conversation as the script sees it; answers next to each other count as one. */
export function heardIn(dialect: Dialect, body: Fields): Heard[] {
  const items = wires[dialect].items(body).map(fieldsOf);
  const heard: Heard[] = [];
  for (const item of items) {
    const role = roleOf(item);
    if (role === undefined) continue;
    if (role === "assistant" && heard.at(-1)?.role === "assistant") continue;
    heard.push({ role, text: wordsOf(item.content ?? item.output) });
  }
  return heard;
}

function roleOf(item: Fields): Heard["role"] | undefined {
  if (/^(function|custom_tool)_call_output$/.test(String(item.type))) return "tool";
  if (item.role === "tool") return "tool";
  if (/^(function_call|custom_tool_call|reasoning)$/.test(String(item.type))) return "assistant";
  return item.role === "user" || item.role === "assistant" ? item.role : undefined;
}

function wordsOf(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textAt(fieldsOf(part), "text") ?? "")
    .join("\n");
}

const joined = (frames: readonly Frame[]): string => frames.map(({ text }) => text).join("");

/** The frames with the first `chars` characters of the answer. */
function cutFrames(frames: readonly Frame[], chars: number): string {
  let left = chars;
  return joined(
    frames.filter((frame) => {
      left -= frame.chars;
      return left >= 0;
    }),
  );
}

function head(response: ServerResponse, dialect: Dialect): void {
  response.writeHead(200, { "content-type": wires[dialect].media });
  response.flushHeaders();
}

function stream(
  response: ServerResponse,
  dialect: Dialect,
  bytes: Buffer,
  { reset }: { reset: boolean },
): void {
  head(response, dialect);
  if (!reset) return void response.end(bytes);
  // An empty chunk is never written, so its callback would not come.
  if (bytes.length === 0) return void setImmediate(() => response.socket?.destroy());
  response.write(bytes, () => response.socket?.destroy());
}

/** How OpenAI says a failure of ours: status, `error.code`, `error.type`. */
const refusals: Partial<Record<FailureCode, [status: number, code: string | null]>> = {
  rate_limited: [429, "rate_limit_exceeded"],
  quota: [429, "insufficient_quota"],
  unauthorised: [401, "invalid_api_key"],
  not_found: [404, "model_not_found"],
  overflow: [400, "context_length_exceeded"],
  too_large: [413, null],
  overloaded: [503, "server_error"],
  rejected: [400, null],
};

function sendFailure(
  response: ServerResponse,
  dialect: Dialect,
  failure: Pick<Failure, "code" | "say"> & { retryAfterMs?: number },
): void {
  const { retryAfterMs } = failure;
  const [status, code] = refusals[failure.code] ?? [418, null];
  if (retryAfterMs !== undefined) response.setHeader("retry-after-ms", String(retryAfterMs));
  sendJson(response, status, wires[dialect].error(failure.say, code));
}

function errorBody(message: string, code: string | null): object {
  return { error: { message, type: "invalid_request_error", param: null, code } };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
