// How times, amounts and columns read.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dollars } from "#core/model/money.ts";
import {
  ago,
  column,
  cut,
  lasted,
  moneyText,
  short,
  tokens,
  width,
} from "#interfaces/cli/figures.ts";

const now = new Date(2026, 4, 20, 12, 0, 0).getTime();
const minute = 60_000;

describe("figures", () => {
  it.each([
    [0, "just now"],
    [5 * minute, "5 min ago"],
    [3 * 60 * minute, "3 h ago"],
    [30 * 60 * minute, "yesterday"],
    [5 * 24 * 60 * minute, "5 days ago"],
    [100 * 24 * 60 * minute, "2026-02-09"],
  ])("a moment %d ms ago is %s", (past, text) => expect(ago(now - past, now)).toBe(text));

  it("say durations, counts and tokens in short", () => {
    expect([0, 9_940, 12_000, 185_000].map(lasted)).toEqual([
      "0.0 s",
      "9.9 s",
      "12 s",
      "3 min 5 s",
    ]);
    expect([950, 12_345, 1_234_567].map(short)).toEqual(["950", "12.3k", "1.2M"]);
    const usage = { input: 12_345, cached: 8_000, output: 456, reasoning: 0, exact: true };
    expect(tokens(usage)).toBe("12.3k in (8.0k cached), 456 out");
    expect(tokens({ ...usage, cached: 0, exact: false })).toBe("at most 12.3k in, 456 out");
  });
});

describe("money", () => {
  it("is said in cents, and below ten cents with what counts", () => {
    const said = [0, 1, 50, 42_100_000, 99_999_999, 100_000_000, 12_304_000_000].map(dollars);
    expect(said).toEqual([
      "$0",
      "$0.000000001",
      "$0.00000005",
      "$0.0421",
      "$0.10",
      "$0.10",
      "$12.30",
    ]);
  });

  it("says how sure it is, and nothing where nothing is known", () => {
    const cost = { nanoDollars: 1_500_000_000, whole: true };
    expect(moneyText({ cost, exact: true })).toBe("$1.50");
    expect(moneyText({ cost, exact: false })).toBe("at most $1.50");
    expect(moneyText({ cost: { ...cost, whole: false }, exact: true })).toBe("over $1.50");
    expect(moneyText({ exact: true })).toBe("");
  });
});

describe("columns", () => {
  it("count wide characters twice and joined ones once", () => {
    expect(width("abc")).toBe(3);
    expect(width("日本")).toBe(4);
    expect(width("👩‍💻")).toBe(2);
    expect(width("é")).toBe(1);
  });

  it("are never more than asked for, and exactly as many where a column is wanted", () => {
    const texts = fc.string({
      unit: fc.constantFrom("a", "é", "日", "👩‍💻", "…", " "),
      maxLength: 40,
    });
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 30 }), (text, columns) => {
        expect(width(cut(text, columns))).toBeLessThanOrEqual(columns);
        expect(width(column(text, columns))).toBe(columns);
      }),
    );
  });
});
