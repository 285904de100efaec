// What the lines of a code text are, and which identifiers are code.
import { describe, expect, it } from "vitest";
import { codeLines } from "#core/context/code-lines.ts";
import { languages } from "#core/context/languages.ts";

const linesOf = (name: string, text: string) =>
  codeLines(text, languages.find((one) => one.name === name)?.comments ?? {});
const kindsOf = (name: string, text: string) => linesOf(name, text).map(({ kind }) => kind);

describe("the lines of a code text", () => {
  it("are comments where nothing else stands in them", () => {
    const text = "// a\nx = 1; // b\n/* c\n\n d */ y = 2\n/* e */\n";
    expect(kindsOf("go", text)).toEqual(["comment", "code", "comment", "blank", "code", "comment"]);
  });

  it("are comments in the documentation of Python, too, and code in its other long strings", () => {
    const text = 'def f():\n    """Says.\n\n    More.\n    """\n    x = """a\n    b"""\n';
    expect(kindsOf("python", text)).toEqual([
      ...["code", "comment", "blank", "comment", "comment"],
      ...["code", "code"],
    ]);
  });

  it("are not misled by quotes, addresses and apostrophes", () => {
    const [first, second] = linesOf("go", 'a := "// b" + c\nd := e // it\'s "f\n');
    expect(first?.names).toEqual(["a", "c"]);
    expect(first?.words).toEqual(["b"]);
    expect(second?.names).toEqual(["d", "e"]);
    expect(kindsOf("yaml", "url: http://example.org#a\n")).toEqual(["code"]);
  });

  it("know their names, once each, and how far in they stand", () => {
    expect(linesOf("typescript", "\tconst $a = b_c(b_c);\n")).toMatchObject([
      { names: ["const", "$a", "b_c"], indent: 4, from: 1, line: 1 },
    ]);
  });

  it("are cut where one is longer than anybody writes, never within a character", () => {
    const lines = linesOf("text", `${"😀".repeat(1_000)}\nb\n`);
    expect(lines.at(-1)?.line).toBe(2);
    expect(lines.length).toBeGreaterThan(3);
    for (const { start, end } of lines) {
      expect("😀".repeat(1_000).slice(start, end).isWellFormed()).toBe(true);
    }
  });
});
