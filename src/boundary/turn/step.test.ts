// The request of a step: what it tells the adapter of the model, and what is set aside for it.
import { expect, it } from "vitest";
import type { ModelPort } from "#boundary/models/port.ts";
import { begin, eventsOf, newWorld, partsOver, text } from "#boundary/turn/samples.ts";
import { prepareStep, settled } from "#boundary/turn/step.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";
import { noUsage } from "#core/model/message.ts";
import { ATTACHMENT_TOKENS } from "#core/model/tokens.ts";
import { given, prompted, stepStarted } from "#core/session/samples.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";

const never = new AbortController().signal;

it("a request says what is known of its model, and no more", async () => {
  for (const facts of [{ images: false, outputTokensMax: 1_234 }, { images: true }, undefined]) {
    const world = newWorld();
    const parts = partsOver(world, () => ({ parts: [text("done")] }));
    await begin(parts);
    const opened = await parts.openModel("m", { signal: new AbortController().signal });
    if (!opened.ok) throw new Error(opened.error.say);
    const openModel = async () => ok({ ...opened.value, facts });
    await drive({ ...parts, openModel }, "s", new AbortController().signal);
    const [request] = world.requests;
    expect([request?.facts, request?.outputTokensMax]).toEqual([facts, facts?.outputTokensMax]);
  }
});

it.each(dialectNames)(
  "an image in %s sets aside what an image costs, not its bytes",
  async (name) => {
    const { model, port } = spoken[name];
    const parts = partsOver(newWorld(), () => ({}));
    const opened = { port: port("http://127.0.0.1:9/v1"), model };
    await begin(parts);
    const reserved = async () => {
      const s = await parts.sessions.fold("s");
      if (!s.ok) throw new Error(s.error.say);
      const step = await prepareStep(parts, "s", {
        session: s.value,
        chosen: { name: model, opened },
      });
      if (!step.ok) throw new Error(step.error.say);
      return { s: s.value, tokens: step.value.reserved, bytes: step.value.wire.body.length };
    };
    const before = await reserved();
    expect(before.tokens).toBe(before.bytes);
    const image = new Uint8Array(24_000);
    const hash = await parts.blobs.put(image);
    if (!hash.ok) throw new Error(hash.error.say);
    const blob = { hash: hash.value, bytes: image.length, media: "image/png" };
    const steered = { type: "Steered", text: "look", attachments: [blob] } as const;
    await parts.sessions.append("s", before.s, [steered], { actor: "user", epoch: 0 });
    const after = await reserved();
    expect(after.bytes).toBeGreaterThan(before.bytes + 32_000);
    expect(after.tokens - before.tokens).toBeGreaterThan(ATTACHMENT_TOKENS);
    expect(after.tokens - before.tokens).toBeLessThan(ATTACHMENT_TOKENS + 500);
  },
);

it("a call whose runner died counts as what was set aside for it, at most", () => {
  const open = given(prompted(), { ...stepStarted(), reserved: 5_000 }).step;
  if (!open) throw new Error("no step is open");
  expect(settled(open).usage).toMatchObject({ input: 5_000, output: 0, exact: false });
  const aside = { reserved: 5_000, output: 700, costAtMost: 42 };
  const priced = given(prompted(), { ...stepStarted(), ...aside }).step;
  if (!priced) throw new Error("no step is open");
  const cost = { nanoDollars: 42, whole: true };
  expect(settled(priced).usage).toMatchObject({ input: 5_000, output: 700, exact: false, cost });
});

it.each([
  ["throws", () => Promise.reject(new Error("torn"))],
  ["ends without an end", () => Promise.resolve()],
])("a call whose adapter %s counts as what was set aside, not as nothing", async (_, fails) => {
  const world = newWorld();
  const parts = partsOver(world, () => ({}));
  await begin(parts);
  const opened = await parts.openModel("m", { signal: new AbortController().signal });
  if (!opened.ok) throw new Error(opened.error.say);
  const port: ModelPort = {
    ...opened.value.port,
    async *call() {
      yield { type: "text", text: "so " };
      await fails();
    },
  };
  await drive({ ...parts, openModel: async () => ok({ ...opened.value, port }) }, "s", never);
  const events = await eventsOf(parts);
  const asides = events.flatMap((e) => (e.type === "StepStarted" ? [e] : []));
  const broken = events.flatMap((e) => (e.type === "StepBroken" ? [e.usage] : []));
  expect(broken.length).toBeGreaterThan(0);
  expect(broken).toEqual(
    asides.map(({ reserved, output }) => ({ ...noUsage, input: reserved, output, exact: false })),
  );
});
