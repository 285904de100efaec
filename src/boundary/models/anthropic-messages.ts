// A conversation as the Messages API wants it: users and the model in turns, results first and
// straight after their calls, nothing empty; and the marks that tell its cache where to keep what.
// Blocks are made as JSON texts, so that what goes back unchanged stays byte for byte.
import { jsonOf, objectJson } from "#boundary/models/body.ts";
import {
  EMPTY_PROMPT,
  EMPTY_RESULT,
  type Shown,
  shownParts,
  shownResult,
  type ToolMessage,
} from "#boundary/models/openai-wire.ts";
import type { ModelRequest } from "#boundary/models/port.ts";
import { fieldsOf, parsed, textAt } from "#core/model/json.ts";
import type { AnswerPart, Message, UserPart } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

/** One message on the wire, its blocks as JSON texts. */
export type WireTurn = { role: "user" | "assistant"; blocks: string[] };

/**
 * Stands where the user's side is missing, as after an answer that was paused: a request that ends
 * with the model's words asks to continue that very text, and newer models answer 400 to it.
 * https://platform.claude.com/docs/en/api/errors#prefill-not-supported
 */
const GO_ON = "Go on.";

/** `owner` names the model whose thinking may go back. */
export function turnsOf(
  messages: readonly Message[],
  blobs: ModelRequest["blobs"],
  owner: string,
): WireTurn[] {
  const turns: WireTurn[] = [];
  const ids = wireIds();
  const add = (role: WireTurn["role"], blocks: string[]) => {
    const last = turns.at(-1);
    if (last?.role === role && role === "user") last.blocks.push(...blocks);
    else turns.push({ role, blocks });
  };
  for (const message of paired(messages)) {
    if (message.role === "user") {
      add("user", blocksOf(readable(message.parts), blobs, EMPTY_PROMPT));
      continue;
    }
    if (message.role === "tool") {
      add("user", [resultBlock(message, ids.ofResult(message.callId), blobs)]);
      continue;
    }
    const blocks = answerBlocks(message.parts, owner, ids);
    if (blocks.length === 0) continue;
    if (turns.at(-1)?.role !== "user") add("user", [textBlock(GO_ON)]);
    add("assistant", blocks);
  }
  if (turns.at(-1)?.role !== "user") add("user", [textBlock(GO_ON)]);
  return turns;
}

/**
 * Names of calls that no other call has: some servers count anew in each answer, and here "`tool_use`
 * ids must be unique" in all of a request. A call's result comes before the next call of its name.
 * https://github.com/NVIDIA-NeMo/Switchyard/issues/502
 */
function wireIds() {
  const used = new Set<string>();
  const now = new Map<string, string>();
  return {
    ofCall(id: string): string {
      const base = wireCallId(id);
      let name = base;
      for (let n = 2; used.has(name); n += 1) name = `${base}_${n}`;
      used.add(name);
      now.set(id, name);
      return name;
    },
    ofResult: (id: string): string => now.get(id) ?? wireCallId(id),
  };
}

type WireIds = ReturnType<typeof wireIds>;

/** "text content blocks must contain non-whitespace text", also where there is other content. */
const readable = (parts: readonly UserPart[]): UserPart[] =>
  parts.filter((part) => part.type !== "text" || part.text.trim() !== "");

const textBlock = (text: string): string => jsonOf({ type: "text", text });

const blocksOf = (
  parts: readonly UserPart[],
  blobs: ModelRequest["blobs"],
  empty: string,
): string[] => shownParts(parts, blobs, empty).map((shown) => jsonOf(blockOf(shown)));

function blockOf(shown: Shown): Record<string, unknown> {
  switch (shown.type) {
    case "text":
      return { type: "text", text: shown.text };
    case "image":
      return { type: "image", source: sourceOf(shown.url) };
    case "file":
      return { type: "document", source: sourceOf(shown.url), title: shown.name };
  }
}

/** From a data URL: the API takes the same base64 under its media type. */
function sourceOf(url: string): Record<string, unknown> {
  const media_type = url.slice("data:".length, url.indexOf(";"));
  return { type: "base64", media_type, data: url.slice(url.indexOf(",") + 1) };
}

