// Runs recorded bytes through a dialect's decoder without a network, however they are cut: for
// tests that need thousands of streams. The deltas and the end are as the port would yield them.
import type { Decoded, Decoder } from "#boundary/models/answer.ts";
import { messagesDecoder } from "#boundary/models/anthropic-answer.ts";
import { ndjsonReader } from "#boundary/models/ndjson.ts";
import { ollamaDecoder } from "#boundary/models/ollama-answer.ts";
import { chatDecoder } from "#boundary/models/openai-chat-answer.ts";
import { responsesDecoder } from "#boundary/models/openai-responses-answer.ts";
import type { ModelDelta } from "#boundary/models/port.ts";
import type { Refusal } from "#boundary/models/refusal.ts";
import { type SseEvent, type SseReader, sseReader } from "#boundary/models/sse.ts";
import { fail } from "#core/failure.ts";
import type { Dialect } from "./strict-answers.ts";

export const asked = { who: "stub", model: "m", host: "stub", secrets: [] };

const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };

/** A chat request of one prompt and one tool, `read {path}`. */
export const chatBody = JSON.stringify({
  tools: [{ type: "function", function: { name: "read", parameters } }],
  messages: [{ role: "user", content: "hello" }],
});

/** The decoder of each dialect and what cuts its bytes into events: one line each. */
const decoders = {
  responses: { decoder: () => responsesDecoder("stub/m", asked), reader: sseReader },
  chat: { decoder: (body: string) => chatDecoder(body, asked), reader: sseReader },
  messages: { decoder: () => messagesDecoder("stub/m", asked), reader: sseReader },
  ollama: { decoder: (body: string) => ollamaDecoder(body, asked), reader: ndjsonReader },
} satisfies Record<Dialect, { decoder(body: string): Decoder; reader(): SseReader }>;

export const decoderOf = (dialect: Dialect, body = chatBody): Decoder =>
  decoders[dialect].decoder(body);

/** A whole or cut stream of a dialect, decoded. */
export const decodedAs = (
  dialect: Dialect,
  bytes: Uint8Array | string,
  how: "close" | "reset" = "close",
) => decoded(decoderOf(dialect), bytes, how, decoders[dialect].reader());

const reset: Refusal = { failure: fail("broken", "the stream was cut").error, stop: "broken" };

/** `how`: the stream closed in good order after these bytes, or was reset. */
export async function decoded(
  decoder: Decoder,
  bytes: Uint8Array | string,
  how: "close" | "reset" = "close",
  reader: SseReader = sseReader(),
): Promise<Decoded & { deltas: ModelDelta[] }> {
  const taken = reader.take(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  const rest = how === "close" ? reader.close() : undefined;
  const events: SseEvent[] = [...(taken.ok ? taken.value : []), ...(rest?.ok ? rest.value : [])];
  const deltas: ModelDelta[] = [];
  for (const event of events) {
    const took = decoder.take(event);
    deltas.push(...took.deltas);
    if (took.state === "ended") return { ...(await decoder.end(undefined)), deltas };
  }
  const unreadable = [taken, rest].find((result) => result?.ok === false);
  const cut =
    unreadable?.ok === false ? { failure: unreadable.error, stop: "broken" as const } : undefined;
  return { ...(await decoder.end(cut ?? (how === "reset" ? reset : undefined))), deltas };
}

/** Chunks of a chat answer as a server sends them; a string is sent as it is. */
export function chatStream(...chunks: (object | string)[]): string {
  return chunks
    .map((chunk) => (typeof chunk === "string" ? chunk : JSON.stringify(chunk)))
    .map((data) => `data: ${data}\n\n`)
    .join("");
}

export const delta = (fields: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: fields, finish_reason }],
});
