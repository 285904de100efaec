// What is written into postings is what is read from them, whatever the texts are.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPostings, segmentBuilder } from "#core/context/postings.ts";
import { stem } from "#core/context/rank.ts";
import { partsOf, scanText, termsOfIdentifier } from "#core/context/terms.ts";

/** As the index writes a word. */
const stemmed = (word: string): string => (word === "isopen" ? word : stem(word));

describe("terms", () => {
  it("are the words of an identifier, stemmed, and the whole of it", () => {
    expect(termsOfIdentifier("readFileSync")).toEqual(["read", "fil", "sync", "readfilesync"]);
    expect(termsOfIdentifier("read_file_sync")).toEqual(["read", "fil", "sync", "readfilesync"]);
    expect(partsOf("HTTPServer2")).toEqual(["http", "server", "2"]);
    expect(termsOfIdentifier("parsing")).toEqual(termsOfIdentifier("parse"));
  });

  it("leave out words that say nothing, but not in names, where they do", () => {
    expect(termsOfIdentifier("is")).toEqual([]);
    expect(termsOfIdentifier("is_open")).toEqual(["is", "open", "isopen"].map(stemmed));
    expect(termsOfIdentifier("getvalue")).toContain("valu");
  });
});

describe("a segment", () => {
  it("has of each text the terms that it has, as often as they stand there", () => {
    const word = fc.constantFrom("alpha", "betaGamma", "delta_x", "HTTPError", "é", "ärger", "x1");
    const texts = fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(texts, (all) => {
        const builder = segmentBuilder();
        for (const words of all) builder.addText(words[0] ?? "", words.join(" "));
        const segment = builder.build();
        expect(segment.chunks).toBe(all.length);
        expect([...segment.terms]).toEqual([...segment.terms].sort());
        const expected = new Map<string, Map<number, number>>();
        for (const [i, words] of all.entries()) {
          scanText(words.join(" "), (identifier) => {
            for (const term of termsOfIdentifier(identifier)) {
              const times = expected.get(term) ?? new Map<number, number>();
              times.set(i, Math.min(255, (times.get(i) ?? 0) + 1));
              expected.set(term, times);
            }
          });
        }
        expect(new Set(segment.terms)).toEqual(new Set(expected.keys()));
        for (const [i, term] of segment.terms.entries()) {
          const found = new Map<number, number>();
          readPostings(segment.postings[i] ?? new Uint8Array(), (chunk, counts) =>
            found.set(chunk, (counts >>> 16) & 255),
          );
          expect(found, term).toEqual(expected.get(term));
        }
      }),
      { numRuns: 60 },
    );
  });
});
