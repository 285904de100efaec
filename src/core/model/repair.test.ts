// Repairs of a call's arguments, for any value: what is valid stays as it is, strings keep every
// character, a second repair finds nothing, and what was cut off is never completed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { inputForm } from "#core/model/input.ts";
import { repairedText, repairedValue } from "#core/model/repair.ts";

const form = inputForm({
  name: "write",
  about: "",
  input: z.strictObject({
    file_path: z.string(),
    content: z.string(),
    times: z.optional(z.int()),
    all: z.optional(z.boolean()),
    edits: z.optional(z.array(z.strictObject({ old: z.string(), new: z.string() }))),
  }),
  example: { file_path: "a", content: "b" },
});

/** Strings that look like what repairs look for. */
const word = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "{", "}", ",", "\n", "\t", "`", "True", "None", "]"),
  }),
  fc.constantFrom("</tool_call>", "```json\n{}\n```", "null", "true", "12", '{"a":1}', "[1]", ""),
);
const valid = fc.record(
  {
    file_path: word,
    content: word,
    times: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    all: fc.boolean(),
    edits: fc.array(fc.record({ old: word, new: word }), { maxLength: 3 }),
  },
  { requiredKeys: ["file_path", "content"] },
);
type Valid = { file_path: string; content: string; times?: number; all?: boolean };

/** The ways of getting it wrong that must be undone exactly. */
const mishaps: ((call: Valid) => string)[] = [
  (call) => JSON.stringify(JSON.stringify(call)),
  (call) => `\`\`\`json\n${JSON.stringify(call, null, 2)}\n\`\`\``,
  (call) => `${JSON.stringify(call)}</tool_call>`,
  (call) => `<tool_call>\n${JSON.stringify(call)}<|im_end|>`,
  (call) => `${JSON.stringify(call)}${JSON.stringify(call)}`,
  (call) => `{}${JSON.stringify(call)}`,
  (call) => `${JSON.stringify(call).slice(0, -1)},}`,
  (call) => JSON.stringify({ arguments: call }),
  (call) => JSON.stringify({ name: "write", parameters: JSON.stringify(call) }),
  ({ file_path, ...rest }) => JSON.stringify({ filePath: file_path, ...rest }),
  (call) => JSON.stringify({ ...call, edits: null }),
  ({ times, ...rest }) =>
    JSON.stringify(times === undefined ? rest : { ...rest, times: `${times}` }),
  (call) =>
    JSON.stringify(call).replace(
      /"all":(true|false)/,
      (_, all) => `"all":${all === "true" ? "True" : "False"}`,
    ),
];

describe("the repair of arguments", () => {
  it("changes nothing that is valid", () => {
    fc.assert(
      fc.property(valid, (call) => {
        expect(form.read(JSON.stringify(call))).toEqual({
          ok: true,
          value: { input: call, repairs: [] },
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it("undoes each mishap exactly, with every character of every string", () => {
    fc.assert(
      fc.property(valid, fc.constantFrom(...mishaps), (call, mishap) => {
        const sent = mishap(call);
        const found = form.read(sent);
        const { edits: _, ...rest } = call;
        // Only the mishap with `edits: null` takes something away.
        const meant = sent === JSON.stringify({ ...call, edits: null }) ? rest : call;
        expect(found.ok && found.value.input).toEqual(meant);
      }),
      { numRuns: 5_000 },
    );
  });

  it("finds nothing more to do in what it made", () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      valid.map((call) => JSON.stringify(call)),
    );
    fc.assert(
      fc.property(anything, (sent) => {
        const once = repairedText(sent);
        if (!once) return;
        const fitted = repairedValue(once.value, form.spec.schema, "write").value;
        const again = repairedText(JSON.stringify(fitted));
        expect(again).toEqual({ value: fitted, repairs: [] });
        expect(repairedValue(again?.value, form.spec.schema, "write").value).toEqual(fitted);
      }),
      { numRuns: 3_000 },
    );
  });

  it("never completes arguments that were cut off", () => {
    fc.assert(
      fc.property(valid, fc.nat(), (call, n) => {
        const whole = JSON.stringify(call);
        const cut = whole.slice(0, 1 + (n % (whole.length - 1)));
        expect(form.read(cut).ok).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("makes no number and no truth of what the schema wants as text", () => {
    const call = { file_path: "12", content: "true" };
    expect(form.read(JSON.stringify(call))).toMatchObject({ ok: true, value: { input: call } });
    expect(form.read('{"file_path":"a","content":7}').ok).toBe(false);
  });

  it("takes off a few leftovers, and makes nothing of a heap of them", () => {
    const call = '{"file_path":"a","content":"b"}';
    const heap = "</s>".repeat(1_000);
    expect(form.read(`${call}</parameter></function></tool_call>`).ok).toBe(true);
    expect(form.read(call + heap).ok).toBe(false);
    expect(form.read(`\`\`\`${" ".repeat(100_000)}${call}`).ok).toBe(false);
  });

  it("renames no key where two could be meant", () => {
    expect(form.read('{"filePath":"a","FilePath":"b","content":""}').ok).toBe(false);
    expect(form.read('{"filePath":"a","file_path":"b","content":""}').ok).toBe(false);
  });
});
