// Edits by search and replace: the right place, or none.
import { describe, expect, it } from "vitest";
import { applyEdits, type Edit, type EditReport } from "#core/code/edit.ts";

const edited = (text: string, ...edits: Edit[]) => applyEdits(text, edits);

function only(reports: EditReport[]): EditReport {
  expect(reports).toHaveLength(1);
  return reports[0] as EditReport;
}

function refusal(text: string, edit: Edit) {
  const { text: after, reports } = edited(text, edit);
  expect(after).toBe(text);
  const report = only(reports);
  if (report.state !== "refused") throw new Error("the edit was applied");
  return report.failure;
}

describe("an edit that fits exactly", () => {
  it("replaces part of a line and says where", () => {
    const { text, reports } = edited("one\ntwo three\n", { old: "three", new: "four" });
    expect(text).toBe("one\ntwo four\n");
    expect(only(reports)).toEqual({
      state: "applied",
      tolerance: "exact",
      count: 1,
      regions: [{ line: 2, lines: 1 }],
    });
  });

  it("is refused where it fits twice, with both places", () => {
    const failure = refusal("x = 1\ny = 2\nx = 1\n", { old: "x = 1", new: "x = 3" });
    expect(failure.code).toBe("ambiguous");
    expect(failure.detail).toEqual({
      places: [
        { line: 1, text: "x = 1" },
        { line: 3, text: "x = 1" },
      ],
    });
    expect(failure.say).toContain("line 3: x = 1");
  });

  it("counts overlapping places as places", () => {
    expect(refusal("aaa\n", { old: "aa", new: "b" }).code).toBe("ambiguous");
  });

  it("changes every place with all", () => {
    const { text, reports } = edited("a b a\r\na\r\n", { old: "a", new: "c\nd", all: true });
    expect(text).toBe("c\r\nd b c\r\nd\r\nc\r\nd\r\n");
    expect(only(reports)).toMatchObject({
      count: 3,
      regions: [{ line: 1 }, { line: 2 }, { line: 4 }],
    });
  });

  it("inserts the replacement as it is, dollar signs and all", () => {
    expect(edited("price", { old: "price", new: "$& $1 $$" }).text).toBe("$& $1 $$");
  });

  it("prefers the place with the same line endings", () => {
    const { text, reports } = edited("a\r\nb\r\na\nb\n", { old: "a\nb", new: "c\nb" });
    expect(text).toBe("a\r\nb\r\nc\nb\n");
    expect(only(reports)).toMatchObject({ tolerance: "exact" });
  });
});

describe("what an edit leaves alone", () => {
  it("keeps CRLF, and gives inserted lines CRLF", () => {
    const { text, reports } = edited("one\r\ntwo\r\nthree\r\n", {
      old: "one\ntwo\n",
      new: "one\nnew\ntwo\n",
    });
    expect(text).toBe("one\r\nnew\r\ntwo\r\nthree\r\n");
    expect(only(reports)).toMatchObject({ tolerance: "lineEndings" });
  });

  it("keeps mixed endings line by line", () => {
    const text = edited("a\r\nb\nc\r\nd\n", { old: "b\nc\nd", new: "b\nx\ny\nd" }).text;
    expect(text).toBe("a\r\nb\nx\r\ny\r\nd\n");
  });

  it("keeps a byte order mark, also when the edit begins with one", () => {
    expect(edited("\uFEFFa\n", { old: "\uFEFFa", new: "\uFEFFb" }).text).toBe("\uFEFFb\n");
  });

  it("keeps a missing final line ending missing", () => {
    const { text, reports } = edited("a\nb", { old: "b\n", new: "c\n" });
    expect(text).toBe("a\nc");
    expect(only(reports)).toMatchObject({ tolerance: "trailingSpace" });
  });

  it("takes its own line ending into a text that has none", () => {
    expect(edited("a", { old: "a", new: "a\r\nb" }).text).toBe("a\r\nb");
  });

  it("treats a lone carriage return and U+2028 as characters", () => {
    const text = edited("a\rb\u2028c\n", { old: "b\u2028c", new: "d" }).text;
    expect(text).toBe("a\rd\n");
  });
});

