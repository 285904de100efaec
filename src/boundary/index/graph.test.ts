// Symbols, references, what depends on what, and the map, on real folders in several languages.
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CodeIndex } from "#boundary/index/port.ts";
import { folder, indexOf, never, valued, write } from "#boundary/index/samples.ts";
import { tokensLikely } from "#core/model/tokens.ts";

async function indexed(
  files: Readonly<Record<string, string>>,
): Promise<{ root: string; index: CodeIndex }> {
  const { root } = folder(files);
  const index = indexOf(root, null);
  valued(await index.refresh(never));
  return { root, index };
}

/** The same small shop in five languages: a cart, what uses it, and a test. */
const shops = {
  TypeScript: {
    files: {
      "src/cart.ts":
        "/** A cart. */\nexport class Cart {\n  total(): number {\n    return cartTotal([1]);\n  }\n}\n\nexport function cartTotal(prices: number[]): number {\n  return prices.length;\n}\n",
      "src/checkout.ts":
        'import { cartTotal } from "./cart.js";\n\nexport function payAll() {\n  return cartTotal([2, 3]);\n}\n',
      "src/main.ts": 'import { payAll } from "./checkout.ts";\npayAll();\n',
      "src/other.ts": "// cartTotal is told elsewhere\nexport const cartTotals = 1;\n",
      "test/cart.test.ts":
        'import { cartTotal } from "../src/cart.ts";\ntest("adds", () => cartTotal([]));\n',
    },
    name: "cartTotal",
    method: "Cart.total",
    defined: { path: "src/cart.ts", line: 8, kind: "function" },
    user: { path: "src/checkout.ts", line: 4, inside: ["payAll"], calls: true, certain: true },
    importers: [
      { path: "src/checkout.ts", depth: 1 },
      { path: "src/main.ts", depth: 2 },
    ],
    tests: ["test/cart.test.ts"],
  },
  Python: {
    files: {
      "shop/__init__.py": "",
      "shop/cart.py":
        'class Cart:\n    def total(self):\n        return cart_total([1])\n\n\ndef cart_total(prices):\n    """Adds."""\n    return sum(prices)\n',
      "shop/checkout.py":
        "from .cart import cart_total\n\n\ndef pay_all():\n    return cart_total([2])\n",
      "shop/main.py": "import shop.checkout as checkout\n\ncheckout.pay_all()\n",
      "tests/test_cart.py":
        "from shop.cart import (\n    cart_total,\n)\n\n\ndef test_adds():\n    assert cart_total([]) == 0\n",
    },
    name: "cart_total",
    method: "Cart.total",
    defined: { path: "shop/cart.py", line: 6, kind: "function" },
    user: { path: "shop/checkout.py", line: 5, inside: ["pay_all"], calls: true, certain: true },
    importers: [
      { path: "shop/checkout.py", depth: 1 },
      { path: "shop/main.py", depth: 2 },
    ],
    tests: ["tests/test_cart.py"],
  },
  Go: {
    files: {
      "go.mod": "module example.com/shop\n",
      "cart/cart.go":
        "package cart\n\ntype Cart struct{ n int }\n\nfunc (c *Cart) Total() int { return CartTotal(c.n) }\n\nfunc CartTotal(n int) int {\n\treturn n\n}\n",
      "cart/cart_test.go":
        'package cart\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n\tCartTotal(1)\n}\n',
      "pay/pay.go":
        'package pay\n\nimport (\n\t"fmt"\n\n\t"example.com/shop/cart"\n)\n\nfunc PayAll() {\n\tfmt.Println(cart.CartTotal(2))\n}\n',
      "main.go":
        'package main\n\nimport "example.com/shop/pay"\n\nfunc main() {\n\tpay.PayAll()\n}\n',
    },
    name: "CartTotal",
    method: "Cart.Total",
    defined: { path: "cart/cart.go", line: 7, kind: "function" },
    user: { path: "pay/pay.go", line: 10, inside: ["PayAll"], calls: true, certain: true },
    importers: [
      { path: "pay/pay.go", depth: 1 },
      { path: "main.go", depth: 2 },
    ],
    tests: ["cart/cart_test.go"],
  },
  Rust: {
    files: {
      "Cargo.toml": '[package]\nname = "shop"\n',
      "src/lib.rs": "pub mod pay;\n",
      "src/cart.rs":
        "pub struct Cart;\n\nimpl Cart {\n    pub fn total(&self) -> u32 {\n        cart_total(1)\n    }\n}\n\npub fn cart_total(n: u32) -> u32 {\n    n\n}\n",
      "src/pay.rs":
        "use crate::cart::{cart_total, Cart};\n\npub fn pay_all() -> u32 {\n    cart_total(2)\n}\n",
      "tests/cart.rs":
        "use shop::cart::cart_total;\n\n#[test]\nfn adds() {\n    cart_total(1);\n}\n",
    },
    name: "cart_total",
    method: "Cart::total",
    defined: { path: "src/cart.rs", line: 9, kind: "function" },
    user: { path: "src/pay.rs", line: 4, inside: ["pay_all"], calls: true, certain: true },
    importers: [
      { path: "src/pay.rs", depth: 1 },
      { path: "src/lib.rs", depth: 2 },
    ],
    tests: ["tests/cart.rs"],
  },
  Elixir: {
    files: {
      "lib/shop/cart.ex":
        "defmodule Shop.Cart do\n  def total(cart), do: cart_total(cart)\n\n  def cart_total(prices) do\n    Enum.sum(prices)\n  end\nend\n",
      "lib/shop/checkout.ex":
        "defmodule Shop.Checkout do\n  alias Shop.{Cart, Money}\n\n  def pay_all(prices) do\n    Cart.cart_total(prices)\n  end\nend\n",
      "lib/shop.ex":
        "defmodule Shop do\n  import Shop.Checkout\n\n  def run, do: pay_all([1])\nend\n",
      "test/shop/cart_test.exs":
        'defmodule Shop.CartTest do\n  use ExUnit.Case\n  alias Shop.Cart\n\n  test "adds" do\n    Cart.cart_total([])\n  end\nend\n',
    },
    name: "cart_total",
    method: "Shop.Cart.total",
    defined: { path: "lib/shop/cart.ex", line: 4, kind: "function" },
    user: {
      ...{ path: "lib/shop/checkout.ex", line: 5, calls: true, certain: true },
      inside: ["Shop.Checkout", "pay_all"],
    },
    importers: [
      { path: "lib/shop/checkout.ex", depth: 1 },
      { path: "lib/shop.ex", depth: 2 },
    ],
    tests: ["test/shop/cart_test.exs"],
  },
} as const;

