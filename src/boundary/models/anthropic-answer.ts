// Reads the events of one Messages answer. A block counts when its `content_block_stop` came, a call
// also only when the answer named its stop; whatever else the stream holds can make the answer
// broken, but never a call that the model did not finish.
import {
  type Decoded,
  type Decoder,
  nothing,
  type Taken,
  unreadable,
} from "#boundary/models/answer.ts";
import { jsonOf } from "#boundary/models/body.ts";
import type { ModelDelta } from "#boundary/models/port.ts";
import { type Asked, type Refusal, shown, streamedRefusal } from "#boundary/models/refusal.ts";
import { fail } from "#core/failure.ts";
import {
  type Fields,
  fieldsOf,
  isObject,
  numberAt,
  parsed,
  textAt,
  valueText,
} from "#core/model/json.ts";
import type { AnswerPart, Stop, Usage } from "#core/model/message.ts";
import { usageOf } from "#core/model/tokens.ts";

/** `sealed` is thinking that may not be read; `other` a block that no tool of ours can lead to. */
type Kind = "text" | "thinking" | "sealed" | "call" | "other";

/** A block of the answer while it streams, at its `index`. */
type Block = {
  kind: Kind;
  /** Text, thinking or arguments as far as they came. */
  text: string;
  id: string;
  tool: string;
  /** What vouches for thinking, or the sealed thinking itself. */
  proof: string;
  /** Arguments that came with the block's begin, as servers that do not stream them send them. */
  given: string;
  closed: boolean;
};

const kinds = new Map<unknown, Kind>([
  ["text", "text"],
  ["thinking", "thinking"],
  ["redacted_thinking", "sealed"],
  ["tool_use", "call"],
]);

/** Deltas by their type: the kind of block they belong to, and the field that grows it. */
const deltaKinds = new Map<unknown, [kind: Kind, field: string]>([
  ["text_delta", ["text", "text"]],
  ["thinking_delta", ["thinking", "thinking"]],
  ["input_json_delta", ["call", "partial_json"]],
]);

/**
 * `StopReason` of the official types. `refusal` is not here: a policy's category makes it `filtered`.
 * `model_context_window_exceeded` means that the window was full before the answer ended: only
 * shorter messages help, as when the request itself does not fit.
 */
const stops = new Map<unknown, Stop>([
  ["end_turn", "done"],
  ["stop_sequence", "done"],
  ["tool_use", "calls"],
  ["max_tokens", "length"],
  ["pause_turn", "paused"],
  ["model_context_window_exceeded", "overflow"],
]);

