// A surface: our tools as a model family knows them. Models do best with the tools they were trained
// on, so the family decides names and keys; a call is mapped onto one of our tools, which then does
// all the rest. The log keeps what the model said, in the family's own words.

import type * as z from "zod/mini";
import type { Failed, Result } from "#core/failure.ts";
import { ok } from "#core/failure.ts";
import type { Family } from "#core/model/catalog.ts";
import { type InputDefinition, type InputSchema, inputForm } from "#core/model/input.ts";
import type { ToolSpec } from "#core/model/message.ts";

/**
 * How the model at hand calls a tool of ours (`read`) or a key of its input (`read.from`). What
 * tools say to a model goes through it, so that their advice can be followed.
 */
export type Words = (name: string) => string;

/** The words of the plain tools. */
export const plainWords: Words = (name) => name.slice(name.indexOf(".") + 1);

/** One of our tools as a family knows it. */
export type SurfaceTool = {
  spec: ToolSpec;
  /** The tool of ours that does it. */
  inner: string;
  /** The inner tool's input for what the model wrote; a refusal is in the surface's words. */
  read(text: string): Result<{ input: unknown; repairs: readonly string[] }>;
  refuse(why: string): Failed;
};

export type Surface = {
  family: Family;
  tools: readonly SurfaceTool[];
  /** Tools of ours that this family is not offered under their own name. */
  hidden: ReadonlySet<string>;
  words: Words;
};

export type SurfaceDefinition<Schema extends InputSchema> = InputDefinition<Schema> & {
  inner: string;
  /** How the input is written without JSON, and the example's text in that form. */
  freeform?: { syntax: "lark" | "regex"; grammar: string; example: string };
  /** The inner tool's input, or in words why there is none. */
  map(input: z.output<Schema>): Record<string, unknown> | string;
};

export function surfaceTool<Schema extends InputSchema>(
  definition: SurfaceDefinition<Schema>,
): SurfaceTool {
  const { inner, map, freeform } = definition;
  const form = inputForm(definition);
  return {
    inner,
    spec: freeform ? { ...form.spec, freeform: freely(definition.about, freeform) } : form.spec,
    refuse: form.refuse,
    read(text) {
      const asked = form.read(text);
      if (!asked.ok) return asked;
      const mapped = map(asked.value.input);
      if (typeof mapped === "string") return form.refuse(mapped);
      return ok({ input: given(mapped), repairs: asked.value.repairs });
    },
  };
}

function freely(
  about: string,
  { syntax, grammar, example }: NonNullable<SurfaceDefinition<InputSchema>["freeform"]>,
): ToolSpec["freeform"] {
  const whole = `${about}\nThe input is that text itself, not JSON. Example:\n${example}`;
  return { about: whole, syntax, grammar };
}

/** Without the keys that were not given. */
const given = (input: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

/** Words from a table; what it does not name is called as in the plain tools. */
export function wordsFrom(table: Readonly<Record<string, string>>): Words {
  return (name) => (Object.hasOwn(table, name) ? (table[name] ?? name) : plainWords(name));
}
