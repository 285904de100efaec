// The patch format: what is read, what is refused, and where chunks land.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyChunks } from "#core/code/chunks.ts";
import { isPatch, type PatchOperation, parsePatch } from "#core/code/patch.ts";

const wrap = (body: string) => `*** Begin Patch\n${body}\n*** End Patch\n`;
const update = (body: string) => wrap(`*** Update File: f\n${body}`);

function operations(text: string): PatchOperation[] {
  const read = parsePatch(text);
  if (!read.ok) throw new Error(read.error.say);
  return read.value;
}

function refusal(text: string) {
  const read = parsePatch(text);
  if (read.ok) throw new Error("the patch was read");
  return read.error;
}

function applied(file: string, body: string) {
  const [operation] = operations(update(body));
  if (operation?.do !== "update") throw new Error("not an update");
  return applyChunks(file, operation.chunks);
}

function result(file: string, body: string): string {
  const made = applied(file, body);
  if (!made.ok) throw new Error(made.error.say);
  return made.value.text;
}

function failure(file: string, body: string) {
  const made = applied(file, body);
  if (made.ok) throw new Error(`applied: ${made.value.text}`);
  return made.error;
}

describe("a patch", () => {
  it("adds, deletes, updates and moves in its order", () => {
    const body = [
      "*** Add File: a/b.txt",
      "+one",
      "+",
      "*** Delete File: c.txt",
      "",
      "*** Update File: d.txt",
      "*** Move to: e.txt",
      "@@ heading",
      " x",
      "-y",
      "+z",
      "*** End of File",
    ].join("\n");
    expect(operations(wrap(body))).toEqual([
      { do: "add", path: "a/b.txt", text: "one\n\n" },
      { do: "delete", path: "c.txt" },
      {
        do: "update",
        path: "d.txt",
        moveTo: "e.txt",
        chunks: [
          {
            headings: ["heading"],
            lines: [
              { op: " ", text: "x" },
              { op: "-", text: "y" },
              { op: "+", text: "z" },
            ],
            endOfFile: true,
            patchLine: 9,
          },
        ],
      },
    ]);
  });

  it("may be wrapped like a shell document, padded, and written with CRLF", () => {
    const plain = operations(update("@@\n-a\n+b"));
    for (const eof of ["<<EOF", "<<'EOF'", '<<"EOF"']) {
      expect(operations(`${eof}\n${update("@@\n-a\n+b")}EOF\n`)).toEqual(
        plain.map((op) => (op.do === "update" ? withLine(op, 4) : op)),
      );
    }
    expect(operations(update("@@\n-a\n+b").replaceAll("\n", "\r\n"))).toEqual(plain);
    expect(
      operations("\uFEFF*** Begin Patch \n  *** Update File: f\t\n@@\n-a\n+b\n *** End Patch"),
    ).toEqual(plain);
  });

  it("takes a marker behind a space as a line of the file", () => {
    const [operation] = operations(update("@@\n *** Delete File: precious\n-a\n+b"));
    expect(operation).toMatchObject({
      chunks: [{ lines: [{ text: "*** Delete File: precious" }, {}, {}] }],
    });
    expect(operations(update("@@\n *** Delete File: precious\n-a\n+b"))).toHaveLength(1);
  });

  it.each([
    ["", "begins with"],
    ["*** Begin Patch\n*** Add File: a\n+b", "ends with"],
    ["*** Begin Patch\n*** End Patch", "changes no file"],
    [wrap("*** Frobnicate File: foo"), "line 2 of the patch"],
    [wrap("*** Update File: foo"), "changes nothing"],
    [update("@@\n a"), "changes nothing"],
    [update("@@"), "no lines follow"],
    [update("@@\n-a\nb"), "line 5"],
    [wrap("*** Add File: a\n+b\n\n+c"), "line 4"],
    [wrap("*** Add File:  \n+b"), "line 2"],
    [update("*** End of File"), "nothing before the end"],
    [update("@@\n-a\n*** End of File\n-b"), "after"],
    [update("*** Move to: \n@@\n-a"), "path to move to"],
  ])("%j is refused, and says where", (text, says) => {
    expect(refusal(text)).toMatchObject({ code: "bad_input", say: expect.stringContaining(says) });
  });

  it("is told from other text", () => {
    expect(isPatch(wrap("x"))).toBe(true);
    expect(isPatch(`<<'EOF'\n${wrap("x")}EOF`)).toBe(true);
    expect(isPatch('{"patch":"*** Begin Patch"}')).toBe(false);
  });
});

