// One strict spelling per address, and a sharp line around what is public.
import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressText, readAddress, reservedKind } from "#core/security/addresses.ts";

const kindOf = (text: string) => {
  const address = readAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return reservedKind(address);
};

describe("an address that no name may lead to", () => {
  it.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["0.0.0.0", "this machine"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "carrier-private"],
    ["100.100.100.200", "carrier-private"],
    ["169.254.0.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["168.63.129.16", "metadata"],
    ["192.0.0.192", "reserved"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["::", "reserved"],
    ["::1", "loopback"],
    ["::127.0.0.1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::FFFF:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:a9fe:a9fe", "metadata"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::169.254.169.254", "metadata"],
    ["64:ff9b:1::1", "reserved"],
    ["2002:7f00:1::", "reserved"],
    ["2001:0:7f00:1::", "reserved"],
    ["2001:db8::1", "documentation"],
    ["fc00::1", "private"],
    ["fd00:ec2::254", "private"],
    ["fe80::1", "link-local"],
    ["fec0::1", "reserved"],
    ["ff02::1", "multicast"],
  ])("is %s: %s", (text, kind) => expect(kindOf(text)).toBe(kind));

  it.each([
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "169.253.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
  ])("is not %s", (text) => expect(kindOf(text)).toBeNull());
});

describe("what is written in another way", () => {
  it.each([
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.01",
    "127.0.0.256",
    "127.0.0.1.",
    " 127.0.0.1",
    "１２７.0.0.1",
    "[::1]",
    "fe80::1%lo",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "1.2.3.4::",
    "::12345",
    ":::",
    ":",
    "",
    "0".repeat(1_000),
  ])("is no address: %j", (text) => expect(readAddress(text)).toBeNull());

  it("is read exactly as the system reads it, and written so that it reads back", () => {
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom(..."0a1:.f") }));
    fc.assert(
      fc.property(texts, (text) => {
        const address = readAddress(text);
        expect(address !== null).toBe(isIP(text) !== 0);
        if (address) expect(readAddress(addressText(address))).toEqual(address);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is written as everybody writes it", () => {
    const written = (text: string) => addressText(readAddress(text) ?? []);
    expect(written("0:0:0:0:0:0:0:1")).toBe("::1");
    expect(written("0:0:0:0:0:0:0:0")).toBe("::");
    expect(written("2606:4700:0:0:0:0:0:1111")).toBe("2606:4700::1111");
    expect(written("1:0:0:2:0:0:0:3")).toBe("1:0:0:2::3");
    expect(written("1:0:2:3:4:5:6:7")).toBe("1:0:2:3:4:5:6:7");
    expect(written("::ffff:1.2.3.4")).toBe("1.2.3.4");
  });
});

it("no address of a private network passes, however it is wrapped", () => {
  const private4 = new BlockList();
  for (const [net, bits] of [
    ["10.0.0.0", 8],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["100.64.0.0", 10],
  ] as const) {
    private4.addSubnet(net, bits, "ipv4");
  }
  fc.assert(
    fc.property(fc.ipV4(), fc.constantFrom("", "::ffff:", "64:ff9b::"), (ip4, before) => {
      if (private4.check(ip4, "ipv4")) expect(kindOf(before + ip4)).not.toBeNull();
    }),
    { numRuns: 5_000 },
  );
});
