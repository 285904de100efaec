// What a model is sent, within what is known of it.
import { expect, it } from "vitest";
import type { Message } from "#core/model/message.ts";
import { withinFacts } from "#core/model/within-facts.ts";

const png = { hash: "ab".repeat(32), bytes: 3, media: "image/png" };
const pdf = { hash: "cd".repeat(32), bytes: 3, media: "application/pdf", name: "a.pdf" };
const parts = [png, pdf].map((blob) => ({ type: "blob", blob }) as const);
const messages: readonly Message[] = [
  { role: "user", origin: "prompt", parts },
  { role: "assistant", parts: [{ type: "call", id: "1", tool: "read", input: "{}" }] },
  { role: "tool", callId: "1", failed: false, parts },
];

it("a model that sees none is told of each image, in prompts and in results", () => {
  const text =
    "[attachment-abababab (image/png, 3 bytes) cannot be shown: this model does not see images]";
  const told = [{ type: "text", text }, parts[1]];
  const { messages: sent } = withinFacts({ messages, effort: "low" }, { images: false });
  expect(sent.map((message) => message.parts)).toEqual([told, messages[1]?.parts, told]);
});

it("what is not known, or known to be so, changes nothing", () => {
  const said = { messages, effort: "low" } as const;
  expect(withinFacts(said, {})).toEqual(said);
  expect(withinFacts(said, { images: true, thinking: true })).toEqual(said);
  expect(withinFacts(said, { thinking: false })).toEqual({ messages, effort: undefined });
});