function withLine(operation: PatchOperation & { do: "update" }, patchLine: number) {
  return { ...operation, chunks: operation.chunks.map((chunk) => ({ ...chunk, patchLine })) };
}

describe("the chunks of an update", () => {
  it("keep context as the file has it, whatever the patch says", () => {
    expect(result("a  \n\tb\nc\n", "@@\n a\n b\n-c\n+d")).toBe("a  \n\tb\nd\n");
    expect(result("say “hi”\nx\n", '@@\n say "hi"\n-x\n+y')).toBe("say “hi”\ny\n");
  });

  it("move what they put in with a block found at another indentation", () => {
    expect(result("{\n\ta\n\tb\n}\n", "@@\n a\n-b\n+c\n+d")).toBe("{\n\ta\n\tc\n\td\n}\n");
  });

  it("prefer the tightest fit", () => {
    expect(result("  a\na\n", "@@\n-a\n+b")).toBe("  a\nb\n");
  });

  it("are refused where two places fit and nothing chooses", () => {
    const refused = failure("a\nx\na\n", "@@\n-a\n+b");
    expect(refused).toMatchObject({
      code: "ambiguous",
      detail: { places: [{ line: 1 }, { line: 3 }] },
    });
  });

  it("are placed by a heading, by several, or by the end of the file", () => {
    const file = "class A\n  f\n    1\nclass B\n  f\n    1\n";
    expect(result(file, "@@ class B\n-    1\n+    2")).toBe(file.replace(/1\n$/, "2\n"));
    expect(result(file, "@@ class B\n@@   f\n-    1\n+    2")).toBe(file.replace(/1\n$/, "2\n"));
    expect(result(file, "@@\n-    1\n+    2\n*** End of File")).toBe(file.replace(/1\n$/, "2\n"));
    expect(failure(file, "@@   f\n-    1\n+    2").code).toBe("ambiguous");
    expect(failure(file, "@@ class C\n-    1\n+    2").say).toContain("`@@ class C`");
  });

  it("are placed after the one before", () => {
    expect(result("a\nx\na\nb\n", "@@\n-x\n+y\n@@\n-a\n+c")).toBe("a\ny\nc\nb\n");
    expect(failure("a\nb\n", "@@\n-b\n+c\n@@\n-a\n+d").say).toContain("before what precedes it");
  });

  it("that only add go behind their heading, else to the end", () => {
    expect(result("a\nb\n", "@@ a\n+x")).toBe("a\nx\nb\n");
    expect(result("a\nb", "@@\n+x\n@@\n-a\n+c")).toBe("c\nb\nx\n");
  });

  it("ignore the line numbers of a unified diff", () => {
    expect(result("a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c")).toBe("a\nc\n");
    expect(result("f\na\nb\n", "@@ -2 +2 @@ f\n-b\n+c")).toBe("f\na\nc\n");
  });

  it("leave a missing final line ending alone unless the last line changes", () => {
    expect(result("a\nb", "@@\n-a\n+c")).toBe("c\nb");
    expect(result("a\nb", "@@\n-b\n+c")).toBe("a\nc\n");
    expect(result("a\nb", "@@\n b\n+c")).toBe("a\nb\nc\n");
    expect(result("a\nb", "@@\n-b")).toBe("a\n");
    expect(result("a\nb", "@@\n-a\n-b\n+c\n@@\n+d")).toBe("c\nd\n");
    expect(result("", "@@\n+a")).toBe("a\n");
  });

  it("keep CRLF, mixed endings and the byte order mark", () => {
    expect(result("\uFEFFa\r\nb\r\n", "@@\n-a\n+x\n+y")).toBe("\uFEFFx\r\ny\r\nb\r\n");
    expect(result("a\nb\r\nc\n", "@@\n-a\n-b\n-c\n+x\n+y\n+z")).toBe("x\ny\r\nz\n");
  });

  it("may end in a blank line that the file does not have", () => {
    expect(result("a\nb\n", "@@\n-a\n+c\n b\n \n ")).toBe("c\nb\n");
  });

  it("that fit nowhere say what is closest", () => {
    const refused = failure(
      "def f():\n    return 1\n",
      "@@\n def f():\n-    return 2\n+    return 3",
    );
    expect(refused.code).toBe("no_match");
    expect(refused.say).toContain("closest is line 1");
    expect(refused.say).toContain("+    return 1");
  });
});

