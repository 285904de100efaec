// Opening models by name, and finding what is in reach.
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { discover } from "#boundary/models/discover.ts";
import { localUrl, openModel } from "#boundary/models/index.ts";
import type { Result } from "#core/failure.ts";
import { startStrictStub } from "../../../test/peers/strict.ts";

const nameOf = (opened: Result<{ port: { name: string }; model: string }>) =>
  opened.ok ? `${opened.value.port.name} ${opened.value.model}` : opened.error.say;

describe("a model's name", () => {
  it("chooses the provider, and the dialect by where that is", async () => {
    const key = { OPENAI_API_KEY: "sk-1" };
    const elsewhere = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
    const open = async (name: string, settings: Record<string, string>) =>
      nameOf(await openModel(name, settings));
    expect(await open("openai/gpt-5", key)).toBe("openai/responses gpt-5");
    expect(await open("openai/qwen/qwen3:8b", elsewhere)).toBe("openai/chat qwen/qwen3:8b");
    expect(await open("openai/gpt-5", { ...key, AIEX_OPENAI_DIALECT: "chat" })).toBe(
      "openai/chat gpt-5",
    );
    expect(await open("openai/a", { ...elsewhere, AIEX_OPENAI_DIALECT: "responses" })).toBe(
      "openai/responses a",
    );
    const anthropic = { ANTHROPIC_API_KEY: "sk-ant-1" };
    expect(await open("anthropic/claude-opus-5-5", anthropic)).toBe(
      "anthropic/messages claude-opus-5-5",
    );
    const compatible = { ANTHROPIC_BASE_URL: "http://127.0.0.1:9/anthropic" };
    expect(await open("anthropic/glm-5", compatible)).toBe("anthropic/messages glm-5");
    expect(await open("ollama/llama3.2", {})).toBe("ollama/native llama3.2");
    expect(await open("lmstudio/qwen", {})).toBe("lmstudio/chat qwen");
  });

  it("that names nothing fails with what to write", async () => {
    for (const name of ["gpt-5", "", "openai/", "/x", "nobody/x", "constructor/x", "__proto__/x"]) {
      expect(await openModel(name, {})).toMatchObject({
        ok: false,
        error: { code: "bad_input", fix: expect.stringContaining("provider/model") },
      });
    }
  });

  it("fails before any request where the settings cannot work", async () => {
    const code = async (settings: Record<string, string>) => {
      const opened = await openModel("openai/gpt-5", settings);
      return opened.ok ? "ok" : opened.error.code;
    };
    expect(await code({})).toBe("no_model");
    expect(await code({ OPENAI_API_KEY: "sk-1\nx" })).toBe("bad_input");
    expect(await code({ OPENAI_API_KEY: "“sk-1”" })).toBe("bad_input");
    expect(await code({ OPENAI_API_KEY: "k", OPENAI_BASE_URL: "not a url" })).toBe("bad_input");
    expect(await code({ OPENAI_API_KEY: "k", OPENAI_BASE_URL: "file:///etc" })).toBe("bad_input");
    expect(await code({ OPENAI_API_KEY: "k", AIEX_OPENAI_DIALECT: "x" })).toBe("bad_input");
    expect(await code({ OPENAI_API_KEY: " sk-1\n" })).toBe("ok");
  });

  it("of Anthropic fails so too, and a token counts more than a key", async () => {
    const opened = (settings: Record<string, string>) => openModel("anthropic/claude", settings);
    expect(await opened({})).toMatchObject({ error: { code: "no_model" } });
    const spaced = await opened({ ANTHROPIC_API_KEY: "k", ANTHROPIC_AUTH_TOKEN: "a b" });
    expect(spaced).toMatchObject({
      error: { code: "bad_input", say: expect.stringContaining("ANTHROPIC_AUTH_TOKEN") },
    });
    const url = await opened({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "nowhere" });
    expect(url).toMatchObject({
      error: { code: "bad_input", fix: "write it like https://api.anthropic.com" },
    });
    const accountOf = async (settings: Record<string, string>) => {
      const model = await opened(settings);
      return model.ok ? model.value.account : model.error.say;
    };
    const both = await accountOf({ ANTHROPIC_API_KEY: "k", ANTHROPIC_AUTH_TOKEN: "t" });
    expect(both).toMatch(/^[0-9a-f]{8}$/);
    expect(both).toBe(await accountOf({ ANTHROPIC_AUTH_TOKEN: "t" }));
    expect(both).not.toBe(await accountOf({ ANTHROPIC_API_KEY: "k" }));
  });

  it("of a script opens the file", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "aiex-script-")), "demo.json");
    await writeFile(path, '{"answers":[{"text":"hello"}]}');
    const opened = await openModel(`scripted/${path}`, {});
    if (!opened.ok) throw new Error(opened.error.say);
    const { end } = await called(opened.value.port, requestOf(opened.value.model));
    expect(end.parts).toEqual([{ type: "text", text: "hello" }]);
    expect(await openModel("scripted/none.json", {})).toMatchObject({
      error: { code: "not_found" },
    });
  });
});

