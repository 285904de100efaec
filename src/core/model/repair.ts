// Malformed arguments of a tool call, read where exactly one reading is possible. A repair never
// touches what stands inside a string, never completes what was cut off, and never chooses; what
// it cannot read so stays unread and is answered. Cases with their sources: malformed-samples.ts.
import { type Fields, isObject, parsed, stringEnd } from "#core/model/json.ts";

/** A value, and in a few words what was repaired to read it; empty where nothing was. */
export type Repaired = { value: unknown; repairs: readonly string[] };

/** Layers of quoting or wrapping that are taken off; a model that adds more means something else. */
const LAYERS_MAX = 3;

/** Fences and markers that are taken off; a text with more of them is no call with leftovers. */
const MARKERS_MAX = 8;
const FENCE = "```";
/** What other formats of tool calls leave before the object, and behind it. */
const BEGINNING = "<tool_call>";
const LEFTOVERS = [
  "</tool_call>",
  "</function_call>",
  "</function>",
  "</parameter>",
  "</parameters>",
  "</arguments>",
  "</invoke>",
  "<|im_end|>",
  "<|call|>",
  "<|end|>",
  "<|eot_id|>",
  "<|tool_call_end|>",
  "<｜tool▁call▁end｜>",
  "</s>",
];

/** The object that a text means, or undefined where it means none or more than one. */
export function repairedText(text: string): Repaired | undefined {
  return objectIn(text, 0);
}

function objectIn(text: string, layer: number): Repaired | undefined {
  const repairs: string[] = [];
  const bare = unwrapped(text, repairs);
  if (bare === "" || bare === "null") return { value: {}, repairs: ["no arguments"] };
  const direct = parsed(bare);
  const value = direct === undefined ? tolerant(bare, repairs) : direct;
  if (isObject(value)) return { value, repairs };
  if (typeof value !== "string" || layer === LAYERS_MAX) return undefined;
  const inner = objectIn(value, layer + 1);
  return inner && { value: inner.value, repairs: [...repairs, "quoted twice", ...inner.repairs] };
}

/** Without a code fence around it and without markers of another format. */
function unwrapped(text: string, repairs: string[]): string {
  let bare = text.replace(/^\uFEFF/, "").trim();
  for (let taken = 0; taken < MARKERS_MAX; taken += 1) {
    const fenced = insideFence(bare);
    const end = LEFTOVERS.find((marker) => bare.endsWith(marker));
    if (fenced !== undefined) {
      bare = fenced.trim();
      repairs.push("code fence");
    } else if (end) {
      bare = bare.slice(0, -end.length).trim();
      repairs.push(`leftover ${end}`);
    } else if (bare.startsWith(BEGINNING)) {
      bare = bare.slice(BEGINNING.length).trim();
      repairs.push(`leftover ${BEGINNING}`);
    } else return bare;
  }
  return bare;
}

/** What stands between the fences; the first line holds nothing but the name of a language. */
function insideFence(text: string): string | undefined {
  const lineEnd = text.indexOf("\n");
  const isFenced = text.startsWith(FENCE) && text.endsWith(FENCE) && lineEnd !== -1;
  if (!isFenced || !/^[a-zA-Z]*\s*$/.test(text.slice(FENCE.length, lineEnd).slice(0, 40))) {
    return undefined;
  }
  return text.slice(lineEnd, -FENCE.length);
}

/** A value of almost-JSON: only what stands outside strings is read more freely. */
function tolerant(text: string, repairs: string[]): unknown {
  const said: string[] = [];
  const json = plainJson(text, said);
  const value = parsed(json) ?? onlyOne(json, said);
  if (value !== undefined) repairs.push(...new Set(said));
  return value;
}

type Piece = { at: number; text: string; isString: boolean };

