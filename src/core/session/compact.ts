// A shorter text in place of old messages, a view over the log: the user's words, the things to do
// and the files stay word for word while there is room (room.ts has the shares), the newest messages
// stay whole, and everything else is a line that names the event which has it whole. A summary by a
// model may stand beside that, within a bound and marked as one; it takes the place of nothing.
import { type Message, textOf } from "#core/model/message.ts";
import type { EventBody } from "#core/session/events.ts";
import { charsOf, shareOf } from "#core/session/room.ts";
import { messagesOf, type Session, type TrailLine } from "#core/session/state.ts";
import {
  type Outputs,
  PIN_CHARS_MAX,
  pinsWith,
  quoteMax,
  shortened,
  trailWith,
  unreadOf,
} from "#core/session/trail.ts";

/** Newest messages that stay whole. */
const KEEP_MESSAGES = 6;
/** Characters of each section of the digest, at most. */
const INTENT_CHARS_MAX = 24_000;
const DONE_CHARS_MAX = 24_000;
const TASKS_CHARS_MAX = 8_000;
const SUMMARY_CHARS_MAX = 12_000;
/** Share of the digest's room that each section may have. */
const sections = { intent: 3 / 8, done: 3 / 8, tasks: 1 / 8, files: 1 / 8 };
/** Files that are named. */
const FILES_MAX = 50;
/** What stands around the quote of a result. */
const NOTE_CHARS = 160;
/** Characters of a file's hash that name its state. */
const HASH_CHARS = 8;
/**
 * Share of all messages that a further compaction before the window is over has to save: with less,
 * each answer would call for the next one. One that keeps all it may saves about half.
 */
const PROGRESS_SHARE = 1 / 5;

type Why = "overflow" | "full" | "asked";

/**
 * What to append as `Compacted`, or null where there is nothing to gain. Results that the model has
 * not answered yet are quoted where they cannot stay; `outputs` says where the whole of one is.
 */
export function compact(
  s: Session,
  why: Why,
  outputs: Outputs = new Map(),
): EventBody<"Compacted"> | null {
  const from = keptFrom(s);
  const dropped = s.messages.slice(0, from);
  const summary = s.summary?.state === "ended" && s.summary.text !== null ? s.summary : null;
  const text = digest(s, dropped, outputs);
  if (!isProgress(s, { dropped, text, why })) return null;
  const by = summary === null ? {} : { by: summary.model };
  return { text, keep: s.messages.length - from, droppedMessages: dropped.length, why, ...by };
}

/** Whether a compaction would gain anything. */
export const canCompact = (s: Session, why: Why = "full"): boolean => compact(s, why) !== null;

/** The messages that a compaction would drop now. */
export const droppedNow = (s: Session): readonly Message[] => s.messages.slice(0, keptFrom(s));

/** Characters that the text of a summary may have. */
export const summaryChars = (s: Session): number =>
  Math.min(SUMMARY_CHARS_MAX, Math.floor((shareOf(s, "digest") * sections.done) / 2));

/** Texts of results that a compaction would shorten before the model has read them. */
export function longResults(s: Session): string[] {
  const dropped = droppedNow(s);
  return unreadOf(s)
    .filter((result) => dropped.includes(result) && textOf(result.parts).length > quoteMax(s))
    .map(({ parts }) => textOf(parts));
}

/**
 * The first compaction may always try. One over an earlier digest has to shorten what it drops, and
 * before the window is over a good part of all messages.
 */
function isProgress(
  s: Session,
  { dropped, text, why }: { dropped: readonly Message[]; text: string; why: Why },
): boolean {
  const isAgain = dropped.some((message) => originOf(message) === "compaction");
  if (!isAgain) return dropped.length > 0;
  const gain = sumOf(dropped) - text.length;
  return why === "full" ? gain >= sumOf(messagesOf(s)) * PROGRESS_SHARE : gain > 0;
}

const sumOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, message) => sum + charsOf(message), 0);

