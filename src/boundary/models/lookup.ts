// A short question to a server that answers in JSON: bounded in time and size, never thrown. For
// lists of models and what servers say of them, where no answer is an answer too.
import { bodyText, type HttpAsk, send } from "#boundary/models/http.ts";
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

/** The JSON of a good answer; undefined for anything else. */
export async function goodJson(question: Lookup): Promise<unknown> {
  const found = await lookup(question);
  return found.got === "answer" && found.status === 200 ? found.json : undefined;
}

/** How long a server may take to describe one model: it reads a file or its own memory. */
export const DESCRIBE_MS = 2_000;
