// The models in reach: names, routes, several keys and rates, over servers on this machine.
import { afterEach, describe, expect, it } from "vitest";
import { called, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import type { Probed } from "#boundary/models/probe.ts";
import type { ProbeStore } from "#boundary/models/probes.ts";
import { keyNameOf, keysIn, type Reach } from "#boundary/models/reach.ts";
import { opened, reachOver } from "#boundary/models/samples.ts";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { ok } from "#core/failure.ts";
import { toolCallsOf } from "#core/model/message.ts";
import { costOf } from "#core/model/money.ts";
import { writtenCall } from "#core/model/text-calls.ts";
import { type Fault, type StrictStub, startStrictStub } from "../../../test/peers/strict.ts";
import { ollamaPages } from "../../../test/peers/strict-ollama.ts";

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});

async function stub(fault?: (authorization: string | undefined) => Fault | undefined) {
  const one = await startStrictStub({
    script: { answers: [{ text: "hello", calls: [{ tool: "note", input: { word: "ready" } }] }] },
    fault: (_, { headers }) => fault?.(headers.authorization),
  });
  stubs.push(one);
  return one;
}

async function orderOf(reach: Reach, name: string, use: "begin" | "next" = "begin") {
  const names = await reach.modelsFor(name, use);
  if (!names.ok) throw new Error(names.error.say);
  return names.value;
}

const never = new AbortController().signal;

describe("a name", () => {
  it("stands for itself and the chain of fallbacks; a route for its models in their order", async () => {
    const { url } = await stub();
    const reach = reachOver(
      {
        fallback: ["near/b", "far/x"],
        routes: [
          { name: "fast", models: ["gone/a", "far/x", "near/b"] },
          { name: "round", models: ["near/a", "near/b"], strategy: "round_robin" },
        ],
        providers: [
          { name: "near", url },
          { name: "far", url: "https://models.test/v1" },
        ],
      },
      { OPENAI_BASE_URL: url },
    );
    expect(await orderOf(reach, "near/z")).toEqual(["near/z", "near/b", "far/x"]);
    // The one on this machine first, the one that cannot be opened last.
    expect(await orderOf(reach, "fast")).toEqual(["near/b", "far/x", "gone/a"]);
    const firsts = [
      await orderOf(reach, "round"),
      await orderOf(reach, "round", "next"),
      await orderOf(reach, "round"),
    ].map(([first]) => first);
    expect(firsts).toEqual(["near/a", "near/b", "near/b"]);
  });

  it("that means nothing is refused with what there is", async () => {
    const reach = reachOver({
      routes: [{ name: "fast", models: ["openai/a"] }],
      providers: [{ name: "corp", url: "http://127.0.0.1:1/v1" }],
    });
    const refused = await reach.open("nobody/x", { signal: never });
    expect(refused).toMatchObject({ error: { code: "bad_input" } });
    if (!refused.ok) expect(refused.error.fix).toMatch(/openai.*corp, or a route: fast/);
    expect(await reach.open("fast", { signal: never })).toMatchObject({ ok: false });
  });
});

describe("a provider by a URL", () => {
  it("answers behind the gateway, with its own key and name, and is listed", async () => {
    const { url, requests } = await stub();
    const reach = reachOver(
      { providers: [{ name: "corp", url, key: "CORP_KEY" }] },
      { CORP_KEY: "sk-corp" },
    );
    const { port, model } = await opened(reach, "corp/team/stub");
    const { end } = await called(port, requestOf(model));
    expect(end.failure).toBeUndefined();
    expect(requests[0]?.headers.authorization).toBe("Bearer sk-corp");
    expect(JSON.parse(requests[0]?.body ?? "{}").model).toBe("team/stub");
    const { models } = await reach.list(never);
    expect(models.map(({ name }) => name)).toEqual(["corp/stub"]);
  });
});

