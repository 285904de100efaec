// A shorter text in place of old messages, made without a model: what the user asked stays word
// for word while there is room, files and commands are named, the newest messages are kept whole.
// Nothing is lost: the log has it all, and this text says so.
import { type Message, textOf } from "#core/model/message.ts";
import type { EventBody } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";

/** Newest messages that stay whole. */
const KEEP_MESSAGES = 6;
/** Characters of a prompt that are kept word for word. */
const PROMPT_CHARS_MAX = 8_000;
/** Characters of an answer that are quoted. */
const ANSWER_CHARS_MAX = 300;
/** Characters of all that was asked and done; the oldest is left out beyond it. */
const DONE_CHARS_MAX = 32_000;
/** Characters of the todo list. */
const TASKS_CHARS_MAX = 8_000;
const DONE = "What was asked and done, oldest first";
const TASKS = "Todo";
const FILES = "Files read or changed so far (read again before editing if unsure)";

/** What to append as `Compacted`, or null where there is nothing to gain. */
export function compact(
  s: Session,
  why: "overflow" | "full" | "asked",
): EventBody<"Compacted"> | null {
  const keep = keptFrom(s.messages);
  const dropped = s.messages.slice(0, s.messages.length - keep);
  if (dropped.length === 0) return null;
  const lines = newest(dropped.flatMap(linesOf), DONE_CHARS_MAX);
  const files = s.seen.map(({ path }) => path).slice(-50);
  const todo = newest(
    s.todo.map((item) => `- [${item.state}] ${item.text}`),
    TASKS_CHARS_MAX,
  );
  const text = [
    `${dropped.length} older messages were replaced by this digest to save room. The log of this session has them whole.`,
    section(DONE, lines),
    section(TASKS, todo),
    section(FILES, files),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
  return { text, keep, droppedMessages: dropped.length, why };
}

/** Whether a compaction would drop anything. */
export const canCompact = ({ messages }: Session): boolean => keptFrom(messages) < messages.length;

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
      if (message.origin === "notice" || message.origin === "environment") return [];
      if (message.origin === "compaction") return doneIn(text);
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

/** What an earlier digest tells of what was done; its other sections are told anew. */
function doneIn(digest: string): string[] {
  const [, told = ""] = digest.split(`\n\n${DONE}:\n`);
  const ends = [TASKS, FILES].map((title) => told.lastIndexOf(`\n\n${title}:\n`));
  const end = Math.min(...ends.filter((at) => at >= 0), told.length);
  return told === "" ? [] : told.slice(0, end).split("\n");
}

/** The newest lines that fit, and a word where older ones do not. */
function newest(lines: readonly string[], charsMax: number): string[] {
  let room = charsMax;
  const fitting = lines.toReversed().findIndex((line) => {
    room -= line.length + 1;
    return room < 0;
  });
  return fitting < 0
    ? [...lines]
    : ["… (older ones are left out)", ...lines.slice(-fitting || lines.length)];
}

const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}…`;

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}`;
