// Any language model of the AI SDK behind our port: its stream parts become our deltas and end, its
// errors our failures, its metadata opaque data. The deadlines are kept around it; bytes are seen
// through the `fetch` that it is given, where it uses that.
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { encodePrompt, type Specification } from "#boundary/models/ai-sdk-prompt.ts";
import { type Passed, passedFailure, watchDeadlines } from "#boundary/models/deadlines.ts";
import { networkFailure } from "#boundary/models/http.ts";
import type { CallOptions, ModelDelta, ModelEnd, ModelPort } from "#boundary/models/port.ts";
import { type Asked, type Refusal, refusalOf, streamedRefusal } from "#boundary/models/refusal.ts";
import { fail } from "#core/failure.ts";
import { fieldsOf, isObject, numberAt, parsed, textAt } from "#core/model/json.ts";
import { type AnswerPart, noUsage, type Stop, type Usage } from "#core/model/message.ts";
import { requestTokensAtMost, tokensAtMost, usageOf } from "#core/model/tokens.ts";

/** A model of any version that is spoken; what differs between them is read with care. */
export type SdkModel = Pick<LanguageModelV4, "provider" | "modelId" | "doStream"> & {
  specificationVersion: Specification;
};

/** Told of each chunk of bytes of the call with this signal. */
export type BytesSeen = WeakMap<AbortSignal, () => void>;

export type AiSdkOptions = {
  provider: string;
  secrets: readonly string[];
  seen?: BytesSeen;
  /** Tells keys apart: what a provider wants back may be sealed for one account. */
  account?: string;
};

/** How long a stream may take to end after it was called off. Milliseconds. */
const LEAVE_MS = 250;

export function aiSdk(model: SdkModel, options: AiSdkOptions): ModelPort {
  const { provider, secrets, seen, account = "" } = options;
  const owner = `${provider}/${model.modelId}@${account}`;
  const version = model.specificationVersion;
  const asked: Asked = { who: provider, model: model.modelId, host: provider, secrets };
  return {
    name: `${provider}/ai-sdk`,
    encode: (request) => encodePrompt(request, { owner, version }),
    async *call(wire, callOptions) {
      const answer = gatherer(owner);
      const call = underWatch(callOptions, { who: provider, seen });
      let cut: Refusal | undefined;
      let sent = false;
      try {
        for await (const part of partsOf(model, wire.body, call.signal, () => {
          sent = true;
          call.headers();
        })) {
          if (part.type === "error") cut ??= errorRefusal(part.error, asked);
          const deltas = answer.take(part);
          if (isWord(part)) call.progress();
          yield* told(deltas, call, callOptions.signal);
          if (call.stopped()) break;
        }
      } catch (error) {
        cut ??= errorRefusal(error, asked);
      } finally {
        call.close();
      }
      const stopped = call.stopped();
      yield answer.end(stopped ? { failure: stopped, stop: "broken" } : cut, {
        // A refusal before the first word was not billed.
        body: sent || stopped ? wire.body : "",
      });
    },
  };
}

/** Tells deltas; a listener that takes its time is no silence, and nothing follows a cancel. */
function* told(
  deltas: readonly ModelDelta[],
  call: { hold(): void; release(): void },
  signal: AbortSignal,
): Generator<ModelDelta, void, void> {
  for (const delta of deltas) {
    if (signal.aborted) return;
    call.hold();
    yield delta;
    call.release();
  }
}

/** The parts of one stream. Ends soon after the signal, whatever the model does. */
async function* partsOf(
  model: SdkModel,
  body: string,
  signal: AbortSignal,
  began: () => void,
): AsyncGenerator<LanguageModelV4StreamPart, void, void> {
  if (signal.aborted) return;
  const called = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("called off")), { once: true });
  });
  called.catch(() => {});
  const options = JSON.parse(body) as Parameters<SdkModel["doStream"]>[0];
  const { stream } = await Promise.race([
    model.doStream({ ...options, abortSignal: signal }),
    called,
  ]);
  began();
  const reader = stream.getReader();
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), called]);
      if (done) return;
      yield value;
    }
  } finally {
    // Its end is not waited for longer than this: a stream that hangs would hang us.
    const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS).unref());
    await Promise.race([reader.cancel().catch(() => {}), late]);
  }
}

/** What shows that the model is at work; bookkeeping and pings do not. */
const isWord = ({ type }: LanguageModelV4StreamPart): boolean =>
  !["stream-start", "response-metadata", "raw", "ping"].includes(type);

