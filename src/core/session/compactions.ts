// What a compaction left out and what it kept, told from the session before and after it: for people
// who want to see what their model can no longer see.
import { type Message, textOf } from "#core/model/message.ts";
import { tokensLikely } from "#core/model/tokens.ts";
import type { EventBody } from "#core/session/events.ts";
import { messagesOf, type Session } from "#core/session/state.ts";
import { inOneLine } from "#core/session/trail.ts";

/** An event and what it said first. */
export type EventLine = { event: number; line: string };

export type CompactionView = {
  /** Its number in the session, from 1 on, and the version of its event. */
  n: number;
  version: number;
  /** Milliseconds since 1970. */
  at: number;
  /** `full`, `overflow` or `asked`. */
  why: string;
  /** The model whose summary is part of the digest. */
  by: string | null;
  messages: { before: number; after: number };
  /** Of all messages, estimated. */
  tokens: { before: number; after: number };
  /** What the model does not see any more as it was, and how many lines more there are. */
  leftOut: readonly EventLine[];
  leftOutMore: number;
  /** Word for word in the digest, and as whole messages. */
  pinned: readonly EventLine[];
  kept: readonly EventLine[];
  /** Things to do and files that the digest has. */
  todo: number;
  files: number;
  /** The event that reverted it. */
  reverted: number | null;
};

/** Lines of one list. */
const LINES_MAX = 500;
/** Characters of a line. */
const LINE_CHARS_MAX = 120;

export function compactionView(
  e: EventBody<"Compacted">,
  { before, after }: { before: Session; after: Session },
  place: { n: number; version: number; at: number },
): CompactionView {
  const { why, by = null } = e;
  const old = messagesOf(before);
  const left = before.messages.slice(0, e.droppedMessages).flatMap(lineOf);
  return {
    ...place,
    why,
    by,
    messages: { before: old.length, after: messagesOf(after).length },
    tokens: { before: tokensIn(old), after: tokensIn(messagesOf(after)) },
    leftOut: left.slice(0, LINES_MAX),
    leftOutMore: Math.max(0, left.length - LINES_MAX),
    pinned: after.pins.map(({ at, origin, text }) => ({
      event: at,
      line: `${origin}: ${inOneLine(text, LINE_CHARS_MAX)}`,
    })),
    kept: after.messages.slice(1).flatMap(lineOf).slice(0, LINES_MAX),
    todo: before.todo.length,
    files: before.seen.length,
    reverted: null,
  };
}

/** About how many tokens these messages take. */
export const tokensIn = (messages: readonly Message[]): number =>
  tokensLikely(JSON.stringify(messages));

function lineOf(message: Message): EventLine[] {
  const event = message.at ?? 0;
  const said = inOneLine(textOf(message.parts), LINE_CHARS_MAX);
  switch (message.role) {
    case "user":
      return [{ event, line: `${message.origin}: ${said}` }];
    case "tool":
      return [{ event, line: `${message.failed ? "failed" : "result"}: ${said}` }];
    case "assistant": {
      const calls = message.parts.flatMap((part) =>
        part.type === "call" ? [`called ${part.tool} ${inOneLine(part.input, 60)}`] : [],
      );
      return [{ event, line: ["answer:", ...(said ? [said] : []), ...calls].join(" ") }];
    }
  }
}
