// The only way out of a command's network: an HTTP proxy on a UNIX socket, which connects to the
// hosts that the user allowed for this very command and to nothing else, and ends with it.
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { failureOf } from "#boundary/beneath.ts";
import { dial, type Reach } from "#boundary/dial.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";
import { readTarget, type Target, targetText } from "#core/security/hosts.ts";

/** Connections of one command at a time; a package manager opens some dozens. */
const CONNECTIONS_MAX = 256;
/** Bytes of a request's line and headers; Node's own limit. */
const HEAD_BYTES_MAX = 16 * 1024;
/** How long a request's head may take, and how often that is looked at. */
const HEAD_MS = 15_000;
const LOOK_MS = 1_000;
/** A connection on which nothing moved in either direction for so long is closed. */
const IDLE_MS = 10 * 60_000;
/** Hosts that are told of each kind. */
const TOLD_MAX = 50;

/** Where a command went, each as `name:port`, at most `TOLD_MAX` of a kind. */
export type HostsTried = {
  reached: readonly string[];
  /** Hosts that were not let through, with the reason. */
  refused: readonly { host: string; why: string }[];
};

export type HostsProxy = {
  /** Its socket on the host. */
  path: string;
  tried(): HostsTried;
  /** Ends every connection. Safe to call again. */
  close(): Promise<void>;
};

/** Starts the proxy of one command; `folder` is private, and the socket is made in it. */
export async function startProxy(reach: Reach, folder: string): Promise<Result<HostsProxy>> {
  const name = `net-${randomBytes(8).toString("hex")}`;
  const path = join(folder, name);
  let held: number | undefined;
  try {
    // By its descriptor: the path of a socket has at most 107 bytes, that of a home may have more.
    held = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    const life = new AbortController();
    const [sockets, log] = [new Set<Socket>(), hostLog()];
    const ways: Ways = { ...reach, sockets, outwards: 0, log, signal: life.signal };
    const server = serverOf(ways);
    await listening(server, `/proc/self/fd/${held}/${name}`);
    closeSync(held);
    held = undefined;
    const close = async () => {
      life.abort();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of ways.sockets) socket.destroy();
      await closed;
      rmSync(path, { force: true });
    };
    return ok({ path, tried: ways.log.tried, close });
  } catch (error) {
    if (held !== undefined) closeSync(held);
    rmSync(path, { force: true });
    return failureOf(error, folder);
  }
}

type Ways = Reach & {
  sockets: Set<Socket>;
  /** Connections outwards, those that are being made too: requests may come in a pipeline. */
  outwards: number;
  log: HostLog;
  signal: AbortSignal;
};

