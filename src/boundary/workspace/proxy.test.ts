// The proxy itself, over its socket: it connects to what was allowed, at the address it checked, and
// whatever else a program writes to it makes no connection at all.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer as httpServer, type IncomingMessage } from "node:http";
import { connect, type Socket, createServer as tcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HostsProxy, startProxy } from "#boundary/workspace/proxy.ts";
import { echo, type World, worldOf } from "#boundary/world.ts";

const HOSTS = ["a.org", "*.b.org", "c.org:8080", "localhost:3000", "10.0.0.5"];
let world: World;
let folder: string;
let proxy: HostsProxy;
let asked: { url: string; headers: IncomingMessage["headers"]; body: string }[];

beforeEach(async () => {
  world = worldOf(["8.8.4.4"]);
  folder = mkdtempSync(join(tmpdir(), "aiex-proxy-"));
  asked = [];
  const web = httpServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ url: request.url ?? "", headers: request.headers, body });
    response.setHeader("connection", "keep-alive, x-hop");
    response.setHeader("x-hop", "1");
    response.end("from a.org");
  });
  world.names.set("a.org", [["8.8.8.8"]]);
  world.names.set("x.b.org", [["8.8.8.9"]]);
  await world.stands("8.8.8.8:80", web);
  await world.stands("8.8.8.8:443", echo());
  await world.stands("8.8.8.9:443", echo());
  proxy = await started(HOSTS);
});

