// A command in a real sandbox that may reach some hosts: it reaches those, and there is no second
// way out, to the host's own servers, to other names, or through another command's proxy.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer as httpServer } from "node:http";
import { createServer as httpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Boxed, boxed, CANARY, missing } from "#boundary/workspace/boxed.ts";
import { type World, worldOf } from "#boundary/world.ts";

const world: World = worldOf();
const hosts = ["a.org"];
let box: Boxed;
/** A server of this machine that no command was allowed to reach. */
let port = 0;
let abstract: Server;

beforeAll(async () => {
  const parent = join(homedir(), ".cache");
  mkdirSync(parent, { recursive: true });
  box = await boxed("app", parent, world.outside);
  const at = (name: string) => join(box.root, name);
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-days", "2", "-subj", "/CN=a.org", "-addext", "subjectAltName=DNS:a.org"],
    ...["-keyout", at("key.pem"), "-out", at("ca.pem")],
  ]);
  const [key, cert] = [readFileSync(at("key.pem")), readFileSync(at("ca.pem"))];
  const host = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(CANARY);
  });
  world.names.set("a.org", [["8.8.8.8"]]);
  world.names.set("b.org", [["8.8.8.9"]]);
  world.names.set("evil.org", [["9.9.9.9"]]);
  await world.stands(
    "8.8.8.8:443",
    httpsServer({ key, cert }, (_, r) => r.end("secure a")),
  );
  await world.stands(
    "8.8.8.8:80",
    httpServer((_, r) => r.end("plain a")),
  );
  await world.stands(
    "8.8.8.9:80",
    httpServer((_, r) => r.end("plain b")),
  );
  await world.stands("9.9.9.9:443", host);
  const address = host.address();
  if (address && typeof address === "object") port = address.port;
  abstract = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(CANARY);
  });
  await new Promise<void>((resolve) => abstract.listen("\0aiex-hosts-test", resolve));
});
afterAll(async () => {
  abstract.close();
  await world.close();
  box.close();
});
beforeEach((ctx) => {
  world.connections.length = 0;
  const reason = missing(box);
  if (reason) ctx.skip(reason);
});

const sockets = () =>
  readdirSync(join(box.top, "scratch")).filter((name) => name.startsWith("net-"));

