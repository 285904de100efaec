// A diff as a person reads it on a screen: numbered lines, what went and what came, a line around.

export type DiffLine = { kind: "added" | "removed" | "context"; text: string };

/** Lines of one change that are shown where nobody asked for all. */
export const DIFF_LINES = 8;

/** A unified diff as numbered lines, at most `most` of them, then how many more there are. */
export function diffLines(diff: string, most: number): DiffLine[] {
  const all = numbered(diff);
  const left = all.length - most;
  // One line more takes no more room than the line that says so.
  if (left <= 1) return all;
  return [...all.slice(0, most), { kind: "context", text: `… ${left} more lines` }];
}

function numbered(diff: string): DiffLine[] {
  const out: DiffLine[] = [];
  let old = 0;
  let now = 0;
  let wide = 0;
  const rows = diff.split("\n");
  for (const [i, row] of rows.entries()) {
    const hunk = /^@@ -(\d+),\d+ \+(\d+),(\d+) @@/.exec(row);
    if (hunk) {
      if (out.length > 0) out.push({ kind: "context", text: "⋮" });
      [old, now] = [Number(hunk[1]), Number(hunk[2])];
      wide = String(now + Number(hunk[3])).length;
      continue;
    }
    const [mark, text] = [row[0], row.slice(1)];
    const line = (n: number) => `${String(n).padStart(wide)} ${mark} ${text}`;
    if (mark === "+") out.push({ kind: "added", text: line(now++) });
    else if (mark === "-") out.push({ kind: "removed", text: line(old++) });
    else if (mark === " ") {
      // Only the lines that touch a change help to see where it is.
      if (isChange(rows[i - 1]) || isChange(rows[i + 1])) {
        out.push({ kind: "context", text: line(now) });
      }
      old += 1;
      now += 1;
    } else if (mark === "(") out.push({ kind: "context", text: row });
  }
  return out;
}

const isChange = (row: string | undefined): boolean => row?.[0] === "+" || row?.[0] === "-";