function serverOf(ways: Ways): Server {
  // Not `import`: see boundary/models/http.ts. Its parser is strict about what ends a line, a head
  // and a body, and writes anew what it passes on.
  const server = process.getBuiltinModule("node:http").createServer({
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_MS,
    requestTimeout: 0,
    connectionsCheckingInterval: LOOK_MS,
    insecureHTTPParser: false,
    requireHostHeader: false,
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = IDLE_MS;
  server.on("connection", (socket) => watch(socket, ways));
  server.on("connect", (request, socket, head) => {
    void tunnel(request, { socket: socket as Socket, head }, ways);
  });
  server.on("request", (request, response) => void forward(request, response, ways));
  return server;
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

/** Ends a connection with the proxy. */
function watch(socket: Socket, { sockets, signal }: Ways): void {
  if (signal.aborted) return void socket.destroy();
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  socket.on("error", () => socket.destroy());
}

/** CONNECT: bytes both ways, once the host was judged. */
async function tunnel(
  request: IncomingMessage,
  { socket, head }: { socket: Socket; head: Buffer },
  ways: Ways,
): Promise<void> {
  const target = isHttp1(request) ? readTarget(request.url ?? "", null) : null;
  const found = await reached(target, ways);
  if (!found.ok) {
    const { status, text } = refusal(target, found.error);
    const type = "content-type: text/plain; charset=utf-8\r\nconnection: close";
    const size = Buffer.byteLength(text);
    socket.end(`HTTP/1.1 ${status}\r\n${type}\r\ncontent-length: ${size}\r\n\r\n${text}`);
    return;
  }
  if (socket.destroyed) return void found.value.destroy();
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  if (head.length > 0) found.value.write(head);
  for (const end of [socket, found.value]) end.setTimeout(IDLE_MS, () => end.destroy());
  // Each direction ends by itself, as in the connection it stands for.
  const done = (error?: Error | null) => {
    if (!error) return;
    socket.destroy();
    found.value.destroy();
  };
  pipeline(socket, found.value, done);
  pipeline(found.value, socket, done);
}

/** `GET http://host/path`: one request, written anew for the host that its own line names. */
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  ways: Ways,
): Promise<void> {
  const form = /^http:\/\/([^/?#@\s]+)(\/[\x21-\x7e]*|\?[\x21-\x7e]*)?$/i;
  const [, authority = "", rest = "/"] = form.exec(request.url ?? "") ?? [];
  const target = isHttp1(request) ? readTarget(authority, 80) : null;
  const found = await reached(target, ways);
  if (!found.ok || target === null) {
    const { status, text } = refusal(target, found.ok ? MALFORMED : found.error);
    const [code = "403", ...words] = status.split(" ");
    response.writeHead(Number(code), words.join(" "), {
      "content-type": "text/plain; charset=utf-8",
      connection: "close",
    });
    response.end(text);
    return;
  }
  const upstream = found.value;
  // Whoever asked may have gone while the host was dialled.
  if (request.destroyed || response.destroyed) {
    upstream.destroy();
    return;
  }
  const asked = process.getBuiltinModule("node:http").request({
    createConnection: () => upstream,
    method: request.method,
    path: rest.startsWith("/") ? rest : `/${rest}`,
    setHost: false,
    headers: { ...passedOn(request), host: hostHeader(target), connection: "close" },
  });
  const broken = () => {
    upstream.destroy();
    if (response.headersSent) response.destroy();
    else
      response.writeHead(502, { connection: "close" }).end("the host broke the connection off\n");
  };
  asked.on("error", broken);
  // Nobody asked for one, and without this the parser would say nothing more.
  asked.on("upgrade", broken);
  asked.on("response", (answer) => {
    try {
      // Without its words for the status, which are whatever the host likes.
      response.writeHead(answer.statusCode ?? 502, passedOn(answer));
    } catch {
      // A status that is none, such as 099: the parser takes it and the writer throws.
      return broken();
    }
    pipeline(answer, response, () => upstream.destroy());
  });
  response.on("close", () => upstream.destroy());
  request.on("error", broken);
  request.pipe(asked);
}

/** A line without a version is taken for HTTP/0.9 by the parser, and has no head to be judged. */
const isHttp1 = ({ httpVersionMajor }: IncomingMessage): boolean => httpVersionMajor === 1;

const hostHeader = (target: Target): string =>
  target.port === 80 ? target.name : targetText(target);

const MALFORMED = fail("bad_input", "the request names no host").error;

/** Headers that are meant for the proxy itself (RFC 9110, section 7.6.1). */
const OWN_HEADERS = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
]);

function passedOn({ headersDistinct }: IncomingMessage): IncomingHttpHeaders {
  const named = (headersDistinct.connection ?? []).flatMap((text) =>
    text.split(",").map((name) => name.trim().toLowerCase()),
  );
  const kept = Object.entries(headersDistinct).filter(
    ([name]) => !OWN_HEADERS.has(name) && (FRAMING.has(name) || !named.includes(name)),
  );
  return Object.fromEntries(
    kept.map(([name, values = []]) => [name, values.length === 1 ? values[0] : values]),
  ) as IncomingHttpHeaders;
}

/** What says how long a body is; `Connection` must not take it away. */
const FRAMING = new Set(["content-length", "transfer-encoding"]);

async function reached(target: Target | null, ways: Ways): Promise<Result<Socket>> {
  if (target === null) return { ok: false, error: MALFORMED };
  if (ways.outwards >= CONNECTIONS_MAX) {
    return fail("busy", `${CONNECTIONS_MAX} connections of this command are open`);
  }
  ways.outwards += 1;
  const found = await dial(target, ways, ways.signal);
  if (!found.ok) ways.outwards -= 1;
  if (found.ok) {
    found.value.once("close", () => {
      ways.outwards -= 1;
    });
    watch(found.value, ways);
    ways.log.reached(targetText(target));
  } else if (found.error.code === "denied") {
    ways.log.refused(targetText(target), found.error.say);
  }
  return found;
}

/** What a program is told, for its own error message. */
function refusal(target: Target | null, { code, say }: Failure): { status: string; text: string } {
  if (target === null) return { status: "400 Bad Request", text: `aiex: ${say}\n` };
  const host = targetText(target);
  if (code !== "denied") {
    return { status: "502 Bad Gateway", text: `aiex: ${host} cannot be reached: ${say}\n` };
  }
  return { status: "403 Forbidden", text: `aiex: ${host} is not open to this command: ${say}\n` };
}

type HostLog = {
  reached(host: string): void;
  refused(host: string, why: string): void;
  tried(): HostsTried;
};

function hostLog(): HostLog {
  const reachedHosts = new Set<string>();
  const refusedHosts = new Map<string, string>();
  return {
    reached(host) {
      if (reachedHosts.size < TOLD_MAX) reachedHosts.add(host);
    },
    refused(host, why) {
      if (refusedHosts.size < TOLD_MAX) refusedHosts.set(host, why);
    },
    tried: () => ({
      reached: [...reachedHosts],
      refused: [...refusedHosts].map(([host, why]) => ({ host, why })),
    }),
  };
}