function digest(s: Session, dropped: readonly Message[], outputs: Outputs): string {
  const bounds = boundsOf(s);
  const pins = pinsWith(s, dropped).map(({ at, origin, text }) =>
    lineOf({ at, text: `${origin}: ${shortened(text, bounds.prompt)}` }),
  );
  const trail = trailWith(s, dropped, outputs);
  const quotes = unreadOf(s)
    .filter((result) => dropped.includes(result))
    .reduce((sum, { parts }) => sum + Math.min(textOf(parts).length, quoteMax(s)) + NOTE_CHARS, 0);
  const summary = s.summary?.text ? s.summary.text.split("\n") : [];
  const done = (summary.length > 0 ? bounds.done / 2 : bounds.done) + quotes;
  const seen = s.seen.slice(-FILES_MAX).map(({ path, hash, changed }) => {
    return `${path} (${changed ? "changed" : "read"}, ${hash.slice(0, HASH_CHARS)})`;
  });
  return (
    [
      `${dropped.length} older messages were replaced by this digest to save room. \`recall\` brings back whole what an [#event] names, and finds by words what is not named here.`,
      section(
        "What the user asked, word for word, oldest first",
        firstAndNewest(pins, bounds.intent),
      ),
      section(`Summary by ${s.summary?.model}, unchecked; the events count, not this`, summary),
      section("What was done, oldest first", newest(trail.map(lineOf), done)),
      section("Todo", first(todoLines(s, bounds.tasks), bounds.tasks)),
      section(
        "Files as last read or changed (read again before editing if unsure)",
        newest(seen, bounds.files),
      ),
    ]
      .filter((part) => part !== "")
      .join("\n\n")
      // A cut may have gone through a character.
      .toWellFormed()
  );
}

const lineOf = ({ at, text }: TrailLine): string => `[#${at}] ${text}`;

/** Characters of each part of the digest. */
function boundsOf(s: Session) {
  const all = shareOf(s, "digest");
  const share = (of: keyof typeof sections, max: number) =>
    Math.min(max, Math.floor(all * sections[of]));
  const intent = share("intent", INTENT_CHARS_MAX);
  return {
    intent,
    prompt: Math.min(PIN_CHARS_MAX, Math.floor(intent / 2)),
    done: share("done", DONE_CHARS_MAX),
    tasks: share("tasks", TASKS_CHARS_MAX),
    files: share("files", TASKS_CHARS_MAX),
  };
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
    chars += sumOf(messages.slice(begin, from));
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

/** All things to do; those that are done only while there is room for them, too. */
function todoLines({ todo }: Session, charsMax: number): string[] {
  const line = ({ text, state }: Session["todo"][number]) => `- [${state}] ${text}`;
  const all = todo.map(line);
  if (lengthOf(all) <= charsMax) return all;
  const done = todo.filter(({ state }) => state === "done").length;
  const open = todo.filter(({ state }) => state !== "done").map(line);
  return done > 0 ? [`- [done] ${done} others`, ...open] : open;
}

const lengthOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + line.length + 1, 0);

/** The first lines that fit, and how many follow. */
function first(lines: readonly string[], charsMax: number): string[] {
  let room = charsMax;
  const end = lines.findIndex((line) => {
    room -= line.length + 1;
    return room < 0;
  });
  if (end === -1) return [...lines];
  const shown = lines.slice(0, Math.max(1, end));
  return [...shown, `… (${lines.length - shown.length} more)`];
}

/** The first line and the newest that fit beside it, the last one at least. */
function firstAndNewest(lines: readonly string[], charsMax: number): string[] {
  const [head, ...rest] = lines;
  if (head === undefined) return [];
  let room = charsMax - head.length;
  const from = rest.findLastIndex((line, i) => {
    room -= line.length + 1;
    return room < 0 && i < rest.length - 1;
  });
  const between = from + 1;
  const gap = between > 0 ? [`… (${between} between them are left out)`] : [];
  return [head, ...gap, ...rest.slice(between)];
}

/** The newest lines that fit, and a word where others do not. */
function newest(lines: readonly string[], charsMax: number): string[] {
  let room = charsMax;
  const from = lines.findLastIndex((line) => {
    room -= line.length + 1;
    return room < 0;
  });
  if (from === -1) return [...lines];
  const [last = ""] = lines.slice(-1);
  const kept = lines.slice(from + 1);
  const shown = kept.length > 0 ? kept : [shortened(last, Math.floor(charsMax / 2))];
  return ["… (older ones are left out)", ...shown];
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}`;
