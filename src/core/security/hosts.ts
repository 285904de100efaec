// The hosts that a command asks to reach: read from a strict grammar, shown in one spelling, and
// compared with where it then wants to go. What two programs may read differently is refused.

import { fail, ok, type Result } from "#core/failure.ts";
import { addressText, readAddress, reservedKind } from "#core/security/addresses.ts";
import { quoted } from "#core/security/paths.ts";

/** Hosts of one command. A question with more is not read by anybody. */
export const HOSTS_MAX = 20;
/** What a host without a port stands for: https and http. */
const USUAL_PORTS: readonly number[] = [443, 80];
/** A name of 253 characters (RFC 1035), `*.` and a port. */
const HOST_CHARS_MAX = 262;

/** Where a connection goes: a name in lower case or an address, and a port. */
export type Target = { name: string; port: number };

/** `network` is the whole of it, asked for as `*`; otherwise exactly these hosts. */
export type Wanted = { network: true } | { hosts: readonly string[] };

/**
 * What a call asks for, each host once and in its one spelling: `docs.rs` and `*.docs.rs` (every
 * host below it, and not itself) on ports 443 and 80, `localhost:3000`, `[::1]:8080`.
 */
export function wantedHosts(texts: readonly string[]): Result<Wanted> {
  if (texts.length === 0) {
    return fail("bad_input", "it does not say which hosts it wants", {
      fix: 'name them: hosts: ["registry.npmjs.org"]; ["*"] asks for the whole network',
    });
  }
  if (texts.length > HOSTS_MAX) {
    return fail("too_large", `it wants more than ${HOSTS_MAX} hosts`, {
      fix: 'name fewer, use "*.example.org", or ask for the whole network with ["*"]',
    });
  }
  if (texts.includes("*")) return ok({ network: true });
  const hosts = new Set<string>();
  for (const text of texts) {
    const host = hostNamed(text);
    if (host === null) {
      return fail("bad_input", `${quoted(text)} is not a host`, {
        fix: "write a name (docs.rs, *.docs.rs), with a port if it is not 443 or 80 (localhost:3000)",
      });
    }
    hosts.add(host);
  }
  return ok({ hosts: [...hosts].sort() });
}

/** The one spelling of a host that may be asked for, or null. */
function hostNamed(text: string): string | null {
  const below = text.startsWith("*.");
  const parts = split(below ? text.slice(2) : text);
  if (parts === null) return null;
  // All of `*.com` is not a wish that can be judged; nor is there anything below an address.
  if (below && (!parts.name.includes(".") || readAddress(bare(parts.name)) !== null)) return null;
  const { name, port } = parts;
  return `${below ? "*." : ""}${name}${port === null ? "" : `:${port}`}`;
}

/** Where a request to the proxy wants to go, from `host:port`; null where it is not plainly that. */
export function readTarget(text: string, usualPort: number | null): Target | null {
  const parts = split(text);
  const port = parts?.port ?? usualPort;
  return parts === null || port === null ? null : { name: parts.name, port };
}

export const targetText = ({ name, port }: Target): string => `${name}:${port}`;

function split(text: string): { name: string; port: number | null } | null {
  if (text.length > HOST_CHARS_MAX) return null;
  const form = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9]\d{0,4}))?$/;
  const [, host = "", digits] = form.exec(text) ?? [];
  const port = digits === undefined ? null : Number(digits);
  if (host === "" || (port !== null && port > 65_535)) return null;
  if (host.startsWith("[")) {
    const address = readAddress(host.slice(1, -1));
    if (address === null) return null;
    const written = addressText(address);
    return { name: address.length === 4 ? written : `[${written}]`, port };
  }
  const name = host.toLowerCase().replace(/\.$/, "");
  return isHostName(name) ? { name, port } : null;
}

/** Whether a name in lower case is one: labels of letters and digits, or a plain IPv4 address. */
export function isHostName(name: string): boolean {
  const labels = name.split(".");
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) return false;
  // An address is four decimal numbers; 0x7f.1, 017700000001 and the like are not names either.
  if (!/^(0x[0-9a-f]*|\d+)$/.test(labels.at(-1) ?? "")) return name.length <= 253;
  return readAddress(name) !== null;
}

/** An IPv6 address without its brackets. */
export const bare = (name: string): string => name.replace(/^\[(.*)\]$/, "$1");

/** Whether one of the hosts asked for is where a connection goes. */
export function isHostAllowed(hosts: readonly string[], { name, port }: Target): boolean {
  const ports = USUAL_PORTS.includes(port) ? ["", `:${port}`] : [`:${port}`];
  const names = namesOver(name);
  return hosts.some((host) => ports.some((end) => names.some((over) => host === over + end)));
}

/** The spellings under which leave for a host may have been given: its own, and wider ones. */
export function hostsOver(host: string): string[] {
  const [, below = "", name = "", port = ""] =
    /^(\*\.)?(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(host) ?? [];
  const names = below === "" ? namesOver(name) : namesOver(`x.${name}`).slice(1);
  // Leave for both usual ports holds for one of them.
  const isUsual = USUAL_PORTS.some((usual) => port === `:${usual}`);
  return names.flatMap((over) => (isUsual ? [over + port, over] : [over + port]));
}

/** `a.b.c` is meant by itself, `*.b.c` and `*.c`. */
function namesOver(name: string): string[] {
  if (readAddress(bare(name)) !== null) return [name];
  const labels = name.split(".");
  return [name, ...labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`)];
}

/** Names of the machine itself, which no server is asked about (RFC 6761, section 6.3). */
export const isLocalName = (name: string): boolean =>
  name === "localhost" || name.endsWith(".localhost");

/**
 * Why a connection must not be made to this address, which `target` was found to be; null where it
 * may. An address that is not public needs leave by that very address, or by the name `localhost`.
 */
export function whyNotAt(
  address: string,
  target: Target,
  { hosts, own }: { hosts: readonly string[]; own: readonly string[] },
): string | null {
  const read = readAddress(address);
  if (read === null) return "an address that cannot be read";
  const written = addressText(read);
  const isOwn = own.some((one) => addressText(readAddress(one) ?? []) === written);
  const kind = reservedKind(read) ?? (isOwn ? "this machine's own" : null);
  if (kind === null) return null;
  if (kind === "loopback" && isLocalName(target.name)) return null;
  const name = read.length === 4 ? written : `[${written}]`;
  const isNamed = isHostAllowed(hosts, { name, port: target.port });
  return isNamed ? null : `${name} (${kind})`;
}
