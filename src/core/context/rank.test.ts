// Which passage answers a question by its words: rare words count more than frequent ones,
// identifiers are found by their parts, word forms are one word, and the very phrase comes first.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excerpt, ranked, stem, wordsOf } from "#core/context/rank.ts";

const order = (question: string, ...texts: string[]) =>
  ranked(
    texts.map((text) => ({ name: "", text })),
    question,
  ).map(({ source }) => source);

describe("a question", () => {
  it("finds the text with its rare word before those with its frequent ones", () => {
    const many = Array.from({ length: 20 }, (_, i) => `the server started, attempt ${i}`);
    expect(order("which port does the server use?", ...many, "port 4711 of the server")[0]).toBe(
      20,
    );
  });

  it("finds identifiers by their parts and as they are", () => {
    const texts = ["const maxRetryCount = 7;", "retry later", "MAX_RETRY_COUNT=9", "nothing"];
    expect(
      order("what is the retry count", ...texts)
        .slice(0, 2)
        .toSorted(),
    ).toEqual([0, 2]);
    expect(order("maxRetryCount", ...texts)[0]).toBe(0);
  });

  it("finds other forms of its words", () => {
    expect(order("who was caching queries", "a cached query", "a catch")).toEqual([0]);
    expect(order("retries", "we retry")).toEqual([0]);
    expect(order("stopping", "it stopped")).toEqual([0]);
  });

  it("finds the very phrase before texts that have its words more often", () => {
    const often = "blue fish and red fish and blue red fish";
    expect(order("red blue fish", often, "one red blue fish among many other things")[0]).toBe(1);
  });

  it("finds a word of a source's name", () => {
    const hits = ranked(
      [
        { name: "read src/port.ts", text: "1\texport const a = 1" },
        { name: "read src/main.ts", text: "1\texport const b = 1" },
      ],
      "port",
    );
    expect(hits.map(({ source }) => source)).toEqual([0]);
  });

  it("of the same text twice finds the newest, once", () => {
    expect(order("port", "port 1", "other", "port 1")).toEqual([2]);
  });

  it("made only of empty words is still looked for, and one without words finds nothing", () => {
    expect(order("what is it", "what is this", "else")).toEqual([0]);
    expect(order("?!", "what?!")).toEqual([]);
  });

  it("finds the place in a long text", () => {
    const noise = Array.from({ length: 400 }, (_, i) => `line ${i} of the log says nothing`);
    const text = [...noise.slice(0, 300), "the quota of tenant kappa is 512", ...noise].join("\n");
    const [hit] = ranked([{ name: "run npm test", text }], "quota for tenant kappa");
    expect(hit?.text).toContain("kappa is 512");
    expect(text.slice(hit?.from).startsWith(hit?.text ?? "none")).toBe(true);
  });
});

describe("an excerpt", () => {
  it("has the words, its bound, and the place where it is", () => {
    const text = `${"x ".repeat(900)}the quota of kappa is 512 ${"y ".repeat(900)}`;
    const part = excerpt(text, "kappa quota", 120);
    expect(part.text).toContain("quota of kappa is 512");
    expect(part.text.length).toBeLessThanOrEqual(120);
    expect(text.slice(part.from, part.from + 120)).toBe(part.text);
  });

  it("is within its bound and in the text, whatever both are", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400 }),
        fc.string(),
        fc.nat(200),
        (text, question, max) => {
          const part = excerpt(text, question, max);
          expect(part.text.length).toBeLessThanOrEqual(Math.max(max, 0));
          expect(text.slice(part.from, part.from + part.text.length).toWellFormed()).toBe(
            part.text.toWellFormed(),
          );
        },
      ),
    );
  });
});

it("words are letters and digits in any script, in lower case", () => {
  expect(wordsOf("Größe_2 и XMLParser, v1.2")).toEqual([
    ...["größe", "größe2", "и", "xml", "parser", "xmlparser", "v1.2"],
  ]);
  expect(["queries", "query", "classes", "class", "cached", "cache"].map(stem)).toEqual([
    ...["queri", "queri", "class", "class", "cach", "cach"],
  ]);
});
