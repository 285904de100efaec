// Real files in half their tokens, counted by the encodings of OpenAI, and what is remembered.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { compressor } from "#boundary/compressed.ts";
import { countingFor } from "#boundary/counting.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import { type Counting, estimated } from "#core/model/count.ts";

let parser: SyntaxParser;
let counting: Counting;
beforeAll(async () => {
  parser = await syntaxParser();
  counting = await countingFor("openai/gpt-5.6-luna", "gpt");
});

const source = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8");

describe("counting", () => {
  it("is exact with a published encoding, marks of a model's own format included", () => {
    expect(counting.count("hello world")).toBe(2);
    expect(counting.count("<|endoftext|>")).toBeGreaterThan(1);
    expect(counting.within).toEqual([1, 1]);
  });

  it("tells the two encodings apart", async () => {
    const older = await countingFor("openai/gpt-4", "gpt");
    const text = "Привет, мир: здравствуй";
    expect(older.count(text)).toBeGreaterThan(counting.count(text));
  });

  it("is an estimate for the others, which for GPT is as near as it says", async () => {
    expect((await countingFor("anthropic/claude-opus-5", "claude")).within).not.toEqual([1, 1]);
    const { count, within } = estimated("gpt", "gpt-x");
    const files = globSync("**/*.ts", { cwd: join(import.meta.dirname, "../core") });
    const shares = files.map((file) => {
      const text = source(join("core", file));
      return count(text) / counting.count(text);
    });
    const isNear = (share: number) => share >= within[0] && share <= within[1];
    expect(shares.filter(isNear).length / shares.length).toBeGreaterThan(0.9);
  });
});

describe("a file at half its tokens", () => {
  const halved = async (path: string, question: string) => {
    const text = source(path);
    const tokensMax = Math.floor(counting.count(text) / 2);
    const made = await compressor(parser, counting)({ path, text, question, tokensMax });
    expect(made.tokens).toBeLessThanOrEqual(tokensMax);
    return made.text;
  };

  it("keeps what the question is about, whole, and the signatures of the rest", async () => {
    const text = await halved(
      "core/context/chunk.ts",
      "Where does a chunk end within one long line?",
    );
    expect(text).toContain("export function lineCuts(");
    expect(text).toContain("const at = line > from ? line : betweenCharacters(text, from + room);");
    expect(text).toContain("function docstringOf(");
    expect(text).toMatch(/^\s*\/\/ … \d+ lines$/m);
  });

  it("keeps the lines under which the kept ones stand", async () => {
    const text = await halved("core/context/question.ts", "How is a fence in a long issue read?");
    const at = text.indexOf("fence = fence === null ? mark : null;");
    expect(text.slice(0, at)).toContain("for (const line of rest) {");
    expect(text.slice(0, at)).toContain(
      "if (mark && (fence === null || mark.startsWith(fence))) {",
    );
  });
});

describe("what is remembered", () => {
  const asked = { path: "a.txt", text: "one\ntwo\nthree\n", question: "", tokensMax: 3 };
  const counted = () => {
    const calls = { count: 0 };
    const count = (text: string) => {
      calls.count += 1;
      return text.length;
    };
    return { calls, counting: { count, within: [1, 1] as const } };
  };

  it("is not counted again, unless anything is different", async () => {
    const { calls, counting: own } = counted();
    const compressed = compressor(parser, own);
    const first = await compressed(asked);
    const before = calls.count;
    expect(await compressed({ ...asked })).toEqual(first);
    expect(calls.count).toBe(before);
    await compressed({ ...asked, tokensMax: 5 });
    expect(calls.count).toBeGreaterThan(before);
  });

  it("is forgotten beyond a number of results and of characters, the oldest first", async () => {
    for (const bounds of [{ resultsMax: 2 }, { unitsMax: 28 }]) {
      const { calls, counting: own } = counted();
      const compressed = compressor(parser, own, bounds);
      const whole = { ...asked, tokensMax: 100 };
      for (const question of ["1", "2", "3"]) await compressed({ ...whole, question });
      const before = calls.count;
      await compressed({ ...whole, question: "3" });
      expect(calls.count).toBe(before);
      await compressed({ ...whole, question: "1" });
      expect(calls.count).toBeGreaterThan(before);
    }
  });
});
