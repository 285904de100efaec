// What servers say of their models, and that one that says nothing leaves everything unknown.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { describeModel } from "#boundary/models/index.ts";
import { ok } from "#core/failure.ts";
import { startStrictStub } from "../../../test/peers/strict.ts";
import { type OllamaModel, ollamaPages } from "../../../test/peers/strict-ollama.ts";

const signal = () => AbortSignal.timeout(10_000);

async function said(
  model: string,
  pages: Record<string, object>,
  setting: "AIEX_OLLAMA_HOST" | "AIEX_LM_STUDIO_HOST" | "OPENAI_BASE_URL",
) {
  const stub = await startStrictStub({ script: { answers: [] }, pages });
  const url = setting === "OPENAI_BASE_URL" ? stub.url : new URL(stub.url).host;
  const facts = await describeModel(model, { [setting]: url }, signal());
  await stub.close();
  return facts.ok ? ok(facts.value.facts) : facts;
}

describe("Ollama", () => {
  const ask = (model: OllamaModel, as = model.name) =>
    said(`ollama/${as}`, ollamaPages(model), "AIEX_OLLAMA_HOST");

  it("says a model's length, its abilities, its build and the window it is loaded with", async () => {
    const model = {
      name: "qwen3:8b",
      digest: "d1",
      contextLength: 40_960,
      loaded: 8_192,
      capabilities: ["completion", "tools", "thinking"],
    };
    const value = {
      windowTokens: 40_960,
      loadedTokens: 8_192,
      calls: "native",
      images: false,
      thinking: true,
      digest: "d1",
    };
    expect(await ask(model)).toEqual({ ok: true, value });
    expect(await ask({ ...model, name: "qwen3:latest" }, "qwen3")).toEqual({ ok: true, value });
  });

  it("says the window of the Modelfile where nothing is loaded, and nothing it does not know", async () => {
    const parameters =
      'stop                           "<|im_end|>"\nnum_ctx                        32768';
    expect(await ask({ name: "a:1", parameters, capabilities: ["vision"] })).toMatchObject({
      value: { loadedTokens: 32_768, calls: "text", images: true, thinking: false },
    });
    const old = await ask({ name: "a:1" });
    expect(old).toEqual({ ok: true, value: { digest: "0".repeat(64) } });
  });

  it("fails where it does not have the model, with how to get it", async () => {
    const server = createServer((_, response) => {
      response.writeHead(404).end('{"error":"model \'qwen9\' not found"}');
    }).listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const facts = await describeModel("ollama/qwen9", { AIEX_OLLAMA_HOST: host }, signal());
    expect(facts).toMatchObject({
      error: { code: "not_found", fix: "get it with: ollama pull qwen9" },
    });
    server.close();
  });
});

describe("LM Studio", () => {
  const older = (model: object) => ({ "GET /api/v0/models": { data: [{ id: "m", ...model }] } });
  const newer = (model: object) => ({ "GET /api/v1/models": { models: [{ key: "m", ...model }] } });
  const ask = (pages: Record<string, object>) => said("lmstudio/m", pages, "AIEX_LM_STUDIO_HOST");

  it("says the window that is loaded and what the model can do, by either of its APIs", async () => {
    const value = { windowTokens: 4_096, loadedTokens: 4_096, images: true, calls: "native" };
    const loaded = { max_context_length: 131_072, loaded_context_length: 4_096, state: "loaded" };
    const vlm = older({ ...loaded, type: "vlm", capabilities: ["tool_use"] });
    expect(await ask(vlm)).toEqual({ ok: true, value });
    const instance = { id: "m", config: { context_length: 4_096 } };
    const llm = newer({
      type: "llm",
      max_context_length: 131_072,
      loaded_instances: [instance],
      capabilities: { vision: true, trained_for_tool_use: true },
    });
    expect(await ask(llm)).toEqual({ ok: true, value });
  });

  it("leaves the window of a model unknown that is not loaded: its settings decide", async () => {
    const idle = { type: "llm", max_context_length: 131_072, loaded_instances: [] };
    const tools = { vision: false, trained_for_tool_use: false };
    const facts = await ask(newer({ ...idle, capabilities: tools }));
    expect(facts).toEqual({ ok: true, value: { images: false, calls: "text" } });
    expect(await ask(newer({ key: "other" }))).toEqual({ ok: true, value: {} });
  });
});

