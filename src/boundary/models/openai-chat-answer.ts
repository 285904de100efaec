// Reads the chunks of one Chat Completions answer, from OpenAI or from any of the servers that
// imitate it: missing or repeated ids and indexes, no finish reason, no usage. A call counts when
// the answer said that it ended; where it only said `[DONE]`, when its arguments also fit the
// tool's schema.
import {
  type Decoded,
  type Decoder,
  nothing,
  type Taken,
  unreadable,
} from "#boundary/models/answer.ts";
import { callIds } from "#boundary/models/call-ids.ts";
import type { ModelDelta } from "#boundary/models/port.ts";
import { type Asked, type Refusal, shown, streamedRefusal } from "#boundary/models/refusal.ts";
import { fail } from "#core/failure.ts";
import {
  type Fields,
  fieldsOf,
  isObject,
  listOf,
  numberAt,
  parsed,
  textAt,
} from "#core/model/json.ts";
import type { AnswerPart, CallPart, Stop, Usage } from "#core/model/message.ts";
import { usageOf } from "#core/model/tokens.ts";

/** A call while it streams. `index` and `wireId` are the server's, where it gave them. */
type Call = { part: CallPart; index: number | undefined; wireId: string; started: boolean };

/** Finish reasons by meaning; the first of each row is OpenAI's, the rest are seen elsewhere. */
const reasons = new Map<string, Stop>(
  Object.entries({
    stop: "done",
    eos: "done",
    end_turn: "done",
    stop_sequence: "done",
    tool_calls: "calls",
    function_call: "calls",
    tool_use: "calls",
    length: "length",
    max_tokens: "length",
    model_length: "length",
    content_filter: "filtered",
    sensitive: "filtered",
    safety: "filtered",
    refusal: "refused",
    pause_turn: "paused",
    error: "broken",
    abort: "broken",
    network_error: "broken",
    insufficient_system_resource: "broken",
  } as const),
);

