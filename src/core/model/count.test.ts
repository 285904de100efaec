// Which encoding counts for which model, and what an estimate is of the others.
import { describe, expect, it } from "vitest";
import { encodingOf, estimated } from "#core/model/count.ts";

describe("the encoding of a model", () => {
  it("is known for those of OpenAI, whoever serves them", () => {
    for (const name of [
      "openai/gpt-5.6-luna",
      "gpt-4o-mini",
      "o3",
      "ollama/gpt-oss:20b",
      "gpt-4.1",
    ]) {
      expect(encodingOf(name), name).toBe("o200k_base");
    }
    for (const name of ["openai/gpt-4", "gpt-4-turbo", "gpt-3.5-turbo"]) {
      expect(encodingOf(name), name).toBe("cl100k_base");
    }
  });

  it("is not published for the others", () => {
    for (const name of ["anthropic/claude-opus-5", "gemini-3.8-flash", "ollama/qwen3:8b", "x"]) {
      expect(encodingOf(name), name).toBeNull();
    }
  });
});

describe("an estimate", () => {
  it("says how far it may be off, around the truth", () => {
    for (const family of ["gpt", "claude", "gemini", "local", "other"] as const) {
      const [least, most] = estimated(family).within;
      expect(least).toBeLessThan(1);
      expect(most).toBeGreaterThan(1);
    }
  });

  it("is higher for Claude than for GPT, and nothing for nothing", () => {
    const text = "function total(list) { return list.reduce((a, b) => a + b, 0); }";
    expect(estimated("claude").count(text)).toBeGreaterThan(estimated("gpt").count(text));
    expect(estimated("gpt").count("")).toBe(0);
  });
});