describe("the address of a local server", () => {
  it("may be a host, a host and port, or a URL", () => {
    const url = (OLLAMA_HOST: string) => {
      const read = localUrl("ollama", { OLLAMA_HOST });
      return read.ok ? read.value : read.error.code;
    };
    expect(url("")).toBe("http://127.0.0.1:11434");
    expect(url("0.0.0.0")).toBe("http://127.0.0.1:11434");
    expect(url("box:8080")).toBe("http://box:8080");
    expect(url("box:8080/v1")).toBe("http://box:8080");
    expect(url("https://box.example/ollama/")).toBe("https://box.example/ollama");
    expect(url("http://a b")).toBe("bad_input");
    const lmstudio = localUrl("lmstudio", {});
    expect(lmstudio).toEqual({ ok: true, value: "http://127.0.0.1:1234" });
  });
});

describe("discovery", () => {
  const nowhere = { AIEX_OLLAMA_HOST: "127.0.0.1:9", AIEX_LM_STUDIO_HOST: "127.0.0.1:9" };
  const signal = () => AbortSignal.timeout(5_000);

  it("finds the models of a server, without those that only embed", async () => {
    const models = ["qwen3:8b", "nomic-embed-text"];
    const tags = [
      { name: "nomic-embed-text" },
      { name: "bge", capabilities: ["embedding"] },
      { name: "gemma3", capabilities: ["completion", "vision"] },
      { name: "qwen3:8b", capabilities: ["completion", "tools"] },
    ];
    const pages = { "GET /api/tags": { models: tags } };
    const stub = await startStrictStub({ script: { answers: [] }, models, pages });
    const host = stub.url.replace("/v1", "");
    const { found } = await discover({ ...nowhere, AIEX_OLLAMA_HOST: host }, signal());
    expect(found).toEqual([
      { provider: "ollama", by: host, models: ["ollama/qwen3:8b", "ollama/gemma3"] },
    ]);
    const far = await discover({ ...nowhere, OPENAI_BASE_URL: stub.url }, signal());
    expect(far.found[0]?.models).toEqual(["openai/qwen3:8b", "openai/nomic-embed-text"]);
    await stub.close();
  });

  it("proposes what LM Studio has loaded, then what calls tools, by either of its APIs", async () => {
    const older = [
      { id: "nomic", type: "embeddings", state: "loaded" },
      { id: "plain", type: "llm", state: "not-loaded" },
      { id: "caller", type: "llm", state: "not-loaded", capabilities: ["tool_use"] },
      { id: "loaded", type: "vlm", state: "loaded" },
    ];
    const newer = [
      { key: "nomic", type: "embedding", loaded_instances: [{ id: "nomic" }] },
      { key: "plain", type: "llm", loaded_instances: [] },
      {
        key: "caller",
        type: "llm",
        loaded_instances: [],
        capabilities: { trained_for_tool_use: true },
      },
      { key: "loaded", type: "llm", loaded_instances: [{ id: "loaded" }] },
    ];
    const apis: Record<string, object>[] = [
      { "GET /api/v0/models": { data: older } },
      { "GET /api/v1/models": { models: newer } },
      {},
    ];
    const names: unknown[] = [];
    for (const pages of apis) {
      const stub = await startStrictStub({ script: { answers: [] }, models: ["only"], pages });
      const host = new URL(stub.url).host;
      const { found } = await discover({ ...nowhere, AIEX_LM_STUDIO_HOST: host }, signal());
      names.push(found[0]?.models);
      await stub.close();
    }
    const ranked = ["lmstudio/loaded", "lmstudio/caller", "lmstudio/plain"];
    expect(names).toEqual([ranked, ranked, ["lmstudio/only"]]);
  });

  it("finds a key, and says what it looked for when there is nothing", async () => {
    const { found } = await discover({ ...nowhere, OPENAI_API_KEY: "sk-1" }, signal());
    expect(found).toMatchObject([{ provider: "openai", by: "OPENAI_API_KEY" }]);
    const anthropic = await discover({ ...nowhere, ANTHROPIC_AUTH_TOKEN: "t" }, signal());
    expect(anthropic.found).toEqual([
      {
        provider: "anthropic",
        by: "ANTHROPIC_AUTH_TOKEN",
        models: ["anthropic/claude-sonnet-5-5"],
      },
    ]);
    // A URL may hold a password: only its host is shown.
    const ANTHROPIC_BASE_URL = "https://user:secret@box.example/anthropic";
    const other = await discover({ ...nowhere, ANTHROPIC_BASE_URL }, signal());
    expect(other.found).toEqual([]);
    expect(other.looked[1]?.outcome).toBe("box.example: name its model, as anthropic/name");
    const none = await discover(nowhere, signal());
    expect(none).toEqual({
      found: [],
      looked: [
        { where: "OPENAI_API_KEY and OPENAI_BASE_URL", outcome: "not set" },
        { where: "ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL", outcome: "not set" },
        { where: "Ollama on 127.0.0.1:9", outcome: "nothing there" },
        { where: "LM Studio on 127.0.0.1:9", outcome: "nothing there" },
      ],
    });
  });

  it("waits 300 ms for a server that says nothing, and tells another kind of server", async () => {
    const mute = createServer(() => {}).listen(0, "127.0.0.1");
    const other = createServer((_, response) => response.end("<html>hello")).listen(0, "127.0.0.1");
    await new Promise((ready) => setImmediate(ready));
    const host = (server: typeof mute) => `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const settings = { AIEX_OLLAMA_HOST: host(mute), AIEX_LM_STUDIO_HOST: host(other) };
    const { looked } = await discover(settings, signal());
    expect(looked.slice(2).map(({ outcome }) => outcome)).toEqual([
      "no answer within 300 ms",
      "something else answers there",
    ]);
    mute.closeAllConnections();
    mute.close();
    other.close();
  });
});
