// One HTTP request and its response, as values: what the network does wrong becomes a failure here.
// `node:http` instead of `fetch`, measured: some 30 ms less at start-up, and no hidden 300 s limits
// of its own between our named deadlines. Redirects are not followed: keys go where the user said.
import type { ClientRequest, IncomingMessage } from "node:http";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";

export type HttpAsk = {
  method: "GET" | "POST";
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string;
};

/** The request under way. `close` ends it at once, whatever its state. */
export type HttpCall = { response: Promise<Result<IncomingMessage>>; close(): void };

/** Sends one request; `response` settles with its headers and never rejects. */
export function send(ask: HttpAsk): HttpCall {
  let request: ClientRequest | undefined;
  const response = new Promise<Result<IncomingMessage>>((settle) => {
    const { method, headers, body, url } = ask;
    try {
      request = clientFor(url).request(url, { method, headers: { ...headers, ...sizeOf(body) } });
    } catch (error) {
      return settle(fail("bad_input", `the request cannot be sent: ${messageOf(error)}`));
    }
    request.on("response", (message) => settle(ok(message)));
    // Stays attached: errors of a request whose response came are told through the response.
    request.on("error", (error) => settle({ ok: false, error: networkFailure(url, error) }));
    request.end(body);
  });
  return { response, close: () => request?.destroy() };
}

/**
 * Not `import`: that reads every export of the module, and one of them, `WebSocket`, loads all of
 * undici. Measured on Node 26: 35 ms against 6.
 */
const clientFor = (url: URL) =>
  process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");

const sizeOf = (body: string | undefined): Record<string, string> =>
  body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };

/** At most `bytesMax` of a body as text, and whether that was all of it. Never rejects. */
export async function bodyText(
  response: IncomingMessage,
  bytesMax: number,
): Promise<{ text: string; whole: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, bytesMax - bytes));
      bytes += chunk.length;
      if (bytes > bytesMax) break;
    }
  } catch {
    return { text: Buffer.concat(chunks).toString(), whole: false };
  }
  return { text: Buffer.concat(chunks).toString(), whole: bytes <= bytesMax };
}

/** Why no response came, in words; the system's own code stays in `detail`. */
export function networkFailure(url: URL, error: unknown): Failure {
  const code = codeOf(error);
  const known = code === undefined ? undefined : reasons[code];
  const tls = code !== undefined && /CERT|TLS|SSL|SIGNATURE/.test(code);
  const [why, fix] = known ?? [
    tls ? `its TLS certificate was not accepted (${code})` : messageOf(error),
    tls ? "check the URL, or set NODE_EXTRA_CA_CERTS for a private authority" : undefined,
  ];
  return fail("unreachable", `${url.host} cannot be reached: ${why}`, { fix, detail: { code } })
    .error;
}

const reasons: Record<string, [why: string, fix: string]> = {
  ECONNREFUSED: ["nothing listens there", "check the URL and start the server"],
  ENOTFOUND: ["no such host", "check the URL and the network connection"],
  EAI_AGAIN: ["the name could not be looked up", "check the network connection"],
  ECONNRESET: ["the connection was cut", "try again"],
  EPIPE: ["the connection was cut", "try again"],
  ETIMEDOUT: ["the connection attempt timed out", "check the network connection"],
  EHOSTUNREACH: ["no route to it", "check the network connection"],
  ENETUNREACH: ["no route to it", "check the network connection"],
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // Several addresses were tried: the first one's error speaks for them.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
