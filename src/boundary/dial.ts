// Connects to a host that a command was allowed to reach. The address that is checked is the
// address that is connected to, so a name that changes its answer in between changes nothing.
import type { Socket } from "node:net";
import type { Outside } from "#boundary/outside.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { readAddress } from "#core/security/addresses.ts";
import {
  bare,
  isHostAllowed,
  isLocalName,
  type Target,
  targetText,
  whyNotAt,
} from "#core/security/hosts.ts";

/** Looking a name up, and connecting to one address. */
const LOOKUP_MS = 10_000;
const CONNECT_MS = 10_000;
/** Addresses of one name that are tried. */
const ADDRESSES_MAX = 6;

export type Reach = { hosts: readonly string[]; outside: Outside };

/**
 * Fails as `denied` where the hosts do not cover the target or what it was found to be, and as
 * `unreachable` where nothing answers there.
 */
export async function dial(
  target: Target,
  { hosts, outside }: Reach,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  if (!isHostAllowed(hosts, target)) return fail("denied", "it was not among the hosts allowed");
  const found = await addressesOf(target.name, outside, signal);
  if (!found.ok) return found;
  const reasons: string[] = [];
  const open: string[] = [];
  for (const address of found.value.slice(0, ADDRESSES_MAX)) {
    const why = whyNotAt(address, target, { hosts, own: outside.own() });
    if (why === null) open.push(address);
    else reasons.push(why);
  }
  if (open.length === 0) {
    return fail("denied", `it leads to ${reasons.join(" and ") || "no address"}`, {
      fix: "such an address must be allowed by itself, with its port, beside the name",
    });
  }
  let last: Result<Socket> = fail("unreachable", "nothing answers there");
  for (const address of open) {
    last = await connected({ address, port: target.port }, outside, signal);
    if (last.ok) return last;
  }
  return last;
}

async function addressesOf(
  name: string,
  outside: Outside,
  signal: AbortSignal,
): Promise<Result<readonly string[]>> {
  if (readAddress(bare(name)) !== null) return ok([bare(name)]);
  if (isLocalName(name)) return ok(["127.0.0.1", "::1"]);
  let stop: () => void = () => {};
  const late = new Promise<never>((_, reject) => {
    stop = () => reject(new Error("no answer"));
  });
  const timer = setTimeout(stop, LOOKUP_MS);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return ok(await Promise.race([outside.addressesOf(name), late]));
  } catch (error) {
    return fail("unreachable", `the name could not be looked up (${(error as Error).message})`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function connected(
  to: { address: string; port: number },
  outside: Outside,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(fail("cancelled", "the command is over"));
    const socket = outside.connect(to);
    const settle = (result: Result<Socket>) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      socket.removeListener("connect", isOpen);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    const say = (why: string) => settle(fail("unreachable", `${targetText(at)}: ${why}`));
    const at = { name: to.address, port: to.port };
    const isOpen = () => settle(ok(socket));
    const stop = () => say("the command is over");
    const timer = setTimeout(() => say(`no connection in ${CONNECT_MS} ms`), CONNECT_MS);
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", isOpen);
    // Stays attached: a socket that nobody listens to would throw later errors.
    socket.on("error", (error) => say((error as { code?: string }).code ?? error.message));
  });
}
