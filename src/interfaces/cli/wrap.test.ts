// Text that is broken at words keeps its words, its lines and its code, however it comes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { width } from "#interfaces/cli/figures.ts";
import { kept, lineBegun, wrap } from "#interfaces/cli/wrap.ts";

function wrapped(pieces: readonly string[], columns: number): string {
  let state = lineBegun;
  let out = "";
  for (const piece of pieces) {
    const [next, text] = wrap(state, piece, columns);
    state = next;
    out += text;
  }
  return out + kept(state, columns);
}

const text = fc
  .array(
    fc.constantFrom("a", "word", "longer-word", " ", "  ", "\n", "- ", "12. ", "宽", "```\n"),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(""));

describe("text at the terminal's edge", () => {
  it("breaks between words, under the text of a list's item", () => {
    expect(wrapped(["one two three four"], 9)).toBe("one two\nthree\nfour");
    expect(wrapped(["- one two three"], 9)).toBe("- one two\n  three");
    expect(wrapped(["a  unbreakably-long b"], 9)).toBe("a\nunbreakably-long\nb");
  });

  it("keeps a word together that is longer than what is waited for", () => {
    const long = "https://example.org/".padEnd(70, "x");
    const pieces = [`see ${long.slice(0, 45)}`, `${long.slice(45)} there`];
    expect(wrapped(pieces, 30)).toBe(`see\n${long}\nthere`);
    expect(wrapped(pieces, 60)).toBe(`see ${long}\nthere`);
  });

  it("leaves code as it is", () => {
    const code = "```\na line that is longer\n```\n";
    expect(wrapped([code], 9)).toBe(code);
    expect(wrapped([`${code}one two three`], 9)).toBe(`${code}one two\nthree`);
  });

  it("is the same for any pieces of it, keeps every word, and stays within the edge", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(40), { maxLength: 5 }),
        fc.integer({ min: 6, max: 60 }),
        (whole, cuts, columns) => {
          const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length];
          const ends = at.toSorted((a, b) => a - b);
          const pieces = ends.slice(1).map((end, i) => whole.slice(ends[i], end));
          const out = wrapped(pieces, columns);
          expect(out).toBe(wrapped([whole], columns));
          expect(out.split(/\s+/)).toEqual(whole.split(/\s+/));
          if (whole.includes("```")) return;
          for (const line of out.split("\n")) {
            const words = line.trim().split(/\s+/);
            const isOne = words.length <= 2;
            expect(isOne || width(line.trimEnd()) <= columns).toBe(true);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