/** Strings with their quotes, and what stands between them; an open string is all of the rest. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; ) {
    const isString = text[at] === '"';
    const quote = text.indexOf('"', at);
    const end = isString ? stringEnd(text, at) : quote === -1 ? text.length : quote;
    pieces.push({ at, text: text.slice(at, end), isString });
    at = end;
  }
  return pieces;
}

function plainJson(text: string, said: string[]): string {
  const plain = piecesOf(text).map((piece) => {
    if (piece.isString) {
      // A line break in a string is a line break, whether it was escaped or not.
      return piece.text.replaceAll(/[\n\r\t]/g, (raw) => {
        said.push("line break or tab in a string");
        return JSON.stringify(raw).slice(1, -1);
      });
    }
    return piece.text
      .replaceAll(/(?<![\w.])(True|False|None)(?!\w)/g, (word) => {
        said.push(`${word} of Python`);
        return word === "None" ? "null" : word.toLowerCase();
      })
      .replaceAll(/,(\s*[}\]])/g, (_, close: string) => {
        said.push("comma at the end");
        return close;
      });
  });
  return plain.join("");
}

/** One object where a server streamed the same one twice, or an empty one before it. */
function onlyOne(json: string, said: string[]): unknown {
  const texts = objectsIn(json);
  const values = texts.map(parsed);
  if (values.length !== 2 || !values.every(isObject)) return undefined;
  const [first, second] = values;
  if (JSON.stringify(first) === JSON.stringify(second)) {
    said.push("said twice");
    return first;
  }
  if (Object.keys(first ?? {}).length > 0) return undefined;
  said.push("empty object before it");
  return second;
}

/** The texts of the objects that follow each other; none where there is anything else. */
function objectsIn(json: string): string[] {
  const texts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { at, text, isString } of piecesOf(json)) {
    if (isString && depth === 0) return [];
    for (let i = 0; !isString && i < text.length; i += 1) {
      const character = text.charAt(i);
      if (depth === 0 && character === "{") from = at + i;
      else if (depth === 0 && character.trim() !== "") return [];
      if (character === "{") depth += 1;
      if (character !== "}") continue;
      depth -= 1;
      if (depth === 0) texts.push(json.slice(from, at + i + 1));
    }
  }
  return depth === 0 ? texts : [];
}

/** The part of JSON Schema that decides what a value should have been. */
type Shape = {
  type?: unknown;
  properties?: Readonly<Record<string, Shape>>;
  required?: readonly string[];
  items?: Shape;
};

/** Names under which arguments are wrapped once more. */
const WRAPPERS = ["arguments", "parameters", "input", "params", "args"];
/** Names under which the tool itself stands beside them. */
const NAMES = ["name", "tool", "tool_name"];

/**
 * A value made to fit the JSON Schema of a tool's arguments, as far as there is one way to do it;
 * whether it fits then, the schema says. `tool` is the name of the tool.
 */
export function repairedValue(value: unknown, schema: unknown, tool: string): Repaired {
  const repairs: string[] = [];
  const shape = isObject(schema) ? (schema as Shape) : {};
  const inner = withoutWrapper(value, shape, tool, repairs);
  return { value: fitted(inner, shape, "", repairs), repairs };
}

function withoutWrapper(given: unknown, shape: Shape, tool: string, repairs: string[]): unknown {
  let value = given;
  for (let layer = 0; layer < LAYERS_MAX; layer += 1) {
    if (!isObject(value)) return value;
    const fields = value;
    const keys = Object.keys(fields);
    const known = shape.properties ?? {};
    if (keys.some((key) => Object.hasOwn(known, key))) return value;
    const wrapper = keys.find((key) => WRAPPERS.includes(key));
    const rest = keys.filter((key) => key !== wrapper);
    // Beside the wrapper only the name of the very tool may stand.
    const isName = (key: string) => NAMES.includes(key) && fields[key] === tool;
    if (wrapper === undefined || rest.length > 1 || !rest.every(isName)) return value;
    const inside = fields[wrapper];
    const read = typeof inside === "string" ? parsed(inside) : inside;
    if (!isObject(read)) return value;
    repairs.push(`wrapped in \`${wrapper}\``);
    value = read;
  }
  return value;
}

