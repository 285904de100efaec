// Reads the lines of one answer of Ollama. The line with `done` ends it; a call comes whole in one
// line, with its arguments as an object, and counts when that last line came and does not say that
// the answer was cut.
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
  elementTexts,
  type Fields,
  fieldsOf,
  isObject,
  numberAt,
  parsed,
  textAt,
  valueText,
} from "#core/model/json.ts";
import type { AnswerPart, CallPart, Stop, Usage } from "#core/model/message.ts";
import { requestTokensLikely, usageOf } from "#core/model/tokens.ts";

/** `done_reason` by meaning: `DoneReason` in `llm/server.go`, `load` and `unload` in `ChatHandler`. */
const reasons = new Map<string, Stop>([
  ["stop", "done"],
  ["length", "length"],
  ["load", "broken"],
  ["unload", "broken"],
]);

/** `body` is the request: it knows the tools' schemas and the ids that are taken. */
export function ollamaDecoder(body: string, asked: Asked): Decoder {
  const parts: AnswerPart[] = [];
  const freshId = callIds(body);
  let reason: string | undefined;
  let counts: Fields = {};
  let bad: Refusal | undefined;

  function take({ data }: { data: string }): Taken {
    if (bad || reason !== undefined) return { ...nothing, state: "ended" };
    const line = parsed(data);
    if (!isObject(line)) {
      const start = shown(data.slice(0, 120), asked) || "nothing";
      bad = brokenBy(`sent a line that is not in the format: ${start}`);
      return { ...nothing, state: "ended" };
    }
    if (line.error) {
      bad = refusalIn(line.error);
      return { ...nothing, state: "ended" };
    }
    const message = fieldsOf(line.message);
    const deltas = [
      ...grown("reasoning", textAt(message, "thinking") ?? ""),
      ...grown("text", textAt(message, "content") ?? ""),
      ...elementTexts(valueText(valueText(data, "message") ?? "", "tool_calls") ?? "").flatMap(
        callDeltas,
      ),
    ];
    if (line.done === true) {
      reason = textAt(line, "done_reason") ?? "";
      counts = line;
    }
    const progress = deltas.length > 0;
    return { deltas, progress, state: line.done === true ? "ended" : "open" };
  }

  function grown(type: "text" | "reasoning", text: string): ModelDelta[] {
    if (text === "") return [];
    const last = parts.at(-1);
    if (last?.type === type) last.text += text;
    else parts.push({ type, text });
    return [{ type, text }];
  }

  /** A call is one element of `tool_calls`; `json` is its exact text. */
  function callDeltas(json: string): ModelDelta[] {
    const call = fieldsOf(parsed(json));
    const named = fieldsOf(call.function);
    const raw = valueText(valueText(json, "function") ?? "", "arguments") ?? "";
    // Servers that imitate Ollama send the text of the object, or nothing for none.
    const input = textAt(named, "arguments") ?? (raw === "null" ? "" : raw);
    const tool = textAt(named, "name") ?? "";
    const part: CallPart = { type: "call", id: freshId(textAt(call, "id") ?? ""), tool, input };
    parts.push(part);
    if (tool === "") return [];
    const started: ModelDelta = { type: "callStarted", id: part.id, tool };
    return input === "" ? [started] : [started, { type: "callInput", id: part.id, text: input }];
  }

  async function end(cut: Refusal | undefined): Promise<Decoded> {
    const ended = bad ?? (cut && advised(cut, asked)) ?? (await verdict());
    const failed = typeof ended === "object" ? ended : undefined;
    const stop = typeof ended === "object" ? ended.stop : ended;
    const kept = parts.filter((part) => stop === "calls" || part.type !== "call");
    const callsDropped = parts.length - kept.length;
    const { failure, retryAfterMs } = failed ?? {};
    return { stop, parts: kept, usage: usage(), failure, retryAfterMs, callsDropped };
  }

  async function verdict(): Promise<Stop | Refusal> {
    if (reason === undefined) return brokenBy("ended the stream before its answer");
    const said = reasons.get(reason);
    if (said === "broken") return brokenBy(`did not answer (${shown(reason, asked)})`);
    if (said === "length") return said;
    const calls = parts.filter((part) => part.type === "call");
    if (calls.length === 0) return "done";
    if (calls.some(({ tool }) => tool === "")) return brokenBy("asked for a tool without name");
    if (said) return "calls";
    const { callsFit } = await import("#boundary/models/arguments.ts");
    return callsFit(body, calls) ? "calls" : brokenBy("ended in the middle of a call");
  }

  function usage(): Usage | undefined {
    const input = numberAt(counts, "prompt_eval_count") ?? 0;
    const cached = numberAt(counts, "prompt_eval_cached_count");
    const output = numberAt(counts, "eval_count");
    const counted = usageOf({ input, cached, output, reasoning: 0 });
    // No tokens for an answer with something in it is no count.
    if (!counted || (output === 0 && parts.length > 0)) return undefined;
    if (cached !== undefined) return counted;
    // Versions that do not tell the cached share may count only the rest of the prompt, or leave
    // the count out where all of it was cached: https://github.com/ollama/ollama/issues/2068.
    // The likely count errs upwards, so a whole count is never below half of it.
    const likely = requestTokensLikely(body);
    if (counted.input >= likely / 2) return counted;
    return { ...counted, input: likely, cached: likely - counted.input, exact: false };
  }

  /** Errors in a stream have no status. A call that the model wrote wrongly is not Ollama's fault. */
  function refusalIn(error: unknown): Refusal {
    const refusal = streamedRefusal(error, asked);
    const words = typeof error === "string" ? error : "";
    if (!/error parsing tool call/i.test(words)) return refusal;
    return brokenBy(`could not read the model's tool call: ${shown(words, asked)}`);
  }

  const brokenBy = (why: string): Refusal =>
    unreadable(fail("broken", `${asked.who} ${why}`).error);

  return { take, end };
}

/** A refusal with what to do about it, in Ollama's own words. */
function advised(refusal: Refusal, asked: Asked): Refusal {
  const { failure } = refusal;
  // Not where the path is unknown: then something else answers there.
  if (failure.code === "not_found" && /model ['"][^'"]*['"] not found/i.test(failure.say)) {
    const say = `Ollama on ${asked.host} does not have the model ${asked.model}`;
    return {
      ...refusal,
      failure: { ...failure, say, fix: `get it with: ollama pull ${asked.model}` },
    };
  }
  if (failure.code === "rejected" && /does not support tools/.test(failure.say)) {
    const fix = "choose a model that calls tools, or let it call them through its text";
    return { ...refusal, failure: { ...failure, fix } };
  }
  return refusal;
}
