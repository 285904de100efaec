// A conversation as Ollama takes it: each message as a ready JSON text. Arguments of calls go back as
// the object that the model wrote, character for character; images stand in a field of their own.
import { jsonOf, objectJson } from "#boundary/models/body.ts";
import {
  EMPTY_PROMPT,
  EMPTY_RESULT,
  type Shown,
  shownParts,
  shownResult,
} from "#boundary/models/openai-wire.ts";
import type { ModelRequest } from "#boundary/models/port.ts";
import { type AnswerPart, type CallPart, type Message, textOf } from "#core/model/message.ts";
import { paired, wireCallId, wireToolName } from "#core/model/pairing.ts";

type Draft = { role: string; content: string } & Record<string, unknown>;

/** The messages of a request, the system prompt first. Nothing in them is empty. */
export function messageTexts(request: ModelRequest): string[] {
  const { system, blobs } = request;
  const messages = paired(request.messages);
  const toolOf = new Map(messages.flatMap((message) => callsIn(message)));
  const out = system === "" ? [] : [jsonOf({ role: "system", content: system })];
  /** Images that tool results hold; they can only follow in the user's name, after them all. */
  let attached: Shown[] = [];
  const flush = () => {
    if (attached.length > 0) {
      const intro: Shown = { type: "text", text: "Attached by the tools above:" };
      out.push(jsonOf(shownMessage("user", [intro, ...attached])));
    }
    attached = [];
  };
  for (const message of messages) {
    if (message.role === "tool") {
      const shown = shownResult(message, blobs);
      const files = shown.filter((part) => part.type !== "text");
      attached.push(...files);
      const name = wireToolName(toolOf.get(message.callId) ?? "");
      const ids = { tool_name: name, tool_call_id: wireCallId(message.callId) };
      out.push(jsonOf({ role: "tool", ...ids, content: resultText(shown, files.length) }));
      continue;
    }
    flush();
    if (message.role === "user") {
      out.push(jsonOf(shownMessage("user", shownParts(message.parts, blobs, EMPTY_PROMPT))));
    } else {
      out.push(...answerText(message.parts));
    }
  }
  flush();
  return out;
}

const callsIn = (message: Message): [id: string, tool: string][] =>
  message.role === "assistant"
    ? message.parts.flatMap((part) => (part.type === "call" ? [[part.id, part.tool]] : []))
    : [];

function resultText(shown: readonly Shown[], files: number): string {
  const text = shown.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  if (files === 0) return text || EMPTY_RESULT;
  const note = `(${files} attached ${files === 1 ? "file follows" : "files follow"})`;
  return text === "" ? note : `${text}\n${note}`;
}

/** Text in `content`, images as bare base64 in `images`; what cannot be shown becomes a line. */
function shownMessage(role: string, shown: readonly Shown[]): Draft {
  const images: string[] = [];
  const lines = shown.map((part) => {
    if (part.type === "text") return part.text;
    if (part.type === "file") return `[${part.name} cannot be shown: only images can]`;
    images.push(part.url.slice(part.url.indexOf(",") + 1));
    return "";
  });
  const content = lines.filter((line) => line !== "").join("\n") || "(an image)";
  return images.length > 0 ? { role, content, images } : { role, content };
}

/** Thoughts go back too: templates that want them keep those of the open turn and drop older ones. */
function answerText(parts: readonly AnswerPart[]): string[] {
  const thinking = parts.flatMap((part) =>
    // What another provider sealed is a summary for screens, not what this model thought.
    part.type === "reasoning" && !part.opaque ? [part.text] : [],
  );
  const content = textOf(parts);
  const calls = parts.flatMap((part) => (part.type === "call" ? [callText(part)] : []));
  if (content === "" && calls.length === 0) return [];
  const draft: Draft = { role: "assistant", content };
  if (thinking.join("") !== "") draft.thinking = thinking.join("");
  const text = jsonOf(draft);
  return [calls.length === 0 ? text : `${text.slice(0, -1)},"tool_calls":[${calls.join(",")}]}`];
}

function callText({ id, tool, input }: CallPart): string {
  const head = jsonOf({ id: wireCallId(id), function: { name: wireToolName(tool) } });
  return `${head.slice(0, -2)},"arguments":${objectJson(input)}}}`;
}
