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
  const text = "function total(list) { return list.reduce((a, b) => a + b, 0); }";

  it("says how far it may be off, around the truth", () => {
    for (const family of ["gpt", "claude", "gemini", "local", "other"] as const) {
      const [least, most] = estimated(family, "x").within;
      expect(least).toBeLessThan(1);
      expect(most).toBeGreaterThan(1);
    }
  });

  it("is higher for Claude than for GPT, and nothing for nothing", () => {
    const claude = estimated("claude", "anthropic/claude-sonnet-4-6");
    expect(claude.count(text)).toBeGreaterThan(estimated("gpt", "gpt-x").count(text));
    expect(claude.count("")).toBe(0);
  });

  it("is higher for the later models of Claude than for the earlier ones", () => {
    const of = (model: string) => estimated("claude", model).count(text);
    const earlier = of("claude-3-5-haiku-20241022");
    for (const name of ["claude-opus-4-20250514", "anthropic/claude-haiku-4-5", "claude-2.1"]) {
      expect(of(name), name).toBe(earlier);
    }
    for (const name of ["claude-opus-4-7", "claude-opus-5", "us.anthropic.claude-sonnet-5-v1:0"]) {
      expect(of(name), name).toBeGreaterThan(earlier);
    }
  });
});
