// The network as the proxy meets it: looking names up, connecting to one address, and the addresses
// that are this machine's own.
import { lookup } from "node:dns/promises";
import { createConnection, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

export type Outside = {
  /** The addresses of a name, as the system finds them; rejects where there are none. */
  addressesOf(name: string): Promise<readonly string[]>;
  /** Connects to an address, never to a name, so that nothing is looked up a second time. */
  connect(to: { address: string; port: number }): Socket;
  /** Addresses of this machine: what listens on them is no public host. */
  own(): readonly string[];
};

export const theOutside: Outside = {
  async addressesOf(name) {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  },
  connect: ({ address, port }) =>
    createConnection({ host: address, port, allowHalfOpen: true, noDelay: true }),
  own: () =>
    Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
};
