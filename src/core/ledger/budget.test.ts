// Budgets as rules: which limits a call counts against, when it has no room, and what is said.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nanoOf, readAmount } from "#core/ledger/amount.ts";
import {
  amountText,
  exhausted,
  heldByTokens,
  limitsOf,
  nearing,
  refusal,
  type Spent,
  unpriced,
} from "#core/ledger/budget.ts";
import { ANSWER_TOKENS, setAside } from "#core/ledger/set-aside.ts";
import { dollars } from "#core/model/money.ts";

const none: Spent = { nanoDollars: 0, tokens: 0, asideNanoDollars: 0, asideTokens: 0 };
const day = "day:1";
const itself = { session: "s", own: null };

describe("an amount as people write it", () => {
  it.each([
    ["2", { nanoDollars: 2_000_000_000 }],
    ["$2.50", { nanoDollars: 2_500_000_000 }],
    ["0.1", { nanoDollars: 100_000_000 }],
    ["200k tokens", { tokens: 200_000 }],
    ["1.5M tokens", { tokens: 1_500_000 }],
    ["300 t", { tokens: 300 }],
  ])("%s is %o", (text, amount) => expect(readAmount(text)).toEqual({ ok: true, value: amount }));

  it.each(["0", "", "-1", "lots", "2 euros", "0 tokens", "1e3", "k tokens", "99999999999"])(
    "%s is none",
    (text) => expect(readAmount(text)).toMatchObject({ error: { code: "bad_input" } }),
  );

  it("is exact to the nano-dollar, for any text of digits", () => {
    fc.assert(fc.property(fc.string(), (text) => void nanoOf(text)));
    expect([nanoOf("0.0000000005"), nanoOf("0.0000000004"), nanoOf("")]).toEqual([1, 0, undefined]);
    expect(amountText({ nanoDollars: 2_000_000_000, tokens: 5 })).toBe("$2.00 and 5 tokens");
  });
});

describe("the limits of a call", () => {
  const budgets = {
    user: { tokens: 1 },
    day: { nanoDollars: 2 },
    session: { tokens: 3 },
    child: { tokens: 4 },
  };

  it("are the home's, the day's, and of a session without a parent its own", () => {
    const limits = limitsOf(budgets, [itself], day);
    expect(limits.map(({ kind, within }) => [kind, within])).toEqual([
      ["user", "user:"],
      ["day", day],
      ["session", "s"],
    ]);
  });

  it("of a child are its own as a child, and its eldest ancestor's as a session", () => {
    const lineage = [
      { session: "c", own: { nanoDollars: null, tokens: 7 } },
      { session: "b", own: null },
      { session: "a", own: { nanoDollars: 9, tokens: null } },
    ];
    const limits = limitsOf(budgets, lineage, day);
    expect(
      limits.slice(2).map(({ kind, within, unit, most }) => [kind, within, unit, most]),
    ).toEqual([
      ["session", "a", "tokens", 3],
      ["child", "c", "tokens", 4],
      ["child", "b", "tokens", 4],
      ["own", "c", "tokens", 7],
      ["own", "a", "nanoDollars", 9],
    ]);
  });

  it("refuse exactly what would pass one of them, counting what is set aside", () => {
    const n = fc.integer({ min: 0, max: 1_000 });
    fc.assert(
      fc.property(n, n, n, n, (most, tokens, asideTokens, needs) => {
        const limits = limitsOf({ day: { tokens: most } }, [itself], day);
        const spentOf = () => ({ ...none, tokens, asideTokens });
        const refused = refusal(limits, { tokens: needs }, spentOf);
        expect(refused !== null).toBe(tokens + asideTokens + needs > most);
        expect(exhausted(limits, spentOf) !== null).toBe(tokens + asideTokens >= most);
        expect(nearing(limits, spentOf).length).toBe(tokens >= 0.8 * most ? 1 : 0);
      }),
    );
  });

  it("hold no model without a price to money alone", () => {
    const money = limitsOf({ day: { nanoDollars: 5 } }, [itself], day);
    expect(unpriced(money, "x/y")?.error).toMatchObject({ code: "budget" });
    expect(unpriced(money, "x/y")?.error.fix).toContain("budget.dayTokens");
    const both = limitsOf({ day: { nanoDollars: 5, tokens: 5 } }, [itself], day);
    expect(unpriced(both, "x/y")).toBeNull();
    expect(heldByTokens(both)).toHaveLength(1);
    // The tokens of another budget hold another sum.
    const other = limitsOf({ day: { nanoDollars: 5 }, user: { tokens: 5 } }, [itself], day);
    expect(unpriced(other, "x/y")).not.toBeNull();
  });
});

it("what is set aside is a third of the bytes and an answer, at the dearest rate there is", () => {
  const price = { input: 3_000, cached: 300, written: 3_750, output: 15_000, date: "", source: "" };
  expect(setAside(30_000, { price })).toEqual({
    budget: { tokens: 10_000 + ANSWER_TOKENS, nanoDollars: 10_000 * 3_750 + 8_192 * 15_000 },
    output: ANSWER_TOKENS,
    costAtMost: 30_000 * 3_750 + 8_192 * 15_000,
  });
  expect(setAside(30_000, { outputTokensMax: 100 })).toEqual({
    budget: { tokens: 10_100 },
    output: 100,
  });
  expect(dollars(30_000 * 3_750)).toBe("$0.11");
});
