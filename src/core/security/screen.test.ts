// No text of a model or a tool reaches a terminal as anything but text.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reveal, screen, screenPiece } from "#core/security/screen.ts";

const forbidden = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

const pieces = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    ...["\x1b", "[", "]", "31m", "\x9b", "\x9d", "0;title", "\x07", "\x1b\\", "\x9c", "P", "_"],
    ...[
      "\n",
      "\t",
      "\r",
      "\u202e",
      "\u2066",
      "a",
      "é",
      "👩‍💻",
      "\u{e0041}",
      "\ud83d",
      "\udcbb",
      "(",
    ],
  ),
);
const texts = fc.array(pieces, { maxLength: 24 });

describe("a screened text", () => {
  it("holds no control character, no sequence and no override, whatever went in", () => {
    fc.assert(
      fc.property(texts, (parts) => !forbidden.test(screen(parts.join("")))),
      { numRuns: 2_000 },
    );
  });

  it("is the same however it was cut into pieces", () => {
    fc.assert(
      fc.property(texts, (parts) => {
        let shown = "";
        let carry = "";
        for (const part of parts) {
          const next = screenPiece(carry, part);
          shown += next.text;
          carry = next.carry;
        }
        expect(shown + screen(carry)).toBe(screen(parts.join("")));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["colour", "a\x1b[31mred\x1b[0m", "ared"],
    ["a title", "a\x1b]0;evil\x07b", "ab"],
    ["a clipboard write", "a\x1b]52;c;aGk=\x1b\\b", "ab"],
    ["a device string", "a\x1bPq#0\x1b\\b", "ab"],
    ["8-bit introducers", "a\x9b2Jb\x9d0;t\x9cc", "abc"],
    ["a carriage return", "safe\rrm -rf", "saferm -rf"],
    ["an override", "a\u202eb\u2066c", "abc"],
    ["an endless title", `a\x1b]0;${"x".repeat(9)}\nrm`, `a0;${"x".repeat(9)}\nrm`],
  ])("lost %s", (_, text, shown) => expect(screen(text)).toBe(shown));

  it("is the text itself where there was nothing to take", () => {
    const text = "tabs\tlines\n多言語 👩‍💻 ﷺ שלום\u200f";
    expect(screen(text)).toBe(text);
  });
});

describe("a revealed text", () => {
  it("shows what would be invisible, and leaves the rest", () => {
    expect(reveal("rm\x1b[2K -rf \u202etxt\n\tok")).toBe("rm\\x1b[2K -rf \\u{202e}txt\n\tok");
    fc.assert(fc.property(texts, (parts) => !forbidden.test(reveal(parts.join("")))));
  });
});