describe("a compatible server", () => {
  const ask = (entry: object, props: object = {}) =>
    said(
      "openai/m",
      { "GET /v1/models": { data: [{ id: "m", ...entry }] }, "GET /props": props },
      "OPENAI_BASE_URL",
    );

  it("says its window as vLLM or llama.cpp do", async () => {
    const window = (windowTokens: number) => ({ ok: true, value: { windowTokens } });
    expect(await ask({ max_model_len: 32_768 })).toEqual(window(32_768));
    const trained = { meta: { n_ctx_train: 131_072 } };
    expect(await ask(trained)).toEqual(window(131_072));
    const props = { default_generation_settings: { n_ctx: 8_192 }, modalities: { vision: true } };
    expect(await ask(trained, props)).toEqual({
      ok: true,
      value: { windowTokens: 8_192, images: true },
    });
  });
});

describe("a server that says nothing", () => {
  const names = ["ollama/m", "lmstudio/m", "openai/m"];

  /** What each of the three says whose every answer is this one; undefined: none. */
  async function words(answer: { status?: number; body: string } | undefined) {
    const server = createServer((_, response) => {
      if (answer) response.writeHead(answer.status ?? 200).end(answer.body);
    }).listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const settings = {
      AIEX_OLLAMA_HOST: host,
      AIEX_LM_STUDIO_HOST: host,
      OPENAI_BASE_URL: `http://${host}/v1`,
    };
    // One that never answers is left by the caller's signal before its own deadline.
    const patience = AbortSignal.timeout(answer ? 10_000 : 50);
    const said = names.map((name) => describeModel(name, settings, patience));
    const facts = await Promise.all(said);
    server.closeAllConnections();
    server.close();
    return facts;
  }

  it("leaves everything unknown, whatever else it answers", async () => {
    const nothing = ok({ facts: {}, isWhole: true });
    for (const body of ["<html>", '{"models":3,"data":{},"model_info":[]}', "null"]) {
      expect([body, await words({ body })]).toEqual([body, [nothing, nothing, nothing]]);
    }
    for (const status of [401, 404, 501]) {
      const said = await words({ status, body: "{}" });
      expect([status, said]).toEqual([status, [nothing, nothing, nothing]]);
    }
    expect(await describeModel("openai/gpt-5", {}, signal())).toEqual(nothing);
    expect(await describeModel("nobody/m", {}, signal())).toMatchObject({ ok: false });
  });

  it("is told from one that is silent: it cannot answer now, does not, or is not there", async () => {
    const silent = ok({ facts: {}, isWhole: false });
    for (const status of [429, 500, 502, 503]) {
      const said = await words({ status, body: '{"error":{"message":"Loading model"}}' });
      expect([status, said]).toEqual([status, [silent, silent, silent]]);
    }
    expect(await words(undefined)).toEqual([silent, silent, silent]);
    expect(await describeModel("ollama/m", { OLLAMA_HOST: "127.0.0.1:9" }, signal())).toEqual(
      silent,
    );
  });

  it("may have told a part, and the rest once the model is loaded", async () => {
    const parts = async (name: string, setting: string, pages: Record<string, object>) => {
      const server = createServer(({ method, url }, response) => {
        const page = pages[`${method} ${url}`];
        response.writeHead(page ? 200 : 503).end(JSON.stringify(page));
      }).listen(0, "127.0.0.1");
      await new Promise((ready) => server.once("listening", ready));
      const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const said = await describeModel(name, { [setting]: host }, signal());
      server.close();
      return said;
    };
    const list = { data: [{ id: "m", meta: { n_ctx_train: 9 } }] };
    expect(await parts("openai/m", "OPENAI_BASE_URL", { "GET /models": list })).toEqual(
      ok({ facts: { windowTokens: 9 }, isWhole: false }),
    );
    const show = { "POST /api/show": { capabilities: ["tools"] } };
    expect(await parts("ollama/m", "OLLAMA_HOST", show)).toMatchObject({
      value: { facts: { calls: "native" }, isWhole: false },
    });
    const idle = { "GET /api/v1/models": { models: [{ key: "m", loaded_instances: [] }] } };
    expect(await parts("lmstudio/m", "AIEX_LM_STUDIO_HOST", idle)).toEqual(
      ok({ facts: {}, isWhole: false }),
    );
  });
});