afterEach(async () => {
  await proxy.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

async function started(hosts: readonly string[]): Promise<HostsProxy> {
  const begun = await startProxy({ hosts, outside: world.outside }, folder);
  if (!begun.ok) throw new Error(begun.error.say);
  return begun.value;
}

/** Writes bytes to the proxy, and answers all that comes back until it closes. */
function say(text: string | Buffer, { end = true } = {}): Promise<string> {
  const socket = connect(proxy.path);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  if (end) socket.end(text);
  else socket.write(text);
  return new Promise((resolve) => {
    socket.once("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

const tunnel = (target: string, bytes = "") =>
  say(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${bytes}`);

describe("a host that was allowed", () => {
  it("is reached through a tunnel, at the address it was looked up to have", async () => {
    expect(await tunnel("a.org:443", "hello")).toMatch(/^HTTP\/1\.1 200 [^\n]*\n\r\nhello$/);
    expect(await tunnel("X.B.org.:443", "hi")).toContain("hi");
    expect(world.connections).toEqual(["8.8.8.8:443", "8.8.8.9:443"]);
    expect(proxy.tried()).toEqual({ reached: ["a.org:443", "x.b.org:443"], refused: [] });
  });

  it("is asked over HTTP, under the name of the request's own line", async () => {
    const answer = await say(
      "POST http://a.org/p?q=1 HTTP/1.1\r\nHost: evil.org\r\nProxy-Authorization: x\r\n" +
        "Connection: close, X-Drop\r\nX-Drop: 1\r\nX-Keep: 1\r\nContent-Length: 4\r\n\r\nbody",
      { end: false },
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toContain("from a.org");
    expect(answer).not.toContain("x-hop: 1");
    expect(asked).toMatchObject([{ url: "/p?q=1", body: "body" }]);
    const { headers } = asked[0] ?? {};
    expect(headers).toMatchObject({ host: "a.org", "x-keep": "1" });
    expect(headers).not.toHaveProperty("x-drop");
    expect(headers).not.toHaveProperty("proxy-authorization");
  });

  it("is judged anew for each request of a connection", async () => {
    const get = (host: string) => `GET http://${host}/ HTTP/1.1\r\nHost: a.org\r\n\r\n`;
    const answer = await say(get("a.org") + get("evil.org"), { end: false });
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(world.connections).toEqual(["8.8.8.8:80"]);
  });

  it("may be this machine, and an address of the local network, where that was named", async () => {
    await world.stands("127.0.0.1:3000", echo());
    await world.stands("10.0.0.5:443", echo());
    expect(await tunnel("localhost:3000", "dev")).toContain("dev");
    expect(await tunnel("10.0.0.5:443", "lan")).toContain("lan");
    expect(await tunnel("localhost:3001")).toContain("403");
    // What is called localhost is not looked up.
    expect(world.lookups).toEqual([]);
  });

  it("ends its tunnel direction by direction, and wholly with the proxy", async () => {
    const socket = connect({ path: proxy.path, allowHalfOpen: true });
    socket.write("CONNECT a.org:443 HTTP/1.1\r\n\r\n");
    await next(socket);
    socket.end("last words");
    expect(await next(socket)).toBe("last words");
    const open = connect(proxy.path);
    open.write("CONNECT a.org:443 HTTP/1.1\r\n\r\n");
    await next(open);
    const closed = new Promise((resolve) => open.once("close", resolve));
    await proxy.close();
    await closed;
    expect(readdirSync(folder)).toEqual([]);
  });
});

const next = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once("data", (chunk) => resolve(String(chunk)));
  });

describe("a name that leads somewhere else", () => {
  it.each([
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "0.0.0.0",
    "10.0.0.6",
    "169.254.169.254",
    "fd00:ec2::254",
    "fe80::1%lo",
    "100.64.0.1",
    "8.8.4.4",
    "not an address",
  ])("is not followed to %s", async (address) => {
    world.names.set("a.org", [[address]]);
    expect(await tunnel("a.org:443")).toMatch(/^HTTP\/1\.1 403 .*it leads to/s);
    expect(world.connections).toEqual([]);
    expect(proxy.tried().refused).toMatchObject([{ host: "a.org:443" }]);
  });

  it("is connected to at its checked address, whatever it says a moment later", async () => {
    world.names.set("a.org", [["8.8.8.8"], ["127.0.0.1"]]);
    expect(await tunnel("a.org:443", "first")).toContain("first");
    expect(world.lookups).toEqual(["a.org"]);
    expect(await tunnel("a.org:443")).toContain("403");
    expect(world.connections).toEqual(["8.8.8.8:443"]);
  });

  it("is used with its public addresses only", async () => {
    world.names.set("a.org", [["127.0.0.1", "8.8.8.7", "10.0.0.1", "8.8.8.8"]]);
    expect(await tunnel("a.org:443", "x")).toContain("x");
    expect(world.connections).toEqual(["8.8.8.7:443", "8.8.8.8:443"]);
  });

  it("is said to be out of reach where it cannot be looked up", async () => {
    world.names.delete("a.org");
    expect(await tunnel("a.org:443")).toMatch(/^HTTP\/1\.1 502 /);
    expect(proxy.tried()).toEqual({ reached: [], refused: [] });
  });
});

describe("whatever else is written to it makes no connection", () => {
  const get = (target: string, more = "") => `GET ${target} HTTP/1.1\r\nHost: a.org\r\n${more}\r\n`;
  const to = (target: string, more = "") =>
    `CONNECT ${target} HTTP/1.1\r\nHost: a.org\r\n${more}\r\n`;
  it.each([
    ["another host", to("evil.org:443")],
    ["another port", to("a.org:22")],
    ["a longer name", to("a.org.evil.org:443")],
    ["an address by itself", to("8.8.8.8:443")],
    ["loopback", to("127.0.0.1:3000")],
    ["loopback in decimal", to("2130706433:443")],
    ["loopback in octal", to("0177.0.0.1:443")],
    ["loopback in hex", to("0x7f.0.0.1:443")],
    ["loopback, short", to("127.1:443")],
    ["loopback, mapped", to("[::ffff:127.0.0.1]:443")],
    ["loopback, mapped in hex", to("[::ffff:7f00:1]:443")],
    ["the metadata", to("169.254.169.254:80")],
    ["the metadata over HTTP", get("http://169.254.169.254/latest/meta-data")],
    ["a socket's path", to("/run/docker.sock")],
    ["a socket's URL", to("unix:/run/docker.sock")],
    ["a user before the host", to("a.org@evil.org:443")],
    ["a user in a URL", get("http://a.org@evil.org/")],
    ["a backslash", get("http://evil.org\\@a.org/")],
    ["a fragment", get("http://evil.org#@a.org/")],
    ["https in the clear", get("https://a.org/")],
    ["ftp", get("ftp://a.org/")],
    ["no host at all", get("/")],
    ["a Host that is allowed", `GET http://evil.org/ HTTP/1.1\r\nHost: a.org\r\n\r\n`],
    ["a line break in the target", "CONNECT a.org:443\nevil.org:443 HTTP/1.1\r\n\r\n"],
    ["an escaped line break", to("a.org%0d%0a:443")],
    ["a NUL", to("a.org\0:443")],
    ["two lengths", get("http://evil.org/", "Content-Length: 1\r\nContent-Length: 2\r\n")],
    [
      "a length and chunks",
      get("http://a.org/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    ],
    ["a folded header", get("http://evil.org/", "X: 1\r\n 2\r\n")],
    ["huge headers", get("http://a.org/", `X: ${"x".repeat(70_000)}\r\n`)],
    ["many headers", get("http://a.org/", "X: 1\r\n".repeat(9_000))],
    ["a huge target", to(`${"a".repeat(70_000)}.org:443`)],
    ["SOCKS", "\x05\x01\x00"],
    ["TLS", "\x16\x03\x01\x02\x00\x01"],
    ["an upgrade", get("http://evil.org/", "Connection: Upgrade\r\nUpgrade: websocket\r\n")],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["nothing", ""],
  ])("%s", async (_, text) => {
    const answer = await say(Buffer.from(text, "latin1"));
    expect(answer).not.toMatch(/ 200 /);
    expect(world.connections).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("for every run of bytes that names no allowed host", async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const lines = fc
      .tuple(fc.constantFrom("CONNECT", "GET", "POST"), fc.webUrl(), fc.string())
      .map(([method, url, rest]) => Buffer.from(`${method} ${url} HTTP/1.1\r\n${rest}\r\n\r\n`));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, lines), async (text) => {
        await say(Buffer.from(text));
        expect(world.connections).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a host that answers badly", () => {
  it.each([
    "HTTP/1.1 099 no status\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 \x01\x1b[2J\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "nonsense",
    "",
  ])("brings nothing down: %j", async (text) => {
    world.names.set("bad.b.org", [["8.8.8.11"]]);
    const server = tcpServer((socket) => socket.once("data", () => socket.end(text)));
    await world.stands("8.8.8.11:80", server);
    const request = "GET http://bad.b.org/ HTTP/1.1\r\nConnection: close\r\n\r\n";
    expect(await say(request, { end: false })).not.toContain("\x1b");
    expect(await tunnel("a.org:443", "still here")).toContain("still here");
  });
});

describe("its bounds", () => {
  it("tells fifty hosts that were refused, and of no more", async () => {
    for (let at = 0; at < 60; at += 1) await tunnel(`h${at}.org:443`);
    expect(proxy.tried().refused).toHaveLength(50);
  });

  it("keeps a limited number of connections", async () => {
    const sockets: Socket[] = [];
    let closed = 0;
    for (let at = 0; at < 270; at += 1) {
      const socket = connect(proxy.path);
      socket.on("error", () => {});
      socket.on("close", () => {
        closed += 1;
      });
      sockets.push(socket);
    }
    await expect.poll(() => closed, { timeout: 5_000 }).toBe(270 - 256);
    for (const socket of sockets) socket.destroy();
  });

  it("connects no more often for requests that come in a pipeline", async () => {
    world.names.set("slow.b.org", [["8.8.8.10"]]);
    await world.stands("8.8.8.10:80", tcpServer());
    const socket = connect(proxy.path);
    socket.on("error", () => {});
    socket.write("GET http://slow.b.org/ HTTP/1.1\r\n\r\n".repeat(400));
    await expect.poll(() => world.connections.length, { timeout: 5_000 }).toBe(256);
    // What comes later is answered after what came before it.
    const after = await tunnel("a.org:443", "x");
    expect(after).toMatch(/^HTTP\/1\.1 502 .*256 connections/s);
    expect(world.connections.length).toBe(256);
    socket.destroy();
  });

  it("listens in a folder whose path is longer than a socket's may be", async () => {
    const long = mkdtempSync(join(folder, "x".repeat(120)));
    const begun = await startProxy({ hosts: HOSTS, outside: world.outside }, long);
    expect(begun).toMatchObject({ ok: true });
    expect(readdirSync(long)).toHaveLength(1);
    if (begun.ok) await begun.value.close();
    expect(readdirSync(long)).toEqual([]);
  });
});