describe.each(Object.entries(shops))("a folder in %s", (_, shop) => {
  it("tells where a name is defined, and a method by what it is of", async () => {
    const { index } = await indexed(shop.files);
    const [first] = valued(await index.symbols(shop.name, { limit: 5 }));
    expect(first).toMatchObject({ ...shop.defined, name: shop.name, score: 1 });
    expect(first?.signature).toContain(shop.name);
    const [method, ...others] = valued(await index.symbols(shop.method, { limit: 5 }));
    expect(method).toMatchObject({ path: shop.defined.path, score: 1 });
    expect(method?.name.toLowerCase()).toBe("total");
    expect(others.filter(({ score }) => score === 1)).toEqual([]);
  });

  it("tells every line that has a name as a whole word, and as what", async () => {
    const { index } = await indexed(shop.files);
    const { places, total } = valued(await index.references(shop.name, 50));
    expect(places[0]).toMatchObject({ ...shop.defined, kind: "definition" });
    expect(total).toBe(places.length);
    const at = (path: string) => places.filter((place) => place.path === path);
    const { path, line, inside } = shop.user;
    expect(at(path)).toContainEqual(expect.objectContaining({ line, inside, kind: "call" }));
    for (const { text } of places) expect(text).toMatch(new RegExp(`\\b${shop.name}\\b`));
  });

  it("tells what breaks: who uses it, who imports it, and which tests are for it", async () => {
    const { index } = await indexed(shop.files);
    const impact = valued(await index.impact(shop.name, 50));
    expect(impact.definitions).toMatchObject([{ path: shop.defined.path }]);
    expect(impact.users).toContainEqual({ ...shop.user, times: 1 });
    expect(impact.importers).toEqual(shop.importers);
    expect(impact.tests).toEqual(shop.tests);
    const ofFile = valued(await index.impact(shop.defined.path, 50));
    expect(ofFile.importers).toEqual(shop.importers);
    expect(ofFile.users).toContainEqual(expect.objectContaining(shop.user));
    expect(ofFile.tests).toEqual(shop.tests);
  });

  it("puts on the map what the rest refers to, before its tests", async () => {
    const { index } = await indexed(shop.files);
    const { text, symbols, tokens } = valued(await index.map({ tokens: 400 }));
    expect(symbols).toBeGreaterThan(1);
    expect(tokens).toBe(tokensLikely(text));
    const lines = text.split("\n");
    expect(lines).toContain(shop.defined.path);
    expect(lines.some((line) => line.startsWith("  ") && line.includes(shop.name))).toBe(true);
  });
});

