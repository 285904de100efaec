// A shorter text in place of old messages, made without a model: what the user asked stays word
// for word while there is room, files and commands are named, the newest messages are kept whole
// while they fit their share of the model's window (room.ts).
// Nothing is lost: the log has it all, and this text says so.
import { type Message, textOf } from "#core/model/message.ts";
import type { EventBody } from "#core/session/events.ts";
import { charsOf, shareOf } from "#core/session/room.ts";
import type { Session } from "#core/session/state.ts";

/** Newest messages that stay whole. */
const KEEP_MESSAGES = 6;
/** Characters of a prompt that are kept word for word. */
const PROMPT_CHARS_MAX = 8_000;
/** Characters of an answer that are quoted. */
const ANSWER_CHARS_MAX = 300;
/** Characters of all that was asked and done; the oldest is left out beyond it. */
const DONE_CHARS_MAX = 32_000;
/** Characters of the todo list, and of the names of files. */
const TASKS_CHARS_MAX = 8_000;
/** Files that are named. */
const FILES_MAX = 50;
const DONE = "What was asked and done, oldest first";
const TASKS = "Todo";
const FILES = "Files read or changed so far (read again before editing if unsure)";

type ToolMessage = Extract<Message, { role: "tool" }>;

/** Names of kept outputs (`output:` and a hash), by the text that each holds. */
export type Outputs = ReadonlyMap<string, string>;

/**
 * What to append as `Compacted`, or null where there is nothing to gain. Results that the model has
 * not answered yet are quoted where they cannot stay; `outputs` says where the whole of one is.
 */
