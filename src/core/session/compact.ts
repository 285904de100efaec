// A shorter text in place of old messages, made without a model: what the user asked stays word
// for word, files and commands are named, the newest messages are kept whole. Nothing is lost: the
// log has it all, and this text says where.
import { type Message, textOf } from "#core/model/message.ts";
import type { EventBody } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";

/** Newest messages that stay whole. */
const KEEP_MESSAGES = 6;
/** Characters of all kept prompts; beyond it the oldest are shortened. */
const PROMPT_CHARS_MAX = 8_000;
/** Characters of an answer that are quoted. */
const ANSWER_CHARS_MAX = 300;
/** Lines of the digest, in all. */
const LINES_MAX = 200;

/** What to append as `Compacted`, or null where there is nothing to gain. */
export function compact(s: Session, why: "overflow" | "full"): EventBody<"Compacted"> | null {
  const keep = keptFrom(s.messages);
  const dropped = s.messages.slice(0, s.messages.length - keep);
  if (dropped.length === 0) return null;
  const lines = dropped.flatMap(linesOf).slice(-LINES_MAX);
  const files = s.seen.map(({ path }) => path).slice(-50);
  const todo = s.todo.map((item) => `- [${item.state}] ${item.text}`);
  const text = [
    `${dropped.length} older messages were replaced by this digest to save room. The log of this session has them whole.`,
    section("What was asked and done, oldest first", lines),
    section("Todo", todo),
    section("Files read or changed so far (read again before editing if unsure)", files),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
  return { text, keep, droppedMessages: dropped.length, why };
}

/** How many of the newest messages stay: never beginning with a result whose call is dropped. */
function keptFrom(messages: readonly Message[]): number {
  let from = Math.max(0, messages.length - KEEP_MESSAGES);
  while (from > 0 && messages[from]?.role === "tool") from -= 1;
  return messages.length - from;
}

function linesOf(message: Message): string[] {
  switch (message.role) {
    case "user": {
      const text = textOf(message.parts);
      if (message.origin === "notice") return [];
      if (message.origin === "compaction") return [text];
      return [`${message.origin}: ${shortened(text, PROMPT_CHARS_MAX)}`];
    }
    case "assistant": {
      const said = textOf(message.parts).trim();
      const calls = message.parts.flatMap((part) =>
        part.type === "call" ? [`called ${part.tool} ${shortened(part.input, 120)}`] : [],
      );
      return [...(said ? [`you said: ${shortened(said, ANSWER_CHARS_MAX)}`] : []), ...calls];
    }
    case "tool":
      return message.failed ? [`that failed: ${shortened(textOf(message.parts), 120)}`] : [];
  }
}

const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}…`;

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}`;
