// A text in fewer tokens: what is promised for any text, any room and any strategy, and what the
// strategies are for.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeLines } from "#core/context/code-lines.ts";
import { type CompressAsked, compress, compressStrategies } from "#core/context/compress.ts";
import { type Language, languages, plainText } from "#core/context/languages.ts";
import { lineChunks } from "#core/context/line-chunks.ts";

/** Words and ends of lines: a count that anybody can check. */
const count = (text: string): number => text.match(/\S+|\n/g)?.length ?? 0;

const named = (name: string): Language => languages.find((one) => one.name === name) ?? plainText;

const asked = (text: string, language: Language, more: Partial<CompressAsked>): CompressAsked => ({
  ...{ language, chunks: lineChunks(text, language), question: "", tokensMax: 0, count },
  ...more,
});

const lineOf = (text: string, line: number) => text.split("\n")[line - 1] ?? "";

const erlang = `%% Keeps the balance of an account.
-module(bank).
-export([open/1, pay/2]).

%% Opens an account with nothing in it, which is what most people begin with.
open(Owner) ->
    Account = make_account(Owner),
    log_event(opened),
    Account.

%% Takes an amount.
pay(Account, Amount) ->
    Left = Account - Amount,
    Limit = overdraft_limit(),
    check_limit(Left, Limit),
    Left.

weather(Town) ->
    Sky = look_up(Town),
    Rain = measure(Sky),
    tell(Rain),
    Rain.
`;

describe("a code text", () => {
  const made = (tokensMax: number, more: Partial<CompressAsked> = {}) =>
    compress(
      erlang,
      asked(erlang, named("erlang"), {
        question: "What is checked when an amount is paid over the overdraft limit?",
        tokensMax,
        ...more,
      }),
    );

  it("stays as it is where it has room", () => {
    const { text, strategy, ratio, dropped } = made(count(erlang));
    expect(text).toBe(erlang);
    expect({ strategy, ratio, dropped }).toEqual({ strategy: "whole", ratio: 1, dropped: [] });
  });

  it("keeps its signatures and what the question is about, and drops comments first", () => {
    const { text, strategy } = made(50);
    expect(strategy).toBe("semantic");
    for (const head of ["open(Owner) ->", "pay(Account, Amount) ->", "weather(Town) ->"]) {
      expect(text).toContain(head);
    }
    expect(text).toContain("check_limit(Left, Limit)");
    expect(text).not.toContain("which is what most people begin with");
    expect(text).not.toContain("measure(Sky)");
  });

  it("says where something is left out, as far in as what it stands for", () => {
    expect(made(50).text).toMatch(/^ {4}% … [34] lines$/m);
  });

  it("keeps the nearest signatures where not all have room", () => {
    const { text } = made(14);
    expect(text).toContain("pay(Account, Amount) ->");
    expect(text).not.toContain("weather(Town) ->");
  });

  it("tells which lines are kept and what the others were", () => {
    const { kept, dropped, tokens, of, ratio } = made(50);
    expect(kept.length).toBeGreaterThan(1);
    expect(dropped.map(({ what }) => what)).toContain("code");
    expect(tokens).toBeLessThanOrEqual(50);
    expect(ratio).toBeCloseTo(tokens / of);
  });

  it("keeps what has to be kept, also beyond the room", () => {
    const start = erlang.indexOf("measure");
    const keep = [{ start, end: start + 7 }];
    expect(made(50, { keep }).text).toContain("    Rain = measure(Sky),\n");
    expect(made(2, { keep }).text).toBe("    Rain = measure(Sky),\n");
  });

  it("is nothing where not even a marker has room", () => {
    expect(made(1)).toMatchObject({ text: "", tokens: 0, ratio: 0, kept: [] });
  });

  it("prefers many different identifiers to the same one again", () => {
    const text = `${"value = value + value\n".repeat(30)}alpha = beta\ngamma = delta\n`;
    const { text: left } = compress(
      text,
      asked(text, named("python"), { tokensMax: 20, strategy: "semantic" }),
    );
    expect(left).toContain("alpha = beta");
    expect(left).toContain("gamma = delta");
  });
});

