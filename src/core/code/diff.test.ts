// Diffs that people and models read: right, counted, and never too long.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countsOf, unifiedDiff } from "#core/code/diff.ts";

const numbered = (count: number, prefix = "line") =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i + 1}\n`).join("");

/** What the diff says the second text is. */
function applied(before: string, diff: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const out: string[] = [];
  let at = 0;
  const shown = diff.split("\n").slice(2);
  for (const [i, line] of shown.entries()) {
    const start = /^@@ -(\d+),(\d+) /.exec(line);
    if (start) {
      const from = Number(start[1]) - (start[2] === "0" ? 0 : 1);
      while (at < from) out.push(lines[at++] ?? "");
    } else if (line.startsWith("\\")) {
      // Of the line before it; a line that is taken out is in the first text only.
      if (!shown[i - 1]?.startsWith("-")) out.push((out.pop() ?? "").replace(/\n$/, ""));
    } else if (line.startsWith("-")) at += 1;
    else if (line.startsWith("+")) out.push(`${line.slice(1)}\n`);
    else out.push(lines[at++] ?? "");
  }
  return [...out, ...lines.slice(at)].join("");
}

describe("a diff of two texts", () => {
  it("is unified, with names, context and counts", () => {
    const diff = unifiedDiff("a\nb\nc\n", "a\nx\ny\nc\n", { path: "f.txt" });
    expect(diff).toEqual({
      text: "--- a/f.txt\n+++ b/f.txt\n@@ -1,3 +1,4 @@\n a\n-b\n+x\n+y\n c",
      added: 2,
      removed: 1,
      exact: true,
    });
    expect(countsOf(diff)).toBe("+2 −1");
  });

  it("counts lines from the beginning of the file, not of the changed part", () => {
    const before = numbered(1_000);
    const after = before.replace("line 500\n", "").replace("line 900\n", "new\n");
    const { text } = unifiedDiff(before, after);
    expect(text).toContain("@@ -497,7 +497,6 @@");
    expect(text).toContain("@@ -897,7 +896,7 @@");
  });

  it("is empty where nothing differs", () => {
    expect(unifiedDiff("a\n", "a\n", { path: "f" })).toMatchObject({
      text: "",
      added: 0,
      removed: 0,
    });
  });

  it("shows a new file and a deleted one", () => {
    expect(unifiedDiff(null, "a\n", { path: "f" }).text).toBe(
      "--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+a",
    );
    expect(unifiedDiff("a\n", null, { path: "f" }).text).toBe(
      "--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a",
    );
    expect(unifiedDiff(null, "", { path: "f" }).text).toBe("--- /dev/null\n+++ b/f");
  });

  it("names what a line by line comparison does not show", () => {
    expect(unifiedDiff("a\r\nb\r\n", "a\nb\n").text).toBe("(line endings: CRLF → LF)");
    expect(unifiedDiff("\uFEFFa\n", "a\n").text).toBe("(byte order mark removed)");
    expect(unifiedDiff("a\r\n", "b\r\n").text).not.toContain("\r");
    expect(unifiedDiff("a\r\nb\n", "a\nb\n").text).toBe("(line endings: mixed → LF)");
    expect(unifiedDiff("a\nb", "a\nc\n").text).toContain("\\ No newline at end of file");
  });

  it("is cut where it is too long and says how much is missing, but counts everything", () => {
    const before = numbered(1_000);
    const after = before.replaceAll(/line \d*50\n/g, "changed\n");
    const diff = unifiedDiff(before, after, { charactersMax: 500 });
    expect(diff.text.length).toBeLessThan(600);
    expect(diff.text).toMatch(/\(\d+ more lines of this diff are not shown\)$/);
    expect(diff).toMatchObject({ added: 10, removed: 10, exact: true });
  });

  it("shows the beginning of a long new file", () => {
    const diff = unifiedDiff(null, numbered(50_000), { path: "f", charactersMax: 1_000 });
    expect(diff).toMatchObject({ added: 50_000, removed: 0, exact: true });
    expect(diff.text).toContain("@@ -0,0 +1,50000 @@\n+line 1\n+line 2\n");
  });

  it("of texts with little in common replaces the whole part", () => {
    const [before, after] = [numbered(100_000), numbered(100_000, "other")];
    const diff = unifiedDiff(`same\n${before}`, `same\n${after}`, { charactersMax: 10_000_000 });
    expect(diff).toMatchObject({ added: 100_000, removed: 100_000, exact: false });
    expect(applied(`same\n${before}`, `\n\n${diff.text}`)).toBe(`same\n${after}`);
  });

  it("cuts lines that nobody can read", () => {
    expect(unifiedDiff("a\n", `${"b".repeat(100_000)}\n`).text.length).toBeLessThan(3_000);
  });

  it("applied to the first text gives the second", () => {
    const line = fc.constantFrom("a", "b", "c", "", "-", "+", "@@", "\\ x", "\u2028");
    const text = fc
      .tuple(fc.array(line, { maxLength: 20 }), fc.boolean())
      .map(([lines, ended]) => lines.join("\n") + (ended && lines.length > 0 ? "\n" : ""));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { text: diff, added, removed } = unifiedDiff(before, after, { path: "f" });
        expect(applied(before, diff)).toBe(after);
        const lines = (t: string) => t.split("\n").length - (t.endsWith("\n") || t === "" ? 1 : 0);
        expect(lines(before) + added - removed).toBe(lines(after));
      }),
      { numRuns: 5_000 },
    );
  });
});
