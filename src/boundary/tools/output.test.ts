// What a tool puts out, within the room that the model's window leaves for it.
import { expect, it } from "vitest";
import * as z from "zod/mini";
import { read } from "#boundary/tools/builtin/read.ts";
import { collected, shown } from "#boundary/tools/output.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";

const lines = Array.from({ length: 1_000 }, (_, n) => `line ${n}`).join("\n");

it("the output of a command is head and tail of a size that a small window takes", async () => {
  const output = collected();
  output.add(Buffer.from(lines));
  const context = contextOf(folderWith({}), { resultBytesMax: 900 });
  const text = await shown(output, { ...context, mask: (all) => all });
  expect(Buffer.byteLength(text)).toBeLessThan(1_100);
  expect(text.startsWith("line 0\n") && text.endsWith("\nline 999")).toBe(true);
  const [, name, from] = /lines left out: read `(output:\w+)` from (\d+)\)/.exec(text) ?? [];
  const rest = await called(read, { path: name, from: Number(from), lines: 1 }, context);
  expect(rest.text).toContain(`${from}\tline ${Number(from) - 1}`);
});

it("the result of any tool is fitted, with its files and facts, and the whole can be read", async () => {
  const context = contextOf(folderWith({}), { resultBytesMax: 900 });
  const blob = { hash: "0".repeat(64), bytes: 1, media: "image/png" };
  const facts = [{ type: "fileSeen", path: "a.txt", hash: "h" }] as const;
  const tell = defineTool({
    name: "tell",
    effect: "pure",
    about: "Tells a text.",
    input: z.strictObject({ text: z.string() }),
    example: { text: "a" },
    async prepare({ text }) {
      const said = [
        { type: "text" as const, text },
        { type: "blob" as const, blob },
      ];
      const run = async () => outcome(said, { facts: [...facts] });
      return ok({ access: [], effect: "pure" as const, intent: {}, title: "tell", run });
    },
  });
  const long = await called(tell, { text: lines }, context);
  expect(long.outcome).toMatchObject({ failed: false, facts });
  expect(long.outcome?.parts[1]).toEqual({ type: "blob", blob });
  expect(long.text).toMatch(/\d+ lines left out: read `output:\w{64}` from \d+/);
  expect((await called(tell, { text: "short" }, context)).text).toBe("short");
});
