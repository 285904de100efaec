// One streamed HTTP exchange with a model: sends a request, yields the events of its answer, and
// ends in exactly one of three ways, never by throwing. All five deadlines, the caller's signal
// and the bounds on size are kept here; how events stand in the bytes, the dialect's reader knows.
import type { IncomingMessage } from "node:http";
import { type Clock, passedFailure, watchDeadlines } from "#boundary/models/deadlines.ts";
import {
  bodyText,
  type HttpAsk,
  type HttpCall,
  networkFailure,
  send,
} from "#boundary/models/http.ts";
import type { Deadlines } from "#boundary/models/port.ts";
import {
  type Asked,
  type Refusal,
  refusalOf,
  shown,
  streamedRefusal,
} from "#boundary/models/refusal.ts";
import type { SseEvent, SseReader } from "#boundary/models/sse.ts";
import { type Failure, fail } from "#core/failure.ts";
import { fieldsOf, parsed, textAt } from "#core/model/json.ts";

/** Bytes of a whole answer; the longest outputs there are stay below a tenth of it. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
/** Bytes of an error's body that are read. */
const ERROR_BYTES_MAX = 64 * 1024;
/** How long a server may take to close after its last word before it is cut. Milliseconds. */
const GRACE_MS = 2_000;
/** The same once nothing more is wanted, only the connection for the next call. Milliseconds. */
const DRAIN_MS = 250;

export type Ending =
  /** The other end closed the stream in good order; whether the answer is whole, the dialect knows. */
  | { how: "closed" }
  /** It answered with something other than a stream. */
  | { how: "refused"; refusal: Refusal }
  /** Cut, timed out, cancelled or unreadable. `unsent`: it never reached the model. */
  | { how: "failed"; failure: Failure; unsent: boolean };

export type Exchanged =
  | { type: "events"; events: readonly SseEvent[] }
  | { type: "ended"; ending: Ending };

export type Exchange = {
  items: AsyncGenerator<Exchanged, void, void>;
  /** A meaningful event was among the last ones: the first-token and idle deadlines start anew. */
  progress(): void;
  /** The last word was said; the stream may still bring figures, for a few seconds. */
  closing(): void;
  /** Nothing more is wanted; the rest may be read away so that the connection can be used again. */
  done(): void;
};

export type ExchangeOptions = {
  asked: Asked;
  /** Cuts the bytes of the answer into events: `sseReader`, `ndjsonReader`. */
  reader: () => SseReader;
  signal: AbortSignal;
  deadlines: Deadlines;
  clock?: Clock;
};

export function exchange(ask: HttpAsk, options: ExchangeOptions): Exchange {
  const { asked, signal } = options;
  let call: HttpCall | undefined;
  let stopped: Ending | undefined;
  let finished = false;
  const stop = (ending: Ending) => {
    stopped ??= ending;
    call?.close();
  };
  const watch = watchDeadlines(
    options.deadlines,
    (passed) =>
      stop(
        passed.type === "graceOver"
          ? { how: "closed" }
          : { how: "failed", failure: passedFailure(asked.who, passed), unsent: false },
      ),
    options.clock,
  );
  const cancel = () => {
    const failure = fail("cancelled", `the call to ${asked.who} was called off`).error;
    stop({ how: "failed", failure, unsent: call === undefined });
  };

  /** A function, because the compiler does not see that timers and signals set it meanwhile. */
  const stoppedSoFar = (): Ending | undefined => stopped;

  async function* run(): AsyncGenerator<Exchanged, void, void> {
    let response: IncomingMessage | undefined;
    signal.addEventListener("abort", cancel, { once: true });
    try {
      if (signal.aborted) cancel();
      if (stopped) return yield ended(stopped);
      call = send(ask);
      const answered = await call.response;
      if (stopped) return yield ended(stopped);
      if (!answered.ok) return yield ended(unanswered(answered.error));
      response = answered.value;
      watch.headers();
      // The words of an error are not worth a long wait: its status says most of it.
      if (!isGood(response)) watch.grace(GRACE_MS);
      const refusal = await refusalIn(response, asked);
      const stop = stoppedSoFar();
      if (refusal) return yield ended(stop?.how === "failed" ? stop : refusal);
      yield* eventsOf(response);
    } finally {
      signal.removeEventListener("abort", cancel);
      watch.stop();
      if (finished && response && !stopped) drain(response);
      else call?.close();
    }
  }

  async function* eventsOf(response: IncomingMessage): AsyncGenerator<Exchanged, void, void> {
    const reader = options.reader();
    let bytes = 0;
    let cut: Failure | undefined;
    const chunks = response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    try {
      for await (const chunk of chunks) {
        watch.bytes();
        bytes += chunk.length;
        const taken = bytes > ANSWER_BYTES_MAX ? tooLong : reader.take(chunk);
        if (!taken.ok) return yield ended(broken(taken.error));
        if (taken.value.length === 0) continue;
        watch.hold();
        yield { type: "events", events: taken.value };
        watch.release();
        if (stopped) break;
      }
    } catch (error) {
      cut = cutFailure(asked, networkFailure(ask.url, error));
    }
    if (stopped) return yield ended(stopped);
    if (cut) return yield ended(broken(cut));
    const rest = reader.close();
    if (!rest.ok) return yield ended(broken(rest.error));
    if (rest.value.length > 0) yield { type: "events", events: rest.value };
    yield ended({ how: "closed" });
  }

  return {
    items: run(),
    progress: () => watch.progress(),
    closing: () => watch.grace(GRACE_MS),
    done: () => {
      finished = true;
    },
  };
}

