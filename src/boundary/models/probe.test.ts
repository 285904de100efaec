// Whether a model calls tools: what a probe finds, and that what was found is kept.
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { openModel, probe, throughText } from "#boundary/models/index.ts";
import { probeStore } from "#boundary/models/probes.ts";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { toolCallsOf } from "#core/model/message.ts";
import { writtenCall } from "#core/model/text-calls.ts";
import { type Fault, startStrictStub } from "../../../test/peers/strict.ts";

async function probed(
  answer: ScriptedAnswer,
  options: { fault?: Fault; facts?: ModelFacts; signal?: AbortSignal } = {},
) {
  const stub = await startStrictStub({
    script: { answers: [answer] },
    fault: () => options.fault,
  });
  const opened = await openModel("ollama/m", { OLLAMA_HOST: new URL(stub.url).host });
  if (!opened.ok) throw new Error(opened.error.say);
  const signal = options.signal ?? AbortSignal.timeout(20_000);
  const { found } = await probe(opened.value, options.facts ?? {}, signal);
  expect(stub.malformed()).toEqual([]);
  const asked = stub.requests.length;
  await stub.close();
  return { found, asked };
}

describe("a probe", () => {
  const call = (tool: string, input: unknown) => ({ calls: [{ tool, input }] });

  it("finds a model that calls the tool it was given", async () => {
    expect(await probed(call("read_file", { path: "notes.txt" }))).toEqual({
      found: { ok: true, value: { calls: "native", say: "m calls tools" } },
      asked: 1,
    });
  });

  it("finds one that talks, writes its call as text, or calls something else", async () => {
    const says = async (answer: ScriptedAnswer) => {
      const { found } = await probed(answer);
      if (!found.ok) throw new Error(found.error.say);
      expect(found.value.calls).toBe("text");
      return found.value.say;
    };
    expect(await says({ text: "Sure, here it is." })).toContain("asked to call a tool and did not");
    const text = writtenCall("read_file", '{"path":"notes.txt"}');
    expect(await says({ text })).toContain("writes its calls as text");
    expect(await says(call("open", {}))).toContain("as they are described");
  });

  it("finds a server that takes no tools, by its word or by its refusal", async () => {
    const said = await probed({}, { facts: { calls: "text" } });
    expect(said).toMatchObject({ found: { value: { calls: "text" } }, asked: 0 });
    const body = '{"error":"registry.ollama.ai/library/m:latest does not support tools"}';
    const refused = await probed({}, { fault: { do: "answer", status: 400, body } });
    expect(refused.found).toMatchObject({ value: { calls: "text" } });
  });

  it("does not guess where the answer was cut, failed or called off", async () => {
    const long = await probed({ text: "hm", stop: "length" });
    expect(long.found).toMatchObject({ ok: false, error: { code: "broken" } });
    const body = '{"error":"llama runner process has terminated"}';
    const failing = await probed({}, { fault: { do: "answer", status: 500, body } });
    expect(failing.found).toMatchObject({ ok: false, error: { code: "overloaded" } });
    const off = await probed({}, { signal: AbortSignal.abort() });
    expect(off.found).toMatchObject({ ok: false, error: { code: "cancelled" } });
  });
});

it("a model that writes its calls as text works once its tools go through text", async () => {
  const text = writtenCall("read", '{"path":"a.ts"}');
  const stub = await startStrictStub({ script: { answers: [{ text }] } });
  const opened = await openModel("ollama/m", { OLLAMA_HOST: new URL(stub.url).host });
  if (!opened.ok) throw new Error(opened.error.say);
  const { port, model } = await throughText(opened.value);
  const { end } = await called(port, requestOf(model));
  expect([end.stop, toolCallsOf(end.parts)]).toMatchObject([
    "calls",
    [{ tool: "read", input: '{"path":"a.ts"}' }],
  ]);
  await stub.close();
});

describe("what probes found", () => {
  const folder = () => mkdtemp(join(tmpdir(), "aiex-probes-"));
  const key = { url: "http://127.0.0.1:11434", model: "m", digest: "d1" };
  const native = { calls: "native", say: "m calls tools" } as const;

  it("is kept for each server, model and build", async () => {
    const home = await folder();
    const path = join(home, "new", "probes.json");
    expect(await probeStore(path).get(key)).toBeUndefined();
    expect(await probeStore(path).put(key, native)).toEqual({ ok: true });
    const again = probeStore(path);
    expect(await again.get(key)).toEqual(native);
    for (const other of [{ url: "http://x" }, { model: "n" }, { digest: "d2" }]) {
      expect(await again.get({ ...key, ...other })).toBeUndefined();
    }
    await again.put(key, { ...native, calls: "text" });
    expect(await again.get(key)).toMatchObject({ calls: "text" });
    expect(await readdir(join(home, "new"))).toEqual(["probes.json"]);
  });

  it("is bounded, and a file that is torn counts as empty", async () => {
    const path = join(await folder(), "probes.json");
    await writeFile(path, '{"probes":[{"name":"x","probed":{"calls":"maybe","say":1}}, 3, {"na');
    const store = probeStore(path);
    expect(await store.get(key)).toBeUndefined();
    for (let i = 0; i < 201; i += 1) await store.put({ ...key, model: `m${i}` }, native);
    expect(await store.get({ ...key, model: "m0" })).toBeUndefined();
    expect(await store.get({ ...key, model: "m200" })).toEqual(native);
  });

  it("that cannot be written is a failure", async () => {
    const file = join(await folder(), "file");
    await writeFile(file, "");
    expect(await probeStore(join(file, "probes.json")).put(key, native)).toMatchObject({
      error: { code: "storage" },
    });
  });
});
