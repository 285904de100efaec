// What a compaction remembers of the messages that it drops, in bounds and made from the messages
// alone: the user's words as they are (pins), and a line for each thing that was done (trail), each
// with the version of the event that has it whole. No summary and no earlier text has a part in it.
import { type Message, textOf } from "#core/model/message.ts";
import { shareOf } from "#core/session/room.ts";
import type { Pin, Session, TrailLine } from "#core/session/state.ts";
import { REFUSED } from "#core/session/told.ts";

/** Characters of one prompt that are remembered. */
export const PIN_CHARS_MAX = 8_000;
/** Characters of all of them: the first one stays, then the newest. */
const PINS_CHARS_MAX = 48_000;
/** Characters of an answer that are quoted, and of any older line. */
const ANSWER_CHARS_MAX = 300;
/** Characters of a call's arguments, and of what a failed one said. */
const CALL_CHARS_MAX = 120;
/** Characters of all lines; the oldest are forgotten beyond it. */
const TRAIL_CHARS_MAX = 32_000;

type ToolMessage = Extract<Message, { role: "tool" }>;

/** Names of kept outputs (`output:` and a hash), by the text that each holds. */
export type Outputs = ReadonlyMap<string, string>;

/** The user's words of before these messages, and those among them. */
export function pinsWith(s: Session, dropped: readonly Message[]): Pin[] {
  const [first, ...more] = [...s.pins, ...dropped.flatMap(pinOf)];
  if (!first) return [];
  let room = PINS_CHARS_MAX - first.text.length;
  const from = more.findLastIndex(({ text }) => {
    room -= text.length;
    return room < 0;
  });
  return [first, ...more.slice(from + 1)];
}

function pinOf(message: Message): Pin[] {
  if (message.role === "tool") {
    const text = textOf(message.parts);
    const isRefused = message.failed && text.startsWith(`${REFUSED} and said: `);
    return isRefused ? [{ at: message.at ?? 0, origin: "steer", text }] : [];
  }
  if (message.role !== "user") return [];
  const { origin, parts, at = 0 } = message;
  if (origin !== "prompt" && origin !== "steer") return [];
  const names = parts.flatMap((part) =>
    part.type === "blob" ? [part.blob.name ?? part.blob.media] : [],
  );
  const files = names.length > 0 ? ` (attached: ${names.join(", ")})` : "";
  return [{ at, origin, text: shortened(textOf(parts), PIN_CHARS_MAX) + files }];
}

/** The lines of before these messages, and theirs. */
export function trailWith(
  s: Session,
  dropped: readonly Message[],
  outputs: Outputs = new Map(),
): TrailLine[] {
  const unread = unreadOf(s);
  const wasRead = s.messages.some(({ role }) => role === "assistant");
  const old = wasRead ? s.trail.map(inShort) : s.trail;
  const news = dropped.flatMap((message) =>
    message.role === "tool" && unread.includes(message)
      ? [{ at: message.at ?? 0, text: quoteOf(message, s, outputs) }]
      : linesOf(message),
  );
  const all = [...old, ...news];
  let room = TRAIL_CHARS_MAX;
  const from = all.findLastIndex(({ text }, i) => {
    room -= text.length;
    return room < 0 && i < all.length - 1;
  });
  return all.slice(from + 1);
}

const inShort = ({ at, text }: TrailLine): TrailLine => ({
  at,
  text: shortened(text, ANSWER_CHARS_MAX),
});

function linesOf(message: Message): TrailLine[] {
  const { at = 0 } = message;
  if (message.role === "user") return [];
  const text = textOf(message.parts);
  if (message.role === "tool") {
    const failed = `that failed: ${inOneLine(text, CALL_CHARS_MAX)}`;
    return [{ at, text: message.failed ? failed : `that returned ${text.length} characters` }];
  }
  const said = inOneLine(text, ANSWER_CHARS_MAX);
  const calls = message.parts.flatMap((part) =>
    part.type === "call" ? [`called ${part.tool} ${inOneLine(part.input, CALL_CHARS_MAX)}`] : [],
  );
  return [...(said ? [`you said: ${said}`] : []), ...calls].map((line) => ({ at, text: line }));
}

/** Results that no answer followed yet. */
export function unreadOf({ messages }: Session): ToolMessage[] {
  const answered = messages.findLastIndex(({ role }) => role === "assistant");
  return messages.slice(answered + 1).filter((message) => message.role === "tool");
}

/** Characters of a result that a compaction quotes before the model has read it. */
export const quoteMax = (s: Session): number =>
  Math.floor(shareOf(s, "kept") / Math.max(1, unreadOf(s).length));

/** A result with its beginning and its end, and where what is between them can be read. */
function quoteOf({ parts, failed, at }: ToolMessage, s: Session, outputs: Outputs): string {
  const text = textOf(parts);
  const said = failed ? "that failed: " : "that returned: ";
  const max = quoteMax(s);
  if (text.length <= max) return said + text;
  const name = outputs.get(text);
  const where = name ? `read \`${name}\`` : `\`recall\` event ${at}`;
  const [head, tail] = [text.slice(0, max / 3), text.slice(-(max * 2) / 3)];
  const left = text.length - head.length - tail.length;
  return `${said}${head}\n(${left} characters left out here to save room: ${where})\n${tail}`;
}

export const inOneLine = (text: string, max: number): string =>
  shortened(text.replaceAll(/\s+/g, " ").trim(), max);

export const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}… (${text.length - max} more characters)`;