/** The deadlines of a call, and why it was stopped, if it was. */
function underWatch(
  { deadlines, signal }: CallOptions,
  { who, seen }: { who: string; seen: BytesSeen | undefined },
) {
  const abort = new AbortController();
  let passed: Exclude<Passed, { type: "graceOver" }> | undefined;
  // Without bytes to see, only words are known: then silence is no shorter than a pause of words.
  const silenceMs = seen ? deadlines.silenceMs : Math.max(deadlines.silenceMs, deadlines.idleMs);
  const watch = watchDeadlines({ ...deadlines, silenceMs }, (what) => {
    if (what.type !== "graceOver") passed = what;
    abort.abort();
  });
  const cancel = () => abort.abort();
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  seen?.set(abort.signal, () => watch.bytes());
  return {
    signal: abort.signal,
    headers: watch.headers,
    progress() {
      watch.bytes();
      watch.progress();
    },
    hold: watch.hold,
    release: watch.release,
    stopped() {
      if (passed) return passedFailure(who, passed);
      return signal.aborted
        ? fail("cancelled", `the call to ${who} was called off`).error
        : undefined;
    },
    close() {
      watch.stop();
      signal.removeEventListener("abort", cancel);
      abort.abort();
    },
  };
}

/** What an error of the SDK means: by the HTTP answer in it, or by why there was none. */
function errorRefusal(error: unknown, asked: Asked): Refusal {
  const fields = isObject(error) ? error : {};
  const status = numberAt(fields, "statusCode");
  const body = textAt(fields, "responseBody") ?? "";
  if (status !== undefined && (status < 200 || status > 299)) {
    const headers = fieldsOf(fields.responseHeaders) as Record<string, string>;
    return refusalOf({ status, headers, body, nowMs: Date.now() }, asked);
  }
  const url = URL.parse(textAt(fields, "url") ?? "");
  const cause = deepest(error);
  if (url && textAt(fieldsOf(cause), "code") !== undefined && status === undefined) {
    return { failure: networkFailure(url, cause), stop: "broken" };
  }
  if (isObject(error) && !(error instanceof Error)) return streamedRefusal(error, asked);
  const streamed = fieldsOf(parsed(body)).error;
  if (streamed) return streamedRefusal(streamed, asked);
  const say = `${asked.who} did not end its answer in good order: ${messageOf(error, asked)}`;
  return { failure: fail("broken", say).error, stop: "broken" };
}

/** The cause behind causes, which has the system's code. */
function deepest(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < 5; depth += 1) {
    const { cause } = fieldsOf(inner);
    if (cause === undefined) return inner;
    inner = cause;
  }
  return inner;
}

function messageOf(error: unknown, { secrets }: Asked): string {
  const text = error instanceof Error ? error.message : String(error);
  return secrets.reduce((said, secret) => said.replaceAll(secret, "…"), text).slice(0, 300);
}

type Gathered = AnswerPart & { key: string };

