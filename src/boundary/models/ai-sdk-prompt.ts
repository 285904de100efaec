// A request as a language model of the AI SDK takes it: deterministic JSON that grows only at its
// end. Parts carry what the provider wants back (`providerOptions`) to the same model alone.
import { bodyOf, jsonOf } from "#boundary/models/body.ts";
import {
  EMPTY_PROMPT,
  EMPTY_RESULT,
  type Shown,
  shownParts,
} from "#boundary/models/openai-wire.ts";
import type { ModelRequest, WireRequest } from "#boundary/models/port.ts";
import { isObject, parsed } from "#core/model/json.ts";
import type { AnswerPart, Message, Opaque } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

/** Versions of the specification that are spoken; they differ in how a file is written. */
export type Specification = "v2" | "v3" | "v4";

/** `owner` marks opaque data with the model it belongs to. */
export function encodePrompt(
  request: ModelRequest,
  { owner, version }: { owner: string; version: Specification },
): WireRequest {
  const { system, messages, tools, outputTokensMax, effort, blobs } = request;
  const head = {
    ...(outputTokensMax === undefined ? {} : { maxOutputTokens: outputTokensMax }),
    ...(effort === undefined || version !== "v4" ? {} : { reasoning: effort }),
    tools: tools.map(({ name, about, schema }) => ({
      type: "function",
      name,
      description: about,
      inputSchema: schema,
    })),
  };
  const names = new Map<string, string>();
  const items: unknown[] = [{ role: "system", content: system }];
  let attached: Shown[] = [];
  for (const message of paired(messages)) {
    if (message.role !== "tool" && attached.length > 0) {
      items.push(userMessage([attachedLine, ...attached], version));
      attached = [];
    }
    if (message.role === "user") {
      items.push(userMessage(shownParts(message.parts, blobs, EMPTY_PROMPT), version));
    } else if (message.role === "assistant") {
      const content = message.parts.flatMap((part) => answerPart(part, owner, names));
      if (content.length > 0) items.push({ role: "assistant", content });
    } else {
      const shown = shownParts(message.parts, blobs, EMPTY_RESULT);
      items.push(toolMessage(message, shown, names));
      attached.push(...shown.filter((part) => part.type !== "text"));
    }
  }
  if (attached.length > 0) items.push(userMessage([attachedLine, ...attached], version));
  return { path: "", body: bodyOf(head, "prompt", items.map(jsonOf)) };
}

const attachedLine: Shown = { type: "text", text: "Attached by the tools above:" };

function userMessage(shown: readonly Shown[], version: Specification) {
  return { role: "user", content: shown.map((part) => userPart(part, version)) };
}

function userPart(part: Shown, version: Specification) {
  if (part.type === "text") return { type: "text", text: part.text };
  const [, mediaType = "", base64 = ""] = /^data:([^;]*);base64,(.*)$/s.exec(part.url) ?? [];
  const filename = part.type === "file" ? { filename: part.name } : {};
  const data = version === "v4" ? { type: "data", data: base64 } : base64;
  return { type: "file", ...filename, mediaType, data };
}

function answerPart(part: AnswerPart, owner: string, names: Map<string, string>): unknown[] {
  const options = optionsIn(part.opaque, owner);
  const withOptions = options ? { providerOptions: options } : {};
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ type: "text", text: part.text, ...withOptions }];
    case "reasoning":
      // Reasoning goes back only where its provider signed or named it: others refuse to see it.
      return options ? [{ type: "reasoning", text: part.text, ...withOptions }] : [];
    case "call": {
      const [toolCallId, toolName] = [wireCallId(part.id), wireToolName(part.tool)];
      names.set(toolCallId, toolName);
      const input = inputOf(part.input);
      return [{ type: "tool-call", toolCallId, toolName, input, ...withOptions }];
    }
  }
}

/** Arguments are an object here; what was none is shown as a string inside one. */
function inputOf(text: string): unknown {
  const input = parsed(text);
  if (isObject(input)) return input;
  return text.trim() === "" ? {} : { malformed: text };
}

function optionsIn(opaque: Opaque | undefined, owner: string): unknown {
  if (opaque?.model !== owner) return undefined;
  const options = parsed(opaque.data);
  return isObject(options) ? options : undefined;
}

function toolMessage(
  { callId, failed }: Extract<Message, { role: "tool" }>,
  shown: readonly Shown[],
  names: ReadonlyMap<string, string>,
) {
  const toolCallId = wireCallId(callId);
  const texts = shown.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const value = texts.join("\n") || "(attached files follow)";
  const output = { type: failed ? "error-text" : "text", value };
  const toolName = names.get(toolCallId) ?? "unnamed";
  return { role: "tool", content: [{ type: "tool-result", toolCallId, toolName, output }] };
}
