// Symbols and the map as a user meets them: in a fresh folder, without a model, for people and as JSON.
import { describe, expect, it } from "vitest";
import { desk } from "./kit.ts";

const sample = {
  "src/cart.ts":
    "export class Cart {\n  total() {\n    return cartTotal([]);\n  }\n}\nexport function cartTotal(prices: number[]) {\n  return prices.length;\n}\n",
  "src/pay.ts":
    'import { cartTotal } from "./cart.ts";\nexport const payAll = () => cartTotal([1]);\n',
  "test/cart.test.ts": 'import { cartTotal } from "../src/cart.ts";\ncartTotal([]);\n',
};

describe("aiex symbol", () => {
  it("says where a name is defined, each line that has it, and what would break", async () => {
    const at = desk(sample);
    const found = await at.aiex("symbol", "Cart.total");
    expect(found).toMatchObject({ code: 0 });
    expect(found.out).toMatch(/^src\/cart\.ts:2-4 {2}method in Cart\n {4}total\(\)\n/);
    const lines = await at.aiex("symbol", "cartTotal", "--refs", "--json");
    const kinds = lines.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ type, path, line, kind }) => [type, path, line, kind].join(" "));
    expect(kinds).toEqual([
      "reference src/cart.ts 6 definition",
      "reference src/cart.ts 3 call",
      "reference src/pay.ts 1 import",
      "reference src/pay.ts 2 call",
      "reference test/cart.test.ts 1 import",
      "reference test/cart.test.ts 2 call",
    ]);
    const breaks = await at.aiex("symbol", "--impact", "src/cart.ts");
    expect(breaks.out).toContain("used by\n    src/pay.ts:2 in payAll (calls it)\n");
    expect(breaks.out).toContain("tested by\n    test/cart.test.ts\n");
    expect(await at.aiex("symbol", "nothingLikeIt")).toMatchObject({ code: 1, out: "" });
  });
});

describe("aiex map", () => {
  it("shows what the code refers to, within the tokens that are given", async () => {
    const at = desk(sample);
    const drawn = await at.aiex("map");
    expect(drawn).toMatchObject({ code: 0 });
    expect(drawn.out).toContain("src/cart.ts\n  export class Cart\n    total()\n");
    expect(drawn.out).toContain("\n  export function cartTotal(prices: number[])\n");
    const small = JSON.parse((await at.aiex("map", "--tokens", "20", "--json")).out);
    expect(small).toMatchObject({ type: "map", symbols: 1, files: 1 });
    expect(small.tokens).toBeLessThanOrEqual(20);
    expect(await at.aiex("map", "--tokens", "0")).toMatchObject({ code: 2 });
  });
});
