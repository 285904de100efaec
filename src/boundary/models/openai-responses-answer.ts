// Reads the events of one Responses answer. An item counts when its `done` event came, a call also
// only when `response.completed` did; whatever else the stream holds can make the answer broken,
// but never a call that the model did not finish.
import {
  type Decoded,
  type Decoder,
  nothing,
  type Taken,
  unreadable,
} from "#boundary/models/answer.ts";
import type { ModelDelta } from "#boundary/models/port.ts";
import { type Asked, type Refusal, shown, streamedRefusal } from "#boundary/models/refusal.ts";
import { fail } from "#core/failure.ts";
import {
  elementTexts,
  type Fields,
  fieldsOf,
  isObject,
  listOf,
  numberAt,
  parsed,
  textAt,
  valueText,
} from "#core/model/json.ts";
import type { AnswerPart, Stop, Usage } from "#core/model/message.ts";
import { usageOf } from "#core/model/tokens.ts";

type Kind = "text" | "reasoning" | "call";

/** An item of the answer while it streams, at its `output_index`. */
type Item = {
  kind: Kind;
  /** Text, reasoning or arguments as far as the deltas told. */
  text: string;
  id: string;
  tool: string;
  /** The exact text of the finished item. */
  raw?: string;
};

const kinds = new Map<unknown, Kind>([
  ["message", "text"],
  ["reasoning", "reasoning"],
  ["function_call", "call"],
  ["custom_tool_call", "call"],
]);

const deltaKinds = new Map<string, Kind>([
  ["response.output_text.delta", "text"],
  ["response.refusal.delta", "text"],
  ["response.reasoning_summary_text.delta", "reasoning"],
  ["response.reasoning_text.delta", "reasoning"],
  ["response.function_call_arguments.delta", "call"],
  ["response.custom_tool_call_input.delta", "call"],
]);

