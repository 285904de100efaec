// What fills the model's window, as lines: estimated by characters, except for the last request,
// whose tokens the provider counted. Pure.
import { type Message, textOf } from "#core/model/message.ts";
import { contextLimit, messagesOf, type Session } from "#core/session/state.ts";
import { count, short } from "#interfaces/cli/figures.ts";

/** Characters of English text or code that are about one token. */
const CHARS_PER_TOKEN = 4;

export function contextLines(s: Session): string[] {
  const limit = contextLimit(s);
  const messages = messagesOf(s);
  const rows: [string, number][] = [
    ["system prompt", s.start?.system.bytes ?? 0],
    ["tools", s.tools?.tools.bytes ?? 0],
    ...kinds.map(({ name, is }): [string, number] => [
      name,
      messages.filter(is).reduce((sum, message) => sum + charsOf(message), 0),
    ]),
  ];
  const shown = rows.filter(([, chars]) => chars > 0);
  const lines = shown.map(
    ([name, chars]) => `  ${name.padEnd(16)} about ${short(Math.ceil(chars / CHARS_PER_TOKEN))}`,
  );
  const share = limit > 0 ? `, ${Math.round((s.contextTokens / limit) * 100)} %` : "";
  return [
    `last request and answer: ${short(s.contextTokens)} of ${short(limit)} tokens${share}`,
    ...lines,
    `  ${count(messages.length, "message")} since the last compaction`,
  ];
}

const kinds: readonly { name: string; is: (message: Message) => boolean }[] = [
  { name: "prompts", is: (m) => m.role === "user" && m.origin !== "compaction" },
  { name: "digest", is: (m) => m.role === "user" && m.origin === "compaction" },
  { name: "answers", is: (m) => m.role === "assistant" },
  { name: "tool results", is: (m) => m.role === "tool" },
];

function charsOf(message: Message): number {
  if (message.role !== "assistant") return textOf(message.parts).length;
  const calls = message.parts.reduce(
    (sum, part) => sum + (part.type === "call" ? part.input.length : 0),
    0,
  );
  return calls + textOf(message.parts).length;
}
