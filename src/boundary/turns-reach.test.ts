// A turn over the models in reach, with real servers: cancel ends whatever the opening of a model
// waits for, at once.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { reachOver } from "#boundary/models/samples.ts";
import { begin, eventsOf, newWorld, partsOver } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";
import { startStrictStub } from "../../test/peers/strict.ts";

const prompt = { type: "SubmitPrompt", text: "more", attachments: [] } as const;
const never = new AbortController().signal;

type Reach = ReturnType<typeof reachOver>;

/** A session whose model is this one. */
async function sessionOver(reach: Reach, model: string) {
  const parts: ReturnType<typeof partsOver> = {
    ...partsOver(newWorld(), () => ({})),
    openModel: reach.open,
    modelsFor: async () => ok([model]),
  };
  await begin(parts);
  const events = () => eventsOf(parts);
  return { parts, events };
}

/** A server that answers none of the requests for this path; `asked` settles with the first. */
async function silentAt(path: string) {
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    if (request.url !== path) return void response.writeHead(404).end("{}");
    response.once("close", gone.resolve);
    asked.resolve();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { host, asked: asked.promise, gone: gone.promise, close };
}

describe("cancel ends at once", () => {
  /** Far less than a description (2 s) or a probe (5 s) would have been waited for. */
  const AT_ONCE_MS = 1_000;

  async function cancelled(reach: Reach, model: string, server: { asked: Promise<void> }) {
    const { parts, events } = await sessionOver(reach, model);
    const driven = drive(parts, "s", never);
    await server.asked;
    const beganMs = performance.now();
    await parts.sessions.command("s", { type: "Cancel", why: "enough" });
    expect(await driven).toEqual({ ok: true, value: "rest" });
    expect(performance.now() - beganMs).toBeLessThan(AT_ONCE_MS);
    const told = (await events()).map(({ type }) => type);
    expect(told.at(-1)).toBe("TurnEnded");
    return { told, events: await events() };
  }

  it("the wait for what a server says of its model", async () => {
    const server = await silentAt("/api/show");
    const reach = reachOver({}, { OLLAMA_HOST: server.host });
    const { told } = await cancelled(reach, "ollama/m", server);
    expect(told.slice(-2)).toEqual(["CancelRequested", "TurnEnded"]);
    await server.gone;
    server.close();
  });

  it("the wait for a probe, which counts as what it took at most", async () => {
    const server = await silentAt("/v1/chat/completions");
    const providers = [{ name: "near", url: `http://${server.host}/v1` }];
    const reach = reachOver({ providers }, {}, { probing: "first_use" });
    const { told, events } = await cancelled(reach, "near/m", server);
    expect(told.slice(-3)).toEqual(["CancelRequested", "ModelProbed", "TurnEnded"]);
    const probed = events.find(({ type }) => type === "ModelProbed");
    expect(probed).toMatchObject({ model: "near/m", usage: { exact: false } });
    await server.gone;
    server.close();
  });

  it("the wait for a keychain that does not answer", async () => {
    const asked = Promise.withResolvers<void>();
    const settingsFor = async () => {
      asked.resolve();
      return await new Promise<never>(() => {});
    };
    const reach = reachOver({}, {}, { settingsFor });
    await cancelled(reach, "openai/gpt-5", { asked: asked.promise });
  });

  it("of one session, while another one waits for the same server's word", async () => {
    const server = await silentAt("/api/show");
    const reach = reachOver({}, { OLLAMA_HOST: server.host });
    const other = reach.open("ollama/m", { signal: never });
    await cancelled(reach, "ollama/m", server);
    // It hears the server out: its own deadline ends that.
    expect(await other).toMatchObject({ ok: true, value: { unasked: true } });
    server.close();
  });
});