/** `owner` marks opaque data with the model it belongs to. */
export function responsesDecoder(owner: string, asked: Asked): Decoder {
  const items = new Map<number, Item>();
  /** The provider's own ids of the items that are done; the closing event repeats them all. */
  const wireIds = new Set<string>();
  let refused = false;
  let usage: Usage | undefined;
  let terminal: { stop: Stop; refusal?: Refusal } | undefined;
  let spoilt: Refusal | undefined;
  let sequence = -1;

  function take({ data }: { data: string }): Taken {
    if (data === "[DONE]") return { ...nothing, state: "ended" };
    const event = fieldsOf(parsed(data));
    const type = textAt(event, "type");
    if (type === undefined) return spoil(`sent an event that is not in the format: ${start(data)}`);
    if (isRepeat(event)) return nothing;
    switch (type) {
      case "response.output_item.added":
        return took(opened(event));
      case "response.output_item.done":
        return took(closed(indexOf(event), fieldsOf(event.item), valueText(data, "item") ?? ""));
      case "response.reasoning_summary_part.added":
        return took(parted(event));
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return ended(type, fieldsOf(event.response), valueText(data, "response") ?? "");
      case "error":
        return refuse(streamedRefusal(isObject(event.error) ? event.error : event, asked));
      default: {
        const kind = deltaKinds.get(type);
        return kind ? took(delta(kind, event, type)) : nothing;
      }
    }
  }

  /** Servers that number their events may send one twice; those that do not all say 0 or nothing. */
  function isRepeat(event: Fields): boolean {
    const number = numberAt(event, "sequence_number");
    if (number === undefined) return false;
    if (number > sequence) {
      sequence = number;
      return false;
    }
    return sequence > 0;
  }

  function opened(event: Fields): ModelDelta[] {
    const item = fieldsOf(event.item);
    const kind = kinds.get(item.type);
    return kind === undefined ? [] : itemAt(indexOf(event), kind, item).deltas;
  }

  /** The item of an index, made where its first event was not `added`. */
  function itemAt(index: number, kind: Kind, given: Fields): { item: Item; deltas: ModelDelta[] } {
    const known = items.get(index);
    if (known) return { item: known, deltas: [] };
    const id = textAt(given, "call_id") ?? "";
    const item: Item = { kind, text: "", id, tool: textAt(given, "name") ?? "" };
    items.set(index, item);
    return { item, deltas: kind === "call" ? [{ type: "callStarted", id, tool: item.tool }] : [] };
  }

  function delta(kind: Kind, event: Fields, type: string): ModelDelta[] {
    const text = textAt(event, "delta") ?? "";
    if (type === "response.refusal.delta") refused = true;
    const { item, deltas } = itemAt(indexOf(event), kind, {});
    if (item.kind !== kind || item.raw !== undefined) return deltas;
    return [...deltas, ...grown(item, text)];
  }

  /** Summaries come in parts; a reader sees them as paragraphs. */
  function parted(event: Fields): ModelDelta[] {
    const { item, deltas } = itemAt(indexOf(event), "reasoning", {});
    return item.text === "" ? deltas : [...deltas, ...grown(item, "\n\n")];
  }

  function closed(index: number, given: Fields, raw: string): ModelDelta[] {
    const kind = kinds.get(given.type);
    if (kind === undefined) return [];
    const { item, deltas } = itemAt(index, kind, given);
    if (item.kind !== kind || item.raw !== undefined) return deltas;
    const whole = wholeText(kind, given);
    if (kind === "text" && hasRefusal(given)) refused = true;
    if (kind === "call" && (given.name !== item.tool || textAt(given, "call_id") !== item.id)) {
      spoil("finished another call than it had begun");
    } else if (kind === "call" && !whole.startsWith(item.text)) {
      spoil("finished a call with other arguments than it had streamed");
    }
    if (textAt(given, "status") !== "incomplete") item.raw = raw;
    wireIds.add(textAt(given, "id") ?? "");
    // Some servers stream no deltas of an item, or not its last ones.
    const rest = whole.startsWith(item.text) ? whole.slice(item.text.length) : "";
    return [...deltas, ...grown(item, rest)];
  }

  function ended(type: string, response: Fields, raw: string): Taken {
    const { input_tokens_details: cached, output_tokens_details: hidden } = fieldsOf(
      response.usage,
    );
    const counts = fieldsOf(response.usage);
    usage = usageOf({
      input: numberAt(counts, "input_tokens"),
      cached: numberAt(fieldsOf(cached), "cached_tokens"),
      output: numberAt(counts, "output_tokens"),
      reasoning: numberAt(fieldsOf(hidden), "reasoning_tokens"),
    });
    if (type === "response.failed") return refuse(streamedRefusal(response.error ?? {}, asked));
    const raws = elementTexts(valueText(raw, "output") ?? "");
    const late = listOf(response.output).flatMap((value, at) => {
      const item = fieldsOf(value);
      return wireIds.has(textAt(item, "id") ?? "") ? [] : closed(at, item, raws[at] ?? "");
    });
    // Some servers close every answer with `completed` and put the truth into `status`.
    const isWhole = type === "response.completed" && response.status !== "incomplete";
    terminal = isWhole ? { stop: "done" } : incomplete(response);
    return { deltas: late, progress: true, state: "ended" };
  }

  function incomplete(response: Fields): { stop: Stop; refusal?: Refusal } {
    const reason = textAt(fieldsOf(response.incomplete_details), "reason");
    if (reason === undefined || reason === "max_output_tokens") return { stop: "length" };
    if (reason === "content_filter") return { stop: "filtered" };
    const why = `${asked.who} ended the answer early: ${shown(reason, asked)}`;
    return { stop: "broken", refusal: unreadable(fail("broken", why).error) };
  }

  function refuse(refusal: Refusal): Taken {
    terminal ??= { stop: refusal.stop, refusal };
    return { ...nothing, state: "ended" };
  }

  function spoil(why: string): Taken {
    spoilt ??= unreadable(fail("broken", `${asked.who} ${why}`).error);
    return { ...nothing, state: "ended" };
  }

  const start = (data: string): string => shown(data.slice(0, 120), asked) || "nothing";

  const took = (deltas: ModelDelta[]): Taken => ({
    deltas,
    progress: true,
    state: spoilt ? "ended" : "open",
  });

  async function end(cut: Refusal | undefined): Promise<Decoded> {
    const all = [...items.entries()].sort(([a], [b]) => a - b).map(([, item]) => item);
    const calls = all.filter((item) => item.kind === "call");
    const bad = spoilt ?? cut ?? terminal?.refusal ?? doubt(calls);
    const stop = bad?.stop ?? stopOf(calls.length > 0);
    const parts = all.flatMap((item) => partOf(item, { withCalls: stop === "calls" }));
    const callsDropped = stop === "calls" ? 0 : calls.length;
    const { failure, retryAfterMs } = bad ?? {};
    return { stop, parts, usage, failure, retryAfterMs, callsDropped };
  }

  /** Why an answer that seems to have ended is not whole. */
  function doubt(calls: readonly Item[]): Refusal | undefined {
    const open = calls.find((call) => call.raw === undefined || !call.tool || !call.id);
    const ids = new Set(calls.map((call) => call.id));
    const why = !terminal
      ? "ended the stream before the answer was whole"
      : terminal.stop === "done" && (open || ids.size < calls.length)
        ? "ended the answer with a call that is not whole"
        : undefined;
    return why === undefined ? undefined : unreadable(fail("broken", `${asked.who} ${why}`).error);
  }

  function stopOf(hasCalls: boolean): Stop {
    if (terminal?.stop !== "done") return terminal?.stop ?? "broken";
    if (hasCalls) return "calls";
    return refused ? "refused" : "done";
  }

  function partOf(item: Item, options: { withCalls: boolean }): AnswerPart[] {
    const opaque = item.raw === undefined ? undefined : { model: owner, data: item.raw };
    const { text, id, tool } = item;
    if (item.kind !== "call") {
      if (text === "" && !opaque) return [];
      return [opaque ? { type: item.kind, text, opaque } : { type: item.kind, text }];
    }
    return options.withCalls ? [{ type: "call", id, tool, input: text, opaque }] : [];
  }

  return { take, end };
}

/** Adds to an item and tells it, in one place, so that deltas and parts cannot differ. */
function grown(item: Item, text: string): ModelDelta[] {
  if (text === "") return [];
  item.text += text;
  if (item.kind === "call") return [{ type: "callInput", id: item.id, text }];
  return [{ type: item.kind, text }];
}

const indexOf = (event: Fields): number => numberAt(event, "output_index") ?? 0;

function wholeText(kind: Kind, item: Fields): string {
  // A free-form call has its text in `input`, any other its JSON in `arguments`.
  if (kind === "call") return textAt(item, "arguments") ?? textAt(item, "input") ?? "";
  if (kind === "text") {
    return listOf(item.content)
      .map((part) => textAt(fieldsOf(part), "text") ?? textAt(fieldsOf(part), "refusal") ?? "")
      .join("");
  }
  const summary = listOf(item.summary).map((part) => textAt(fieldsOf(part), "text") ?? "");
  const content = listOf(item.content).map((part) => textAt(fieldsOf(part), "text") ?? "");
  return summary.length > 0 ? summary.join("\n\n") : content.join("");
}

const hasRefusal = (item: Fields): boolean =>
  listOf(item.content).some((part) => fieldsOf(part).type === "refusal");
