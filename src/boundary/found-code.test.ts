// Code that goes with a prompt by itself: what the index finds for it, within its room, and nothing
// that the user keeps from the model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressor } from "#boundary/compressed.ts";
import { foundCode } from "#boundary/found-code.ts";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import { fail, ok } from "#core/failure.ts";
import { estimated } from "#core/model/count.ts";

const counting = estimated("gpt", "");

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
  const workspace = localWorkspace(root);
  if (!index.ok || !workspace.ok) throw new Error("no index or workspace");
  const compress = compressor(await syntaxParser(), counting);
  const open = { index: index.value, workspace: workspace.value, compress, counting };
  const say = await foundCode({ tokens, open: async () => ok(open) }).beforePrompt?.(
    asked(prompt, readable),
  );
  index.value.close();
  return say ?? null;
}

describe("code that goes with a prompt", () => {
  it("is the files in which the index finds something, with what was found", async () => {
    const say = await told(500, "why is the backoffDelay so short");
    expect(say).toContain("src/retry.ts\n");
    expect(say).toContain("return 1;");
  });

  it("has no more than its room: of a large file what matters, and marks where it was cut", async () => {
    const filler = (i: number) =>
      `function filler${i}(x: number) {\n${"  x += 1;\n".repeat(30)}}\n`;
    const body = Array.from({ length: 40 }, (_, i) => filler(i));
    const wanted = "function ostrichGate() {\n  return flamingoCount + 7;\n}\n";
    body.splice(20, 0, wanted);
    writeFileSync(join(root, "src/large.ts"), body.join("\n"));
    const say = await told(300, "why does the ostrichGate count flamingos");
    expect(say).toContain("return flamingoCount + 7;");
    expect(say).toMatch(/… \d+ lines/);
    expect(counting.count(say ?? "")).toBeLessThanOrEqual(340);
    expect(await told(10, "backoffDelay")).toBeNull();
  });

  it("is of no file that may not be read without a question", async () => {
    const say = await told(500, "backoffDelay backoffLimit", (path) => path !== "src/retry.ts");
    expect(say).not.toContain("retry.ts");
    expect(say).toContain("src/other.ts");
  });

  it("is nothing where nothing is found, or there is no index", async () => {
    expect(await told(500, "zebra")).toBeNull();
    const none = foundCode({ tokens: 500, open: async () => fail("storage", "no room") });
    expect(await none.beforePrompt?.(asked("backoff"))).toBeNull();
  });
});
