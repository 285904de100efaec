// Code that goes with a prompt by itself: what the index finds for it, within its room, and nothing
// that the user keeps from the model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foundCode } from "#boundary/found-code.ts";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import { fail } from "#core/failure.ts";
import { tokensLikely } from "#core/model/tokens.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "aiex-found-code-"));
  mkdirSync(join(root, "src"));
  writeFileSync(join(root, "src/retry.ts"), "export function backoffDelay() {\n  return 1;\n}\n");
  writeFileSync(join(root, "src/other.ts"), "export function backoffLimit() {\n  return 2;\n}\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const asked = (prompt: string, readable = (_: string) => true) => ({
  ...{ session: "s", signal: new AbortController().signal, prompt, readable },
});

async function told(tokens: number, prompt: string, readable?: (path: string) => boolean) {
  const index = codeIndexAt(root, null, { parsing: syntaxParser, entry: null });
  const hooks = foundCode({ tokens, index: async () => index });
  const say = await hooks.beforePrompt?.(asked(prompt, readable));
  if (index.ok) index.value.close();
  return say ?? null;
}

describe("code that goes with a prompt", () => {
  it("is what the index finds for it, with its place", async () => {
    const say = await told(500, "why is the backoffDelay so short");
    expect(say).toContain("src/retry.ts:1-3");
    expect(say).toContain("return 1;");
  });

  it("has no more than its room", async () => {
    const one = tokensLikely(
      "src/retry.ts:1-3\nexport function backoffDelay() {\n  return 1;\n}\n",
    );
    const say = await told(one + 2, "backoffDelay backoffLimit");
    expect(say?.match(/export function/g)).toHaveLength(1);
    expect(await told(1, "backoffDelay")).toBeNull();
  });

  it("is of no file that may not be read without a question", async () => {
    const say = await told(500, "backoffDelay backoffLimit", (path) => path !== "src/retry.ts");
    expect(say).not.toContain("retry.ts");
    expect(say).toContain("src/other.ts");
  });

  it("is nothing where nothing is found, or there is no index", async () => {
    expect(await told(500, "zebra")).toBeNull();
    const none = foundCode({ tokens: 500, index: async () => fail("storage", "no room") });
    expect(await none.beforePrompt?.(asked("backoff"))).toBeNull();
  });
});
