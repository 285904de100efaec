// For tests: a network of a few hosts, played by servers on loopback. Public addresses are made up
// here, and what connects where is counted, so that "nothing was reached" can be seen.
import { createServer, type Server, type Socket } from "node:net";
import type { Outside } from "#boundary/outside.ts";
import { theOutside } from "#boundary/outside.ts";

export type World = {
  outside: Outside;
  /** Names and what they are answered with, each time anew; the last answer stays. */
  names: Map<string, readonly (readonly string[])[]>;
  /** `address:port` of each connection that was made, in order. */
  connections: string[];
  /** How often each name was looked up. */
  lookups: string[];
  /** Lets a server on loopback stand for `address:port`. */
  stands(at: string, server: Server): Promise<void>;
  close(): Promise<void>;
};

export function worldOf(own: readonly string[] = []): World {
  const ports = new Map<string, number>();
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();
  const world: World = {
    names: new Map(),
    connections: [],
    lookups: [],
    outside: {
      async addressesOf(name) {
        world.lookups.push(name);
        const [now, ...later] = world.names.get(name) ?? [];
        if (now === undefined) throw new Error("ENOTFOUND");
        if (later.length > 0) world.names.set(name, later);
        return now;
      },
      connect({ address, port }) {
        const at = `${address}:${port}`;
        world.connections.push(at);
        // Nothing listens on port 1 of this machine.
        return theOutside.connect({ address: "127.0.0.1", port: ports.get(at) ?? 1 });
      },
      own: () => own,
    },
    async stands(at, server) {
      servers.add(server);
      server.on("connection", (socket) => {
        sockets.add(socket);
        socket.on("error", () => socket.destroy());
      });
      if (!server.listening) {
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      }
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("not a port");
      ports.set(at, address.port);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) await new Promise((resolve) => server.close(resolve));
    },
  };
  return world;
}

/** A server that writes back what it is sent. */
export const echo = (): Server => createServer({ allowHalfOpen: true }, (s) => s.pipe(s));