describe("several keys of one provider", () => {
  const two = { OPENAI_API_KEY: "sk-bad, sk-good", AIEX_OPENAI_DIALECT: "chat" };
  const refusal: Fault = { do: "answer", status: 401 };

  it("are asked one after the other, and the refused one not again", async () => {
    const { url, requests } = await stub((key) => (key === "Bearer sk-bad" ? refusal : undefined));
    const reach = reachOver({}, { ...two, OPENAI_BASE_URL: url });
    const { port, model } = await opened(reach, "openai/stub");
    const first = await called(port, requestOf(model));
    expect(first.end).toMatchObject({ failure: { code: "unauthorised" }, otherKey: true });
    for (let i = 0; i < 3; i += 1) {
      // A fresh opening, as each step makes one: what is known stays.
      const again = await opened(reach, "openai/stub");
      expect((await called(again.port, requestOf(model))).end.failure).toBeUndefined();
    }
    const keys = requests.map(({ headers }) => headers.authorization?.slice(10));
    expect(keys).toEqual(["bad", "good", "good", "good"]);
    const { models } = await reach.list(never);
    expect(models[0]?.ways).toMatchObject([{ waitMs: expect.any(Number) }, { waitMs: 0 }]);
    expect(JSON.stringify(models)).not.toMatch(/sk-(bad|good)/);
  });

  it("never send one account what is sealed for another", async () => {
    let isRefused = false;
    const sealed = Buffer.from("sealed").toString("base64").slice(0, 6);
    const stub = await startStrictStub({
      script: {
        answers: [
          { reasoning: "hm", text: "I look.", calls: [{ tool: "read", input: { path: "a" } }] },
          { text: "Done." },
        ],
      },
      fault: (_, { headers }) =>
        isRefused && headers.authorization === "Bearer sk-bad" ? refusal : undefined,
    });
    stubs.push(stub);
    const { requests, malformed, url } = stub;
    const settings = { ...two, OPENAI_BASE_URL: url, AIEX_OPENAI_DIALECT: "responses" };
    const { port, model } = await opened(reachOver({}, settings), "openai/gpt-5");
    const first = await called(port, requestOf(model));
    const [call] = toolCallsOf(first.end.parts);
    const messages = [
      said("hello"),
      { role: "assistant" as const, parts: first.end.parts },
      resultOf(call?.id ?? "", "fine"),
    ];
    isRefused = true;
    const refused = await called(port, requestOf(model, { messages }));
    expect(refused.end).toMatchObject({ failure: { code: "unauthorised" }, otherKey: true });
    const answered = await called(port, requestOf(model, { messages }));
    expect(answered.end).toMatchObject({ stop: "done" });
    const told = requests.map(({ headers, body }) => [
      headers.authorization?.slice(10),
      body.includes(sealed),
    ]);
    expect(told).toEqual([
      ["bad", false],
      ["bad", true],
      ["good", false],
    ]);
    expect(malformed()).toEqual([]);
  });

  it("are read from one text, and a provider's variable from its name", () => {
    expect(keysIn(" a,b ,,c ")).toEqual(["a", "b", "c"]);
    expect(keysIn("")).toEqual([]);
    expect(["openai", "my-corp.2"].map(keyNameOf)).toEqual(["OPENAI_API_KEY", "MY_CORP_2_API_KEY"]);
  });
});

describe("a model with its tools in its text", () => {
  it("is seen to be unwell by the name that it is listed and routed by", async () => {
    const { url } = await stub(() => ({ do: "answer", status: 503, body: "busy" }));
    const well = await stub();
    const reach = reachOver({
      models: [{ name: "near/*", calls: "text" }],
      routes: [{ name: "fast", models: ["near/stub", "far/stub"] }],
      providers: [
        { name: "near", url },
        { name: "far", url: well.url },
      ],
    });
    expect(await orderOf(reach, "fast")).toEqual(["near/stub", "far/stub"]);
    const { port, model } = await opened(reach, "near/stub");
    for (let i = 0; i < 5; i += 1) await called(port, requestOf(model));
    const { models } = await reach.list(never);
    const row = models.find(({ name }) => name === "near/stub");
    expect(row?.ways).toMatchObject([{ breaker: "open", waitMs: expect.any(Number) }]);
    expect(await orderOf(reach, "fast")).toEqual(["far/stub", "near/stub"]);
  });

  it("is not unwell where the model itself tears its calls", async () => {
    const torn = await startStrictStub({
      script: { answers: [{ text: '<tool_call>\n{"name": "read", "argu' }] },
    });
    stubs.push(torn);
    const models = [{ name: "near/*", calls: "text" as const }];
    const reach = reachOver({ models, providers: [{ name: "near", url: torn.url }] });
    const { port, model } = await opened(reach, "near/stub");
    for (let i = 0; i < 6; i += 1) {
      const { end } = await called(port, requestOf(model));
      expect(end).toMatchObject({ failure: { say: expect.stringContaining("middle of a call") } });
    }
    expect(torn.requests).toHaveLength(6);
  });
});

describe("what a model costs", () => {
  it("is the maker's price with the maker alone, and the user's word everywhere", async () => {
    const { url } = await stub();
    const maker = reachOver({}, { OPENAI_API_KEY: "sk-k" });
    expect((await opened(maker, "openai/gpt-6-sol")).facts.price?.input).toBe(2_000);
    const other = { OPENAI_API_KEY: "sk-k", OPENAI_BASE_URL: url };
    expect((await opened(reachOver({}, other), "openai/gpt-6-sol")).facts.price).toBeUndefined();
    const models = [{ name: "openai/*", price: { input: 3, output: 4 } }];
    const told = await opened(reachOver({ models }, other), "openai/gpt-6-sol");
    expect(told.facts.price?.input).toBe(3_000);
  });
});

