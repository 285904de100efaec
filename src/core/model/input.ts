// The arguments of a tool: the JSON Schema a model is told, the strict reading of what the model
// wrote, the few repairs that have one reading, and a refusal that says exactly what was wrong and
// shows a call that is right.
import * as z from "zod/mini";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import type { ToolSpec } from "#core/model/message.ts";
import { repairedText, repairedValue } from "#core/model/repair.ts";

/** Characters of argument text that are looked at; a call with more is refused unread. */
const INPUT_CHARACTERS_MAX = 4_000_000;
/** Repairs told of one call. */
const REPAIRS_MAX = 20;
/** Problems named in one refusal. */
const PROBLEMS_MAX = 8;
/** Characters of a wrong value that a refusal repeats. */
const VALUE_CHARACTERS_MAX = 60;
/** Characters of a parser's own words that a refusal repeats. */
const REASON_CHARACTERS_MAX = 200;

/** The input of a tool: an object that refuses keys it does not know. */
export type InputSchema = z.ZodMiniObject<z.core.$ZodLooseShape, z.core.$strict>;

export type InputDefinition<Schema extends InputSchema> = {
  name: string;
  /** When to use it, when not, and its limits with their units. */
  about: string;
  input: Schema;
  /** A whole, valid input: told to the model, and again when it gets the input wrong. */
  example: z.input<Schema>;
  /** Reads argument text that is not meant to be JSON, where the tool has such a form. */
  bare?(text: string): z.input<Schema> | undefined;
};

/** What a call asks for, and what had to be repaired to read it. */
export type Read<Input> = { input: Input; repairs: readonly string[] };

export type InputForm<Input> = {
  spec: ToolSpec;
  /** Arguments that do not fit the schema fail as `bad_input`; nothing is guessed. */
  read(text: string): Result<Read<Input>>;
  /** A refusal of these arguments that shows the right call. */
  refuse(why: string, problems?: readonly string[]): Failed;
};

export function inputForm<Schema extends InputSchema>(
  definition: InputDefinition<Schema>,
): InputForm<z.output<Schema>> {
  const { name, about, input: schema, example, bare } = definition;
  const shown = JSON.stringify(example);
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, {
    io: "input",
    // A whole number has this limit by nature; saying so costs every request some tokens.
    override: ({ jsonSchema: part }) => {
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
    },
  });
  const refuse = (why: string, problems: readonly string[] = [why]): Failed => {
    const fix = `call \`${name}\` again like ${shown}`;
    return fail("bad_input", `\`${name}\`: ${why}`, { fix, detail: { problems } });
  };
  return {
    spec: { name, about: `${about}\nExample: ${shown}`, schema: jsonSchema },
    refuse,
    read(text) {
      const bareInput = bare?.(text);
      const raw = bareInput === undefined ? valueIn(text) : ok<unknown>(bareInput);
      const direct = raw.ok ? schema.safeParse(raw.value) : undefined;
      if (direct?.success) return ok({ input: direct.data, repairs: [] });
      const mended = bareInput === undefined ? mend(text, jsonSchema, name) : undefined;
      const checked = mended && schema.safeParse(mended.value);
      if (mended && checked?.success) return ok({ input: checked.data, repairs: mended.repairs });
      // What was wrong is told of what the model wrote, where that was an object at all.
      const isObject = raw.ok && kindOf(raw.value) === "an object";
      const failed = isObject ? direct : checked;
      if (!failed) return refuse(raw.ok ? notObject(raw.value) : raw.error.say);
      const problems = problemsOf(failed.error, isObject ? raw.value : mended?.value, schema);
      const more = problems.length > PROBLEMS_MAX ? ["…"] : [];
      return refuse([...problems.slice(0, PROBLEMS_MAX), ...more].join("; "), problems);
    },
  };
}

const problemsOf = (
  error: z.core.$ZodError | undefined,
  value: unknown,
  schema: InputSchema,
): string[] => (error?.issues ?? []).map((issue) => problemOf(issue, value, schema));

/** The object after all repairs of text and value; undefined where the text has no one reading. */
function mend(text: string, schema: unknown, tool: string) {
  if (text.length > INPUT_CHARACTERS_MAX) return undefined;
  const object = repairedText(text);
  if (!object) return undefined;
  const fitted = repairedValue(object.value, schema, tool);
  const repairs = [...object.repairs, ...fitted.repairs].slice(0, REPAIRS_MAX);
  return { value: fitted.value, repairs };
}

function valueIn(text: string): Result<unknown> {
  if (text.length > INPUT_CHARACTERS_MAX) {
    return fail("bad_input", `the arguments have more than ${INPUT_CHARACTERS_MAX} characters`);
  }
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, REASON_CHARACTERS_MAX) : "";
    return fail("bad_input", `the arguments are not JSON (${reason})`);
  }
}

const notObject = (value: unknown): string =>
  `the arguments must be a JSON object, not ${kindOf(value)}`;

function problemOf(issue: z.core.$ZodIssue, input: unknown, schema: InputSchema): string {
  const key = `\`${pathOf(issue.path)}\``;
  const value = issue.path.reduce<unknown>((held, step) => memberOf(held, step), input);
  switch (issue.code) {
    case "unrecognized_keys": {
      const where = issue.path.length > 0 ? ` in ${key}` : "";
      const keys = issue.keys.slice(0, PROBLEMS_MAX).map((name) => `\`${cut(name)}\``);
      const known =
        issue.path.length > 0 ? "" : ` (it takes ${Object.keys(schema.shape).join(", ")})`;
      return `unknown key ${keys.join(", ")}${where}${known}`;
    }
    case "invalid_type":
      if (value === undefined) return `${key} is missing`;
      return `${key} must be ${nameOf(issue.expected)}, not ${shownValue(value)}`;
    case "invalid_value":
      return `${key} must be one of ${issue.values.join(", ")}, not ${shownValue(value)}`;
    case "too_small":
      if (value === "") return `${key} is empty`;
      return `${key} must ${measure(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `${key} must ${measure(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return `${key}: ${issue.message}`;
  }
}

/** `edits[0].old` */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) =>
      typeof step === "number" ? `[${step}]` : `${i > 0 ? "." : ""}${String(step)}`,
    )
    .join("");
}

function memberOf(held: unknown, step: PropertyKey): unknown {
  if (typeof held !== "object" || held === null || !Object.hasOwn(held, step)) return undefined;
  return Reflect.get(held, step);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return nameOf(typeof value);
}

function nameOf(type: string): string {
  if (type === "int") return "a whole number";
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function shownValue(value: unknown): string {
  if (typeof value === "object" && value !== null) return kindOf(value);
  return `${kindOf(value)} (${cut(JSON.stringify(value) ?? "")})`;
}

const measure = (origin: string): string =>
  origin === "string" || origin === "array" ? "have" : "be";

const unit = (origin: string): string =>
  origin === "string" ? " characters" : origin === "array" ? " items" : "";

function cut(text: string): string {
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}
