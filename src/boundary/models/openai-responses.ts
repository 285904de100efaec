// OpenAI's Responses API. Nothing is stored there (`store:false`): reasoning comes back encrypted
// and is returned, like every item the model made, as the exact text it was received in.
import { createHash } from "node:crypto";
import { answerOf } from "#boundary/models/answer.ts";
import { bodyOf, jsonOf } from "#boundary/models/body.ts";
import { responsesDecoder } from "#boundary/models/openai-responses-answer.ts";
import {
  askedOf,
  askOf,
  EMPTY_PROMPT,
  type Endpoint,
  type Shown,
  shownParts,
  shownResult,
} from "#boundary/models/openai-wire.ts";
import type { ModelPort, ModelRequest, WireRequest } from "#boundary/models/port.ts";
import { sseReader } from "#boundary/models/sse.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { AnswerPart, Message, ToolSpec } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

export type ResponsesOptions = Endpoint & {
  /** Ask for readable summaries of the reasoning; OpenAI gives them to verified organisations only. */
  summary?: "auto" | "concise" | "detailed";
};

export function openaiResponses(options: ResponsesOptions): ModelPort {
  const name = `${options.provider}/responses`;
  const ownerOf = ownerNames(name, options);
  return {
    name,
    encode: (request) => encode(request, ownerOf(request.model), options),
    call(wire, { model, signal, deadlines }) {
      const asked = askedOf(options, model);
      const decoder = responsesDecoder(ownerOf(model), asked);
      const ask = askOf(options, wire);
      return answerOf(ask, decoder, { asked, reader: sseReader, signal, deadlines });
    },
  };
}

/**
 * Models that do not reason, by the names in `ChatModel` of the official types: they answer 400 to
 * `include: reasoning.encrypted_content` and to `reasoning`. Every other name is taken to reason.
 * https://github.com/pydantic/pydantic-ai/issues/2865 and /3326
 */
const PLAIN = /^(ft:)?(gpt-3|gpt-4|chatgpt-|gpt-audio)|-chat-latest$/;

/**
 * Models that take tools with free-form input, bound by a grammar: GPT-5 and later, except for the
 * chat variants. https://developers.openai.com/api/docs/guides/function-calling#custom-tools
 */
const takesFreeform = (model: string): boolean =>
  /^(ft:)?gpt-([5-9]|\d\d)/.test(model) && !PLAIN.test(model);

/**
 * Names the model that opaque data belongs to; other dialects and providers must never be sent it.
 * Encrypted reasoning is bound to the organisation too: with another key the API answers 400
 * (`invalid_encrypted_content`) for ever, so the name holds a fingerprint of host and key.
 * https://docs.litellm.ai/blog/tags/load-balancing (incident of February 2026)
 */
function ownerNames(name: string, { baseUrl, apiKey = "" }: Endpoint): (model: string) => string {
  const account = createHash("sha256").update(`${new URL(baseUrl).host}\n${apiKey}`);
  const fingerprint = account.digest("hex").slice(0, 8);
  return (model) => `${name}/${model}@${fingerprint}`;
}

function encode(request: ModelRequest, owner: string, options: ResponsesOptions): WireRequest {
  const reasons = !PLAIN.test(request.model) && request.facts?.thinking !== false;
  const { effort, outputTokensMax, cacheKey } = request;
  const reasoning = reasons && (effort || options.summary) && { effort, summary: options.summary };
  // The order of these keys is part of the log: what changes least comes first, `input` last.
  const head: Record<string, unknown> = {
    model: request.model,
    stream: true,
    store: false,
    include: reasons ? ["reasoning.encrypted_content"] : undefined,
    reasoning: reasoning || undefined,
    max_output_tokens: outputTokensMax,
    prompt_cache_key: cacheKey,
    tools: request.tools.length > 0 ? request.tools.map(toolFor(request.model)) : undefined,
    instructions: request.system === "" ? undefined : request.system,
  };
  const freeform = new Set<string>();
  const items = paired(request.messages).flatMap((message) =>
    itemsOf(message, { blobs: request.blobs, owner, freeform }),
  );
  return { path: "/responses", body: bodyOf(head, "input", items) };
}