function resultBlock(message: ToolMessage, id: string, blobs: ModelRequest["blobs"]): string {
  const parts = readable(message.parts);
  const isText = parts.every((part) => part.type === "text");
  // "all content must be type text if is_error is true": what failed and shows more says it in words.
  // https://github.com/caozhiyuan/copilot-api/pull/196
  const said = message.failed && !isText;
  const shown = said
    ? shownResult({ ...message, parts }, blobs)
    : shownParts(parts, blobs, EMPTY_RESULT);
  return jsonOf({
    type: "tool_result",
    tool_use_id: id,
    content: shown.map(blockOf),
    is_error: message.failed && isText ? true : undefined,
  });
}

/**
 * What the model said, in its own order. "The final block in an assistant message cannot be
 * `thinking`": thinking that led to nothing stays out, and with it perhaps the whole answer.
 * https://github.com/tailcallhq/forgecode/issues/3071
 */
function answerBlocks(parts: readonly AnswerPart[], owner: string, ids: WireIds): string[] {
  const last = parts.findLastIndex((part) => part.type !== "reasoning" && !isBlank(part));
  return parts.slice(0, last + 1).flatMap((part) => answerBlock(part, owner, ids) ?? []);
}

function answerBlock(part: AnswerPart, owner: string, ids: WireIds): string | undefined {
  switch (part.type) {
    case "text":
      return isBlank(part) ? undefined : textBlock(part.text);
    case "reasoning":
      return ownThinking(part, owner);
    case "call":
      return callBlock(part, ids.ofCall(part.id));
  }
}

const isBlank = (part: AnswerPart): boolean => part.type === "text" && part.text.trim() === "";

/**
 * "Input should be a valid dictionary" is the answer to arguments that are no object, for ever.
 * https://github.com/CopilotKit/CopilotKit/issues/3300
 */
function callBlock({ tool, input }: Extract<AnswerPart, { type: "call" }>, id: string): string {
  const head = { type: "tool_use", id, name: wireToolName(tool) };
  return `${jsonOf(head).slice(0, -1)},"input":${objectJson(input)}}`;
}

/** Thinking as it came; undefined for another model's, or where a log was tampered with. */
function ownThinking(part: AnswerPart, owner: string): string | undefined {
  if (part.opaque?.model !== owner) return undefined;
  const block = fieldsOf(parsed(part.opaque.data));
  const fields = thinkingFields.get(block.type);
  const isWhole = fields?.every((name) => textAt(block, name) !== undefined);
  if (!fields || !isWhole || Object.keys(block).length !== fields.length) return undefined;
  return part.opaque.data;
}

const thinkingFields = new Map<unknown, readonly string[]>([
  ["thinking", ["type", "thinking", "signature"]],
  ["redacted_thinking", ["type", "data"]],
]);

/** Whether a block of these turns is thinking, and a result; our own texts begin with their type. */
export const isThinking = (block = ""): boolean => /^\{"type":"(redacted_)?thinking"/.test(block);
export const isResult = (block = ""): boolean => block.startsWith('{"type":"tool_result"');

/** The mark that asks the API to keep everything up to here for five minutes. */
export const CACHE_MARK = { type: "ephemeral" } as const;

/**
 * The messages as JSON texts, with two marks: one at the end, which writes what is new, and one
 * where the last request ended, which reads all of it. The API looks for itself only 20 blocks back
 * from a mark, and a step with many calls is longer; that is also why its automatic mark, which is
 * one at the end, is not used. Servers in front of other clouds do not know that one either.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function messageTexts(turns: readonly WireTurn[]): string[] {
  // Turns alternate and the user has the last one: the third from the end closed the last request.
  const ends = new Set([turns.length - 1, turns.length - 3]);
  return turns.map(({ role, blocks }, at) => {
    const shown = ends.has(at) ? lastMarked(blocks) : blocks;
    return `{"role":"${role}","content":[${shown.join(",")}]}`;
  });
}

const lastMarked = (blocks: readonly string[]): string[] =>
  blocks.map((block, at) =>
    at === blocks.length - 1
      ? `${block.slice(0, -1)},"cache_control":${jsonOf(CACHE_MARK)}}`
      : block,
  );
