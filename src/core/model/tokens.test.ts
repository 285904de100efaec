// Bounds on tokens, and counts that are not believed.
import fc from "fast-check";
import { expect, it } from "vitest";
import { addUsage, noUsage } from "#core/model/message.ts";
import {
  ATTACHMENT_TOKENS,
  requestTokensAtMost,
  requestTokensLikely,
  tokensAtMost,
  tokensLikely,
  usageOf,
} from "#core/model/tokens.ts";

it("no text has more tokens than UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(tokensAtMost(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
});

it("an attached image counts as an image, not as its base64", () => {
  const body = `{"image_url":"data:image/png;base64,${"A".repeat(20_000)}"}`;
  expect(requestTokensAtMost(body)).toBe(ATTACHMENT_TOKENS + '{"image_url":""}'.length);
  const source = `{"type":"base64","media_type":"image/png","data":"${"A".repeat(20_000)}"}`;
  expect(requestTokensAtMost(`[${source},${source}]`)).toBeLessThan(2 * ATTACHMENT_TOKENS + 10);
});

it("images in Ollama's form count as images too, each one", () => {
  const image = `"${"A".repeat(20_000)}"`;
  const body = `{"content":"\\"images\\":[\\"AAAA\\"]","images":[${image},${image}]}`;
  const words = '{"content":"\\"images\\":[\\"AAAA\\"]",}';
  expect(requestTokensAtMost(body)).toBe(2 * ATTACHMENT_TOKENS + words.length);
  expect(requestTokensLikely(body)).toBe(2 * 1_600 + tokensLikely(words));
});

it("a likely count is never less than what the words of a text are, nor more than its bytes", () => {
  expect(tokensLikely("the quick brown fox")).toBe(4);
  expect(tokensLikely("return await readFile(path);")).toBeGreaterThanOrEqual(7);
  expect(tokensLikely("20260101")).toBe(8);
  expect(tokensLikely(" ".repeat(80))).toBe(1);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(tokensLikely(text)).toBeLessThanOrEqual(tokensAtMost(text) + 1);
    }),
  );
});

it("counts that are negative, fractional, huge or absent are not believed", () => {
  for (const input of [-1, 1.5, 1e12, Number.NaN, undefined]) {
    expect(usageOf({ input, cached: 0, output: 1, reasoning: 0 })).toBeUndefined();
  }
  expect(usageOf({ input: 10, cached: 99, output: 5, reasoning: -3 })).toEqual({
    input: 10,
    cached: 10,
    output: 5,
    reasoning: 0,
    exact: true,
  });
});

it("what was written to a cache is a share of the rest of the request, and left out if nothing", () => {
  const counts = { input: 10, cached: 7, output: 5, reasoning: 0 };
  expect(usageOf({ ...counts, written: 2 })).toMatchObject({ written: 2 });
  expect(usageOf({ ...counts, written: 99 })).toMatchObject({ written: 3 });
  for (const written of [0, -1, 1.5, undefined]) {
    expect(usageOf({ ...counts, written })).toEqual({ ...counts, exact: true });
  }
  const [one, two] = [2, undefined].map((written) => ({ ...noUsage, ...counts, written }));
  if (!one || !two) throw new Error("two usages");
  expect(addUsage(one, two)).toMatchObject({ input: 20, written: 2 });
  expect(addUsage(two, two)).not.toHaveProperty("written");
});
