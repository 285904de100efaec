// Reading JSON that nobody here wrote: fields that may be missing or of any type, and the exact
// text of a value inside a document, for what has to go back byte for byte. Nothing throws.

export type Fields = Readonly<Record<string, unknown>>;

/** The value of a JSON text, or undefined where it is not JSON (JSON has no undefined). */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textAt(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === "string" ? value : undefined;
}

export function numberAt(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The exact text of the value of `key` in the text of a JSON object; a repeated key: the last. */
export function valueText(json: string, key: string): string | undefined {
  let at = skipSpace(json, 0);
  if (json[at] !== "{") return undefined;
  let found: string | undefined;
  for (at = skipSpace(json, at + 1); json[at] === '"'; at = skipSpace(json, at + 1)) {
    const nameEnd = stringEnd(json, at);
    const name = parsed(json.slice(at, nameEnd));
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1);
    const end = valueEnd(json, start);
    if (name === key) found = json.slice(start, end);
    at = skipSpace(json, end);
    if (json[at] !== ",") break;
  }
  return found;
}

/** The exact texts of the elements of a JSON array. */
export function elementTexts(json: string): string[] {
  const out: string[] = [];
  let at = skipSpace(json, 0);
  if (json[at] !== "[") return out;
  at = skipSpace(json, at + 1);
  while (at < json.length && json[at] !== "]") {
    const end = valueEnd(json, at);
    if (end === at) break;
    out.push(json.slice(at, end));
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return out;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && " \t\n\r".includes(json.charAt(at))) at += 1;
  return at;
}

/** The index after a string that starts at `start`; the text's end where it is left open. */
export function stringEnd(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (quote !== -1) {
    let before = quote - 1;
    while (json[before] === "\\") before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = json.indexOf('"', quote + 1);
  }
  return json.length;
}

function valueEnd(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return stringEnd(json, start);
  if (first !== "{" && first !== "[") {
    let at = start;
    while (at < json.length && !",]} \t\n\r".includes(json.charAt(at))) at += 1;
    return at;
  }
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') at = stringEnd(json, at) - 1;
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return json.length;
}
