// Internet addresses as bytes, and which of them no command is led to by a name: everything that
// is not plainly a public host. Pure; the lists are IANA's registries of special-purpose addresses.

/** Four bytes, or sixteen. An IPv4 address inside an IPv6 one (`::ffff:…`) is read as four. */
export type Address = readonly number[];

/**
 * Reads an address in its one strict spelling: four decimal numbers without leading zeros, or
 * IPv6 without a zone. Null for everything else, so that no other notation (octal, hexadecimal, a
 * single number) is ever taken for an address.
 */
export function readAddress(text: string): Address | null {
  if (text.length > ADDRESS_CHARS_MAX) return null;
  return text.includes(":") ? readIp6(text) : readIp4(text);
}

/** The longest spelling: eight groups, the last two as an IPv4 address. */
const ADDRESS_CHARS_MAX = 45;

/** One spelling for each address (RFC 5952), so that texts can be compared. */
export function addressText(address: Address): string {
  if (address.length === 4) return address.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16));
  }
  // The first of the longest runs of zeros becomes `::`.
  let [from, length] = [0, 1];
  for (let at = 0; at < 8; at += 1) {
    const end = groups.findIndex((group, index) => index >= at && group !== "0");
    const run = (end === -1 ? 8 : end) - at;
    if (run > length) [from, length] = [at, run];
  }
  if (length === 1) return groups.join(":");
  return `${groups.slice(0, from).join(":")}::${groups.slice(from + length).join(":")}`;
}

function readIp4(text: string): Address | null {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return null;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : null;
}

function readIp6(text: string): Address | null {
  const [before = "", after, ...more] = text.split("::");
  if (more.length > 0) return null;
  const head = bytesOf(before);
  const tail = after === undefined ? [] : bytesOf(after);
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // `::` stands for one group of zeros at least.
  if (after === undefined ? missing !== 0 : missing < 2) return null;
  // Only the very end may be written as IPv4.
  if (after !== undefined && before.includes(".")) return null;
  const bytes = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return startsWith(bytes, MAPPED, 96) ? bytes.slice(12) : bytes;
}

function bytesOf(text: string): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    if (group.includes(".")) {
      const ip4 = at === groups.length - 1 ? readIp4(group) : null;
      if (ip4 === null) return null;
      bytes.push(...ip4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return null;
  }
  return bytes.length <= 16 ? bytes : null;
}

type Range = readonly [prefix: Address, bits: number, name: string];

/** https://www.iana.org/assignments/iana-ipv4-special-registry, with multicast and class E. */
const IP4: readonly Range[] = [
  [[0, 0, 0, 0], 8, "this machine"],
  [[10, 0, 0, 0], 8, "private"],
  [[100, 64, 0, 0], 10, "carrier-private"],
  [[127, 0, 0, 0], 8, "loopback"],
  // Azure's own services for a machine, with its metadata, at an address that looks public:
  // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  [[168, 63, 129, 16], 32, "metadata"],
  [[169, 254, 169, 254], 32, "metadata"],
  [[169, 254, 0, 0], 16, "link-local"],
  [[172, 16, 0, 0], 12, "private"],
  [[192, 0, 0, 0], 24, "reserved"],
  [[192, 0, 2, 0], 24, "documentation"],
  [[192, 88, 99, 0], 24, "reserved"],
  [[192, 168, 0, 0], 16, "private"],
  [[198, 18, 0, 0], 15, "benchmarking"],
  [[198, 51, 100, 0], 24, "documentation"],
  [[203, 0, 113, 0], 24, "documentation"],
  [[224, 0, 0, 0], 4, "multicast"],
  [[240, 0, 0, 0], 4, "reserved"],
];

const MAPPED: Address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/** RFC 6052: how an IPv6-only network spells a public IPv4 address. */
const TRANSLATED: Address = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/** https://www.iana.org/assignments/iana-ipv6-special-registry; what is left is in 2000::/3. */
const IP6: readonly Range[] = [
  [[...new Array<number>(15).fill(0), 1], 128, "loopback"],
  [[0xfc], 7, "private"],
  [[0xfe, 0x80], 10, "link-local"],
  [[0xff], 8, "multicast"],
  // Teredo, 6to4 and other ways to an address that is not the one written.
  [[0x20, 0x01, 0x00], 23, "reserved"],
  [[0x20, 0x01, 0x0d, 0xb8], 32, "documentation"],
  [[0x20, 0x02], 16, "reserved"],
  [[0x3f, 0xff, 0x00], 20, "documentation"],
];

/** What kind of address this is, where it is not one of a public host; else null. */
export function reservedKind(address: Address): string | null {
  if (address.length === 4) {
    return IP4.find(([prefix, bits]) => startsWith(address, prefix, bits))?.[2] ?? null;
  }
  if (startsWith(address, TRANSLATED, 96)) return reservedKind(address.slice(12));
  const found = IP6.find(([prefix, bits]) => startsWith(address, prefix, bits));
  if (found) return found[2];
  return startsWith(address, [0x20], 3) ? null : "reserved";
}

function startsWith(address: Address, prefix: Address, bits: number): boolean {
  for (let at = 0; at * 8 < bits; at += 1) {
    const mask = bits - at * 8 >= 8 ? 0xff : (0xff << (8 - (bits - at * 8))) & 0xff;
    if (((address[at] ?? 0) & mask) !== ((prefix[at] ?? 0) & mask)) return false;
  }
  return true;
}
