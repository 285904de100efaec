// The ledger on the command line: what a session took by everything it is summed by, and beside what a
// provider says. The stub is the provider: it knows what it counted.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { desk, eventsOf } from "./kit.ts";

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) {
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  }
});

const counted = { input: 1_000, cached: 400, output: 100, reasoning: 0 };

it("sums by tool, child and day, and agrees with its provider's export until that is another", async () => {
  const answers = [
    { calls: [{ tool: "list", input: {} }], usage: counted },
    { calls: [{ tool: "read", input: { path: "a.txt" } }], usage: counted },
    { text: "Done.", usage: counted },
  ];
  const stub = await startStrictStub({ script: { answers } });
  stubs.push(stub);
  const at = desk({ "a.txt": "some words\n".repeat(200) }, { AIEX_KEYCHAIN: "none" });
  mkdirSync(join(at.home, ".config", "aiex"), { recursive: true });
  const settings = {
    model: "corp/m-1",
    providers: [{ name: "corp", url: stub.url }],
    models: [{ name: "corp/*", price: { input: 2, cached: 0.5, output: 10 } }],
  };
  writeFileSync(join(at.home, ".config", "aiex", "config.json"), JSON.stringify(settings));
  await at.aiex("trust");
  expect((await at.aiex("ask", "look")).code).toBe(0);
  const calls = stub.requests.length;
  const today = new Date().toISOString().slice(0, 10);

  const tools = eventsOf((await at.aiex("usage", "--by", "tool", "--json")).out);
  const [read] = tools.filter(({ key }) => key === "read");
  const [list] = tools.filter(({ key }) => key === "list");
  // The list was in two requests, the file in one: it came last.
  expect(list).toMatchObject({ results: 1, sent: 2 * Number(list?.tokens) });
  expect(read).toMatchObject({ results: 1, sent: Number(read?.tokens) });
  expect(Number(read?.tokens)).toBeGreaterThan(400);
  const table = await at.aiex("usage", "--by", "tool");
  expect(table.out).toMatch(/^total +2 +~/m);
  expect(table.out).toContain("~ no provider counts results");

  const [one, total] = eventsOf((await at.aiex("usage", "--by", "child", "--json")).out);
  const nanoDollars = calls * (600 * 2_000 + 400 * 500 + 100 * 10_000);
  expect([one, total]).toMatchObject([
    { type: "usage", by: "child", calls, nanoDollars },
    { type: "usageTotal", by: "child", calls, input: calls * 1_000, nanoDollars },
  ]);
  const none = await at.aiex("usage", "--until", "2020-01-01");
  expect(none.out).toBe("No model was asked anything in these days.\n");
  const csv = await at.aiex("usage", "--by", "day", "--since", today, "--csv");
  expect(csv.out).toContain(`${today},${calls},0,${calls * 1_000},${calls * 400},`);
  expect((await at.aiex("usage", "--since", "soon")).code).toBe(2);

  const file = join(at.folder, "export.csv");
  const dollars = (nanoDollars / 1e9).toFixed(9);
  const head = "day,model,requests,input,cached,output,cost";
  const line = (input: number) => `${today},m-1,${calls},${input},${calls * 400},${calls * 100}`;
  writeFileSync(file, `${head}\n${line(calls * 1_000)},${dollars}\n`);
  const reconcile = (...more: string[]) =>
    at.aiex("usage", "reconcile", "export.csv", "--tolerance", "0", ...more);
  const agreed = await reconcile("--json");
  expect([agreed.code, eventsOf(agreed.out)]).toMatchObject([
    0,
    [{ type: "reconciled", day: today, agrees: true, difference: { input: 0, nanoDollars: 0 } }],
  ]);
  writeFileSync(file, `${head}\n${line(calls * 1_000 + 7)},${dollars}\n`);
  const off = await reconcile();
  expect(off.code).toBe(1);
  expect(off.out).toMatch(/^! .*-7/m);
  expect(off.err).toContain("1 line, 1 over the tolerance");
  expect((await reconcile("--provider", "other")).code).toBe(1);
  writeFileSync(file, `${head}\n${today},m-1,x,1,1,1,1\n`);
  const torn = await reconcile();
  expect(torn.code).toBe(2);
  expect(torn.err).toContain("export.csv: line 2: requests is no whole number");
});
