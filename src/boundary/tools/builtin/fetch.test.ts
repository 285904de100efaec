// A page is read from the host that the user allowed, at an address that was checked.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as httpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setDefaultCACertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchTool } from "#boundary/tools/builtin/fetch.ts";
import { contextOf } from "#boundary/tools/samples.ts";
import { type World, worldOf } from "#boundary/world.ts";
import { textOf } from "#core/model/message.ts";

let world: World;
let asked: string[];

beforeEach(async () => {
  world = worldOf();
  asked = [];
  const web = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    if (request.url === "/moved") response.writeHead(302, { location: "/there" });
    response.end("a page");
  });
  world.names.set("a.org", [["8.8.8.8"], ["127.0.0.1"]]);
  await world.stands("8.8.8.8:80", web);
  await world.stands("127.0.0.1:3000", web);
});
afterEach(() => world.close());

async function fetched(url: string): Promise<{ failed: boolean; text: string }> {
  const tool = fetchTool(world.outside);
  const prepared = await tool.prepare(JSON.stringify({ url }), contextOf(tmpdir()));
  if (!prepared.ok) return { failed: true, text: prepared.error.say };
  const signal = AbortSignal.timeout(20_000);
  const { failed, parts } = await prepared.value.run({
    signal,
    opened: {},
    progress: () => {},
    mask: (text: string) => text,
  });
  return { failed, text: textOf(parts) };
}

function certificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "aiex-cert-"));
  const at = (name: string) => join(folder, name);
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-days", "2", "-subj", "/CN=a.org", "-addext", "subjectAltName=DNS:a.org"],
    ...["-keyout", at("key.pem"), "-out", at("cert.pem")],
  ]);
  const made = {
    key: readFileSync(at("key.pem"), "utf8"),
    cert: readFileSync(at("cert.pem"), "utf8"),
  };
  rmSync(folder, { recursive: true });
  return made;
}

describe("a page", () => {
  it("is read from its host, with what the server says of it", async () => {
    const page = await fetched("http://a.org/x?y=1");
    expect(page).toEqual({ failed: false, text: "200 OK, unknown type, 6 bytes\n\na page" });
    expect(asked).toEqual(["a.org/x?y=1"]);
  });

  it("that moved is named, and not followed", async () => {
    const page = await fetched("http://a.org/moved");
    expect(page).toMatchObject({ failed: true, text: expect.stringContaining("a.org/there") });
    expect(asked).toEqual(["a.org/moved"]);
  });

  it("of this machine is read where the user was asked for it by that name", async () => {
    expect(await fetched("http://localhost:3000/")).toMatchObject({ failed: false });
    expect(await fetched("http://127.0.0.1:3000/")).toMatchObject({ failed: false });
    expect(world.lookups).toEqual([]);
  });

  it("of a name that leads to this machine or a private network is not read", async () => {
    for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1"]) {
      world.names.set("a.org", [[address]]);
      const page = await fetched("http://a.org/");
      expect(page).toMatchObject({ failed: true, text: expect.stringContaining("it leads to") });
    }
    expect(world.connections).toEqual([]);
  });

  it("is read at the address that was checked, whatever the name says later", async () => {
    expect(await fetched("http://a.org/")).toMatchObject({ failed: false });
    expect(world.lookups).toEqual(["a.org"]);
    expect(world.connections).toEqual(["8.8.8.8:80"]);
  });

  it("is read over TLS from whom its certificate names, and from nobody else", async () => {
    const { key, cert } = certificate();
    await world.stands(
      "8.8.8.8:443",
      httpsServer({ key, cert }, (_, r) => r.end("secure")),
    );
    const unsigned = await fetched("https://a.org/");
    expect(unsigned).toMatchObject({ failed: true, text: expect.stringContaining("self-signed") });
    setDefaultCACertificates([cert]);
    world.names.set("a.org", [["8.8.8.8"]]);
    world.names.set("b.org", [["8.8.8.8"]]);
    expect(await fetched("https://a.org/")).toMatchObject({ failed: false });
    const other = await fetched("https://b.org/");
    expect(other).toMatchObject({ failed: true, text: expect.stringContaining("b.org") });
  });

  it("that nobody serves is told as out of reach", async () => {
    const page = await fetched("https://a.org/");
    expect(page).toMatchObject({ failed: true, text: expect.stringContaining("not be fetched") });
  });
});