describe("a text without structure", () => {
  const log = Array.from({ length: 200 }, (_, i) => `line ${i} of the log`).join("\n");
  const made = (tokensMax: number, more: Partial<CompressAsked> = {}) =>
    compress(log, asked(log, plainText, { tokensMax, ...more }));

  it("keeps head and tail where much of it has room", () => {
    const { text, strategy, dropped } = made(600);
    expect(strategy).toBe("truncation");
    expect(text).toMatch(/^line 0 of/);
    expect(text).toMatch(/line 199 of the log$/);
    expect(dropped).toHaveLength(1);
  });

  it("is sampled evenly where little of it has room", () => {
    const { kept, strategy } = made(150);
    expect(strategy).toBe("sampling");
    const quarters = new Set(kept.map(({ line }) => Math.floor((line - 1) / 50)));
    expect([...quarters].sort()).toEqual([0, 1, 2, 3]);
  });

  it("of one long line keeps stretches", () => {
    const line = "word ".repeat(2_000);
    const { text, tokens } = compress(line, asked(line, plainText, { tokensMax: 900 }));
    expect(tokens).toBeGreaterThan(600);
    expect(tokens).toBeLessThanOrEqual(900);
    expect(text).toMatch(/ … \d+ characters /);
  });
});

describe("any text", () => {
  const piece = fc.constantFrom(
    ...'def f(a): return class A { } ( ) " \' ` """ /* */ // # \n \n\n   \t end do => é 😀 \ud800 x1 read_file'.split(
      " ",
    ),
    "\n    ",
    "a".repeat(700),
  );
  const texts = fc.array(piece, { maxLength: 150 }).map((all) => all.join(" "));
  const spans = fc.array(
    fc.tuple(fc.nat(400), fc.nat(30)).map(([start, size]) => ({ start, end: start + size })),
    { maxLength: 3 },
  );
  const anything = fc.record({
    text: texts,
    language: fc.constantFrom(...languages),
    strategy: fc.constantFrom("auto" as const, ...compressStrategies),
    tokensMax: fc.nat(120),
    keep: spans,
    question: fc.constantFrom("", "how is a file read?", "A x1"),
  });

  it("is never longer than asked for, unless what has to be kept is", () => {
    fc.assert(
      fc.property(anything, ({ text, language, ...more }) => {
        const made = compress(text, asked(text, language, more));
        const alone = keptAlone(text, more.keep);
        expect(made.tokens).toBe(count(made.text));
        expect(made.tokens).toBeLessThanOrEqual(Math.max(more.tokensMax, count(alone)));
        expect(made.ratio).toBeLessThanOrEqual(1);
      }),
      { numRuns: 400 },
    );
  });

  it("stays in order, with all that has to be kept, and accounts for every line", () => {
    fc.assert(
      fc.property(anything, ({ text, language, ...more }) => {
        const made = compress(text, asked(text, language, more));
        let at = 0;
        for (const { line, endLine } of made.kept) {
          // A stretch of a long line is not all of it.
          if (lineOf(text, line).length > 600 || lineOf(text, endLine).length > 600) continue;
          const said = text
            .split("\n")
            .slice(line - 1, endLine)
            .join("\n");
          const found = made.text.indexOf(said, at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found + said.length;
        }
        for (const { start, end } of more.keep) {
          const said = text.slice(start, end);
          if (!said.includes("\n")) expect(made.text).toContain(said);
        }
        const told = [...made.kept, ...made.dropped].sort((a, b) => a.line - b.line);
        const last = codeLines(text, {}).at(-1)?.line ?? 0;
        const covered = new Set(
          told.flatMap(({ line, endLine }) =>
            Array.from({ length: endLine - line + 1 }, (_, i) => line + i),
          ),
        );
        expect(covered.size).toBe(last);
      }),
      { numRuns: 400 },
    );
  });

  it("has one marker for each gap with more than blank lines, and it says how many", () => {
    fc.assert(
      fc.property(anything, ({ text, language, ...more }) => {
        if (text.includes("a".repeat(600))) return;
        const made = compress(text, asked(text, language, more));
        const marks = [...made.text.matchAll(/… (\d+) lines?/g)].map(([, lines]) => Number(lines));
        const gaps = made.dropped.filter(({ what }) => what !== "blank lines");
        const sizes = gaps.map(({ line, endLine }) => endLine - line + 1);
        // Where not even the markers have room there is none.
        if (marks.length > 0) expect(marks).toEqual(sizes);
      }),
      { numRuns: 400 },
    );
  });

  it("gives the same again", () => {
    fc.assert(
      fc.property(anything, ({ text, language, ...more }) => {
        const once = compress(text, asked(text, language, more));
        expect(compress(text, asked(text, language, more))).toEqual(once);
      }),
      { numRuns: 50 },
    );
  });

  it("is the lines that it is read as", () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...languages), (text, { comments }) => {
        const lines = codeLines(text, comments);
        expect(lines.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
      }),
    );
  });
});

/** The lines that spans touch, by themselves; of long ones the stretches. */
function keptAlone(text: string, keep: readonly { start: number; end: number }[]): string {
  return codeLines(text, {})
    .filter((line) =>
      keep.some(({ start, end }) => start < line.end && end > line.start && end > start),
    )
    .map(({ start, end }) => text.slice(start, end))
    .join("");
}
