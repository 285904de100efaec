// Budgets as a user meets them: a run that may spend so much and no more, and many processes on one
// home that hold to one number together.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { type Desk, desk, eventsOf } from "./kit.ts";

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) {
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  }
});

/** A model that goes on and on; each call takes 2,000 tokens. */
async function endless(settings: object): Promise<{ at: Desk; stub: StrictStub }> {
  const usage = { input: 1_900, cached: 0, output: 100, reasoning: 0 };
  const answers = Array.from({ length: 40 }, (_, i) => ({
    usage,
    calls: [{ tool: "list", input: { path: i % 2 === 0 ? "." : "a" } }],
  }));
  const stub = await startStrictStub({ script: { answers } });
  stubs.push(stub);
  const at = desk({ "a/b.txt": "b" }, { AIEX_KEYCHAIN: "none", OLLAMA_HOST: "127.0.0.1:1" });
  mkdirSync(join(at.home, ".config", "aiex"), { recursive: true });
  const file = join(at.home, ".config", "aiex", "config.json");
  const all = {
    model: "stub/m",
    providers: [{ name: "stub", url: stub.url }],
    models: [{ name: "stub/*", price: { input: 1, output: 1 }, outputTokensMax: 1_000 }],
    ...settings,
  };
  writeFileSync(file, JSON.stringify(all));
  await at.aiex("trust");
  return { at, stub };
}

it("a run ends with 9 at the budget it was given, says so, and goes on with another one", async () => {
  const { at, stub } = await endless({});
  const ran = await at.aiex("ask", "--json", "--budget", "0.04", "go on");
  expect(ran.code).toBe(9);
  const result = eventsOf(ran.out).at(-1);
  expect(result).toMatchObject({ end: "limit", exit: 9, failure: { code: "budget" } });
  const asked = stub.requests.length;
  expect(asked).toBeGreaterThan(8);
  expect(asked).toBeLessThanOrEqual(20);
  expect(eventsOf(ran.out).filter(({ type }) => type === "BudgetNeared")).toHaveLength(1);

  // It holds for whoever goes on, until it is given more.
  const again = await at.aiex("ask", "--continue", "and on");
  expect([again.code, stub.requests.length]).toEqual([9, asked]);
  expect(again.err).toContain("the budget that you gave this session");
  expect(again.err).toContain("--budget");
  const more = await at.aiex("ask", "--continue", "--budget", "8k tokens", "and on");
  expect(more.code).toBe(9);
  expect(stub.requests.length - asked).toBeGreaterThanOrEqual(1);
  expect(stub.requests.length - asked).toBeLessThanOrEqual(4);
  const bad = await at.aiex("ask", "--budget", "lots", "x");
  expect([bad.code, bad.err.includes("dollars")]).toEqual([2, true]);
});

it("six processes on one home spend no more than its day allows, together", async () => {
  const { at, stub } = await endless({ "budget.dayTokens": 60_000 });
  const asks = Array.from({ length: 6 }, (_, i) => at.aiex("ask", "--json", `go ${i}`));
  const ran = await Promise.all(asks);
  expect(ran.map(({ code }) => code)).toEqual(ran.map(() => 9));
  const usage = await at.aiex("usage", "--by", "day", "--json");
  const [day] = eventsOf(usage.out);
  const spent = Number(day?.input) + Number(day?.output);
  expect(spent).toBe(2_000 * stub.requests.length);
  // A call takes no more than was set aside for it, so that the cap is not passed at all.
  expect(spent).toBeLessThanOrEqual(60_000);
  expect(spent).toBeGreaterThan(40_000);
});