describe("an edit that nearly fits", () => {
  it("may lack or have white space at the end of lines, and leaves the file's", () => {
    const { text, reports } = edited("if x:  \n    y()\t\n    z()\n", {
      old: "if x:\n    y() \n",
      new: "if x:\n    w()\n",
    });
    expect(text).toBe("if x:  \n    w()\n    z()\n");
    expect(only(reports)).toMatchObject({ tolerance: "trailingSpace" });
  });

  it("may be at another indentation, and its replacement moves with it", () => {
    const { text, reports } = edited("class A {\n    f() {\n        g();\n    }\n}\n", {
      old: "f() {\n    g();\n}",
      new: "f() {\n    if (a) {\n        g();\n    }\n\n}",
    });
    expect(text).toBe(
      "class A {\n    f() {\n        if (a) {\n            g();\n        }\n\n    }\n}\n",
    );
    expect(only(reports)).toMatchObject({ tolerance: "indentation", regions: [{ line: 3 }] });
  });

  it("may be indented too much, with tabs for spaces at its beginning", () => {
    const { text } = edited("\tf();\n\tg();\n", {
      old: "    f();\n    g();\n",
      new: "    f();\n    if (h)\n      g();\n",
    });
    expect(text).toBe("\tf();\n\tif (h)\n\t  g();\n");
  });

  it("does not fit lines whose indentation differs from line to line", () => {
    const failure = refusal("if a:\n    b()\nc()\n", { old: "if a:\n  b()\n  c()", new: "pass" });
    expect(failure.code).toBe("no_match");
  });

  it("may have plain quotes for curly ones, and keeps the curly ones it does not change", () => {
    const { text, reports } = edited("say “hello” – she’s here\n", {
      old: 'say "hello" - she\'s here',
      new: 'say "hello" - she\'s gone',
    });
    expect(text).toBe("say “hello” – she’s gone\n");
    expect(only(reports)).toMatchObject({ tolerance: "typography" });
  });

  it("is refused where it nearly fits twice", () => {
    const failure = refusal("  a()\n  b()\n\n    a()\n    b()\n", { old: "a()\nb()", new: "c()" });
    expect(failure.code).toBe("ambiguous");
    expect(failure.detail).toMatchObject({ places: [{ line: 1 }, { line: 4 }] });
  });

  it("never takes a looser place when a tighter one is there", () => {
    const text = edited("  a\nb\n\n a\nb\n", { old: " a\nb", new: "x\nb" });
    expect(only(text.reports)).toMatchObject({ state: "refused", failure: { code: "ambiguous" } });
    expect(edited("a \nb\n\na\nb\n", { old: "a\nb", new: "x" }).text).toBe("a \nb\n\nx\n");
  });

  it("of blank lines only is never stretched", () => {
    expect(refusal("a\n \t\nb\n", { old: "\n\n", new: "x" }).code).toBe("no_match");
  });
});

describe("an edit that fits nowhere", () => {
  const file =
    "function add(a, b) {\n\treturn a + b;\n}\n\nfunction sub(a, b) {\n\treturn a - b;\n}\n";

  it("is told the closest place and what differs there", () => {
    const failure = refusal(file, {
      old: "function sub(a, b) {\n\treturn a * b;\n}",
      new: "function sub() {}",
    });
    expect(failure.code).toBe("no_match");
    expect(failure.say).toContain("closest is line 5");
    expect(failure.say).toContain("-\treturn a * b;");
    expect(failure.say).toContain("+\treturn a - b;");
  });

  it("is shown white space where only that differs", () => {
    const failure = refusal("a:\n\tb:\n\t\tc\n", { old: "a:\n  b:\n    c", new: "d" });
    expect(failure.say).toContain("-··b:");
    expect(failure.say).toContain("+→b:");
  });

  it("is told when its lines begin with numbers", () => {
    expect(refusal(file, { old: "1\tfunction add(a, b) {", new: "x" }).fix).toContain("numbers");
  });

  it("is told when it seems to be made already", () => {
    const failure = refusal(file, { old: "return a+b;", new: "return a + b;" });
    expect(failure.say).toContain("`new` is already there, at line 2");
  });

  it("finds a close line by its words where no line is equal", () => {
    expect(refusal(file, { old: "return a  +  c;", new: "x" }).say).toContain("closest is line 2");
  });

  it("names no place where nothing is close", () => {
    expect(refusal(file, { old: "zebra", new: "x" }).say).toContain("nothing is close");
  });
});

describe("an edit that asks for nothing", () => {
  it("is refused when it names no place", () => {
    expect(refusal("a", { old: "", new: "b" }).code).toBe("bad_input");
  });
  it("is refused when it changes nothing", () => {
    expect(refusal("a\r\n", { old: "a\r\n", new: "a\n" }).code).toBe("bad_input");
    expect(refusal("  a\n", { old: "   a  \n", new: "   a  \n" }).code).toBe("bad_input");
  });
});

describe("several edits", () => {
  it("are made one by one on what the last one left, and those that fail are named", () => {
    const { text, reports } = edited(
      "a\nb\nc\n",
      { old: "c\n", new: "d\n" },
      { old: "x", new: "y" },
      { old: "a\n", new: "1\n2\n3\n" },
      { old: "d", new: "e" },
    );
    expect(text).toBe("1\n2\n3\nb\ne\n");
    expect(reports.map((report) => report.state)).toEqual([
      "applied",
      "refused",
      "applied",
      "applied",
    ]);
    // Reported in lines of the finished text, though line 3 was where the first one was made.
    expect(reports[0]).toMatchObject({ regions: [{ line: 5, lines: 1 }] });
    expect(reports[2]).toMatchObject({ regions: [{ line: 1, lines: 3 }] });
  });
});
