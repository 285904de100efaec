// Lines of JSON: what the bytes say, however they are cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ndjsonReader } from "#boundary/models/ndjson.ts";
import { LINE_CHARS_MAX } from "#boundary/models/sse.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function read(chunks: readonly Uint8Array[]): string[] | string {
  const reader = ndjsonReader();
  const lines: string[] = [];
  for (const taken of [...chunks.map((chunk) => reader.take(chunk)), reader.close()]) {
    if (!taken.ok) return taken.error.code;
    lines.push(...taken.value.map(({ data }) => data));
  }
  return lines;
}

describe("a stream of lines", () => {
  it("ends them in LF or CRLF, skips empty ones, and may leave out the last line end", () => {
    expect(read([bytesOf('{"a":1}\n\n{"b":2}\r\n  \n{"c":3}')])).toEqual([
      '{"a":1}',
      '{"b":2}',
      '{"c":3}',
    ]);
    expect(read([])).toEqual([]);
  });

  it("fails on bytes that are not UTF-8, on a character cut by the end, and ever after", () => {
    expect(read([Uint8Array.from([0xc3, 0x28, 0x0a])])).toBe("broken");
    expect(read([bytesOf('"é').slice(0, -1)])).toBe("broken");
    const reader = ndjsonReader();
    reader.take(Uint8Array.from([0xff]));
    expect(reader.take(bytesOf("{}\n"))).toMatchObject({ ok: false });
  });

  it("is bounded in the length of a line, whether that line ends or not", () => {
    const megabyte = bytesOf("x".repeat(1024 * 1024));
    const long = Array.from({ length: LINE_CHARS_MAX / megabyte.length + 1 }, () => megabyte);
    expect(read(long)).toBe("too_large");
    expect(read([bytesOf(`${"x".repeat(LINE_CHARS_MAX + 1)}\n`)])).toBe("too_large");
    const lines = long.flatMap((chunk) => [chunk, bytesOf("\n")]);
    expect(read(lines)).toHaveLength(long.length);
  });

  it("is the same in any chunks", () => {
    const text = fc.string({ unit: fc.constantFrom("{", "}", "é🙂", "\n", "\r\n", "\u2028", " ") });
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 40 })), (whole, cuts) => {
        const bytes = bytesOf(whole);
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, i) => bytes.slice(places[i], end));
        expect(read(chunks)).toEqual(read([bytes]));
      }),
    );
  });
});