export function compact(
  s: Session,
  why: "overflow" | "full" | "asked",
  outputs: Outputs = new Map(),
): EventBody<"Compacted"> | null {
  const from = keptFrom(s);
  const dropped = s.messages.slice(0, from);
  const bounds = boundsOf(s);
  const unread = unreadOf(s).filter((result) => dropped.includes(result));
  const quoted = new Map(unread.map((result) => [result, quoteOf(result, s, outputs)]));
  const quotes = [...quoted.values()].reduce((sum, quote) => sum + quote.length + 1, 0);
  const lines = dropped.flatMap((message) => linesOf(message, { ...bounds, quoted }));
  const todo = s.todo.map((item) => `- [${item.state}] ${item.text}`);
  const files = s.seen.map(({ path }) => path).slice(-FILES_MAX);
  const text = [
    `${dropped.length} older messages were replaced by this digest to save room. The log of this session has them whole.`,
    section(DONE, newest(lines, bounds.done + quotes)),
    section(TASKS, newest(todo, bounds.tasks)),
    section(FILES, newest(files, bounds.tasks)),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    // A cut may have gone through a character.
    .toWellFormed();
  const isDigest = dropped.every((message) => originOf(message) === "compaction");
  const before = dropped.reduce((sum, { parts }) => sum + textOf(parts).length, 0);
  if (isDigest && text.length >= before) return null;
  return { text, keep: s.messages.length - from, droppedMessages: dropped.length, why };
}

/** Whether a compaction would gain anything. */
export const canCompact = (s: Session): boolean => compact(s, "full") !== null;

/** Texts of results that a compaction would shorten before the model has read them. */
export function longResults(s: Session): string[] {
  const dropped = s.messages.slice(0, keptFrom(s));
  return unreadOf(s)
    .filter((result) => dropped.includes(result) && textOf(result.parts).length > quoteMax(s))
    .map(({ parts }) => textOf(parts));
}

/** Characters of each part of the digest. */
function boundsOf(s: Session) {
  const all = shareOf(s, "digest");
  const done = Math.min(DONE_CHARS_MAX, Math.floor((all * 2) / 3));
  const tasks = Math.min(TASKS_CHARS_MAX, Math.floor(all / 6));
  return { done, tasks, prompt: Math.min(PROMPT_CHARS_MAX, Math.floor(done / 2)) };
}

/** The first of the newest messages that stay: never a result whose call is dropped. */
function keptFrom(s: Session): number {
  const { messages, calls } = s;
  const charsMax = shareOf(s, "kept");
  let chars = calls.reduce((sum, { result }) => sum + (result ? charsOf(result) : 0), 0);
  let from = messages.length;
  while (from > 0 && messages.length - from < KEEP_MESSAGES) {
    let begin = from - 1;
    while (begin > 0 && messages[begin]?.role === "tool") begin -= 1;
    chars += messages.slice(begin, from).reduce((sum, message) => sum + charsOf(message), 0);
    // The calls of the present step are in the last message, and their results follow.
    const isOpen = calls.length > 0 && from === messages.length;
    if (chars > charsMax && !isOpen) break;
    from = begin;
  }
  const asked = messages.findIndex((message, at) => mustStay(s, message, at));
  return asked === -1 ? from : Math.min(from, asked);
}

/** A prompt that was not answered, and that the digest could not hold as it is. */
function mustStay(s: Session, message: Message, at: number): boolean {
  const origin = originOf(message);
  if (origin !== "prompt" && origin !== "steer") return false;
  const isAnswered = s.messages.findLastIndex(({ role }) => role === "assistant") > at;
  const isLong = textOf(message.parts).length > boundsOf(s).prompt;
  return !isAnswered && (isLong || message.parts.some(({ type }) => type === "blob"));
}

const originOf = (message: Message) => (message.role === "user" ? message.origin : undefined);

/** Results that no answer followed yet. */
function unreadOf({ messages }: Session): ToolMessage[] {
  const answered = messages.findLastIndex(({ role }) => role === "assistant");
  return messages.slice(answered + 1).filter((message) => message.role === "tool");
}

const quoteMax = (s: Session): number =>
  Math.floor(shareOf(s, "kept") / Math.max(1, unreadOf(s).length));

/** A result with its beginning and its end, and where what is between them can be read. */
function quoteOf({ parts, failed }: ToolMessage, s: Session, outputs: Outputs): string {
  const text = textOf(parts);
  const said = failed ? "that failed: " : "that returned: ";
  const max = quoteMax(s);
  if (text.length <= max) return said + text;
  const name = outputs.get(text);
  const where = name ? `read \`${name}\`` : "call it again for less at once";
  const [head, tail] = [text.slice(0, max / 3), text.slice(-(max * 2) / 3)];
  const left = text.length - head.length - tail.length;
  return `${said}${head}\n(${left} characters left out here to save room: ${where})\n${tail}`;
}

type Bounds = ReturnType<typeof boundsOf> & { quoted: ReadonlyMap<ToolMessage, string> };

function linesOf(message: Message, { prompt, quoted }: Bounds): string[] {
  switch (message.role) {
    case "user": {
      const { origin, parts } = message;
      // Of instructions nothing: they are told again.
      if (["notice", "environment", "instructions"].includes(origin)) return [];
      if (origin === "compaction") return doneIn(textOf(parts));
      const names = parts.flatMap((part) => (part.type === "blob" ? [nameOf(part.blob)] : []));
      const files = names.length > 0 ? ` (attached: ${names.join(", ")})` : "";
      return [`${origin}: ${shortened(textOf(parts), prompt)}${files}`];
    }
    case "assistant": {
      const said = textOf(message.parts).trim();
      const calls = message.parts.flatMap((part) =>
        part.type === "call" ? [`called ${part.tool} ${shortened(part.input, 120)}`] : [],
      );
      return [...(said ? [`you said: ${shortened(said, ANSWER_CHARS_MAX)}`] : []), ...calls];
    }
    case "tool": {
      const quote = quoted.get(message);
      if (quote !== undefined) return [quote];
      return message.failed ? [`that failed: ${shortened(textOf(message.parts), 120)}`] : [];
    }
  }
}

const nameOf = ({ name, media }: { name?: string; media: string }): string => name ?? media;

/** How a line of a digest begins; one that begins otherwise belongs to the one before it. */
const BEGINS = /\n(?=(?:prompt|steer|you said|that failed|that returned): |called |… )/;

/** What an earlier digest tells of what was done; its other sections are told anew. */
function doneIn(digest: string): string[] {
  const [, told = ""] = digest.split(`\n\n${DONE}:\n`);
  const ends = [TASKS, FILES].map((title) => told.lastIndexOf(`\n\n${title}:\n`));
  const end = Math.min(...ends.filter((at) => at >= 0), told.length);
  return told === "" ? [] : told.slice(0, end).split(BEGINS);
}

/** The newest lines that fit, the newest prompt among them, and a word where others do not. */
function newest(lines: readonly string[], charsMax: number): string[] {
  const prompt = lines.findLastIndex((line) => line.startsWith("prompt: "));
  let room = charsMax - (lines[prompt]?.length ?? 0);
  let from = lines.length;
  while (from > 0) {
    from -= 1;
    if (from !== prompt) room -= (lines[from]?.length ?? 0) + 1;
    if (room < 0) return withLeftOut(lines, { from: from + 1, prompt, room: charsMax });
  }
  return [...lines];
}

function withLeftOut(
  lines: readonly string[],
  { from, prompt, room }: { from: number; prompt: number; room: number },
): string[] {
  const kept = lines.slice(from);
  const [last = ""] = lines.slice(-1);
  const shown = kept.length > 0 ? kept : [shortened(last, Math.floor(room / 2))];
  const asked = prompt >= 0 && prompt < from ? lines.slice(prompt, prompt + 1) : [];
  return [...asked, "… (older ones are left out)", ...shown];
}

const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}… (${text.length - max} more characters)`;

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}`;
