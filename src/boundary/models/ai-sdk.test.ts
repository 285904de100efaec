// Models of the AI SDK behind our port: the official openai-compatible package against the strict
// stub passes the whole contract, keeps the deadlines, and says what is missing.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { aiSdk, type SdkModel } from "#boundary/models/ai-sdk.ts";
import { aiSdkModel } from "#boundary/models/ai-sdk-open.ts";
import { called, modelContract, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { type Deadlines, deadlinesDefault, type ModelEnd } from "#boundary/models/port.ts";
import type { Message } from "#core/model/message.ts";
import { type Fault, type StrictStub, startStrictStub } from "../../../test/peers/strict.ts";

const FROM = "@ai-sdk/openai-compatible";
const root = join(import.meta.dirname, "..", "..", "..");
const folder = mkdtempSync(join(tmpdir(), "aiex-packages-"));
// The user's own folder: here the package that the tests have anyway.
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const malformed: unknown[] = [];
const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});
afterAll(() => expect(malformed).toEqual([]));

async function portTo(stub: StrictStub, apiKey = "sk-canary-0815") {
  const options = { baseURL: stub.url };
  const port = await aiSdkModel({
    name: "own",
    package: FROM,
    options,
    folder,
    model: "m",
    apiKey,
    account: "a",
  });
  if (!port.ok) throw new Error(port.error.say);
  return port.value;
}

modelContract("ai sdk", async (script) => {
  const stub = await startStrictStub({ script });
  return {
    port: await portTo(stub),
    model: "m",
    async close() {
      malformed.push(...stub.malformed());
      await stub.close();
    },
  };
});

const long: Deadlines = { ...deadlinesDefault, connectMs: 20_000, silenceMs: 20_000 };

async function ended(fault: Fault, deadlines: Partial<Deadlines>): Promise<ModelEnd> {
  const answer = { reasoning: "one two three", text: "four five six seven eight" };
  const stub = await startStrictStub({ script: { answers: [answer] }, fault: () => fault });
  stubs.push(stub);
  const port = await portTo(stub);
  const options = {
    model: "m",
    signal: AbortSignal.timeout(15_000),
    deadlines: { ...long, ...deadlines },
  };
  const items = await Array.fromAsync(port.call(port.encode(requestOf("m")), options));
  return items.at(-1) as ModelEnd;
}

describe("the deadlines around a model of the AI SDK", () => {
  const table: [what: string, fault: Fault, deadlines: Partial<Deadlines>, named: string][] = [
    ["no headers", { do: "hang", after: "accept" }, { connectMs: 150 }, "connect"],
    ["headers and then nothing", { do: "hang", after: 0 }, { silenceMs: 150 }, "silence"],
    [
      "only pings before the first word",
      { do: "hang", after: 0, pingMs: 20 },
      { firstTokenMs: 200, silenceMs: 150 },
      "firstToken",
    ],
    [
      "only pings in the middle",
      { do: "hang", after: 1_500, pingMs: 20 },
      { idleMs: 200, silenceMs: 150 },
      "idle",
    ],
    [
      "pings for ever",
      { do: "hang", after: 1_500, pingMs: 20 },
      { totalMs: 400, silenceMs: 200 },
      "total",
    ],
  ];
  it.each(table)("name the right one: %s", async (_, fault, deadlines, named) => {
    expect(await ended(fault, deadlines)).toMatchObject({
      stop: "broken",
      failure: { code: "timeout", detail: { deadline: named } },
      usage: { exact: false },
    });
  });

  it("let a slow one live", async () => {
    const fault: Fault = { do: "slow", headersMs: 200, bytes: 400, pauseMs: 60 };
    const tight = { connectMs: 900, firstTokenMs: 900, silenceMs: 400, idleMs: 400 };
    expect(await ended(fault, tight)).toMatchObject({ stop: "done" });
  });
});

