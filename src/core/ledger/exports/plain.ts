// A plain table for every other provider: a head with `day` (or `date`), `model`, and any of `requests`,
// `input`, `cached`, `output` (tokens) and `cost` (dollars). Our own form: docs/models.md describes it.
import {
  bad,
  countIn,
  dayIn,
  type ExportFormat,
  type ExportRow,
  moneyIn,
  tableRows,
} from "#core/ledger/exports/export.ts";

const counts = ["requests", "input", "cached", "output"] as const;

export const plain: ExportFormat = {
  name: "plain",
  provider: null,
  fits: (given) =>
    given.form === "table" &&
    (given.head.includes("day") || given.head.includes("date")) &&
    [...counts, "cost"].some((name) => given.head.includes(name)),
  read(given) {
    if (given.form !== "table") return bad("the file", "is no table");
    const told = counts.filter((name) => given.head.includes(name));
    const hasCost = given.head.includes("cost");
    return tableRows(given, (cell) => {
      const day = dayIn(cell("day") ?? cell("date") ?? "");
      if (day === undefined) return "there is no such day";
      const model = (cell("model") ?? "").trim();
      const row: ExportRow = { day, model: model === "" ? null : model };
      for (const name of told) {
        const n = countIn(cell(name));
        if (n === undefined) return `${name} is no whole number`;
        row[name] = n;
      }
      if (!hasCost) return row;
      const nanoDollars = moneyIn(cell("cost"));
      return nanoDollars === undefined ? "cost is no number" : { ...row, nanoDollars };
    });
  },
};