/** Gathers stream parts into the parts of an answer. */
function gatherer(owner: string) {
  const parts: Gathered[] = [];
  const calls = new Set<string>();
  let usage: Usage | undefined;
  let stop: Stop | undefined;
  let shown = "";

  function take(part: LanguageModelV4StreamPart): ModelDelta[] {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        return started(part.type === "text-start" ? "text" : "reasoning", part);
      case "text-delta":
      case "reasoning-delta":
        return grown(part.type === "text-delta" ? "text" : "reasoning", part);
      case "text-end":
      case "reasoning-end":
        return kept(part.type === "text-end" ? "text" : "reasoning", part);
      case "tool-input-start":
        return part.providerExecuted ? [] : begun(part.id, part.toolName);
      case "tool-input-delta":
        return calls.has(part.id) ? inputGrown(part.id, part.delta) : [];
      case "tool-call":
        return part.providerExecuted ? [] : called(part);
      case "finish":
        usage = usageIn(part.usage);
        stop = stopOf(part.finishReason);
        return [];
      default:
        return [];
    }
  }

  const keyed = (key: string) => parts.find((part) => part.key === key);

  function started(type: "text" | "reasoning", part: { id: string; providerMetadata?: unknown }) {
    parts.push({ key: `${type} ${part.id} ${parts.length}`, type, text: "" });
    return kept(type, part);
  }

  /** The open part of this kind and id: the last one, because ids come again. */
  function open(type: "text" | "reasoning", id: string) {
    const found = parts.findLast((part) => part.key.startsWith(`${type} ${id} `));
    return found?.type === type ? found : undefined;
  }

  function kept(type: "text" | "reasoning", part: { id: string; providerMetadata?: unknown }) {
    const known = open(type, part.id);
    if (known && isObject(part.providerMetadata)) {
      known.opaque = { model: owner, data: JSON.stringify(part.providerMetadata) };
    }
    return [];
  }

  function grown(type: "text" | "reasoning", part: { id: string; delta: string }): ModelDelta[] {
    if (part.delta === "") return [];
    if (!open(type, part.id)) started(type, { id: part.id });
    const known = open(type, part.id);
    if (known) known.text += part.delta;
    shown += part.delta;
    return [{ type, text: part.delta }];
  }

  function begun(id: string, tool: string): ModelDelta[] {
    if (calls.has(id)) return [];
    calls.add(id);
    return [{ type: "callStarted", id, tool }];
  }

  function inputGrown(id: string, text: string): ModelDelta[] {
    if (text === "") return [];
    shown += text;
    return [{ type: "callInput", id, text }];
  }

  function called(part: Extract<LanguageModelV4StreamPart, { type: "tool-call" }>): ModelDelta[] {
    const { toolCallId: id, toolName: tool, input, providerMetadata } = part;
    if (keyed(`call ${id}`)) return [];
    const isNew = !calls.has(id);
    const opaque = isObject(providerMetadata)
      ? { opaque: { model: owner, data: JSON.stringify(providerMetadata) } }
      : {};
    parts.push({ key: `call ${id}`, type: "call", id, tool, input, ...opaque });
    return isNew ? [...begun(id, tool), ...inputGrown(id, input)] : [];
  }

  function end(cut: Refusal | undefined, { body }: { body: string }): ModelEnd {
    const why = cut ?? (stop === undefined || stop === "broken" ? unfinished : undefined);
    const atMost: Usage = {
      ...noUsage,
      input: requestTokensAtMost(body),
      output: tokensAtMost(shown),
      exact: body === "" && shown === "",
    };
    const said = parts.filter((part) => part.type === "call" || part.text !== "" || part.opaque);
    const hasCalls = said.some((part) => part.type === "call");
    const ends: Stop = why?.stop ?? (stop === "done" && hasCalls ? "calls" : (stop ?? "broken"));
    const counted = ends === "calls" ? said : said.filter((part) => part.type !== "call");
    const dropped = ends === "calls" ? 0 : calls.size;
    return {
      type: "end",
      stop: ends,
      parts: counted.map(({ key: _, ...part }) => part as AnswerPart),
      usage: (why ? undefined : usage) ?? atMost,
      ...(why ? { failure: why.failure } : {}),
      ...(dropped > 0 ? { callsDropped: dropped } : {}),
      ...(why?.retryAfterMs === undefined ? {} : { retryAfterMs: why.retryAfterMs }),
    };
  }

  return { take, end };
}

const unfinished: Refusal = {
  failure: fail("broken", "the answer ended without saying how").error,
  stop: "broken",
};

/** `unified` is an object's member since v3 and the reason itself in v2. */
function stopOf(reason: unknown): Stop {
  const unified = typeof reason === "string" ? reason : textAt(fieldsOf(reason), "unified");
  const raw = textAt(fieldsOf(reason), "raw");
  // Anthropic's word for "ask me again to go on"; the SDK has none of its own.
  if (raw === "pause_turn") return "paused";
  switch (unified) {
    case "stop":
      return "done";
    case "tool-calls":
      return "calls";
    case "length":
      return "length";
    case "content-filter":
      // A model that declined says `stop` or `refusal` itself; a filter has its own word.
      return raw === "stop" || raw === "refusal" ? "refused" : "filtered";
    case "other":
      return "done";
    default:
      return "broken";
  }
}

/** Counts in the form of v3 and v4, or in the flat one of v2. */
function usageIn(usage: unknown): Usage | undefined {
  const fields = fieldsOf(usage);
  const [input, output] = [fieldsOf(fields.inputTokens), fieldsOf(fields.outputTokens)];
  const counted = usageOf({
    input: numberAt(input, "total") ?? numberAt(fields, "inputTokens"),
    cached: numberAt(input, "cacheRead") ?? numberAt(fields, "cachedInputTokens"),
    output: numberAt(output, "total") ?? numberAt(fields, "outputTokens"),
    reasoning: numberAt(output, "reasoning") ?? numberAt(fields, "reasoningTokens"),
  });
  const written = numberAt(input, "cacheWrite");
  return counted && written ? { ...counted, written } : counted;
}
