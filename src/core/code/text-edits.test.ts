// Changes at places of lines and characters, and the places of names.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editedText, lastNameOf, symbolPlace } from "#core/code/text-edits.ts";

const at = (line: number, from: number, to: number, newText: string) => ({
  range: { start: { line, character: from }, end: { line, character: to } },
  newText,
});

describe("edits of a text", () => {
  it("are made at once, whatever their order and the line ends", () => {
    const text = "aa bb\r\ncc\rdd\nee";
    const edited = editedText(text, [at(3, 0, 2, "E"), at(0, 3, 5, "B"), at(1, 0, 2, "C\n")]);
    expect(edited).toEqual({
      ok: true,
      value: { text: "aa B\r\nC\n\rdd\nE", replaced: ["bb", "cc", "ee"] },
    });
  });

  it("count characters as UTF-16 has them", () => {
    const edited = editedText("😀 a\n", [at(0, 3, 4, "b")]);
    expect(edited).toMatchObject({ value: { text: "😀 b\n", replaced: ["a"] } });
  });

  it("end at their line's end, and reach behind the last line for the text's end", () => {
    expect(editedText("a\r\nb", [at(0, 0, 99, "x")])).toMatchObject({ value: { text: "x\r\nb" } });
    const all = { range: { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } } };
    expect(editedText("a\nb", [{ ...all, newText: "new" }])).toMatchObject({
      value: { text: "new" },
    });
  });

  it("are refused where they overlap or are in no place", () => {
    expect(editedText("abc", [at(0, 0, 2, "x"), at(0, 1, 3, "y")]).ok).toBe(false);
    expect(editedText("abc", [at(7, 0, 2, "x")]).ok).toBe(false);
    expect(editedText("abc", [at(0, 2, 1, "x")]).ok).toBe(false);
  });

  it("of nothing change nothing", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(editedText(text, [])).toEqual({ ok: true, value: { text, replaced: [] } });
      }),
    );
  });
});

describe("the place of a name", () => {
  const text = "const sums = sum(a.sum, 1);\nreturn $sum;\n";

  it("is where it is a whole word, or the first at all", () => {
    expect(symbolPlace(text, 1, "sum")).toMatchObject({ value: { line: 0, character: 13 } });
    expect(symbolPlace(text, 1, "su")).toMatchObject({ value: { line: 0, character: 6 } });
    expect(symbolPlace(text, 2, "$sum")).toMatchObject({ value: { line: 1, character: 7 } });
  });

  it("is that of the last name in it", () => {
    expect(symbolPlace(text, 1, "a.sum")).toMatchObject({ value: { character: 19 } });
    expect([lastNameOf("a.b()"), lastNameOf("Größe"), lastNameOf("++")]).toEqual([
      "b",
      "Größe",
      "++",
    ]);
  });

  it("names the nearest lines where the line was wrong", () => {
    const wrong = symbolPlace(text, 3, "sums");
    expect(wrong).toMatchObject({ error: { code: "no_match", fix: "lines that do: 1" } });
    expect(symbolPlace(text, 99, "total")).toMatchObject({
      error: { fix: "it is nowhere in this file; read it again" },
    });
  });
});
