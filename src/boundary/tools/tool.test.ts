// What a tool makes of the arguments that a model wrote.
import { tmpdir } from "node:os";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { contextOf } from "#boundary/tools/samples.ts";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";

const greet = defineTool({
  name: "greet",
  effect: "pure",
  about: "Greets.",
  input: z.strictObject({
    name: z.string().check(z.minLength(1), z.maxLength(10), z.describe("Whom.")),
    times: z.optional(z.int().check(z.gte(1), z.lte(3))),
    tone: z.optional(z.enum(["warm", "cool"])),
    others: z.optional(z.array(z.strictObject({ name: z.string() })).check(z.maxLength(2))),
  }),
  example: { name: "Ada", times: 2 },
  bare: (text) => (text.startsWith("@") ? { name: text.slice(1) } : undefined),
  async prepare({ name, times = 1 }) {
    const run = async () => outcome(`hello ${name} `.repeat(times).trim());
    return ok({ access: [], effect: "pure" as const, intent: {}, title: name, run });
  },
});

const context = contextOf(tmpdir());

async function refusalOf(text: string): Promise<string> {
  const prepared = await greet.prepare(text, context);
  if (prepared.ok) throw new Error("the arguments were taken");
  expect(prepared.error.code).toBe("bad_input");
  expect(prepared.error.fix).toBe('call `greet` again like {"name":"Ada","times":2}');
  return prepared.error.say;
}

describe("a defined tool", () => {
  it("tells its schema and its example, which is valid by that schema", () => {
    expect(greet.spec.about).toBe('Greets.\nExample: {"name":"Ada","times":2}');
    expect(greet.spec.schema).toMatchObject({
      type: "object",
      required: ["name"],
      additionalProperties: false,
      properties: { name: { type: "string", description: "Whom." } },
    });
    const valid = new Ajv2020().compile(greet.spec.schema);
    expect(valid({ name: "Ada", times: 2 })).toBe(true);
    expect(valid({ nam: "Ada" })).toBe(false);
  });

  it.each([
    ["", "`name` is missing"],
    ['{"name":"Ada"', "not JSON"],
    ['["Ada"]', "must be a JSON object, not an array"],
    ["null", "`name` is missing"],
    ["7", "must be a JSON object, not a number"],
    ["{}", "`name` is missing"],
    ['{"name":null}', "`name` must be a string, not null (null)"],
    ['{"name":7}', "`name` must be a string, not a number (7)"],
    ['{"name":""}', "`name` is empty"],
    ['{"name":"Ada Lovelace"}', "`name` must have at most 10 characters"],
    ['{"name":"Ada","times":"two"}', '`times` must be a number, not a string ("two")'],
    ['{"name":"Ada","times":1.5}', "`times` must be a whole number, not a number (1.5)"],
    ['{"name":"Ada","times":0}', "`times` must be at least 1"],
    ['{"name":"Ada","tone":"hot"}', '`tone` must be one of warm, cool, not a string ("hot")'],
    ['{"name":"Ada","time":1}', "unknown key `time` (it takes name, times, tone, others)"],
    ['{"name":"Ada","__proto__":{}}', "unknown key `__proto__`"],
    ['{"name":"Ada","others":[{"name":1}]}', "`others[0].name` must be a string"],
    ['{"name":"Ada","others":[{"x":1,"name":"b"}]}', "unknown key `x` in `others[0]`"],
    ['{"name":"Ada","others":[1,2,3]}', "`others` must have at most 2 items"],
  ])("refuses %s and says exactly why", async (text, says) => {
    expect(await refusalOf(text)).toContain(says);
  });

  it("names several problems at once", async () => {
    const said = await refusalOf('{"nam":"Ada","times":"two"}');
    expect(said).toContain("`name` is missing");
    expect(said).toContain("`times` must be a number");
    expect(said).toContain("unknown key `nam`");
  });

  it("tells what it had to repair, and nothing where it had not", async () => {
    const repaired = await greet.prepare('{"Name":"Ada","times":"2"}', context);
    expect(repaired).toMatchObject({ ok: true, value: { title: "Ada" } });
    const repairs = ["`Name` for `name`", "number as text (`times`)"];
    expect(repaired.ok && repaired.value.repairs).toEqual(repairs);
    const plain = await greet.prepare('{"name":"Ada"}', context);
    expect(plain.ok && "repairs" in plain.value).toBe(false);
  });

  it("reads the bare form where it has one", async () => {
    expect(await greet.prepare("@Ada", context)).toMatchObject({
      ok: true,
      value: { title: "Ada" },
    });
  });

  it("has a title of one line, whatever the model wrote", async () => {
    const prepared = await greet.prepare('{"name":"a\\nb\\u001b[2J"}', context);
    expect(prepared).toMatchObject({ ok: true, value: { title: '"a\\nb\\u001b[2J"' } });
  });

  it("answers any text with a result, in bounded words", async () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.constant("[".repeat(5_000)));
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        const prepared = await greet.prepare(input, context);
        if (!prepared.ok) expect(prepared.error.say.length).toBeLessThan(3_000);
      }),
      { numRuns: 2_000 },
    );
  });
});
