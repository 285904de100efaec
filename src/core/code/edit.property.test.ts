// Edits under generated and adversarial texts: never the wrong place, never slow.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyEdits } from "#core/code/edit.ts";
import { joined, sourceText } from "#core/code/lines.ts";
import { occurrences } from "#core/code/occurrences.ts";

const piece = fc.constantFrom(
  ...[
    "a",
    "b",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "x = 1",
    "}",
    "“",
    '"',
    "\u2028",
    "\u2029",
    "\uFEFF",
    "–",
    "-",
  ],
);
const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
const runs = { numRuns: 20_000 };

describe("any text", () => {
  it("is put together again as it was", () => {
    fc.assert(
      fc.property(text, (t) => joined(sourceText(t)) === t),
      runs,
    );
  });

  it("has the occurrences that indexOf finds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 2), { maxLength: 30 }),
        fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 5 }),
        (hay, needle) => {
          const naive = hay.flatMap((_, i) =>
            needle.every((n, j) => hay[i + j] === n) ? [i] : [],
          );
          expect(occurrences(hay, needle, { max: 99 })).toEqual(naive);
        },
      ),
      runs,
    );
  });
});

describe("any edit", () => {
  it("that fits exactly once is made there and nowhere else", () => {
    fc.assert(
      fc.property(text, text, text, text, (before, old, after, wanted) => {
        const file = before + old + after;
        const { lf, bom } = sourceText(file);
        const needle = sourceText(old).lf;
        const first = lf.indexOf(needle);
        fc.pre(needle !== "" && first !== -1 && lf.indexOf(needle, first + 1) === -1);
        const { text: out, reports } = applyEdits(file, [{ old, new: wanted }]);
        if (reports[0]?.state === "refused") return out === file;
        // A carriage return beside a line feed becomes one line ending: compare what was meant.
        const meant = lf.slice(0, first) + sourceText(wanted).lf + lf.slice(first + needle.length);
        return out.replaceAll("\r", "") === (bom ? "\uFEFF" : "") + meant.replaceAll("\r", "");
      }),
      runs,
    );
  });

  it("can be undone by its reverse where both fit once", () => {
    const plain = text.map((t) => t.replaceAll("\r", "").replaceAll("\uFEFF", ""));
    fc.assert(
      fc.property(
        plain,
        plain,
        plain,
        plain,
        fc.constantFrom("\n", "\r\n"),
        (a, old, b, now, end) => {
          const file = (a + old + b).replaceAll("\n", end);
          const there = applyEdits(file, [{ old, new: now }]);
          const back = applyEdits(there.text, [{ old: now, new: old }]);
          const [first, second] = [there.reports[0], back.reports[0]];
          const exact = (report = first) =>
            report?.state === "applied" && ["exact", "lineEndings"].includes(report.tolerance);
          // What ends with the only line ending of a text cannot be known afterwards.
          fc.pre(exact(first) && exact(second) && there.text.includes(end));
          expect(back.text).toBe(file);
        },
      ),
      runs,
    );
  });

  it("that fits more than once is refused and changes nothing", () => {
    fc.assert(
      fc.property(text, text, text, text, (a, old, b, wanted) => {
        const needle = sourceText(old).lf;
        fc.pre(needle !== "" && needle !== sourceText(wanted).lf && !old.includes("\r"));
        const file = `${a}${old} ${old}${b}`;
        fc.pre(sourceText(file).lf.split(needle).length > 2);
        const { text: out, reports } = applyEdits(file, [{ old, new: wanted }]);
        const report = reports[0];
        if (report?.state === "applied") {
          // Only a difference in line endings may single out one of them.
          expect(report.tolerance).toBe("exact");
          expect(file).toContain("\r");
          return;
        }
        expect(out).toBe(file);
      }),
      runs,
    );
  });

  it("changes no line outside the regions it reports", () => {
    fc.assert(
      fc.property(text, text, text, (file, old, wanted) => {
        const { text: out, reports } = applyEdits(file, [{ old, new: wanted }]);
        const report = reports[0];
        if (report?.state !== "applied") {
          expect(out).toBe(file);
          return;
        }
        const region = report.regions[0];
        if (!region) throw new Error("an edit that was made has a region");
        // A byte order mark stays at the beginning, whatever line that is.
        const mark = file.startsWith("\uFEFF") ? 1 : 0;
        const bare = (t: string) => t.slice(mark).split("\n");
        const [before, after] = [bare(file), bare(out)];
        const head = region.line - 1;
        const tail = after.length - head - region.lines;
        expect(after.slice(0, head)).toEqual(before.slice(0, head));
        expect(tail === 0 ? [] : after.slice(-tail)).toEqual(tail === 0 ? [] : before.slice(-tail));
      }),
      runs,
    );
  });
});

