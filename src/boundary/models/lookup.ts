// A short question to a server that answers in JSON: bounded in time and size, never thrown. For
// lists of models and what servers say of them, where no answer is an answer too.
import { bodyText, type HttpAsk, send } from "#boundary/models/http.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { parsed } from "#core/model/json.ts";

/** Bytes of an answer that are read: a list of a thousand models stays below. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

export type Lookup = {
  url: string;
  /** Sent as the JSON body of a POST; a GET where there is none. */
  body?: object;
  apiKey?: string;
  ms: number;
  signal: AbortSignal;
};

export type LookedUp =
  /** Any whole answer. `json` is undefined where it is not JSON. */
  | { got: "answer"; status: number; json: unknown }
  /** Nobody is there · no answer in time · the caller called it off before the start. */
  | { got: "nothing" | "late" | "cancelled" };

export async function lookup({ url, body, apiKey, ms, signal }: Lookup): Promise<LookedUp> {
  if (signal.aborted) return { got: "cancelled" };
  const headers: Record<string, string> = { accept: "application/json", "user-agent": "aiex" };
  if (apiKey) headers.authorization = `Bearer ${apiKey}`;
  if (body) headers["content-type"] = "application/json";
  const ask: HttpAsk = { method: body ? "POST" : "GET", url: new URL(url), headers };
  if (body) ask.body = JSON.stringify(body);
  const call = send(ask);
  let late = false;
  const close = () => {
    late = true;
    call.close();
  };
  const timer = setTimeout(close, ms);
  signal.addEventListener("abort", close, { once: true });
  try {
    const answered = await call.response;
    if (!answered.ok) return { got: late ? "late" : "nothing" };
    const { text, whole } = await bodyText(answered.value, ANSWER_BYTES_MAX);
    if (late) return { got: "late" };
    const { statusCode: status = 0 } = answered.value;
    return { got: "answer", status, json: whole ? parsed(text) : undefined };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
    call.close();
  }
}

/** Statuses of 4xx by which a server says that it cannot answer now. */
const notNow: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Whether the server had a word on it, if only that there is nothing. Without one it is silent:
 * nobody is there, it was too late, or it cannot answer now, as while it loads a model.
 */
export function isHeard(found: LookedUp): found is Extract<LookedUp, { got: "answer" }> {
  if (found.got !== "answer") return false;
  const { status } = found;
  return status === 501 || (status < 500 && !notNow.has(status));
}

/** The JSON of a good answer; undefined for anything else. */
export async function goodJson(question: Lookup): Promise<{ json: unknown; isHeard: boolean }> {
  const found = await lookup(question);
  const isGood = found.got === "answer" && found.status === 200;
  return { json: isGood ? found.json : undefined, isHeard: isHeard(found) };
}

/**
 * What a server says of a model. It is not whole where the server was silent to some of the
 * questions, or where more is known once the model is loaded: it is worth asking again soon.
 */
export type Description = { facts: ModelFacts; isWhole: boolean };

/** Of a server that has nothing to say, whenever it is asked. */
export const nothingSaid: Description = { facts: {}, isWhole: true };
/** Of one that said nothing yet. */
export const silence: Description = { facts: {}, isWhole: false };

/** How long a server may take to describe one model: it reads a file or its own memory. */
export const DESCRIBE_MS = 2_000;