it("a turn waits for a low rate, says so, and can be called off meanwhile", async () => {
  const calls = [{ tool: "look", input: {} }];
  const stub = await startStrictStub({ script: { answers: [{ calls }, { text: "never" }] } });
  const providers = [{ name: "near", url: stub.url }];
  const rates = [{ models: "near/*", requestsPerMinute: 1 }];
  const { parts, events } = await sessionOver(reachOver({ providers, rates }), "near/m");
  const listening = new AbortController();
  const driven = drive(parts, "s", never);
  for await (const item of parts.channel.listen("s", listening.signal)) {
    if (item.type !== "waiting") continue;
    expect(item).toMatchObject({ why: expect.stringContaining("the rate of near/") });
    // Nearly a minute: as long as it takes for one more request.
    expect(item.forMs).toBeGreaterThan(50_000);
    await parts.sessions.command("s", { type: "Cancel", why: "enough" });
    break;
  }
  listening.abort();
  expect(await driven).toEqual({ ok: true, value: "rest" });
  expect((await events()).at(-1)).toMatchObject({ type: "TurnEnded", end: "cancelled" });
  expect(stub.requests).toHaveLength(1);
  await stub.close();
});

describe("a probe", () => {
  const usage = { input: 100, cached: 20, output: 10, reasoning: 0 };

  it("is counted once, in the session that it was made for, with its money", async () => {
    const answers = [1, 2].map((n) => ({ text: `All is well (${n}).`, usage }));
    const stub = await startStrictStub({ script: { answers } });
    const providers = [{ name: "near", url: stub.url }];
    const models = [{ name: "near/*", price: { input: 1, cached: 1, output: 1 } }];
    const reach = reachOver({ providers, models }, {}, { probing: "first_use" });
    const { parts, events } = await sessionOver(reach, "near/m");
    await drive(parts, "s", never);
    await parts.sessions.command("s", { ...prompt, turn: "t2" });
    await drive(parts, "s", never);
    const types = (await events()).map(({ type }) => type);
    expect(types.filter((type) => type === "ModelProbed")).toHaveLength(1);
    expect(types.indexOf("ModelProbed")).toBeLessThan(types.indexOf("StepStarted"));
    expect(stub.requests).toHaveLength(3);
    const s = await parts.sessions.fold("s");
    const cost = { nanoDollars: 3 * 110_000, whole: true };
    expect(s).toMatchObject({ value: { usage: { input: 300, output: 30, cost } } });
    await stub.close();
  });

  it("of the next model of a chain is in the log with the step that failed", async () => {
    const answers = [{ text: "All is well.", usage }];
    const stub = await startStrictStub({ script: { answers } });
    const providers = [{ name: "near", url: stub.url }];
    const reach = reachOver({ providers }, {}, { probing: "first_use" });
    const { parts, events } = await sessionOver(reach, "near/m");
    const down = await partsOver(newWorld(), () => ({
      stop: "broken",
      failure: { code: "quota", say: "no" },
    })).openModel("", { signal: never });
    const chained: typeof parts = {
      ...parts,
      openModel: async (name, options) => (name === "a/a" ? down : reach.open(name, options)),
      modelsFor: async () => ok(["a/a", "near/m"]),
    };
    expect(await drive(chained, "s", never)).toEqual({ ok: true, value: "rest" });
    const told = (await events()).filter(({ type }) => /Probed|Broken|Completed/.test(type));
    expect(told).toMatchObject([
      { type: "ModelProbed", model: "near/m", usage },
      { type: "StepBroken", model: "a/a", next: "near/m" },
      { type: "StepCompleted", model: "near/m" },
    ]);
    await stub.close();
  });
});

it("a switch of the model ends the wait for the one before it", async () => {
  const server = await silentAt("/api/show");
  const reach = reachOver({}, { OLLAMA_HOST: server.host });
  const { parts, events } = await sessionOver(reach, "ollama/m");
  const switching: typeof parts = {
    ...parts,
    modelsFor: async (name) => ok([name === "scripted/test" ? "ollama/m" : name]),
  };
  const driven = drive(switching, "s", never);
  await server.asked;
  await parts.sessions.command("s", { type: "SwitchModel", model: "nobody/m" });
  await server.gone;
  expect(await driven).toEqual({ ok: true, value: "rest" });
  expect((await events()).at(-1)).toMatchObject({
    type: "TurnEnded",
    failure: { say: '"nobody/m" names no model' },
  });
  server.close();
});
