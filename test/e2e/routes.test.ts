// Several models as a user configures them: a route by name, a chain of fallbacks, what it cost.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type Fault, type StrictStub, startStrictStub } from "../peers/strict.ts";
import { type Desk, desk, eventsOf } from "./kit.ts";
import { ENTER, screenOf } from "./screen.ts";

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) {
    expect(stub.malformed()).toEqual([]);
    await stub.close();
  }
});

async function stubOf(text: string, fault?: Fault): Promise<StrictStub> {
  const usage = { input: 1_000, cached: 400, output: 100, reasoning: 10 };
  const script = { answers: [{ text, usage }] };
  const stub = await startStrictStub({ script, fault: () => fault });
  stubs.push(stub);
  return stub;
}

function configured(settings: object): Desk {
  const at = desk({}, { AIEX_KEYCHAIN: "none", OLLAMA_HOST: "127.0.0.1:1" });
  mkdirSync(join(at.home, ".config", "aiex"), { recursive: true });
  writeFileSync(join(at.home, ".config", "aiex", "config.json"), JSON.stringify(settings));
  return at;
}

it("a route is named like a model, and the next model answers where the first is used up", async () => {
  const body = JSON.stringify({ error: { message: "out of money", code: "insufficient_quota" } });
  const poor = await stubOf("never", { do: "answer", status: 429, body });
  const good = await stubOf("All is well.");
  const at = configured({
    providers: [
      { name: "poor", url: poor.url },
      { name: "good", url: good.url },
    ],
    routes: [{ name: "fast", models: ["poor/m", "good/m"], strategy: "poor/m" }],
    models: [{ name: "good/*", price: { input: 2, cached: 0.5, output: 10 } }],
  });
  await at.aiex("trust");
  const ran = await at.aiex("ask", "--json", "--model", "fast", "hello");
  expect(ran.code).toBe(0);
  const events = eventsOf(ran.out);
  const steps = events.flatMap(({ type, body: told }) => {
    const { model, next } = (told ?? {}) as { model?: string; next?: string };
    return String(type).startsWith("Step") ? [[type, model, next]] : [];
  });
  expect(steps).toEqual([
    ["StepStarted", "poor/m", undefined],
    ["StepBroken", "poor/m", "good/m"],
    ["StepStarted", "good/m", undefined],
    ["StepCompleted", "good/m", undefined],
  ]);
  const nanoDollars = 600 * 2_000 + 400 * 500 + 100 * 10_000;
  expect(events.at(-1)).toMatchObject({
    type: "result",
    text: "All is well.",
    usage: { cost: { nanoDollars } },
  });

  const table = await at.aiex("usage", "--by", "model");
  expect(table.out).toMatch(/^good\/m +1 +1000|^good\/m +1 +1\.0k/m);
  expect(table.out).toContain("$0.0024");
  const [line] = eventsOf((await at.aiex("usage", "--by", "model", "--json")).out).filter(
    ({ key }) => key === "good/m",
  );
  expect(line).toMatchObject({ nanoDollars, estimatedNanoDollars: 0, unpriced: 0, cached: 400 });
  const session = String(events[0]?.session);
  const csv = await at.aiex("usage", "--by", "step", "--session", session, "--csv");
  expect(csv.out.split("\n")[0]).toMatch(
    /^step,calls,broken,input,cached,written,output,reasoning,inexact,/,
  );
  expect(csv.out).toContain("1.2 good/m,1,0,1000,400,0,100,10,0,");
  expect((await at.aiex("usage", "--by", "turn")).code).toBe(2);
});

