// Server-sent events out of bytes, cut anywhere: any chunking of a stream yields the same events.
// Lines may end in LF, CR or CRLF, the space after the colon and the last blank line may be
// missing, and a line is bounded. Bytes that are not UTF-8 are a failure, never a guessed letter:
// what arrives here may be written into somebody's file.
import { createParser } from "eventsource-parser";
import { fail, ok, type Result } from "#core/failure.ts";

/** Longest line and longest event, in characters; what is longer is no answer of a model. */
export const LINE_CHARS_MAX = 16 * 1024 * 1024;
/** The parser checks its bound between feeds, so the bound is exact to this many characters. */
const FEED_CHARS = 64 * 1024;

export type SseEvent = { event?: string; data: string };

export type SseReader = {
  /** Takes the next bytes; the events they complete. After a failure nothing more is taken. */
  take(chunk: Uint8Array): Result<SseEvent[]>;
  /** The stream ended in good order: an event whose blank line is missing still counts. */
  close(): Result<SseEvent[]>;
};

export function sseReader(): SseReader {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let events: SseEvent[] = [];
  let broken: Result<SseEvent[]> | undefined;
  const parser = createParser({
    maxBufferSize: LINE_CHARS_MAX,
    onEvent: ({ event, data }) => events.push(event === undefined ? { data } : { event, data }),
    onError: (error) => {
      // Unknown fields are ignored, as the standard says; only the bound ends the stream.
      if (error.type !== "max-buffer-size-exceeded") return;
      broken = fail(
        "too_large",
        `a line of the answer is longer than ${LINE_CHARS_MAX} characters`,
      );
    },
  });

  function feed(text: string): Result<SseEvent[]> {
    for (let at = 0; at < text.length && !broken; at += FEED_CHARS) {
      parser.feed(text.slice(at, at + FEED_CHARS));
    }
    if (broken) return broken;
    const ready = events;
    events = [];
    return ok(ready);
  }

  function decode(chunk: Uint8Array | undefined): string | undefined {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      broken = fail("broken", "the answer holds bytes that are not UTF-8");
      return undefined;
    }
  }

  return {
    take(chunk) {
      if (broken) return broken;
      const text = decode(chunk);
      return text === undefined ? (broken ?? ok([])) : feed(text);
    },
    close() {
      if (broken) return broken;
      const rest = decode(undefined);
      return rest === undefined ? (broken ?? ok([])) : feed(`${rest}\n\n`);
    },
  };
}