/** `owner` marks opaque data with the model it belongs to. */
export function messagesDecoder(owner: string, asked: Asked): Decoder {
  const blocks = new Map<number, Block>();
  let counts: Fields = {};
  let usage: Usage | undefined;
  let terminal: { stop: Stop; refusal?: Refusal } | undefined;
  let spoilt: Refusal | undefined;

  function take({ data }: { data: string }): Taken {
    if (data === "[DONE]") return { ...nothing, state: "ended" };
    const event = fieldsOf(parsed(data));
    // Proxies send their own errors without the type.
    const type = textAt(event, "type") ?? (event.error ? "error" : undefined);
    if (type === undefined) return spoil(`sent an event that is not in the format: ${start(data)}`);
    if (type === "error") return refuse(streamedRefusal(event.error ?? {}, asked));
    if (type === "message_stop") return { ...nothing, state: "ended" };
    if (type === "message_delta") return ended(event);
    if (type === "message_start") count(fieldsOf(event.message).usage);
    if (terminal) return nothing;
    switch (type) {
      case "content_block_start":
        return took(opened(event, data));
      case "content_block_delta":
        return took(delta(event));
      case "content_block_stop":
        return took(closed(event));
      default:
        return nothing;
    }
  }

  function opened(event: Fields, data: string): ModelDelta[] {
    const index = indexOf(event);
    if (blocks.has(index)) return [];
    const begun = fieldsOf(event.content_block);
    const kind = kinds.get(begun.type) ?? "other";
    const id = textAt(begun, "id") ?? "";
    const tool = textAt(begun, "name") ?? "";
    const block = emptyBlock(kind, { id, tool });
    blocks.set(index, block);
    switch (kind) {
      case "call":
        block.given = givenInput(begun, data);
        return [{ type: "callStarted", id, tool }];
      case "thinking":
        block.proof = textAt(begun, "signature") ?? "";
        return grown(block, textAt(begun, "thinking") ?? "");
      case "sealed":
        block.proof = textAt(begun, "data") ?? "";
        return [];
      case "text":
        return grown(block, textAt(begun, "text") ?? "");
      case "other":
        return [];
    }
  }

  function delta(event: Fields): ModelDelta[] {
    const change = fieldsOf(event.delta);
    const block = blocks.get(indexOf(event));
    if (change.type === "signature_delta") {
      if (block?.kind === "thinking") block.proof += textAt(change, "signature") ?? "";
      return [];
    }
    const [kind, field] = deltaKinds.get(change.type) ?? [];
    if (kind === undefined || field === undefined) return [];
    if (!block) {
      spoil("went on with a block that it had not begun");
      return [];
    }
    if (block.kind !== kind || block.closed) return [];
    return grown(block, textAt(change, field) ?? "");
  }

  function closed(event: Fields): ModelDelta[] {
    const block = blocks.get(indexOf(event));
    if (!block || block.closed) return [];
    const late = block.kind === "call" && block.text === "" ? grown(block, block.given) : [];
    block.closed = true;
    return late;
  }

  /** Counts are cumulative, and only some of them come again: the last one of each stands. */
  function count(given: unknown): void {
    const known = Object.entries(fieldsOf(given)).filter(([, value]) => value !== null);
    counts = { ...counts, ...Object.fromEntries(known) };
  }

  function ended(event: Fields): Taken {
    const { stop_reason: reason, stop_details: details } = fieldsOf(event.delta);
    count(event.usage);
    if (numberAt(fieldsOf(event.usage), "output_tokens") !== undefined) usage = usageIn(counts);
    if (typeof reason !== "string") return { ...nothing, progress: true };
    terminal ??= terminalOf(reason, fieldsOf(details));
    return { deltas: [], progress: true, state: "closing" };
  }

  function terminalOf(reason: string, details: Fields): { stop: Stop; refusal?: Refusal } {
    if (reason === "refusal") return { stop: details.category ? "filtered" : "refused" };
    const stop = stops.get(reason);
    if (stop !== undefined) return { stop };
    const why = `${asked.who} ended the answer for a reason unknown here: ${shown(reason, asked)}`;
    return { stop: "broken", refusal: unreadable(fail("broken", why).error) };
  }

  function refuse(refusal: Refusal): Taken {
    terminal = { stop: refusal.stop, refusal };
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
    const all = [...blocks.entries()].sort(([a], [b]) => a - b).map(([, block]) => block);
    const calls = all.filter(({ kind }) => kind === "call");
    const bad = spoilt ?? cut ?? terminal?.refusal ?? doubt(calls);
    const stop = bad?.stop ?? stopOf(calls.length > 0);
    const parts = all.flatMap((block) => partOf(block, { withCalls: stop === "calls" }));
    const callsDropped = stop === "calls" ? 0 : calls.length;
    const { failure, retryAfterMs } = bad ?? {};
    const counted = usageIn({ output_tokens: 0, ...counts });
    return { stop, parts, usage, counted, failure, retryAfterMs, callsDropped };
  }

  /** Why an answer that seems to have ended is not whole. */
  function doubt(calls: readonly Block[]): Refusal | undefined {
    const open = calls.find((call) => !call.closed || !call.tool || !call.id);
    const ids = new Set(calls.map((call) => call.id));
    const isOver = terminal?.stop === "done" || terminal?.stop === "calls";
    const why = !terminal
      ? "ended the stream before the answer was whole"
      : isOver && (open || ids.size < calls.length)
        ? "ended the answer with a call that is not whole"
        : undefined;
    return why === undefined ? undefined : unreadable(fail("broken", `${asked.who} ${why}`).error);
  }

  /** Some servers end an answer with calls like all others, or say `tool_use` without one. */
  function stopOf(hasCalls: boolean): Stop {
    const stop = terminal?.stop ?? "broken";
    if (stop !== "done" && stop !== "calls") return stop;
    return hasCalls ? "calls" : "done";
  }

  function partOf(block: Block, options: { withCalls: boolean }): AnswerPart[] {
    const { kind, text, id, tool: name } = block;
    switch (kind) {
      case "text":
        return text === "" ? [] : [{ type: "text", text }];
      case "call":
        return options.withCalls ? [{ type: "call", id, tool: name, input: text }] : [];
      case "thinking":
      case "sealed": {
        if (!block.closed) return text === "" ? [] : [{ type: "reasoning", text }];
        return [{ type: "reasoning", text, opaque: { model: owner, data: sealedBlock(block) } }];
      }
      case "other":
        return [];
    }
  }

  return { take, end };
}

/** The block as the API wants it back: its own fields and no other. */
function sealedBlock({ kind, text, proof }: Block): string {
  return kind === "sealed"
    ? jsonOf({ type: "redacted_thinking", data: proof })
    : jsonOf({ type: "thinking", thinking: text, signature: proof });
}

/** Adds to a block and tells it, in one place, so that deltas and parts cannot differ. */
function grown(block: Block, text: string): ModelDelta[] {
  if (text === "") return [];
  block.text += text;
  switch (block.kind) {
    case "call":
      return [{ type: "callInput", id: block.id, text }];
    case "text":
      return [{ type: "text", text }];
    case "thinking":
      return [{ type: "reasoning", text }];
    case "sealed":
    case "other":
      return [];
  }
}

const emptyBlock = (kind: Kind, { id, tool }: { id: string; tool: string }): Block => ({
  kind,
  text: "",
  id,
  tool,
  proof: "",
  given: "",
  closed: false,
});

/** The exact text of arguments that came at once; the usual `{}` only stands for "to come". */
function givenInput(begun: Fields, data: string): string {
  if (!isObject(begun.input) || Object.keys(begun.input).length === 0) return "";
  return valueText(valueText(data, "content_block") ?? "", "input") ?? "";
}

/** Read from the cache, newly written to it, and neither: together they are the whole request. */
function usageIn(counts: Fields): Usage | undefined {
  const plain = numberAt(counts, "input_tokens");
  const cached = numberAt(counts, "cache_read_input_tokens") ?? 0;
  const written = numberAt(counts, "cache_creation_input_tokens") ?? 0;
  return usageOf({
    input: plain === undefined ? undefined : plain + cached + written,
    cached,
    written,
    output: numberAt(counts, "output_tokens"),
    reasoning: numberAt(fieldsOf(counts.output_tokens_details), "thinking_tokens"),
  });
}

const indexOf = (event: Fields): number => numberAt(event, "index") ?? 0;
