// Messages in the only order that every provider accepts: each tool call has exactly one result,
// straight after the message that asked for it, in call order. A log that was folded correctly
// passes unchanged; anything else (an old import, a compaction that cut between a call and its
// result) is put right here, because one unpaired call makes every later request a 400.
import type { AnswerPart, Message } from "#core/model/message.ts";

type ToolMessage = Extract<Message, { role: "tool" }>;

/** What stands for a result that the log does not have. */
const NO_RESULT = "No result was recorded: whether this call took effect is not known.";

export function paired(messages: readonly Message[]): Message[] {
  const out: Message[] = [];
  for (let at = 0; at < messages.length; at += 1) {
    const message = messages[at];
    if (message === undefined || message.role === "tool") continue;
    if (message.role === "user") {
      out.push(message);
      continue;
    }
    const parts = withoutRepeats(message.parts);
    out.push(parts.length === message.parts.length ? message : { role: "assistant", parts });
    const next = messages.findIndex((later, i) => i > at && later.role === "assistant");
    const between = messages.slice(at + 1, next === -1 ? undefined : next);
    for (const part of parts) {
      if (part.type === "call") out.push(resultOf(part.id, between));
    }
  }
  return out;
}

function withoutRepeats(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  const seen = new Set<string>();
  return parts.filter((part) => {
    if (part.type !== "call") return true;
    const isNew = !seen.has(part.id);
    seen.add(part.id);
    return isNew;
  });
}

function resultOf(callId: string, between: readonly Message[]): ToolMessage {
  const found = between.find((m): m is ToolMessage => m.role === "tool" && m.callId === callId);
  if (found) return found;
  return { role: "tool", callId, failed: true, parts: [{ type: "text", text: NO_RESULT }] };
}

const ID_CHARS_MAX = 40;

/**
 * A call id that every provider takes: what fits stays as it is, anything else (another provider's
 * long or signed id) becomes a short one made from it, the same for the call and its result.
 * 40 characters is the limit of Chat Completions for `tool_calls[].id`.
 */
export function wireCallId(id: string): string {
  if (id.length <= ID_CHARS_MAX && /^[A-Za-z0-9_-]+$/.test(id)) return id;
  return `call_${mixed(id, 0x811c9dc5)}${mixed(id, 0x9747b28c)}`;
}

/**
 * A tool's name that every provider takes back. A model may call a tool that does not exist, by a
 * name that the provider itself would refuse in every later request.
 */
export function wireToolName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 64) || "unnamed";
}

/** FNV-1a over UTF-16 units: names, not secrets. */
function mixed(text: string, seed: number): string {
  let sum = seed;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}