describe("symbols by a name that is not quite theirs", () => {
  const files = {
    "a.ts": "export function readFileSafely() {}\nexport class HTTPServer {}\n",
    "b.ts": "export const read_file = 1;\nexport function fileReader() {}\n",
  };

  it("come after the exact one: written otherwise, then by their beginning, then by their words", async () => {
    const { index } = await indexed(files);
    const named = async (name: string) =>
      valued(await index.symbols(name, { limit: 9 })).map((hit) => hit.name);
    expect(await named("readFile")).toEqual(["read_file", "readFileSafely", "fileReader"]);
    expect(await named("httpserv")).toEqual(["HTTPServer"]);
    expect(await named("nothingLikeIt")).toEqual([]);
    expect(await named("!?")).toEqual([]);
  });

  it("can be of one kind only", async () => {
    const { index } = await indexed(files);
    const found = valued(await index.symbols("readFile", { limit: 9, kind: "function" }));
    expect(found.map(({ name }) => name)).toEqual(["readFileSafely", "fileReader"]);
  });
});

describe("references", () => {
  it("are no part of a longer name, and a word in a comment is no call", async () => {
    const { index } = await indexed(shops.TypeScript.files);
    const { places } = valued(await index.references("cartTotal", 50));
    expect(places.filter(({ path }) => path === "src/other.ts")).toEqual([
      {
        path: "src/other.ts",
        line: 1,
        text: "// cartTotal is told elsewhere",
        kind: "mention",
        inside: [],
      },
    ]);
    expect(places.filter(({ kind }) => kind === "import").map(({ path }) => path)).toEqual([
      "src/checkout.ts",
      "test/cart.test.ts",
    ]);
  });

  it("count what the limit leaves out", async () => {
    const { index } = await indexed(shops.TypeScript.files);
    const { places, total } = valued(await index.references("cartTotal", 2));
    expect(places).toHaveLength(2);
    expect(total).toBe(7);
  });

  it("are not read from what became a link out of the folder", async () => {
    const { root, index } = await indexed(shops.TypeScript.files);
    const outside = folder({}).root;
    writeFileSync(join(outside, "secret.ts"), "cartTotal is the password\n".repeat(20));
    rmSync(join(root, "src/checkout.ts"));
    symlinkSync(join(outside, "secret.ts"), join(root, "src/checkout.ts"));
    const { places } = valued(await index.references("cartTotal", 50));
    expect(places.filter(({ text }) => text.includes("password"))).toEqual([]);
    expect(
      valued(await index.search("cartTotal payAll", 9))
        .map(({ text }) => text)
        .join(),
    ).not.toContain("password");
  });
});

describe("a map", () => {
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `src/part${i}.ts`,
      `import { coreThing } from "./core/thing.ts";\nexport function partNumber${i}(a: string): string {\n  return coreThing(a);\n}\n`,
    ]),
  );
  const files = {
    ...many,
    "src/core/thing.ts": "export function coreThing(text: string): string {\n  return text;\n}\n",
    "vendor/lib.ts": "export function coreThing() {}\n",
    "README.md": "# A project\n\nThe coreThing of it.\n",
  };

  it("has within its tokens what most files refer to, in the order of their paths", async () => {
    const { index } = await indexed(files);
    for (const tokens of [40, 200, 1_000]) {
      const { text, tokens: has } = valued(await index.map({ tokens }));
      expect(has).toBeLessThanOrEqual(tokens);
      expect(text).toContain(
        "src/core/thing.ts\n  export function coreThing(text: string): string",
      );
      const paths = text.split("\n").filter((line) => line.startsWith("src/"));
      expect(paths).toEqual(paths.toSorted());
    }
  });

  it("is the same, word for word, as long as the code is", async () => {
    const { root, index } = await indexed(files);
    const { text } = valued(await index.map({ tokens: 500 }));
    write(root, { "notes.txt": "nothing of importance" });
    valued(await index.refresh(never));
    expect(valued(await index.map({ tokens: 500 })).text).toBe(text);
  });

  it("is about what it is asked to be about, by words or by a path", async () => {
    const { index } = await indexed(files);
    for (const focus of ["partNumber42", "src/part42.ts"]) {
      const { text } = valued(await index.map({ tokens: 80, focus }));
      expect(text).toContain("export function partNumber42(a: string): string");
    }
  });

  it("has nothing of files that are not to be in it", async () => {
    const { index } = await indexed(files);
    const only = (path: string) => !path.includes("core");
    const { text } = valued(await index.map({ tokens: 400, only }));
    expect(text).not.toContain("src/core");
  });
});
