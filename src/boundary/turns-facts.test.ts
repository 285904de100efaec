// What is known of the model that is really asked, in every dialect, over real connections: after a
// fallback it may see no images and not think, and then it is told so instead of asked for it.
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ModelPort } from "#boundary/models/port.ts";
import { begin, call, modelOf, newWorld, partsOver, type Say } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { dialectNames, spoken } from "../../test/peers/dialects.ts";
import { sdkPort } from "../../test/peers/sdk-port.ts";
import { startStrictStub } from "../../test/peers/strict.ts";

const packages = mkdtempSync(join(tmpdir(), "aiex-facts-"));
symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(packages, "node_modules"));
afterAll(() => rmSync(packages, { recursive: true, force: true }));

const never = new AbortController().signal;
/** A whole image, of one pixel. */
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

type Dialect = { model: string; open(url: string): Promise<ModelPort> };

const dialects: Readonly<Record<string, Dialect>> = {
  ...Object.fromEntries(
    dialectNames.map((name) => {
      const { model, port } = spoken[name];
      return [name, { model, open: async (url: string) => port(url) }];
    }),
  ),
  "a package of the ai sdk": { model: "m", open: (url) => sdkPort(packages, url) },
};

/** What a body has that asks for thinking, in any dialect. */
const thoughtIn = (body: string): unknown[] => {
  const { reasoning, reasoning_effort, think, thinking, output_config, include } = fieldsOf(
    parsed(body),
  );
  return [reasoning, reasoning_effort, think, thinking, output_config, include].filter(Boolean);
};

/** What the second model of a chain got after the first: an image was attached, an effort set. */
async function askedAfterFallback({ model, open }: Dialect, facts: ModelFacts) {
  const stub = await startStrictStub({ script: { answers: [{ text: "ok" }, { text: "ok" }] } });
  const world = newWorld();
  const first: Say = ({ messages }) =>
    messages.some(({ role }) => role === "tool")
      ? { stop: "broken", failure: { code: "unauthorised", say: "no" } }
      : { parts: [call("c1", "look")] };
  const parts: ReturnType<typeof partsOver> = {
    ...partsOver(world, () => ({})),
    familyOf: async () => "other",
    async openModel(name) {
      if (name === "a/first")
        return ok({ port: modelOf(world, first, async () => {}), model: "x" });
      return ok({ port: await open(stub.url), model, facts });
    },
    modelsFor: async () => ok(["a/first", "b/second"]),
  };
  await begin(parts);
  const hash = await parts.blobs.put(Buffer.from(PIXEL, "base64"));
  const s = await parts.sessions.fold("s");
  if (!hash.ok || !s.ok) throw new Error("no session");
  const blob = { hash: hash.value, bytes: 70, media: "image/png", name: "shot.png" };
  const events: SessionEvent[] = [
    { type: "EffortSwitched", effort: "high" },
    { type: "Steered", text: "look at it", attachments: [blob] },
  ];
  await parts.sessions.append("s", s.value, events, { actor: "user", epoch: 0 });
  expect(await drive(parts, "s", never)).toEqual({ ok: true, value: "rest" });
  expect(stub.malformed()).toEqual([]);
  await stub.close();
  const [body = ""] = stub.requests.map((request) => request.body);
  return { body, first: world.requests[0] };
}

describe.each(Object.entries(dialects))("a model that a fallback brings, by %s", (_, dialect) => {
  it("is told of images that it cannot see, and not asked to think where it does not", async () => {
    const { body, first } = await askedAfterFallback(dialect, { images: false, thinking: false });
    expect([first?.effort, JSON.stringify(first?.messages)]).toEqual([
      "high",
      expect.stringContaining('"type":"blob"'),
    ]);
    expect(body).toContain("look at it");
    expect(body).toContain(
      "[shot.png (image/png, 70 bytes) cannot be shown: this model does not see images]",
    );
    expect(body).not.toContain(PIXEL);
    expect(thoughtIn(body)).toEqual([]);
  });

  it("is shown them, and asked for the effort, where nothing speaks against it", async () => {
    const { body } = await askedAfterFallback(dialect, { thinking: true });
    expect(body).toContain(PIXEL);
    expect(body).not.toContain("cannot be shown");
    expect(JSON.stringify(thoughtIn(body))).not.toBe("[]");
  });
});
