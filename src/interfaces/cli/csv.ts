// Rows as comma-separated values (RFC 4180), safe to open in a spreadsheet and to print.
import { reveal } from "#core/security/screen.ts";

/** With a head; every row has the columns of the first. */
export function csvText(rows: readonly Record<string, unknown>[], head: readonly string[]): string {
  return [head, ...rows.map((row) => head.map((name) => row[name] ?? ""))]
    .map((cells) => `${cells.map(cell).join(",")}\n`)
    .join("");
}

function cell(value: unknown): string {
  const text = typeof value === "string" ? reveal(value) : String(value);
  // A cell that begins like a formula is one to a spreadsheet.
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