/** `body` is the request: it knows the tools' schemas and the ids that are taken. */
export function chatDecoder(body: string, asked: Asked): Decoder {
  const parts: AnswerPart[] = [];
  const calls: Call[] = [];
  const freshId = callIds(body);
  let finish: string | undefined;
  let saidDone = false;
  let refused = false;
  let usage: Usage | undefined;
  /** Whether the last count stood alone: some servers count in each chunk what there is so far. */
  let isAlone = false;
  let bad: Refusal | undefined;

  function take({ data }: { data: string }): Taken {
    if (bad) return { ...nothing, state: "ended" };
    if (data.trim() === "[DONE]") {
      saidDone = true;
      return { ...nothing, state: "ended" };
    }
    const chunk = parsed(data);
    if (!isObject(chunk)) return spoil(`sent a chunk that is not in the format: ${start(data)}`);
    if (chunk.error) {
      bad = streamedRefusal(chunk.error, asked);
      return { ...nothing, state: "ended" };
    }
    const counts = countsOf(chunk.usage);
    if (counts) isAlone = listOf(chunk.choices).length === 0;
    usage = counts ?? usage;
    const choice = listOf(chunk.choices)
      .map(fieldsOf)
      .find((c) => (c.index ?? 0) === 0);
    if (!choice) return nothing;
    const deltas = deltasOf(fieldsOf(choice.delta));
    // What follows a finish reason takes it back: the answer went on.
    if (deltas.length > 0) finish = undefined;
    finish = textAt(choice, "finish_reason") || finish;
    return { deltas, progress: deltas.length > 0, state: finish ? "closing" : "open" };
  }

  function deltasOf(delta: Fields): ModelDelta[] {
    const thought = textAt(delta, "reasoning_content") ?? textAt(delta, "reasoning") ?? "";
    const refusal = textAt(delta, "refusal") ?? "";
    if (refusal) refused = true;
    return [
      ...grown("reasoning", thought),
      ...grown("text", textIn(delta.content)),
      ...grown("text", refusal),
      ...listOf(delta.tool_calls).flatMap((call) => callDeltas(fieldsOf(call))),
    ];
  }

  function grown(type: "text" | "reasoning", text: string): ModelDelta[] {
    if (text === "") return [];
    const last = parts.at(-1);
    if (last?.type === type) last.text += text;
    else parts.push({ type, text });
    return [{ type, text }];
  }

  function callDeltas(given: Fields): ModelDelta[] {
    const { arguments: input } = fieldsOf(given.function);
    const name = textAt(fieldsOf(given.function), "name") ?? "";
    const wireId = textAt(given, "id") ?? "";
    const index = numberAt(given, "index");
    const call = callFor(index, wireId, name) ?? begun(index, wireId);
    if (call.part.tool === "") call.part.tool = name;
    // Ollama's older compatible endpoint sent arguments as an object.
    const text = typeof input === "string" ? input : isObject(input) ? JSON.stringify(input) : "";
    call.part.input += text;
    return told(call, text);
  }

  /** A call is told once its name is known; what came before the name is told with it. */
  function told(call: Call, text: string): ModelDelta[] {
    const { id, tool, input } = call.part;
    if (tool === "") return [];
    const news = call.started ? text : input;
    const deltas: ModelDelta[] = call.started ? [] : [{ type: "callStarted", id, tool }];
    call.started = true;
    return news === "" ? deltas : [...deltas, { type: "callInput", id, text: news }];
  }

  /** The call that a piece belongs to; undefined where it begins a new one. */
  function callFor(index: number | undefined, wireId: string, name: string): Call | undefined {
    const last = calls.at(-1);
    if (index === undefined) {
      const same = wireId === "" ? undefined : calls.find((call) => call.wireId === wireId);
      return same ?? (name === "" && wireId === "" ? last : undefined);
    }
    const same = calls.findLast((call) => call.index === index);
    // Some servers number every call 0: a new id that comes with a name is a new call.
    const isOther = same && wireId !== "" && same.wireId !== wireId && name !== "";
    return isOther ? undefined : same;
  }

  function begun(index: number | undefined, wireId: string): Call {
    const part: CallPart = { type: "call", id: freshId(wireId), tool: "", input: "" };
    const call = { part, index, wireId, started: false };
    calls.push(call);
    parts.push(part);
    return call;
  }

  function spoil(why: string): Taken {
    // After the last word a torn event can no longer change the answer.
    if (finish === undefined) bad = unreadable(fail("broken", `${asked.who} ${why}`).error);
    return { ...nothing, state: "ended" };
  }

  const start = (data: string): string => shown(data.slice(0, 120), asked) || "nothing";

  async function end(cut: Refusal | undefined): Promise<Decoded> {
    const ended = bad ?? cut ?? (await verdict());
    const failed = typeof ended === "object" ? ended : undefined;
    const stop = typeof ended === "object" ? ended.stop : ended;
    const kept = parts.filter((part) => stop === "calls" || part.type !== "call");
    const callsDropped = parts.length - kept.length;
    const { failure, retryAfterMs } = failed ?? {};
    const isWhole = isAlone || finish !== undefined || saidDone;
    const said = isWhole ? { usage } : { usage: undefined, counted: usage };
    return { stop, parts: kept, ...said, failure, retryAfterMs, callsDropped };
  }

  /** What the answer's own words say about its end. */
  async function verdict(): Promise<Stop | Refusal> {
    if (finish === undefined && !saidDone) return brokenBy("ended the stream before its answer");
    const said = finish === undefined ? undefined : reasons.get(finish.toLowerCase());
    if (said === "broken") return brokenBy(`broke the answer off (${shown(finish ?? "", asked)})`);
    if (said && said !== "done" && said !== "calls") return said;
    if (calls.length === 0) {
      if (said === "calls") return brokenBy("asked for tools but named none");
      return refused ? "refused" : "done";
    }
    if (calls.some(({ part }) => part.tool === ""))
      return brokenBy("asked for a tool without name");
    if (said) return "calls";
    const { callsFit } = await import("#boundary/models/arguments.ts");
    const parts = calls.map(({ part }) => part);
    return callsFit(body, parts)
      ? "calls"
      : brokenBy("ended without saying so, in the middle of a call");
  }

  const brokenBy = (why: string): Refusal =>
    unreadable(fail("broken", `${asked.who} ${why}`).error);

  return { take, end };
}

/** A string, or the text parts of a list (Mistral). */
function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map(fieldsOf)
    .map((part) => (part.type === "text" ? (textAt(part, "text") ?? "") : ""))
    .join("");
}

function countsOf(value: unknown): Usage | undefined {
  const counts = fieldsOf(value);
  return usageOf({
    input: numberAt(counts, "prompt_tokens"),
    cached: numberAt(fieldsOf(counts.prompt_tokens_details), "cached_tokens"),
    output: numberAt(counts, "completion_tokens"),
    reasoning: numberAt(fieldsOf(counts.completion_tokens_details), "reasoning_tokens"),
  });
}
