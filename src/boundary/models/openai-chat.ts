// Chat Completions: OpenAI's older dialect, and the one that almost every other server speaks. It is
// the same request for all of them; what only some servers know is sent only where it is known.
import { answerOf } from "#boundary/models/answer.ts";
import { bodyOf, jsonOf, objectText } from "#boundary/models/body.ts";
import { chatDecoder } from "#boundary/models/openai-chat-answer.ts";
import {
  askedOf,
  askOf,
  EMPTY_PROMPT,
  EMPTY_RESULT,
  type Endpoint,
  type Shown,
  shownParts,
  shownResult,
} from "#boundary/models/openai-wire.ts";
import type { ModelPort, ModelRequest, WireRequest } from "#boundary/models/port.ts";
import { sseReader } from "#boundary/models/sse.ts";
import { type AnswerPart, type Message, type ToolSpec, textOf } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

export type ChatOptions = Endpoint & {
  /**
   * `true` for OpenAI itself: newer names (`max_completion_tokens`) and `prompt_cache_key`, which
   * other servers refuse or ignore. They get `max_tokens` and no key.
   */
  isOpenAi: boolean;
};

export function openaiChat(options: ChatOptions): ModelPort {
  return {
    name: `${options.provider}/chat`,
    encode: (request) => encode(request, options),
    call(wire, { model, signal, deadlines }) {
      const asked = askedOf(options, model);
      const decoder = chatDecoder(wire.body, asked);
      const ask = askOf(options, wire);
      return answerOf(ask, decoder, { asked, reader: sseReader, signal, deadlines });
    },
  };
}

function encode(request: ModelRequest, options: ChatOptions): WireRequest {
  const { outputTokensMax: tokensMax } = request;
  // The order of these keys is part of the log: what changes least comes first, `messages` last.
  const head: Record<string, unknown> = {
    model: request.model,
    stream: true,
    stream_options: { include_usage: true },
    reasoning_effort: request.effort,
    max_completion_tokens: options.isOpenAi ? tokensMax : undefined,
    max_tokens: options.isOpenAi ? undefined : tokensMax,
    prompt_cache_key: options.isOpenAi ? request.cacheKey : undefined,
    tools: request.tools.length > 0 ? request.tools.map(toolOf) : undefined,
  };
  const system = request.system === "" ? [] : [{ role: "system", content: request.system }];
  const messages = [...system, ...messagesOf(paired(request.messages), request.blobs)];
  const items = messages.map((message) => jsonOf(message));
  return { path: "/chat/completions", body: bodyOf(head, "messages", items) };
}

const toolOf = (tool: ToolSpec) => ({
  type: "function",
  function: { name: tool.name, description: tool.about, parameters: tool.schema },
});

function messagesOf(messages: readonly Message[], blobs: ModelRequest["blobs"]): unknown[] {
  const out: unknown[] = [];
  /** What tool results hold besides text; it can only follow in the user's name, after them all. */
  let attached: Shown[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      const shown = shownResult(message, blobs);
      const files = shown.filter((part) => part.type !== "text");
      attached = [...attached, ...files];
      const content = textsOf(shown, files.length);
      out.push({ role: "tool", tool_call_id: wireCallId(message.callId), content });
      continue;
    }
    if (attached.length > 0) out.push(attachedMessage(attached));
    attached = [];
    if (message.role === "user") {
      const content = contentOf(shownParts(message.parts, blobs, EMPTY_PROMPT));
      out.push({ role: "user", content });
    } else {
      const answer = answerMessage(message.parts);
      if (answer) out.push(answer);
    }
  }
  if (attached.length > 0) out.push(attachedMessage(attached));
  return out;
}

function textsOf(shown: readonly Shown[], files: number): string {
  const text = shown.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  if (files === 0) return text || EMPTY_RESULT;
  const note = `(${files} attached ${files === 1 ? "file follows" : "files follow"})`;
  return text === "" ? note : `${text}\n${note}`;
}

const attachedMessage = (attached: readonly Shown[]) => ({
  role: "user",
  content: contentOf([{ type: "text", text: "Attached by the tools above:" }, ...attached]),
});

/** Text alone goes as a plain string: several compatible servers know no other form. */
function contentOf(shown: readonly Shown[]): unknown {
  if (shown.every((part) => part.type === "text")) return shown.map((p) => p.text).join("\n");
  return shown.map(partOf);
}

function partOf(part: Shown): Record<string, unknown> {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return { type: "image_url", image_url: { url: part.url } };
    case "file":
      return { type: "file", file: { filename: part.name, file_data: part.url } };
  }
}

function answerMessage(parts: readonly AnswerPart[]): Record<string, unknown> | undefined {
  const text = textOf(parts);
  const calls = parts.flatMap((part) => {
    if (part.type !== "call") return [];
    const call = { name: wireToolName(part.tool), arguments: objectText(part.input) };
    return [{ id: wireCallId(part.id), type: "function", function: call }];
  });
  if (text === "" && calls.length === 0) return undefined;
  return {
    role: "assistant",
    content: text === "" ? null : text,
    tool_calls: calls.length > 0 ? calls : undefined,
  };
}
