// The text of a request. It grows only at its end: the settings come first and the conversation
// last, so that each request begins with the one before it, byte for byte, and caches keep working.
import { isObject, parsed } from "#core/model/json.ts";

/**
 * JSON that every server can read: a lone half of a surrogate pair (a text cut in the middle of an
 * emoji) becomes U+FFFD, because strict parsers refuse the escape that would stand for it.
 */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string" ? inner.toWellFormed() : inner,
  );
}

/** A JSON object whose last member is an array of ready JSON texts: those stay byte for byte. */
export function bodyOf(
  head: Record<string, unknown>,
  last: string,
  items: readonly string[],
): string {
  return `${jsonOf(head).slice(0, -1)},${jsonOf(last)}:[${items.join(",")}]}`;
}

/**
 * Arguments as the text of a JSON object: some servers parse them again (vLLM, Ollama) and refuse
 * every later request over one malformed call. What was no object is shown as a string inside one.
 */
export function objectText(input: string): string {
  if (isObject(parsed(input))) return input;
  return input.trim() === "" ? "{}" : JSON.stringify({ malformed: input });
}

/**
 * The same where the object itself stands in the request: the text that the model wrote, unless
 * half a surrogate pair in it has to be replaced.
 */
export function objectJson(input: string): string {
  const text = objectText(input);
  const value = parsed(text);
  const readable = jsonOf(value);
  return readable === JSON.stringify(value) ? text : readable;
}
