// The ledger beside a provider's word: what agrees, what does not, and what could explain it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ExportRow } from "#core/ledger/exports/export.ts";
import { ALL_MODELS, type OurRow, plainName, reconcile } from "#core/ledger/reconcile.ts";

const ours = (more: Partial<OurRow> = {}): OurRow => ({
  ...{ day: 1, model: "openai/gpt-5", calls: 2, input: 1_000, output: 100 },
  ...{ nanoDollars: 3_000_000_000, inexact: 0, unpriced: 0 },
  ...more,
});
const theirs = (more: Partial<ExportRow> = {}): ExportRow => ({
  ...{ day: 1, model: "gpt-5-2026-01-15", requests: 2, input: 1_000, output: 100 },
  ...{ nanoDollars: 3_000_000_000 },
  ...more,
});
const exact = { provider: "openai", percent: 0 };

describe("the ledger beside an export", () => {
  it("agrees where every sum is the same, however it is cut into lines", () => {
    const half = { requests: 1, input: 500, output: 50, nanoDollars: 1_500_000_000 };
    const found = reconcile([theirs(half), theirs({ ...half, model: "GPT 5" })], [ours()], exact);
    expect(found).toMatchObject({ agrees: true, beyond: 0 });
    expect(found.lines).toEqual([
      {
        ...{ day: 1, model: "gpt-5-2026-01-15", agrees: true, explanations: [] },
        theirs: { requests: 2, input: 1_000, output: 100, nanoDollars: 3_000_000_000 },
        ours: { requests: 2, input: 1_000, output: 100, nanoDollars: 3_000_000_000 },
        difference: { requests: 0, input: 0, output: 0, nanoDollars: 0 },
      },
    ]);
  });

  it("takes a cent of money, and so many percent of anything", () => {
    const cent = theirs({ nanoDollars: 3_010_000_000 });
    expect(reconcile([cent], [ours()], exact).agrees).toBe(true);
    const more = theirs({ nanoDollars: 3_010_000_001 });
    expect(reconcile([more], [ours()], exact).agrees).toBe(false);
    expect(reconcile([more], [ours()], { ...exact, percent: 1 }).agrees).toBe(true);
    expect(reconcile([theirs({ input: 1_001 })], [ours()], exact).agrees).toBe(false);
  });

  it("compares what the export says, of the provider's calls, on its days", () => {
    const { input: _, output: __, requests: ___, ...money } = theirs();
    const others = [ours({ model: "corp/gpt-5" }), ours({ day: 9, calls: 5 })];
    const found = reconcile([money], [ours(), ...others], exact);
    expect(found.lines.map(({ difference }) => difference)).toEqual([{ nanoDollars: 0 }]);
    expect(found.beyond).toBe(5);
    const all = reconcile([money], [ours(), ...others], { provider: null, percent: 0 });
    expect(all.agrees).toBe(false);
  });

  it("compares whole days where the export names no models", () => {
    const rows = [ours({ nanoDollars: 1_000_000_000 }), ours({ model: "openai/o9" })];
    const found = reconcile([theirs({ model: null, nanoDollars: 4e9 })], rows, exact);
    expect(found.lines).toHaveLength(1);
    expect(found.lines[0]).toMatchObject({ model: ALL_MODELS, difference: { nanoDollars: 0 } });
  });

  it.each<[string, ExportRow[], OurRow[]]>([
    ["only theirs", [theirs(), theirs({ model: "other" })], [ours()]],
    ["only ours", [theirs()], [ours(), ours({ model: "openai/other" })]],
    ["upper bounds", [theirs({ output: 90 })], [ours({ inexact: 1 })]],
    ["had no price", [theirs()], [ours({ nanoDollars: 0, unpriced: 1_100 })]],
    ["the price was another", [theirs({ nanoDollars: 1 })], [ours()]],
    ["3 more requests", [theirs({ requests: 5, input: 2_000 })], [ours()]],
    [
      "around midnight",
      [theirs({ input: 1_500 }), theirs({ day: 2, input: 500 })],
      [ours(), ours({ day: 2 })],
    ],
    ["nothing that the ledger knows", [theirs({ input: 2_000 })], [ours()]],
  ])("explains a difference: %s", (why, left, right) => {
    const { lines } = reconcile(left, right, exact);
    expect(lines.flatMap(({ explanations }) => explanations).join("; ")).toContain(why);
  });

  it("calls a model the same under every name that it has", () => {
    const names = [
      "anthropic/claude-haiku-4-5-20251001",
      "Claude Haiku 4.5",
      "claude-haiku-4.5:free",
    ];
    expect(new Set(names.map(plainName))).toEqual(new Set(["claude-haiku-4-5"]));
    expect(plainName("openai/gpt-5-2026-01-15")).toBe("gpt-5");
  });

  it("its differences add up to the difference of the sums, for any rows", () => {
    const count = fc.integer({ min: 0, max: 1e9 });
    const day = fc.integer({ min: 1, max: 3 });
    const model = fc.constantFrom("a", "b");
    const left = fc.record({ day, model, input: count, output: count, nanoDollars: count });
    const right = fc.record({ day, model, input: count, nanoDollars: count });
    fc.assert(
      fc.property(fc.array(left, { minLength: 1 }), fc.array(right), (said, had) => {
        const rows = had.map((row) => ours({ ...row, model: `openai/${row.model}` }));
        const days = said.map((row) => row.day);
        const inside = rows.filter((r) => r.day >= Math.min(...days) && r.day <= Math.max(...days));
        const { lines } = reconcile(said, rows, exact);
        for (const unit of ["input", "nanoDollars"] as const) {
          const sum = (all: readonly { [K in typeof unit]?: number }[]) =>
            all.reduce((n, row) => n + (row[unit] ?? 0), 0);
          const differences = lines.map(({ difference }) => difference);
          expect(sum(differences)).toBe(sum(inside) - sum(said));
        }
      }),
    );
  });
});

it("takes an export with a line for each of many models", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => theirs({ model: `m${i}` }));
  expect(reconcile(many, [ours()], exact).lines).toHaveLength(20_001);
});
