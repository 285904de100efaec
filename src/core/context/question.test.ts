// What a question asks for: each word counts as much as the best region that it stands in.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { questionOf, usualRegions } from "#core/context/question.ts";

const weightOf = (text: string, term: string): number | undefined =>
  questionOf(text).terms.find((one) => one.term === term)?.weight;

const issue = [
  "fix(cli): Zebra crossing fails",
  "",
  "### Steps to reproduce",
  "Call `openGate` in src/gate/open.ts and wait for the ostrich.",
  "```ts",
  "const pelican = openGate();",
  "```",
  '  File "lib/flamingo.py", line 3',
  "<!-- heron -->",
  "<!--",
  "Please say which stork you use.",
  "-->",
  ...Array.from({ length: 10 }, () => "It should not wait here at all."),
].join("\n");

describe("an issue", () => {
  it("has regions that weigh differently", () => {
    expect(weightOf(issue, "zebra")).toBe(usualRegions.title);
    expect(weightOf(issue, "opengate")).toBe(usualRegions.code * usualRegions.compound);
    expect(weightOf(issue, "ostrich")).toBe(usualRegions.prose);
    expect(weightOf(issue, "pelican")).toBe(usualRegions.block);
    expect(weightOf(issue, "flamingo")).toBe(usualRegions.trace);
  });

  it("says nothing by the headings of its form, or by what is commented out", () => {
    expect(weightOf(issue, "reproduc")).toBeUndefined();
    expect(weightOf(issue, "heron")).toBeUndefined();
    expect(weightOf(issue, "stork")).toBeUndefined();
    expect(weightOf("an open <!-- comment about a heron", "heron")).toBeDefined();
  });

  it("names paths, code, and the part that it is about", () => {
    const { paths, code, scope, title, isLong } = questionOf(issue);
    expect(paths).toContain("src/gate/open.ts");
    expect(paths).toContain("lib/flamingo.py");
    expect(code).toContain("openGate");
    expect(scope).toEqual(["cli"]);
    expect(title).toContain("Zebra");
    expect(isLong).toBe(true);
  });
});

describe("a question", () => {
  it("has a scope only where one is named: a kind of change is none", () => {
    expect(questionOf("parser/http: drop the body").scope).toEqual(["parser", "http"]);
    expect(questionOf("fix: drop the body").scope).toEqual([]);
    expect(questionOf("note that: this").scope).toEqual([]);
  });

  it("of a few words is short", () => {
    expect(questionOf("where is the retry delay").isLong).toBe(false);
  });

  it("is read whatever it is, with no more terms than are looked for", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000, unit: "binary" }), (text) => {
        const { terms } = questionOf(text);
        expect(terms.length).toBeLessThanOrEqual(600);
        for (const { weight } of terms) expect(weight).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
    const long = Array.from({ length: 60_000 }, (_, i) => `word${i}`).join(" ");
    expect(questionOf(long).terms.length).toBe(600);
  });
});
