// What is known of models and what they cost: three sources in their order, exact money.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factsOf, fits, type ModelFacts } from "#core/model/catalog.ts";
import { familyOf } from "#core/model/family.ts";
import { knownModels } from "#core/model/known-models.ts";
import { addUsage, noUsage, type Usage } from "#core/model/message.ts";
import { costOf, type Price, perToken, priced } from "#core/model/money.ts";

const price: Price = {
  input: 2_000,
  cached: 200,
  written: 2_500,
  output: 10_000,
  above: { tokens: 1_000, input: 4_000, output: 15_000 },
  date: "2026-01-01",
  source: "a test",
};

const usage = (more: Partial<Usage>): Usage => ({ ...noUsage, ...more });

const anyUsage = fc
  .record({
    input: fc.nat(1_000_000),
    cached: fc.nat(1_000_000),
    written: fc.nat(1_000_000),
    output: fc.nat(100_000),
    exact: fc.boolean(),
    known: fc.boolean(),
  })
  .map(({ known, ...counts }): Usage => {
    const all = { ...counts, reasoning: 0 };
    return known ? priced(all, price) : all;
  });

describe("the facts of a model", () => {
  it("come from the table, the server and the user, the later over the earlier, with their source", () => {
    const server: ModelFacts = { windowTokens: 32_000, images: false };
    const user = [
      { name: "openai/*", facts: { images: true } },
      { name: "other/*", facts: { windowTokens: 1 } },
    ];
    const { facts, sources } = factsOf("openai/gpt-6-sol", { server, user });
    expect(facts).toMatchObject({ thinking: true, windowTokens: 32_000, images: true });
    expect(sources).toMatchObject({ thinking: "catalog", windowTokens: "server", images: "user" });
    expect(Object.keys(sources).sort()).toEqual(Object.keys(facts).sort());
  });

  it("stay unknown where nobody says them", () => {
    expect(factsOf("openai/no-such-model")).toEqual({ facts: {}, sources: {} });
    expect(factsOf("")).toEqual({ facts: {}, sources: {} });
  });

  it("hold whoever runs the model, but a price only where its maker does", () => {
    const { price: here, ...rest } = factsOf("anthropic/claude-opus-5-5").facts;
    expect(here?.input).toBe(4_000);
    expect(factsOf("corp/team/claude-opus-5-5").facts).toEqual(rest);
    expect(factsOf("anthropic/claude-opus-5-5", { elsewhere: true }).facts).toEqual(rest);
  });

  it("leave the family to the name, unless somebody says it", () => {
    for (const { facts } of knownModels) expect(facts.family).toBeUndefined();
    const user = [{ name: "own/*", facts: { family: "claude" as const } }];
    expect(familyOf("own/gpt-6-sol", factsOf("own/gpt-6-sol", { user }).facts)).toBe("claude");
  });

  it("hold a dated source for every price", () => {
    const prices = knownModels.flatMap(({ facts }) => facts.price ?? []);
    expect(prices.length).toBeGreaterThan(10);
    for (const { date, source, cached = 0, input, above } of prices) {
      expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(source).toMatch(/^https:\/\//);
      expect(cached).toBeLessThan(input);
      if (above) expect(above.input).toBeGreaterThan(input);
    }
  });
});

describe("a pattern", () => {
  it("fits what it spells, with any text for each star", () => {
    const text = fc.stringMatching(/^[ab/]{0,6}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[ab/*]{0,6}$/), text, (pattern, name) => {
        const spelt = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
        expect(fits(pattern, name)).toBe(spelt.test(name));
      }),
    );
  });
});

describe("the cost of a call", () => {
  it("counts each token once, by what it was", () => {
    const call = usage({ input: 1_000, cached: 600, written: 300, output: 10 });
    const nanoDollars = 100 * 2_000 + 600 * 200 + 300 * 2_500 + 10 * 10_000;
    expect(costOf(call, price)).toEqual({ nanoDollars, whole: true });
  });

  it("takes the long rates for all of a long request", () => {
    const nanoDollars = 1_001 * 4_000 + 15_000;
    expect(costOf(usage({ input: 1_001, cached: 500, output: 1 }), price)?.nanoDollars).toBe(
      nanoDollars,
    );
  });

  it("is not known without a price, and stays what it was once it is", () => {
    expect(costOf(usage({ input: 5 }), undefined)).toBeUndefined();
    const before = priced(usage({ input: 5 }), price);
    expect(priced(before, { ...price, input: 1 })).toEqual(before);
  });

  it("is a whole number of nano-dollars, and the sum of calls is the sum of their costs", () => {
    fc.assert(
      fc.property(fc.array(anyUsage, { maxLength: 8 }), (calls) => {
        const sum = calls.reduce(addUsage, noUsage);
        const known = calls.flatMap(({ cost }) => cost ?? []);
        const nanoDollars = known.reduce((all, cost) => all + cost.nanoDollars, 0);
        expect(Number.isSafeInteger(nanoDollars)).toBe(true);
        expect(sum.cost?.nanoDollars ?? 0).toBe(nanoDollars);
        const unpriced = calls.some((call) => !call.cost && call.input + call.output > 0);
        if (sum.cost) expect(sum.cost.whole).toBe(!unpriced);
        else expect(known).toEqual([]);
      }),
    );
  });

  it("adds up in any grouping", () => {
    fc.assert(
      fc.property(anyUsage, anyUsage, anyUsage, (a, b, c) => {
        expect(addUsage(addUsage(a, b), c)).toEqual(addUsage(a, addUsage(b, c)));
      }),
    );
  });

  it("never falls where a token is added", () => {
    fc.assert(
      fc.property(anyUsage, fc.constantFrom("input", "output" as const), (call, key) => {
        const { cost: _, ...bare } = call;
        const more = { ...bare, [key]: call[key] + 1 };
        expect(costOf(more, price)?.nanoDollars ?? 0).toBeGreaterThanOrEqual(
          costOf(bare, price)?.nanoDollars ?? 0,
        );
      }),
    );
  });
});

describe("a price as people write it", () => {
  it("becomes whole nano-dollars a token, or is refused", () => {
    expect([0.025, 6.25, 10, 0, 0.035].map(perToken)).toEqual([25, 6_250, 10_000, 0, 35]);
    expect([0.0001, -1, Number.NaN, 1e300].map(perToken)).toEqual(Array(4).fill(undefined));
  });
});
