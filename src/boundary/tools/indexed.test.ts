// The tools over the code index, on real folders: they see files as they are now, say nothing of what
// may not be read unasked, and stay within their room.
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import type { CodeIndex } from "#boundary/index/port.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import { findSymbol } from "#boundary/tools/builtin/find_symbol.ts";
import { repoMap } from "#boundary/tools/builtin/repo_map.ts";
import { searchCode } from "#boundary/tools/builtin/search_code.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import { fail, ok } from "#core/failure.ts";

const files = {
  "src/cart.ts":
    "export function cartTotal(prices: number[]): number {\n  return prices.length;\n}\n",
  "src/pay.ts":
    'import { cartTotal } from "./cart.ts";\n\nexport function payAll() {\n  return cartTotal([1]);\n}\n',
  "private/plan.ts":
    'import { cartTotal } from "../src/cart.ts";\nexport const hush = () => cartTotal([9]);\n',
  "test/cart.test.ts": 'import { cartTotal } from "../src/cart.ts";\ncartTotal([]);\n',
};

function place(more: Partial<ToolContext> = {}) {
  const root = folderWith(files);
  const opened = codeIndexAt(root, null, { parsing: syntaxParser, entry: null });
  if (!opened.ok) throw new Error(opened.error.say);
  onTestFinished(() => opened.value.close());
  const context = contextOf(root, {
    index: async () => ok(opened.value),
    readable: async () => (path) => !path.startsWith("private/"),
    ...more,
  });
  return { root, context, index: opened.value };
}

describe("the tools over the code index", () => {
  it("find code by words, with numbered lines to quote", async () => {
    const { context } = place();
    const { text } = await called(searchCode, { query: "total of a cart" }, context);
    expect(text).toContain("src/cart.ts:1-3\n1\texport function cartTotal");
    expect(text).not.toContain("private");
  });

  it("find a definition, and on demand every line and what would break", async () => {
    const { context } = place();
    const asked = { name: "cartTotal", references: true, impact: true };
    const { text } = await called(findSymbol, asked, context);
    expect(text.split("\n")).toEqual([
      "defined:",
      "src/cart.ts:1-3 function: export function cartTotal(prices: number[]): number",
      "lines with it:",
      'src/pay.ts:1 import: import { cartTotal } from "./cart.ts";',
      "src/pay.ts:4 call in payAll: return cartTotal([1]);",
      'test/cart.test.ts:1 import: import { cartTotal } from "../src/cart.ts";',
      "test/cart.test.ts:2 call: cartTotal([]);",
      "used by:",
      "src/pay.ts:4 in payAll (calls)",
      "imported by:",
      "src/pay.ts",
      "tests:",
      "test/cart.test.ts",
    ]);
  });

  it("map the repository, without files that may not be read unasked", async () => {
    const { context } = place();
    const { text } = await called(repoMap, { focus: "hush private/plan.ts" }, context);
    expect(text).toContain("src/cart.ts\n  export function cartTotal(prices: number[]): number");
    expect(text).not.toMatch(/hush|private/);
  });

  it("see what was changed a moment ago", async () => {
    const { root, context } = place();
    await called(findSymbol, { name: "cartTotal" }, context);
    writeFileSync(join(root, "src/cart.ts"), "// moved\nexport const cartSum = 1;\n");
    const { text } = await called(findSymbol, { name: "cartSum" }, context);
    expect(text).toContain("src/cart.ts:2-2 constant: export const cartSum = 1");
    const gone = await called(findSymbol, { name: "cartTotal" }, context);
    expect(gone.text).toContain("(nothing found: try a part of the name)");
  });

  it("show only what the workspace itself reads", async () => {
    const outside = folderWith({ "cart.ts": "password cartTotal\n".repeat(10) });
    const { root, context, index } = place();
    await called(findSymbol, { name: "cartTotal" }, context);
    rmSync(join(root, "src"), { recursive: true });
    symlinkSync(outside, join(root, "src"));
    const still: CodeIndex = { ...index, refresh: async () => fail("cancelled", "called off") };
    const stale = { ...context, index: async () => ok(still) };
    for (const [tool, input] of [
      [searchCode, { query: "cart total" }],
      [findSymbol, { name: "cartTotal", references: true }],
      [repoMap, {}],
    ] as const) {
      expect((await called(tool, input, stale)).text).not.toContain("password");
    }
  });

  it("say that the index is still being built, and how much of it is missing", async () => {
    const { context, index } = place();
    const slow: CodeIndex = {
      ...index,
      async refresh(_, progress) {
        progress?.({ files: 3, of: 10, bytes: 1, ofBytes: 2 });
        return fail("cancelled", "called off");
      },
    };
    const { text } = await called(
      findSymbol,
      { name: "x" },
      { ...context, index: async () => ok(slow) },
    );
    expect(text).toMatch(/^\(The index is still being built: 7 of 10 files are not in it yet/);
  });

  it("stay within a small window and say what is left out", async () => {
    const { context } = place({ resultBytesMax: 450 });
    const asked = { name: "cartTotal", references: true };
    const { text } = await called(findSymbol, asked, context);
    expect(Buffer.byteLength(text)).toBeLessThan(450);
    expect(text).toMatch(/\(\d+ more: ask for less, or more exactly\)/);
  });

  it("say what to do where there is no index", async () => {
    const { text } = await called(findSymbol, { name: "x" }, contextOf(folderWith({})));
    expect(text).toMatch(/no code index here.*search the text with `search`/);
  });
});
