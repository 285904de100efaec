// The strict stub: an HTTP server on loopback that speaks every dialect from a script, and
// answers 400 to any request that the real one could refuse: unknown keys, wrong types, wrong
// order, unpaired calls. It records everything; a suite ends by asserting that nothing was malformed.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { type Cue, cueIn, type Script, type ScriptedAnswer } from "#boundary/models/script.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { Frame } from "./frame.ts";
import { type Dialect, framesOf } from "./strict-answers.ts";
import { type ErrorAnswer, openAiErrors } from "./strict-errors.ts";
import type { Issued } from "./strict-rules.ts";
import { dialectAt, freeformIn, heardIn, problemsIn, wires } from "./strict-wires.ts";

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
      return sendJson(
        response,
        404,
        openAiErrors.malformed(`Invalid URL (${request.method} ${path})`),
      );
    }
    const { errors, headerProblems } = wires[dialect];
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const badHeaders = headerProblems?.(request.headers) ?? [];
    const problems = [...badHeaders, ...(await problemsIn(dialect, body, issued))];
    const recorded: Recorded = { dialect, headers: request.headers, body, problems };
    const index = requests.push(recorded) - 1;
    if (problems.length > 0) return sendJson(response, 400, errors.malformed(problems.join("; ")));
    const fault = options.fault?.(index, recorded);
    if (fault?.do === "answer") {
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      return void response.end(fault.body ?? JSON.stringify(errors.malformed("injected fault")));
    }
    const asked = fieldsOf(parsed(body));
    const cue = cueIn(options.script, heardIn(dialect, asked));
    if (!cue.ok) return sendError(response, errors.of(cue.error));
    if (fault?.do === "hold") await fault.until;
    const frames = framesOf(dialect, cue.value, { issued, freeform: freeformIn(asked) });
    const played = fault?.do === "hold" ? undefined : fault;
    await play(response, { dialect, frames, cue: cue.value, fault: played });
  }

  async function play(
    response: ServerResponse,
    { dialect, frames, cue, fault }: Playing,
  ): Promise<void> {
    const failure = failureIn(cue);
    if (failure && failure.code !== "broken") {
      return sendFailure(response, dialect, failure, frames);
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
      if (response.writable) sendJson(response, 500, openAiErrors.malformed(String(error)));
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

/** As the answer, or, where some of it came before and the dialect has one, as its last event. */
function sendFailure(
  response: ServerResponse,
  dialect: Dialect,
  failure: NonNullable<ScriptedAnswer["failure"]>,
  frames: readonly Frame[],
): void {
  const { errors } = wires[dialect];
  const error = errors.of(failure);
  if (errors.event && failure.afterChars !== undefined) {
    const bytes = Buffer.from(cutFrames(frames, failure.afterChars) + errors.event(error.body));
    stream(response, dialect, bytes, { reset: false });
  } else {
    sendError(response, error);
  }
}

function sendError(response: ServerResponse, { status, headers, body }: ErrorAnswer): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendJson(response, status, body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