describe("any patch", () => {
  const runs = { numRuns: 20_000 };
  const word = fc.constantFrom(
    "a",
    "b",
    "",
    "  a",
    "“",
    "\r",
    "\u2028",
    "\uFEFF",
    "\t",
    "@@",
    "-",
    "+ ",
  );
  const words = fc.array(word, { maxLength: 8 });
  const fragment = fc.constantFrom(
    ...[
      "*** Begin Patch",
      "*** End Patch",
      "*** Add File: a",
      "*** Update File: b",
      " *** Delete File: c",
    ],
    ...[
      "*** Move to: d",
      "@@",
      "@@ a",
      " a",
      "-a",
      "+b",
      "",
      "*** End of File",
      "\r",
      "\u2029x",
      "EOF",
      "<<EOF",
    ],
  );

  it("is read or refused, and never throws", () => {
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 15 }),
        fc.constantFrom("\n", "\r\n"),
        (lines, end) => {
          const read = parsePatch(lines.join(end));
          if (!read.ok) return read.error.code === "bad_input";
          for (const operation of read.value) {
            if (operation.do === "update") applyChunks("a\nb\na", operation.chunks);
          }
          return true;
        },
      ),
      runs,
    );
  });

  it("made of the difference of two texts turns one into the other, or is refused", () => {
    let made = 0;
    fc.assert(
      fc.property(words, words, words, words, (head, old, now, tail) => {
        // As its author would: whole-file context, so that there is one place.
        const lines = [
          ...head.map((text) => ({ op: " " as const, text })),
          ...old.map((text) => ({ op: "-" as const, text })),
          ...now.map((text) => ({ op: "+" as const, text })),
          ...tail.map((text) => ({ op: " " as const, text })),
        ];
        fc.pre(old.length + head.length + tail.length > 0);
        const file = [...head, ...old, ...tail].map((line) => `${line}\n`).join("");
        fc.pre(!file.includes("\r") && !file.startsWith("\uFEFF"));
        const patched = applyChunks(file, [
          { headings: [], lines, endOfFile: false, patchLine: 1 },
        ]);
        if (!patched.ok) throw new Error(patched.error.say);
        made += 1;
        expect(patched.value.text).toBe([...head, ...now, ...tail].map((l) => `${l}\n`).join(""));
      }),
      runs,
    );
    expect(made).toBeGreaterThan(1_000);
  });

  it("of adversarial size is done within a second", () => {
    const file = "x\n".repeat(200_000);
    const bodies = [
      `@@\n${" x\n".repeat(100_000)}-y`,
      `@@\n-x\n${"\n".repeat(200_000)}`,
      `@@ x\n-y\n`,
      "@@\n-y\n+x\n".repeat(999),
    ];
    for (const body of bodies) {
      const read = parsePatch(update(body));
      if (read.ok && read.value[0]?.do === "update") applyChunks(file, read.value[0].chunks);
    }
    parsePatch(wrap(`*** Add File: a\n${"\n".repeat(500_000)}+x`));
  });
});