function fitted(value: unknown, shape: Shape, path: string, repairs: string[]): unknown {
  const note = (what: string) => repairs.push(path === "" ? what : `${what} (\`${path}\`)`);
  switch (shape.type) {
    case "object":
      return fittedObject(value, shape, path, repairs);
    case "array":
      return fittedList(value, shape, path, repairs);
    case "integer":
    case "number":
      if (typeof value !== "string" || !/^-?(0|[1-9]\d{0,14})$/.test(value)) return value;
      note("number as text");
      return Number(value);
    case "boolean":
      if (typeof value !== "string" || !/^(true|false|True|False)$/.test(value)) return value;
      note("true or false as text");
      return value.toLowerCase() === "true";
    default:
      return value;
  }
}

function fittedObject(given: unknown, shape: Shape, path: string, repairs: string[]): unknown {
  const note = (what: string) => repairs.push(path === "" ? what : `${what} (\`${path}\`)`);
  const read = typeof given === "string" ? parsed(given) : given;
  if (!isObject(read)) return given;
  if (read !== given) note("object as text");
  const known = shape.properties ?? {};
  const names = namesFor(read, Object.keys(known));
  const out: [string, unknown][] = [];
  for (const [key, value] of Object.entries(read)) {
    const name = names.get(key) ?? key;
    const inner = Object.hasOwn(known, name) ? known[name] : undefined;
    const where = path === "" ? name : `${path}.${name}`;
    if (value === null && inner && !shape.required?.includes(name)) {
      repairs.push(`null for what may be left out (\`${where}\`)`);
      continue;
    }
    if (name !== key) repairs.push(`\`${key}\` for \`${where}\``);
    out.push([name, inner ? fitted(value, inner, where, repairs) : value]);
  }
  return Object.fromEntries(out);
}

/** Keys that are a known one in another spelling: `filePath` for `file_path`. */
function namesFor(given: Fields, known: readonly string[]): Map<string, string> {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, "");
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  const names = new Map<string, string>();
  for (const key of unknown) {
    const meant = known.filter((name) => plain(name) === plain(key));
    const rivals = unknown.filter((other) => plain(other) === plain(key));
    const [name] = meant;
    if (name === undefined || meant.length > 1 || rivals.length > 1) continue;
    if (!Object.hasOwn(given, name)) names.set(key, name);
  }
  return names;
}

function fittedList(given: unknown, shape: Shape, path: string, repairs: string[]): unknown {
  const items = shape.items ?? {};
  const read = typeof given === "string" ? parsed(given) : given;
  const isOne = isObject(read) && items.type === "object";
  if (!Array.isArray(read) && !isOne) return given;
  if (read !== given) repairs.push(`list as text (\`${path}\`)`);
  if (isOne) repairs.push(`one object for a list (\`${path}\`)`);
  const list: readonly unknown[] = Array.isArray(read) ? read : [read];
  return list.map((item, i) => fitted(item, items, `${path}[${i}]`, repairs));
}

/** Name spaces that models and servers put before a tool's name. */
const SPACES = /^(functions|default_api)[.:]/;

/**
 * The tool of these that a name means: itself, or without what a format left around it, or in
 * another case. Undefined where that is none of them, or more than one.
 */
export function toolNamed(name: string, tools: readonly string[]): string | undefined {
  if (tools.includes(name)) return name;
  const bare = name
    .trim()
    .replace(/<\|[\s\S]*$/, "")
    .replace(SPACES, "")
    .replace(/:\d+$/, "");
  if (tools.includes(bare)) return bare;
  const same = tools.filter((tool) => tool.toLowerCase() === bare.toLowerCase());
  return same.length === 1 ? same[0] : undefined;
}