function toolFor(model: string): (tool: ToolSpec) => Record<string, unknown> {
  const isFree = takesFreeform(model);
  return ({ name, about, schema, freeform }) => {
    if (!freeform || !isFree) {
      return { type: "function", name, description: about, parameters: schema, strict: false };
    }
    const { syntax, grammar } = freeform;
    const format = { type: "grammar", syntax, definition: grammar };
    return { type: "custom", name, description: freeform.about, format };
  };
}

type Encoding = {
  blobs: ModelRequest["blobs"];
  owner: string;
  /** Calls sent so far whose input was free-form: their results have a type of their own. */
  freeform: Set<string>;
};

function itemsOf(message: Message, { blobs, owner, freeform }: Encoding): string[] {
  if (message.role === "user") {
    const content = shownParts(message.parts, blobs, EMPTY_PROMPT).map(contentOf);
    return [jsonOf({ role: "user", content })];
  }
  if (message.role === "tool") {
    const shown = shownResult(message, blobs);
    const only = shown.length === 1 && shown[0]?.type === "text" ? shown[0].text : undefined;
    const output = only ?? shown.map(contentOf);
    const call_id = wireCallId(message.callId);
    const type = freeform.has(call_id) ? "custom_tool_call_output" : "function_call_output";
    return [jsonOf({ type, call_id, output })];
  }
  // Items are tied to the reasoning before them, so an answer whose reasoning cannot be returned
  // (another model's, or without its encrypted content) is told in plain words as a whole.
  const own = message.parts.map((part) => ownItem(part, owner));
  const isWhole = message.parts.every((p, i) => p.type !== "reasoning" || isReturnable(own[i]));
  return message.parts.flatMap((part, at) => {
    const item = isWhole ? own[at] : undefined;
    if (item === undefined) return plainItem(part) ?? [];
    if (part.type === "call" && isFreeform(item)) freeform.add(wireCallId(part.id));
    if (part.type !== "reasoning") return item;
    // The API refuses reasoning without the item that it led to.
    const next = message.parts.findIndex((other, i) => i > at && other.type !== "reasoning");
    return next !== -1 && own[next] !== undefined ? item : [];
  });
}

/** What is not stored there can only come back whole: with its encrypted content. */
const isReturnable = (item: string | undefined): boolean =>
  item !== undefined && Boolean(fieldsOf(parsed(item)).encrypted_content);

function plainItem(part: AnswerPart): string | undefined {
  switch (part.type) {
    case "reasoning":
      return undefined;
    case "text":
      return part.text === "" ? undefined : jsonOf({ role: "assistant", content: part.text });
    case "call": {
      const call_id = wireCallId(part.id);
      const name = wireToolName(part.tool);
      const { input } = part;
      return jsonOf({ type: "function_call", call_id, name, arguments: input });
    }
  }
}

const itemTypes: Record<AnswerPart["type"], readonly unknown[]> = {
  reasoning: ["reasoning"],
  text: ["message"],
  call: ["function_call", "custom_tool_call"],
};

const isFreeform = (item: string): boolean => fieldsOf(parsed(item)).type === "custom_tool_call";

/** The item as the model made it; undefined for another model's, or where a log was tampered with. */
function ownItem(part: AnswerPart, owner: string): string | undefined {
  if (part.opaque?.model !== owner) return undefined;
  const item = fieldsOf(parsed(part.opaque.data));
  if (!itemTypes[part.type].includes(item.type)) return undefined;
  // Its result names the call by the same id, so one that must be shortened cannot stay verbatim.
  if (part.type === "call" && item.call_id !== wireCallId(part.id)) return undefined;
  if (part.type === "call" && item.name !== wireToolName(part.tool)) return undefined;
  return part.opaque.data;
}

function contentOf(shown: Shown): Record<string, unknown> {
  switch (shown.type) {
    case "text":
      return { type: "input_text", text: shown.text };
    case "image":
      return { type: "input_image", detail: "auto", image_url: shown.url };
    case "file":
      return { type: "input_file", filename: shown.name, file_data: shown.url };
  }
}
