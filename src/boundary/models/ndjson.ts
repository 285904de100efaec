// One JSON value a line out of bytes, cut anywhere: any chunking of a stream yields the same lines.
// A line comes as an event without a name. Lines may end in LF or CRLF, empty ones are skipped, the
// last line break may be missing, and a line is bounded. Bytes that are not UTF-8 are a failure.
import { LINE_CHARS_MAX, type SseEvent, type SseReader } from "#boundary/models/sse.ts";
import { fail, ok, type Result } from "#core/failure.ts";

export function ndjsonReader(): SseReader {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  /** What came of the line that is not complete yet, and how long that is. */
  let open: string[] = [];
  let openChars = 0;
  let broken: Result<SseEvent[]> | undefined;

  function feed(text: string): Result<SseEvent[]> {
    const lines: SseEvent[] = [];
    let start = 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", start)) {
      const line = [...open, text.slice(start, at)].join("").trim();
      if (line !== "") lines.push({ data: line });
      open = [];
      openChars = 0;
      start = at + 1;
    }
    openChars += text.length - start;
    if (start < text.length) open.push(text.slice(start));
    if (openChars <= LINE_CHARS_MAX && !lines.some(({ data }) => data.length > LINE_CHARS_MAX)) {
      return ok(lines);
    }
    broken = fail("too_large", `a line of the answer is longer than ${LINE_CHARS_MAX} characters`);
    return broken;
  }

  function decoded(chunk: Uint8Array | undefined): Result<SseEvent[]> {
    if (broken) return broken;
    try {
      return feed(chunk ? decoder.decode(chunk, { stream: true }) : `${decoder.decode()}\n`);
    } catch {
      broken = fail("broken", "the answer holds bytes that are not UTF-8");
      return broken;
    }
  }

  return { take: decoded, close: () => decoded(undefined) };
}
