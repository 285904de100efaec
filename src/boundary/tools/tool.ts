// Defines a tool from its input schema: the JSON Schema a model is told, the strict reading of what
// the model wrote, and a refusal that says exactly what was wrong and shows a call that is right.
import * as z from "zod/mini";
import type { Prepared, Tool, ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { type Failure, fail, ok, type Result, sentenceOf } from "#core/failure.ts";
import type { UserPart } from "#core/model/message.ts";
import type { Effect, Fact } from "#core/session/tool-facts.ts";

/** Characters of argument text that are looked at; a call with more is refused unread. */
const INPUT_CHARACTERS_MAX = 4_000_000;
/** Problems named in one refusal. */
const PROBLEMS_MAX = 8;
/** Characters of a wrong value that a refusal repeats. */
const VALUE_CHARACTERS_MAX = 60;
/** Characters of a name or a line that stand where there is room for one line. */
const ONE_LINE_CHARACTERS_MAX = 200;
/** Characters of a parser's own words that a refusal repeats. */
const REASON_CHARACTERS_MAX = 200;

/** The input of a tool: an object that refuses keys it does not know. */
type InputSchema = z.ZodMiniObject<z.core.$ZodLooseShape, z.core.$strict>;

export type ToolDefinition<Schema extends InputSchema> = {
  name: string;
  /** The widest class a call can have; a prepared call may be narrower. */
  effect: Effect;
  /** When to use it, when not, and its limits with their units. */
  about: string;
  input: Schema;
  /** A whole, valid input: told to the model, and again when it gets the input wrong. */
  example: z.input<Schema>;
  /** Reads argument text that is not meant to be JSON, where the tool has such a form. */
  bare?(text: string): z.input<Schema> | undefined;
  /** As the port's `prepare`, with the input checked. */
  prepare(input: z.output<Schema>, context: ToolContext): Promise<Result<Prepared>>;
};

/** Arguments that are not exactly of the schema fail as `bad_input`; nothing is guessed. */
export function defineTool<Schema extends InputSchema>(definition: ToolDefinition<Schema>): Tool {
  const { name, effect, about, input: schema, example, bare, prepare } = definition;
  const shown = JSON.stringify(example);
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, {
    io: "input",
    // A whole number has this limit by nature; saying so costs every request some tokens.
    override: ({ jsonSchema: part }) => {
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
    },
  });
  const read = (text: string): Result<z.output<Schema>> => {
    const bareInput = bare?.(text);
    const raw = bareInput === undefined ? objectFrom(text) : ok<unknown>(bareInput);
    const fix = `call \`${name}\` again like ${shown}`;
    if (!raw.ok) return fail("bad_input", `\`${name}\`: ${raw.error.say}`, { fix });
    const checked = schema.safeParse(raw.value);
    if (checked.success) return ok(checked.data);
    const problems = checked.error.issues.map((issue) => problemOf(issue, raw.value, schema));
    const more = problems.length > PROBLEMS_MAX ? ["…"] : [];
    const say = [...problems.slice(0, PROBLEMS_MAX), ...more].join("; ");
    return fail("bad_input", `\`${name}\`: ${say}`, { fix, detail: { problems } });
  };
  return {
    effect,
    spec: { name, about: `${about}\nExample: ${shown}`, schema: jsonSchema },
    async prepare(text, context) {
      const input = read(text);
      if (!input.ok) return input;
      const prepared = await prepare(input.value, context);
      // What a model wrote is in the title, which is one line that a person reads.
      return prepared.ok
        ? ok({ ...prepared.value, title: inOneLine(prepared.value.title) })
        : prepared;
    },
  };
}

/** What a tool says when it is done. */
export function outcome(
  said: string | UserPart[],
  { facts = [], failed = false }: { facts?: Fact[]; failed?: boolean } = {},
): ToolOutcome {
  const parts: UserPart[] = typeof said === "string" ? [{ type: "text", text: said }] : said;
  return { failed, parts, facts };
}

/** What a tool says when it could not do it: what was wrong, then the next step. */
export function refusal(failure: Failure, facts: Fact[] = []): ToolOutcome {
  return outcome(sentenceOf(failure), { failed: true, facts });
}

/** A name or a pattern in one line of bounded length, whatever is in it. */
export function inOneLine(name: string): string {
  const text = /[\0-\x1f\x7f\u2028\u2029]/.test(name) ? JSON.stringify(name) : name;
  return text.length > ONE_LINE_CHARACTERS_MAX
    ? `${text.slice(0, ONE_LINE_CHARACTERS_MAX)}…`
    : text;
}

/** Reports one below the other; those that no longer fit are cut to the beginning of a line. */
export function reported(reports: readonly string[], charactersMax: number): string {
  let left = charactersMax;
  const shown = reports.map((report) => {
    left -= report.length + 1;
    return left >= 0 ? report : inOneLine(report.split("\n", 1)[0] ?? "");
  });
  return shown.join("\n");
}

function objectFrom(text: string): Result<unknown> {
  if (text.length > INPUT_CHARACTERS_MAX) {
    return fail("bad_input", `the arguments have more than ${INPUT_CHARACTERS_MAX} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, REASON_CHARACTERS_MAX) : "";
    return fail("bad_input", `the arguments are not JSON (${reason})`);
  }
  if (kindOf(value) === "an object") return ok(value);
  return fail("bad_input", `the arguments must be a JSON object, not ${kindOf(value)}`);
}

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