const ended = (ending: Ending): Exchanged => ({ type: "ended", ending });

const cutFailure = (asked: Asked, network: Failure): Failure =>
  fail("broken", `${asked.who} cut the stream before the answer was whole`, {
    detail: network.detail,
  }).error;

const tooLong = fail("too_large", `the answer is longer than ${ANSWER_BYTES_MAX} bytes`);

const broken = (failure: Failure): Ending & { how: "failed" } => ({
  how: "failed",
  failure,
  unsent: false,
});

/** A connection that was cut may have carried the request; one that never was did not. */
const unanswered = (failure: Failure): Ending => ({
  how: "failed",
  failure,
  unsent: codeIn(failure) !== "ECONNRESET" && codeIn(failure) !== "EPIPE",
});

const codeIn = (failure: Failure): string | undefined => textAt(fieldsOf(failure.detail), "code");

const isGood = ({ statusCode = 0 }: IncomingMessage): boolean =>
  statusCode >= 200 && statusCode < 300;

/** What a response that is no stream means; undefined for one that may be a stream. */
async function refusalIn(response: IncomingMessage, asked: Asked): Promise<Ending | undefined> {
  const type = response.headers["content-type"] ?? "";
  // Some servers leave the type out or say text/plain; a page or a document is certainly no stream.
  if (isGood(response) && !/^(text\/html|application\/(json|xml|problem\+json))/i.test(type))
    return undefined;
  const { text: body } = await bodyText(response, ERROR_BYTES_MAX);
  const { headers, statusCode: status = 0 } = response;
  if (!isGood(response)) {
    const nowMs = Date.now();
    return { how: "refused", refusal: refusalOf({ status, headers, body, nowMs }, asked) };
  }
  const { error } = fieldsOf(parsed(body));
  if (error) return { how: "refused", refusal: streamedRefusal(error, asked) };
  const say = `${asked.who} answered with ${shown(type, asked)} instead of a stream`;
  const start = shown(body.slice(0, 200).replace(/<[^>]*>?/g, " "), asked);
  const fix = "check the base URL: it should end where the API begins, often in /v1";
  const failure = fail("rejected", start ? `${say}: ${start}` : say, { fix }).error;
  return { how: "refused", refusal: { failure, stop: "broken" } };
}

/** Reads what is left of a finished answer, so that its connection can carry the next call. */
function drain(response: IncomingMessage): void {
  const timer = setTimeout(() => response.destroy(), DRAIN_MS);
  timer.unref();
  response.on("error", () => {});
  response.once("close", () => clearTimeout(timer));
  response.resume();
}