describe("a model of the AI SDK", () => {
  it("tells failures apart as our own dialects do, and gives no key away", async () => {
    const body = (message: string) => JSON.stringify({ error: { message } });
    const table: [number, string][] = [
      [401, "unauthorised"],
      [429, "rate_limited"],
      [503, "overloaded"],
      [400, "rejected"],
    ];
    for (const [status, code] of table) {
      const answer = { do: "answer", status, body: body("no: sk-canary-0815") } as const;
      const end = await ended({ ...answer, headers: { "retry-after": "7" } }, {});
      expect([status, end.failure?.code]).toEqual([status, code]);
      expect(end).toMatchObject({ stop: "broken", usage: { input: 0 } });
      expect(JSON.stringify(end)).not.toContain("canary");
      if (status === 429) expect(end.retryAfterMs).toBe(7_000);
    }
    const closed = await startStrictStub({ script: { answers: [] } });
    await closed.close();
    const { end } = await called(await portTo(closed), requestOf("m"));
    expect(end).toMatchObject({ failure: { code: "unreachable" }, usage: { input: 0 } });
  });

  it("gets back what its provider wants to see again, and shows it to no other", async () => {
    const prompts: unknown[] = [];
    const signature = { own: { signature: "sealed" } };
    const model = (modelId: string): SdkModel => ({
      specificationVersion: "v3",
      provider: "x",
      modelId,
      doStream: async ({ prompt }) => {
        prompts.push(prompt);
        const parts = [
          { type: "reasoning-start", id: "r" },
          { type: "reasoning-delta", id: "r", delta: "hm" },
          { type: "reasoning-end", id: "r", providerMetadata: signature },
          { type: "tool-call", toolCallId: "c", toolName: "read", input: "{}" },
          {
            type: "finish",
            finishReason: { unified: "tool-calls", raw: "x" },
            usage: {
              inputTokens: { total: 9, cacheRead: 2, cacheWrite: 3 },
              outputTokens: { total: 4 },
            },
          },
        ];
        const stream = new ReadableStream({
          start(controller) {
            for (const part of parts) controller.enqueue(part);
            controller.close();
          },
        });
        return { stream } as unknown as Awaited<ReturnType<SdkModel["doStream"]>>;
      },
    });
    const options = { provider: "own", secrets: [] };
    const port = aiSdk(model("a"), options);
    const { end } = await called(port, requestOf("a"));
    expect(end.usage).toEqual({
      input: 9,
      cached: 2,
      written: 3,
      output: 4,
      reasoning: 0,
      exact: true,
    });
    const messages: Message[] = [
      said("hello"),
      { role: "assistant", parts: end.parts },
      resultOf("c", "it failed", true),
    ];
    await called(port, requestOf("a", { messages }));
    await called(aiSdk(model("b"), options), requestOf("b", { messages }));
    const reasoning = { type: "reasoning", text: "hm", providerOptions: signature };
    expect(prompts[1]).toContainEqual({
      role: "assistant",
      content: [reasoning, expect.objectContaining({ type: "tool-call", toolName: "read" })],
    });
    expect(JSON.stringify(prompts[2])).not.toContain("sealed");
    expect(JSON.stringify(prompts[1])).toContain('"output":{"type":"error-text"');
  });

  it("that is not installed is named with the command that installs it", async () => {
    const base = { name: "own", options: {}, folder, model: "m", apiKey: "", account: "a" };
    const missing = await aiSdkModel({ ...base, package: "@ai-sdk/no-such" });
    expect(missing).toMatchObject({
      error: { code: "no_model", fix: `npm install --prefix ${folder} @ai-sdk/no-such` },
    });
  });

  it("from a package that is something else, or throws, is refused in words", async () => {
    const odd = mkdtempSync(join(tmpdir(), "aiex-odd-"));
    for (const [name, text] of [
      ["plain", "export const x = 1;"],
      ["throws", "throw new Error('broken inside');"],
      ["old", "export const createOld = () => (id) => ({ specificationVersion: 'v1', id });"],
    ] as const) {
      const at = join(odd, "node_modules", name);
      mkdirSync(at, { recursive: true });
      writeFileSync(join(at, "package.json"), JSON.stringify({ type: "module", main: "i.js" }));
      writeFileSync(join(at, "i.js"), text);
      const setting = {
        name: "own",
        options: {},
        folder: odd,
        model: "m",
        apiKey: "",
        account: "a",
      };
      expect(await aiSdkModel({ ...setting, package: name })).toMatchObject({
        error: { code: "no_model", say: expect.stringContaining(`package ${name} cannot be used`) },
      });
    }
    rmSync(odd, { recursive: true, force: true });
  });
});
