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
    const told = (await events()).map(({ type }) => type).slice(-2);
    expect(told).toEqual(["CancelRequested", "TurnEnded"]);
  }

  it("the wait for what a server says of its model", async () => {
    const server = await silentAt("/api/show");
    await cancelled(reachOver({}, { OLLAMA_HOST: server.host }), "ollama/m", server);
    await server.gone;
    server.close();
  });

  it("the wait for a probe", async () => {
    const server = await silentAt("/v1/chat/completions");
    const providers = [{ name: "near", url: `http://${server.host}/v1` }];
    await cancelled(reachOver({ providers }, {}, { probing: "first_use" }), "near/m", server);
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
