// The lists about models in the configuration: what is read, and what is refused with its place.
import { describe, expect, it } from "vitest";
import { listFault, readLists, type WrittenLists } from "#core/model/settings.ts";

function read(written: WrittenLists) {
  const lists = readLists(written);
  if (!lists.ok) throw new Error(lists.error.say);
  return lists.value;
}

describe("the lists about models", () => {
  it("are empty where nothing is written", () => {
    expect(read({})).toEqual({ models: [], routes: [], fallback: [], rates: [], providers: [] });
  });

  it("become facts with exact prices, routes with a strategy, rates and providers", () => {
    const lists = read({
      models: [{ name: "corp/*", windowTokens: 1_000, price: { input: 2.5, output: 10 } }],
      routes: [{ name: "fast", models: ["a/b", "c/d"] }],
      fallback: ["e/f"],
      rates: [{ models: "a/*", requestsPerMinute: 5 }],
      providers: [
        { name: "corp", url: "https://models.test/v1", key: "CORP_KEY" },
        { name: "mistral", package: "@ai-sdk/mistral", options: { a: 1 } },
      ],
    });
    expect(lists.models[0]?.facts).toMatchObject({
      windowTokens: 1_000,
      price: { input: 2_500, output: 10_000, source: "your configuration" },
    });
    expect(lists.routes).toEqual([
      { name: "fast", models: ["a/b", "c/d"], strategy: "local_affinity" },
    ]);
    expect(lists.rates).toEqual([{ models: "a/*", rate: { requestsPerMinute: 5 } }]);
    expect(lists.providers).toEqual([
      { name: "corp", kind: "url", url: "https://models.test/v1", key: "CORP_KEY" },
      { name: "mistral", kind: "package", package: "@ai-sdk/mistral", options: { a: 1 } },
    ]);
  });

  it('take "documented" for the rates that the description names', () => {
    expect(read({ rates: ["documented"] }).rates).toEqual([
      { models: "anthropic/*", rate: { requestsPerMinute: 50, tokensPerMinute: 100_000 } },
      { models: "openai/*", rate: { requestsPerMinute: 60, tokensPerMinute: 90_000 } },
    ]);
  });

  const wrong: [keyof WrittenLists, unknown, string][] = [
    ["models", [{ name: "a/b", windw: 3 }], "models.0"],
    ["models", [{ name: "a/b", price: { input: 0.00001, output: 1 } }], "models.0.price.input"],
    ["models", [{ name: "a/b", price: { input: -1, output: 1 } }], "models.0.price.input"],
    ["routes", [{ name: "a/b", models: ["a/b"] }], "routes.0.name"],
    ["routes", [{ name: "fast", models: [] }], "routes.0.models"],
    ["routes", [{ name: "fast", models: ["noslash"] }], "routes.0.models.0"],
    ["routes", [{ name: "fast", models: ["a/b"], strategy: "best" }], 'no strategy "best"'],
    ["routes", ["a/b", "c/d"].map((model) => ({ name: "x", models: [model] })), '"x" twice'],
    ["fallback", ["gpt-5"], "fallback.0"],
    ["fallback", Array(9).fill("a/b"), "fallback"],
    ["rates", [{ models: "*", requestsPerMinute: 0 }], "rates.0"],
    ["rates", ["careful"], "rates.0"],
    ["providers", [{ name: "x", url: "file:///etc/passwd" }], "providers.0"],
    ["providers", [{ name: "x", package: "../../evil" }], "providers.0"],
    ["providers", [{ name: "x" }], "providers.0"],
    ["providers", "x", "providers"],
  ];
  it.each(wrong)("refuse %s: %j", (key, value, where) => {
    const lists = readLists({ [key]: value });
    expect(lists).toMatchObject({ ok: false, error: { code: "bad_input" } });
    if (!lists.ok) expect(lists.error.say).toContain(where);
    expect(listFault(key, value)?.error.say).toContain(where);
  });

  it("leave other keys alone", () => {
    expect(listFault("rules", [1])).toBeNull();
    expect(listFault("models", [])).toBeNull();
  });
});
