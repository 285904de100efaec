// What may be asked for as a host, what that covers, and where a name may lead.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOSTS_MAX,
  hostsOver,
  isHostAllowed,
  readTarget,
  wantedHosts,
  whyNotAt,
} from "#core/security/hosts.ts";

const target = (text: string) => {
  const read = readTarget(text, null);
  if (read === null) throw new Error(`${text} is no target`);
  return read;
};

describe("hosts asked for", () => {
  it.each([
    [["Registry.NPMjs.org."], ["registry.npmjs.org"]],
    [
      ["b.org", "a.org", "a.org:443", "B.org"],
      ["a.org", "a.org:443", "b.org"],
    ],
    [["*.Docs.rs:8443"], ["*.docs.rs:8443"]],
    [["localhost:3000"], ["localhost:3000"]],
    [["[0:0:0:0:0:0:0:1]:80"], ["[::1]:80"]],
    [["[::ffff:127.0.0.1]:80"], ["127.0.0.1:80"]],
    [["xn--bcher-kva.example"], ["xn--bcher-kva.example"]],
  ])("%j are %j", (texts, hosts) => {
    expect(wantedHosts(texts)).toEqual({ ok: true, value: { hosts } });
  });

  it("are the whole network where one is a star", () => {
    expect(wantedHosts(["a.org", "*"])).toEqual({ ok: true, value: { network: true } });
  });

  it.each([
    "https://a.org",
    "a.org/x",
    "user@a.org",
    "a.org:",
    "a.org:0",
    "a.org:080",
    "a.org:65536",
    "*.com",
    "*.127.0.0.1",
    "*.*.org",
    "a.*.org",
    "a..org",
    "-a.org",
    "a_b.org",
    "bücher.example",
    "a.org\n",
    "a.org\r\nHost: b",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.0.0.01",
    "::1",
    "[::1%lo]",
    "[::1",
    "",
    " ",
    ".",
    `${"a.".repeat(130)}org`,
  ])("cannot be %j", (text) => {
    expect(wantedHosts([text])).toMatchObject({ ok: false, error: { fix: expect.any(String) } });
  });

  it("are some, and not too many to be read", () => {
    const many = Array.from({ length: HOSTS_MAX + 1 }, (_, at) => `a${at}.org`);
    expect(wantedHosts([])).toMatchObject({ ok: false });
    expect(wantedHosts(many.slice(1))).toMatchObject({ ok: true });
    expect(wantedHosts(many)).toMatchObject({ ok: false, error: { code: "too_large" } });
  });
});

describe("leave for a host", () => {
  it.each([
    ["a.org", "a.org:443", true],
    ["a.org", "a.org:80", true],
    ["a.org", "A.ORG.:443", true],
    ["a.org", "a.org:22", false],
    ["a.org", "b.a.org:443", false],
    ["a.org", "xa.org:443", false],
    ["a.org:8443", "a.org:8443", true],
    ["a.org:8443", "a.org:443", false],
    ["*.a.org", "b.a.org:443", true],
    ["*.a.org", "c.b.a.org:80", true],
    ["*.a.org", "a.org:443", false],
    ["*.a.org", "xa.org:443", false],
    ["*.a.org", "a.org.evil.net:443", false],
    ["*.0.0.1", "127.0.0.1:443", false],
    ["127.0.0.1:80", "[::ffff:127.0.0.1]:80", true],
    ["[::1]:80", "[0:0::1]:80", true],
    ["localhost:3000", "127.0.0.1:3000", false],
  ])("%s covers %s: %s", (host, text, covered) => {
    expect(isHostAllowed([host], target(text))).toBe(covered);
  });

  it("covers a host under the spellings that are wider, and its own", () => {
    expect(hostsOver("a.b.org")).toEqual(["a.b.org", "*.b.org", "*.org"]);
    expect(hostsOver("a.b.org:443")).toContain("*.b.org");
    expect(hostsOver("a.b.org:8443")).toEqual(["a.b.org:8443", "*.b.org:8443", "*.org:8443"]);
    expect(hostsOver("*.b.org")).toEqual(["*.b.org", "*.org"]);
    expect(hostsOver("127.0.0.1:80")).toEqual(["127.0.0.1:80", "127.0.0.1"]);
    expect(hostsOver("[::1]:3000")).toEqual(["[::1]:3000"]);
  });

  it("covers what a wider spelling covers, for every name", () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
    const names = fc.array(label, { minLength: 2, maxLength: 5 }).map((all) => all.join("."));
    fc.assert(
      fc.property(names, fc.constantFrom(80, 443, 8443), (name, port) => {
        for (const over of hostsOver(`${name}:${port}`)) {
          expect(isHostAllowed([over], { name, port })).toBe(true);
        }
      }),
    );
  });
});

describe("where a connection goes", () => {
  it.each([
    "/run/docker.sock",
    "unix:/run/docker.sock",
    "http://a.org:80",
    "user@a.org:80",
    "a.org:80@b.org:80",
    "a.org",
    "a.org:",
    "a.org:+80",
    "a.org:80:80",
    "a.org\0.b.org:80",
    "a.org%2eb.org:80",
    "2130706433:80",
    "0x7f.1:80",
    "",
  ])("is not read from %j", (text) => expect(readTarget(text, null)).toBeNull());

  const reach = { hosts: ["a.org", "localhost:3000", "10.0.0.5:8443"], own: ["8.8.4.4"] };
  it.each([
    ["8.8.8.8", "a.org:443", null],
    ["8.8.4.4", "a.org:443", "8.8.4.4 (this machine's own)"],
    ["127.0.0.1", "a.org:443", "127.0.0.1 (loopback)"],
    ["::ffff:127.0.0.1", "a.org:443", "127.0.0.1 (loopback)"],
    ["fe80::1%eth0", "a.org:443", "an address that cannot be read"],
    ["127.0.0.1", "localhost:3000", null],
    ["::1", "localhost:3000", null],
    ["10.0.0.5", "a.org:8443", null],
    ["10.0.0.5", "a.org:443", "10.0.0.5 (private)"],
    ["10.0.0.5", "10.0.0.5:8443", null],
  ])("%s found for %s: %s", (address, text, why) => {
    expect(whyNotAt(address, target(text), reach)).toBe(why);
  });
});
