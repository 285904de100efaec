// A program of its own, run inside the sandbox by the pinned Node: listens where a command looks for
// its proxy, hands each connection to the proxy's socket, and runs the command as its child. It
// decides nothing; whatever a command does to it, the proxy outside is the one that judges.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { constants } from "node:os";
import { pipeline } from "node:stream";

/** Connections at a time; the proxy has the same limit. */
const CONNECTIONS_MAX = 256;

const [port, proxy = "", program = "", ...args] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (inner) => {
  const outer = connect({ path: proxy, allowHalfOpen: true });
  const done = (error?: Error | null) => {
    if (!error) return;
    inner.destroy();
    outer.destroy();
  };
  pipeline(inner, outer, done);
  pipeline(outer, inner, done);
});
server.maxConnections = CONNECTIONS_MAX;

// The end comes from the command: a signal to the group reaches it too.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});

server.on("error", (error) => {
  process.stderr.write(`aiex: the way to the network cannot be opened: ${error.message}\n`);
  process.exit(126);
});

// For Node's own `fetch` and `http` (https://nodejs.org/api/cli.html#node_use_env_proxy1). Set here
// because it makes each Node start some 30 ms later, and this one does not need it.
process.env.NODE_USE_ENV_PROXY = "1";

server.listen(Number(port), "127.0.0.1", () => {
  const child = spawn(program, args, { stdio: "inherit" });
  child.once("error", (error) => {
    process.stderr.write(`aiex: ${program} cannot be started: ${error.message}\n`);
    process.exit(127);
  });
  child.once("exit", (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
});
