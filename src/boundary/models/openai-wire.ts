// What the two OpenAI dialects share: where requests go, and, for other dialects too, how attachments
// and results are shown.
import type { HttpAsk } from "#boundary/models/http.ts";
import type { ModelRequest, WireRequest } from "#boundary/models/port.ts";
import type { Asked } from "#boundary/models/refusal.ts";
import { aboutBlob, type BlobRef, type Message, type UserPart } from "#core/model/message.ts";

/** Where a provider of these dialects is. `baseUrl` ends where the API begins, often in `/v1`. */
export type Endpoint = {
  provider: string;
  baseUrl: string;
  /** Sent as a bearer token; local servers need none. */
  apiKey?: string;
  /** Further headers, such as an organisation. */
  headers?: Readonly<Record<string, string>>;
};

export function askOf(endpoint: Endpoint, wire: WireRequest): HttpAsk {
  const url = new URL(endpoint.baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, "") + wire.path;
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "aiex",
    ...endpoint.headers,
  };
  if (endpoint.apiKey) headers.authorization = `Bearer ${endpoint.apiKey}`;
  return { method: "POST", url, headers, body: wire.body };
}

export function askedOf(endpoint: Endpoint, model: string): Asked {
  const { host } = new URL(endpoint.baseUrl);
  const secrets = [endpoint.apiKey ?? "", ...Object.values(endpoint.headers ?? {})];
  // A short header value ("1", "beta") is no secret and would hollow out every message.
  const long = secrets.filter((secret) => secret.length >= 8);
  return { who: endpoint.provider, model, host, secrets: long };
}

export type Shown =
  | { type: "text"; text: string }
  | { type: "image"; url: string }
  | { type: "file"; name: string; url: string };

/** Image types all dialects accept: the guides of OpenAI and Anthropic on images and vision. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** The parts of a message as a model is shown them: never empty, unknown attachments as a line. */
export function shownParts(
  parts: readonly UserPart[],
  blobs: ModelRequest["blobs"],
  empty: string,
): Shown[] {
  const shown = parts.flatMap((part): Shown[] => {
    if (part.type === "blob") return [shownBlob(part.blob, blobs.get(part.blob.hash))];
    return part.text === "" ? [] : [{ type: "text", text: part.text }];
  });
  return shown.length > 0 ? shown : [{ type: "text", text: empty }];
}

function shownBlob(blob: BlobRef, base64: string | undefined): Shown {
  const name = blob.name ?? `attachment-${blob.hash.slice(0, 8)}`;
  const about = aboutBlob(blob);
  if (base64 === undefined) return { type: "text", text: `[${about} is no longer kept]` };
  const url = `data:${blob.media};base64,${base64}`;
  if (IMAGES.has(blob.media)) return { type: "image", url };
  if (blob.media === "application/pdf") return { type: "file", name, url };
  return { type: "text", text: `[${about} cannot be shown: only images and PDF can]` };
}

/** The text of a tool result; models of OpenAI's dialects have no other sign that a call failed. */
export const EMPTY_RESULT = "(no output)";
export const EMPTY_PROMPT = "(empty message)";
export const FAILED = "The call failed: ";

export type ToolMessage = Extract<Message, { role: "tool" }>;

export function shownResult(message: ToolMessage, blobs: ModelRequest["blobs"]): Shown[] {
  const shown = shownParts(message.parts, blobs, EMPTY_RESULT);
  if (!message.failed) return shown;
  const [first, ...rest] = shown;
  return first?.type === "text"
    ? [{ type: "text", text: FAILED + first.text }, ...rest]
    : [{ type: "text", text: FAILED.trim() }, ...shown];
}