/** The places of whole lines that fit, by the plainest means: each line tried, each compared. */
function naivePlaces(file: string[], block: string[], same: (a: string[], b: string[]) => boolean) {
  return file.flatMap((_, i) => {
    const part = file.slice(i, i + block.length);
    return part.length === block.length && same(part, block) ? [i + 1] : [];
  });
}

function linesEqual(seenAs: (lines: string[]) => string[]) {
  return (a: string[], b: string[]) => seenAs(a).join("\n") === seenAs(b).join("\n");
}

const trimmedEnds = (lines: string[]) => lines.map((line) => line.trimEnd());

/** Lines less the longest run of spaces that all those with something in them begin with. */
function dedented(lines: string[]): string[] {
  const widths = lines.flatMap((l) => (l.trim() === "" ? [] : [l.length - l.trimStart().length]));
  return trimmedEnds(lines).map((line) => line.slice(Math.min(...widths)));
}

describe("an edit that fits only tolerantly", () => {
  it("is made at the one place that the plainest search finds, at the tightest tolerance", () => {
    const line = fc.constantFrom("a", " a", "  a", "a ", "  b", "    b", "", "  ", "b", "c");
    const lines = fc.array(line, { minLength: 1, maxLength: 12 });
    const counts = { trailingSpace: 0, indentation: 0, refused: 0 };
    fc.assert(
      fc.property(lines, fc.array(line, { minLength: 1, maxLength: 3 }), (file, block) => {
        const [text, old] = [`${file.join("\n")}\n`, `${block.join("\n")}\n`];
        fc.pre(!text.includes(old) && old.trim() !== "");
        const [report] = applyEdits(text, [{ old, new: "new\n" }]).reports;
        const trailing = naivePlaces(file, block, linesEqual(trimmedEnds));
        const indented = naivePlaces(file, block, linesEqual(dedented));
        const [tolerance, places] =
          trailing.length > 0
            ? (["trailingSpace", trailing] as const)
            : (["indentation", indented] as const);
        if (places.length === 1) {
          counts[tolerance] += 1;
          expect(report).toMatchObject({
            state: "applied",
            tolerance,
            regions: [{ line: places[0] }],
          });
          return;
        }
        counts.refused += 1;
        const code = places.length === 0 ? "no_match" : "ambiguous";
        expect(report).toMatchObject({ state: "refused", failure: { code } });
      }),
      runs,
    );
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(100);
  });
});

describe("an adversarial edit of a file of 1 MB", () => {
  const million = 1_000_000;
  const cases: [string, string, string][] = [
    ["of one letter, searched for half of it", "a".repeat(million), "a".repeat(million / 2)],
    ["of one letter, searched for nearly half", "a".repeat(million), `b${"a".repeat(million / 2)}`],
    ["of equal lines", "x\n".repeat(million / 2), `${"x\n".repeat(million / 4)}y\n`],
    ["of lines at many indentations", " x\nx\n".repeat(200_000), "x\n x\n  x\n".repeat(60_000)],
    ["of equal lines at another indentation", "  x\n".repeat(250_000), "x\n".repeat(100_000)],
    ["of white space", " ".repeat(million), `${" ".repeat(million / 2)}x`],
    ["of curly quotes", "“".repeat(million), `${'"'.repeat(million / 2)}x`],
    [
      "of many different lines",
      Array.from({ length: 99_999 }, (_, i) => `l ${i}`).join("\n"),
      "l 7\nl",
    ],
    ["of one long line of words", "word ".repeat(million / 5), "word other word"],
  ];
  // What is quadratic in a megabyte does not end within a test's time limit.
  it.each(cases)("%s ends, and says what it did with each edit", (_, file, old) => {
    for (const all of [false, true]) {
      expect(applyEdits(file, [{ old, new: "z\n", all }]).reports).toHaveLength(1);
    }
  });
});
