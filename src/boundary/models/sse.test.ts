// Server-sent events: what the bytes say, however they are cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_CHARS_MAX, type SseEvent, sseReader } from "#boundary/models/sse.ts";
import type { Result } from "#core/failure.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function read(chunks: Uint8Array[]): Result<SseEvent[]> {
  const reader = sseReader();
  const events: SseEvent[] = [];
  for (const chunk of chunks) {
    const taken = reader.take(chunk);
    if (!taken.ok) return taken;
    events.push(...taken.value);
  }
  const rest = reader.close();
  return rest.ok ? { ok: true, value: [...events, ...rest.value] } : rest;
}

const dataOf = (text: string) => {
  const all = read([bytesOf(text)]);
  return all.ok ? all.value.map((event) => event.data) : all.error.code;
};

describe("a stream of events", () => {
  it("ends its lines in LF, CR or CRLF alike", () => {
    for (const end of ["\n", "\r", "\r\n"]) {
      const text = ["event: a", "data: 1", "", "data: 2", "data: 3", "", ""].join(end);
      expect(read([bytesOf(text)])).toEqual({
        ok: true,
        value: [{ event: "a", data: "1" }, { data: "2\n3" }],
      });
    }
  });

  it("may leave out the space after the colon, and ignores comments and unknown fields", () => {
    expect(dataOf(": ping\n\nodd: x\ndata:1\n\n:\n\ndata:  2\n\n")).toEqual(["1", " 2"]);
  });

  it("may leave out the last blank line, and even the last line end", () => {
    expect(dataOf("data: 1\n\ndata: 2\n")).toEqual(["1", "2"]);
    expect(dataOf("data: 1\n\ndata: 2")).toEqual(["1", "2"]);
    expect(dataOf("data: 1\r\n\r\ndata: 2\r")).toEqual(["1", "2"]);
  });

  it("keeps U+2028 and U+2029 inside a line, and drops a leading BOM", () => {
    expect(dataOf("\ufeffdata: a\u2028b\u2029c\u0085d\n\n")).toEqual(["a\u2028b\u2029c\u0085d"]);
  });

  it("fails on bytes that are not UTF-8, and on a character cut by the end", () => {
    const bad = Uint8Array.from([...bytesOf("data: a"), 0xc3, 0x28, 0x0a, 0x0a]);
    expect(read([bad])).toMatchObject({ ok: false, error: { code: "broken" } });
    expect(read([bytesOf("data: é").slice(0, -1)])).toMatchObject({ error: { code: "broken" } });
  });

  it("is bounded in the length of a line and of an event", () => {
    const megabyte = bytesOf("x".repeat(1024 * 1024));
    const line = [bytesOf("data: "), ...Array.from({ length: 17 }, () => megabyte)];
    const codeOf = (chunks: Uint8Array[]) => {
      const all = read(chunks);
      return all.ok ? "ok" : all.error.code;
    };
    expect(codeOf(line)).toBe("too_large");
    expect(codeOf([bytesOf(`data: ${"y".repeat(LINE_CHARS_MAX * 2)}\n\n`)])).toBe("too_large");
    const lines = bytesOf(`data: ${"z".repeat(1024 * 1024)}\n`);
    expect(codeOf(Array.from({ length: 17 }, () => lines))).toBe("too_large");
  });

  it("stays failed once it has failed", () => {
    const reader = sseReader();
    reader.take(Uint8Array.from([0xff]));
    expect(reader.take(bytesOf("data: 1\n\n")).ok).toBe(false);
    expect(reader.close().ok).toBe(false);
  });
});

const line = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => `data: ${text}`),
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => `data:${text}`),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "", "event: x", ": ping", "data", "id: 1", "retry: 5", "data: é\u2028😀"),
);

const stream = fc
  .array(fc.tuple(line, fc.constantFrom("\n", "\r", "\r\n")), { maxLength: 30 })
  .map((lines) => lines.map(([text, end]) => text + end).join(""));

describe("any chunking of any stream", () => {
  it("yields the same events", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), (text, cuts) => {
        const bytes = bytesOf(text);
        const at = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])];
        at.sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, i) => bytes.slice(at[i], end));
        const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
        expect(read(chunks)).toEqual(read([bytes]));
        expect(read(single)).toEqual(read([bytes]));
      }),
      { numRuns: 1_000 },
    );
  });
});
