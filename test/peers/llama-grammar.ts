// A grammar in llama.cpp's own notation (GBNF) of the calls that some tools allow, made from their
// JSON Schemas: a model that is held to it can only write arguments that fit. It knows the keywords
// that Aiex's tools use and throws at any other, so that none is passed over. Each text ends with an
// emoji: the model has no token of one and spells it byte by byte.
import { type Fields, fieldsOf, listOf, numberAt, textAt } from "#core/model/json.ts";

/**
 * So short that each call of Aiex's tools fits ANSWER_TOKENS_MAX even where the model spells every
 * character as an escape of six tokens. Characters; elements.
 */
const TEXT_CHARS_MAX = 12;
const ITEMS_MAX = 1;
/** Characters of a sentence before its last. */
const SENTENCE_CHARS_MAX = 60;
/** The largest integer where a schema names none. */
const INTEGER_MAX = 9_999;

/** Miscellaneous Symbols and Pictographs, Emoticons: four bytes each. */
const EMOJI = String.raw`emoji ::= [\U0001F300-\U0001F64F]`;

/** A sentence of plain text. */
export const sentenceGrammar = [
  String.raw`root ::= [^.\x00]{0,${SENTENCE_CHARS_MAX}} emoji "."`,
  EMOJI,
].join("\n");

/** What of a schema is understood; descriptions mean nothing to a grammar. */
const keywords: Record<string, readonly string[]> = {
  string: ["minLength", "maxLength", "enum"],
  integer: ["minimum", "maximum"],
  boolean: [],
  array: ["items", "minItems", "maxItems"],
  object: ["properties", "required", "additionalProperties"],
};

export type GrammarTool = { name: string; schema: Fields };

/** One call: the tool's name, then its arguments as an object without white space. */
export function callGrammar(tools: readonly GrammarTool[]): string {
  const calls = tools.map(({ name, schema }) => `${quoted(name)} ${ruleOf(schema)}`);
  return [
    `root ::= ${calls.join(" | ")}`,
    String.raw`char ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
    EMOJI,
  ].join("\n");
}

const quoted = (text: string): string => JSON.stringify(text);
const oneOf = (rules: readonly string[]): string => `(${rules.join(" | ")})`;

function ruleOf(schema: Fields): string {
  const type = textAt(schema, "type") ?? "";
  const known = ["type", "description", ...(keywords[type] ?? [])];
  const unknown = Object.keys(schema).filter((key) => !known.includes(key));
  if (!(type in keywords) || unknown.length > 0) {
    throw new Error(`llama-grammar.ts must learn: ${type || "no type"} ${unknown.join(" ")}`);
  }
  if (type === "boolean") return oneOf(['"true"', '"false"']);
  if (type === "integer") return integerRule(schema);
  if (type === "array") return arrayRule(schema);
  if (type === "object") return objectRule(schema);
  if (schema.enum) return oneOf(listOf(schema.enum).map((value) => quoted(JSON.stringify(value))));
  const least = numberAt(schema, "minLength") ?? 0;
  const most = Math.min(numberAt(schema, "maxLength") ?? TEXT_CHARS_MAX, TEXT_CHARS_MAX);
  return String.raw`"\"" char{${Math.max(least - 1, 0)},${most - 1}} emoji "\""`;
}

/** As many digits as are surely below the maximum, and not below a minimum that is a power of ten. */
function integerRule(schema: Fields): string {
  const least = numberAt(schema, "minimum") ?? 0;
  const most = numberAt(schema, "maximum") ?? INTEGER_MAX;
  const zeros = Math.max(0, String(least).length - 1);
  const digitsMore = String(most + 1).length - 2;
  if ((least !== 0 && least !== 10 ** zeros) || most < 9 || digitsMore < zeros) {
    throw new Error(`llama-grammar.ts must learn integers from ${least} to ${most}`);
  }
  const digits = `[1-9] [0-9]{${zeros},${digitsMore}}`;
  return least === 0 ? oneOf(['"0"', digits]) : digits;
}

function arrayRule(schema: Fields): string {
  const least = numberAt(schema, "minItems") ?? 0;
  const most = Math.max(least, Math.min(numberAt(schema, "maxItems") ?? ITEMS_MAX, ITEMS_MAX));
  const item = ruleOf(fieldsOf(schema.items));
  const items = `${item} ("," ${item}){${Math.max(least - 1, 0)},${most - 1}}`;
  return `"[" ${least === 0 ? `(${items})?` : items} "]"`;
}

/** Required members in their order; then, in theirs, any of the others. */
function objectRule(schema: Fields): string {
  const required = listOf(schema.required);
  const member = ([name, value]: [string, unknown]): string =>
    `${quoted(`${JSON.stringify(name)}:`)} ${ruleOf(fieldsOf(value))}`;
  const members = Object.entries(fieldsOf(schema.properties));
  const always = members.filter(([name]) => required.includes(name)).map(member);
  const perhaps = members.filter(([name]) => !required.includes(name)).map(member);
  const further = (rules: readonly string[]) => rules.map((rule) => ` ("," ${rule})?`).join("");
  if (always.length > 0) return `"{" ${always.join(' "," ')}${further(perhaps)} "}"`;
  if (perhaps.length === 0) return '"{}"';
  const first = perhaps.map((rule, at) => `${rule}${further(perhaps.slice(at + 1))}`);
  return `"{" ${oneOf(first)}? "}"`;
}