describe("a probe", () => {
  it("says whether the model calls tools, and what it took", async () => {
    const { url, requests, malformed } = await stub();
    const models = [{ name: "corp/*", price: { input: 1, output: 1 } }];
    const reach = reachOver({ models, providers: [{ name: "corp", url }] });
    const probed = await reach.probe("corp/stub", never);
    expect(probed).toMatchObject({
      ok: true,
      value: { calls: "text", usage: { cost: { whole: true } } },
    });
    expect([requests.length, malformed()]).toEqual([1, []]);
  });

  it("ends with the failure of a model that is not there", async () => {
    const reach = reachOver({ providers: [{ name: "corp", url: "http://127.0.0.1:1/v1" }] });
    const probed = await reach.probe("corp/stub", never);
    expect(probed).toMatchObject({ ok: true, value: { failure: { code: "unreachable" } } });
  });
});

describe("a model of this machine", () => {
  const home = (url: string) => ({ OLLAMA_HOST: new URL(url).host });
  const answers = (answer: ScriptedAnswer) => startStrictStub({ script: { answers: [answer] } });
  const kept = () => {
    const all = new Map<string, Probed>();
    const probes: ProbeStore = {
      get: async (key) => all.get(JSON.stringify(key)),
      async put(key, probed) {
        all.set(JSON.stringify(key), probed);
        return ok();
      },
    };
    return { all, probes };
  };

  it("is described by its server, and by the user over that", async () => {
    const model = { name: "m:latest", capabilities: ["tools"], contextLength: 8_192 };
    const stub = await startStrictStub({ script: { answers: [] }, pages: ollamaPages(model) });
    stubs.push(stub);
    const server = (await opened(reachOver({}, home(stub.url)), "ollama/m")).facts;
    expect(server).toMatchObject({ windowTokens: 8_192, calls: "native" });
    const models = [{ name: "ollama/*", windowTokens: 77 }];
    const told = await opened(reachOver({ models }, home(stub.url)), "ollama/m");
    expect([told.facts.windowTokens, told.sources.windowTokens]).toEqual([77, "user"]);
  });

  it("is probed once where nothing is known, and has its tools in its text if need be", async () => {
    const stub = await answers({ text: writtenCall("read_file", '{"path":"notes.txt"}') });
    stubs.push(stub);
    const providers = [{ name: "near", url: stub.url }];
    const { probes, all } = kept();
    const more = { probes, probing: "first_use" } as const;
    const reach = reachOver({ providers }, {}, more);
    const first = await opened(reach, "near/m");
    await opened(reach, "near/m");
    await opened(reachOver({ providers }, {}, more), "near/m");
    expect([stub.requests.length, all.size]).toEqual([1, 1]);
    expect(first).toMatchObject({
      facts: { calls: "text" },
      found: expect.stringContaining("writes its calls as text"),
    });
    expect(first.port.encode(requestOf("m")).body).not.toContain('"tools":');
  });

  it("is not probed where the user says what it is, or wants no probe", async () => {
    const stub = await answers({ text: "never" });
    stubs.push(stub);
    const providers = [{ name: "near", url: stub.url }];
    const models = [{ name: "near/*", calls: "native" as const }];
    await opened(reachOver({ providers, models }, {}, { probing: "first_use" }), "near/m");
    await opened(reachOver({ providers }), "near/m");
    expect(stub.requests).toEqual([]);
  });
});

describe("several keys of Anthropic", () => {
  it("are accounts of their own, and a token is one", async () => {
    const { url } = await stub();
    const keys = { ANTHROPIC_API_KEY: "sk-a,sk-b", ANTHROPIC_BASE_URL: url };
    const ways = async (settings: Record<string, string>) => {
      const reach = reachOver({ fallback: ["anthropic/claude-opus-5"] }, settings);
      const { models } = await reach.list(never);
      return models.find(({ name }) => name.startsWith("anthropic/"))?.ways.length;
    };
    expect(await ways(keys)).toBe(2);
    expect(await ways({ ...keys, ANTHROPIC_AUTH_TOKEN: "token" })).toBe(1);
  });

  it("are tried one after the other, and what is written to the cache has its price", async () => {
    const answers = [{ text: "hi", usage: { input: 100, cached: 20, output: 10, reasoning: 0 } }];
    const stub = await startStrictStub({
      script: { answers },
      fault: (_, { headers }) =>
        headers["x-api-key"] === "sk-bad" ? { do: "answer", status: 401 } : undefined,
    });
    stubs.push(stub);
    const settings = { ANTHROPIC_API_KEY: "sk-bad,sk-good", ANTHROPIC_BASE_URL: stub.url };
    const models = [
      { name: "anthropic/*", price: { input: 2, cached: 1, written: 3, output: 10 } },
    ];
    const { port, model, facts } = await opened(
      reachOver({ models }, settings),
      "anthropic/claude-opus-5",
    );
    const refused = await called(port, requestOf(model));
    expect(refused.end).toMatchObject({ failure: { code: "unauthorised" }, otherKey: true });
    const { end } = await called(port, requestOf(model));
    const { input, cached, written = 0, output } = end.usage;
    expect(written).toBeGreaterThan(0);
    expect(costOf(end.usage, facts.price)?.nanoDollars).toBe(
      (input - cached - written) * 2_000 + cached * 1_000 + written * 3_000 + output * 10_000,
    );
  });
});