it("a dead chain says what each model said, and how the next one is named is shown", async () => {
  const bad = (message: string): Fault => ({
    do: "answer",
    status: 401,
    body: JSON.stringify({ error: { message, code: "invalid_api_key" } }),
  });
  const [one, two] = [await stubOf("x", bad("first no")), await stubOf("x", bad("second no"))];
  const at = configured({
    model: "one/m",
    fallback: ["two/m"],
    providers: [
      { name: "one", url: one.url },
      { name: "two", url: two.url },
    ],
  });
  await at.aiex("trust");
  const ran = await at.aiex("ask", "hello");
  expect(ran.code).not.toBe(0);
  expect(ran.err).toMatch(
    /no model of the chain answered \(one\/m: .*first no.*; two\/m: .*second/s,
  );
  expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
});

it("calls from before a price was known are priced now, and marked", async () => {
  const stub = await stubOf("Fine.");
  const providers = [{ name: "own", url: stub.url }];
  const at = configured({ model: "own/m", providers });
  await at.aiex("trust");
  await at.aiex("ask", "hello");
  expect((await at.aiex("usage")).out).toMatch(/ \?$/m);
  const price = JSON.stringify([{ name: "own/*", price: { input: 1, output: 1 } }]);
  expect((await at.aiex("config", "set", "models", price)).code).toBe(0);
  expect((await at.aiex("usage")).out).toContain("~$0.0011");
});

it("a wrong list is refused where it is set, and named where it is used", async () => {
  const at = configured({ routes: [{ name: "fast", models: ["noslash"] }] });
  const set = await at.aiex("config", "set", "fallback", '["noslash"]');
  expect([set.code, set.err]).toEqual([2, expect.stringContaining("fallback.0")]);
  const asked = await at.aiex("models");
  expect([asked.code, asked.err]).toEqual([2, expect.stringContaining("routes.0.models.0")]);
});

it("what a provider is given is not shown, and doctor names each model that cannot be asked", async () => {
  const options = { apiKey: "sk-canary-0815", headers: { "x-token": "canary-4711" } };
  const at = configured({
    model: "own/m",
    fallback: ["scripted/nowhere.json"],
    providers: [
      { name: "own", package: "@ai-sdk/not-there", options },
      { name: "near", url: "https://me:canary-1@models.test/v1" },
    ],
  });
  const listed = await at.aiex("config", "list", "--json");
  expect(listed.out).toContain("@ai-sdk/not-there");
  const explained = await at.aiex("config", "explain", "providers");
  const doctor = await at.aiex("doctor", "--json");
  expect(listed.out + explained.out + doctor.out).not.toContain("canary");
  const models = eventsOf(doctor.out).filter(({ name }) => name === "model");
  expect(models.map(({ ok }) => ok)).toEqual([false, false]);
  expect(JSON.stringify(models)).toContain("npm install --prefix");
  expect(doctor.code).toBe(1);
});

it("a chat names the models in reach, and what a turn and the session cost", async () => {
  const stub = await stubOf("All is well.");
  const at = configured({
    model: "good/m",
    providers: [{ name: "good", url: stub.url }],
    routes: [{ name: "fast", models: ["good/m"] }],
    models: [{ name: "good/*", price: { input: 2, cached: 0.5, output: 10 } }],
  });
  const screen = screenOf(at, ["--trust"]);
  await screen.shows("mode ask · ");
  screen.type(`/model ${ENTER}`);
  const listed = await screen.shows("usage: /model provider/name");
  for (const name of ["fast", "good/stub", "good/m"]) expect(listed).toContain(`  ${name}`);
  screen.type(`hello${ENTER}`);
  await screen.shows("100 out · $0.0024 · ");
  screen.type(`/cost ${ENTER}`);
  await screen.until((text) => text.split("100 out · $0.0024").length === 3);
  screen.type(`/quit ${ENTER}`);
  expect(await screen.ended).toBe(0);
});

it("a model of this machine is probed once and then gets its tools in its text", async () => {
  const stub = await stubOf("All is well.");
  const at = configured({ model: "near/m", providers: [{ name: "near", url: stub.url }] });
  await at.aiex("trust");
  const ask = () => at.run(["ask", "hello"], { env: { AIEX_PROBE: "first_use" } });
  const first = await ask();
  expect([first.code, first.out]).toEqual([0, expect.stringContaining("All is well.")]);
  expect(first.err).toContain("m was asked to call a tool and did not; tools go through its text");
  await ask();
  // What the probe took is in every sum.
  const sums = async (...more: string[]) =>
    eventsOf((await at.aiex("usage", "--json", ...more)).out)
      .filter(({ type }) => type === "usage")
      .map(({ key, calls }) => [key, calls]);
  const session = String((await sums())[0]?.[0]);
  const of = ["--session", session];
  expect((await sums(...of)).map(([, calls]) => calls)).toEqual([2]);
  expect(await sums("--by", "step", ...of)).toEqual([
    ["probe near/m", 1],
    ["1.1 near/m", 1],
  ]);
  const told = stub.requests.map(({ body }) => [
    body.includes('"tools":'),
    body.includes("<tool_call>"),
  ]);
  expect(told).toEqual([
    [true, false],
    [false, true],
    [false, true],
  ]);
});