describe("a command with hosts", () => {
  it("reaches them, encrypted and plain, with what programs know of proxies", async () => {
    const ran = await box.run(
      `curl -sS --cacert ca.pem https://a.org/; echo
       curl -sS http://a.org/; echo
       '${process.execPath}' -e 'fetch("https://a.org").then((r) => r.text()).then(console.log)'`,
      { opened: { hosts }, env: { NODE_EXTRA_CA_CERTS: join(box.root, "ca.pem") } },
    );
    expect(ran.text).toBe("secure a\nplain a\nsecure a\n");
    expect(ran.hosts).toEqual({ reached: ["a.org:443", "a.org:80"], refused: [] });
    expect(sockets()).toEqual([]);
  });

  it("is told of the host that it was kept from", async () => {
    const ran = await box.run("curl -sS http://evil.org/; curl -sS https://evil.org/", {
      opened: { hosts },
    });
    expect(ran.text).toContain("aiex: evil.org:80 is not open to this command");
    expect(ran.hosts?.refused.map(({ host }) => host)).toEqual(["evil.org:80", "evil.org:443"]);
    expect(world.connections).toEqual([]);
  });

  it("has its own localhost beside them", async () => {
    const script = `
      const server = require("http").createServer((_, r) => r.end("own")).listen(8123, async () => {
        process.stdout.write(await (await fetch("http://localhost:8123/")).text());
        server.close();
      });`;
    box.put("serve.cjs", script);
    const ran = await box.run(`'${process.execPath}' serve.cjs`, { opened: { hosts } });
    expect(ran.text).toBe("own");
  });

  it.each([
    ["exit 3", { code: 3, signal: null, ended: "exit" }],
    ["kill -9 $$", { code: 137, ended: "exit" }],
    ["/no/such/program", { code: 127, ended: "exit" }],
  ])("ends as it would without: %s", async (command, end) => {
    expect(await box.run(command, { opened: {} })).toMatchObject(end);
    expect(await box.run(command, { opened: { hosts } })).toMatchObject(end);
  });

  it("keeps its proxy while it runs, and takes it along when it is killed", async () => {
    const spec = { cwd: ".", timeoutMs: 20_000, opened: { hosts } };
    const command = "curl -sS http://a.org/; (setsid sleep 98781 &); sleep 98781";
    const running = await box.sandbox.start({ ...spec, command }, AbortSignal.timeout(20_000));
    if (!running.ok) throw new Error(running.error.say);
    const reader = running.value.output[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe("plain a");
    expect(sockets()).toHaveLength(1);
    running.value.kill();
    expect(await running.value.done).toMatchObject({ ended: "killed" });
    expect(sockets()).toEqual([]);
    const left = execFileSync("sh", ["-c", "pgrep -f '[s]leep 98781' || true"]).toString();
    expect(left).toBe("");
  });
});

/** Each line prints ESCAPED where it succeeds. `ask` writes one request to the proxy's socket. */
const ATTEMPTS = `
  exec 3<>/dev/tcp/127.0.0.1/$PORT
  exec 3<>/dev/tcp/9.9.9.9/443
  exec 3<>/dev/udp/1.1.1.1/53
  curl -sS --noproxy '*' --max-time 2 http://127.0.0.1:$PORT
  curl -sS --noproxy '*' --max-time 2 https://evil.org
  curl -sSf --max-time 2 --noproxy '' -x $HTTP_PROXY http://127.0.0.1:$PORT
  curl -sSf --max-time 2 --noproxy '' -x $HTTP_PROXY http://localhost:$PORT
  curl -sSf --max-time 2 --noproxy '' -x $HTTP_PROXY -p http://a.org:$PORT
  curl -sSf --max-time 2 -H 'Host: a.org' http://evil.org
  curl -sSf --max-time 2 --connect-to a.org:443:evil.org:443 https://a.org
  curl -sSf --max-time 2 http://2130706433:$PORT
  curl -sSf --max-time 2 http://169.254.169.254/latest/meta-data
  curl -sSf --max-time 2 --socks5-hostname 127.0.0.1:61080 http://a.org
  getent hosts evil.org
  connect abstract:aiex-hosts-test
  connect "$SCRATCH/$(ls "$SCRATCH" | head -1)" && test -S "$SCRATCH/$(ls "$SCRATCH" | head -1)"
  ls "$SCRATCH"/net-*
  ask /dev/aiex/proxy evil.org:443 | grep -q 200
  ask /dev/aiex/proxy 127.0.0.1:$PORT | grep -q 200
  ask /dev/aiex/proxy /run/docker.sock | grep -q 200
  echo x > /dev/aiex/relay.mts
  echo x > /dev/aiex/node
  mount --bind / /dev/aiex
  '${process.execPath}' -e 'require("dgram").createSocket("udp4").connect(53, "1.1.1.1", (e) => process.exit(e ? 1 : 0))'
  python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
  python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)'
  python3 -c 'import socket; s = socket.socket(40, 1); s.settimeout(1); s.connect((2, 22))'
  ip route add default dev lo`;

const CONNECT = `
const { connect } = require("node:net");
const [path, target] = process.argv.slice(2);
const socket = connect(path.replace(/^abstract:/, "\\0"));
if (target) socket.write("CONNECT " + target + " HTTP/1.1\\r\\n\\r\\n");
socket.on("data", (data) => { process.stdout.write(data); if (target) process.exit(0); });
socket.on("error", () => process.exit(1));
`;

describe("there is no second way out", () => {
  const lines = ATTEMPTS.split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

  it.each(lines)("%s", async (line) => {
    box.put("connect.cjs", CONNECT);
    const ran = await box.run(
      `connect() { '${process.execPath}' connect.cjs "$@"; }; ask() { connect "$@"; }
       ( ${line} ) && echo ESCAPED`,
      {
        env: { PORT: String(port), SCRATCH: join(box.top, "scratch") },
        timeoutMs: 8_000,
        opened: { hosts },
      },
    );
    expect(ran.text).not.toContain("ESCAPED");
    expect(ran.text).not.toContain(CANARY);
    expect(world.connections).toEqual([]);
  });

  it.each([
    ["none", {}],
    ["other hosts", { hosts: ["b.org"] }],
    ["the whole network", { network: true }],
  ])("and the proxy of one command serves no second one that has %s", async (_, opened) => {
    box.put("connect.cjs", CONNECT);
    const spec = { cwd: ".", timeoutMs: 20_000, opened: { hosts } };
    const first = await box.sandbox.start(
      { ...spec, command: "curl -sS http://a.org/; sleep 98782" },
      AbortSignal.timeout(20_000),
    );
    if (!first.ok) throw new Error(first.error.say);
    await first.value.output[Symbol.asyncIterator]().next();
    world.connections.length = 0;
    const [name = ""] = sockets();
    expect(name).not.toBe("");
    const path = join(box.top, "scratch", name);
    const ran = await box.run(
      `for at in '${path}' /dev/aiex/proxy /proc/*/root/dev/aiex/proxy; do
         '${process.execPath}' connect.cjs "$at" a.org:80
       done
       curl -sS --max-time 2 -p -x http://127.0.0.1:61080 http://a.org/`,
      { opened },
    );
    first.value.kill();
    await first.value.done;
    expect(ran.text).not.toMatch(/plain a| 200 /);
    expect(world.connections).toEqual([]);
  });
});
