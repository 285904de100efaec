// For tests: a language server that does what its first argument says: one that hangs, crashes,
// floods or sends garbage at some point, or one that pushes its diagnostics. Plain JavaScript, since
// it runs as a program of its own.
import process from "node:process";

const [does = "push"] = process.argv.slice(2);
let buffer = Buffer.alloc(0);

const write = (text) => process.stdout.write(text);
const send = (message) => {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};

const place = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
const ways = {
  "no-hello": { initialize: () => {} },
  "crash-at-start": { initialize: () => process.exit(3) },
  "garbage-at-start": { initialize: () => write("Welcome to the language server!\n") },
  "no-head": { initialize: () => write("Content-".padEnd(10_000, "x")) },
  "huge-message": { initialize: () => write("Content-Length: 99999999999\r\n\r\n") },
  "no-json": { initialize: () => write("Content-Length: 4\r\n\r\n{{{{") },
  "wrong-shape": { initialize: ({ id }) => send({ id, result: { capabilities: 7 } }) },
  hang: { "textDocument/definition": () => {} },
  crash: { "textDocument/definition": () => process.exit(9) },
  garbage: { "textDocument/definition": () => write("\u0000garbage\n\n") },
  "wrong-answer": {
    "textDocument/definition": ({ id }) => send({ id, result: [{ uri: 1 }] }),
  },
  refuse: {
    "textDocument/definition": ({ id }) =>
      send({ id, error: { code: -32_803, message: "no such\nname" } }),
  },
  flood: {
    "textDocument/definition": () => {
      const params = { message: "x".repeat(1_000_000) };
      const more = () => {
        send({ method: "window/logMessage", params });
        setImmediate(more);
      };
      more();
    },
  },
  ask: {
    "textDocument/definition": ({ id }) => {
      send({ id: "mine", method: "workspace/applyEdit", params: {} });
      later = id;
    },
  },
  outside: {
    "textDocument/rename": ({ id }) =>
      send({
        id,
        result: { changes: { "file:///etc/hosts": [{ range: place, newText: "x" }] } },
      }),
  },
  moves: {
    "textDocument/rename": ({ id, params }) =>
      send({
        id,
        result: {
          documentChanges: [
            { kind: "rename", oldUri: params.textDocument.uri, newUri: "file:///x" },
          ],
        },
      }),
  },
  stale: {
    "textDocument/rename": ({ id, params }) => {
      const other = params.textDocument.uri.replace(/[^/]*$/, "other.bad");
      send({ id, result: { changes: { [other]: [{ range: place, newText: "x" }] } } });
    },
  },
  pid: {
    "textDocument/definition": ({ id, params }) => {
      const { uri } = params.textDocument;
      const at = { line: 0, character: process.pid };
      send({ id, result: { uri, range: { start: at, end: at } } });
    },
  },
};

let later = null;
const usual = {
  initialize: ({ id }) =>
    send({
      id,
      result: {
        capabilities: { definitionProvider: true, referencesProvider: true, renameProvider: true },
      },
    }),
  "textDocument/didOpen": ({ params }) => said(params.textDocument),
  "textDocument/didChange": ({ params }) =>
    said({ ...params.textDocument, text: params.contentChanges[0].text }),
};

/** An error on each line that says so; first nothing, as servers do that go on working. */
function said({ uri, version, text }) {
  const diagnostics = text.split("\n").flatMap((line, at) =>
    line.includes("error")
      ? [
          {
            range: { start: { line: at, character: 0 }, end: { line: at, character: 1 } },
            message: line,
          },
        ]
      : [],
  );
  const publish = (params) => send({ method: "textDocument/publishDiagnostics", params });
  publish({ uri, version: version - 1, diagnostics: [] });
  publish({ uri, version, diagnostics });
}

process.stdin.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/.exec(buffer.toString("latin1", 0, end))?.[1]);
    if (buffer.length < end + 4 + length) return;
    const message = JSON.parse(buffer.toString("utf8", end + 4, end + 4 + length));
    buffer = buffer.subarray(end + 4 + length);
    if (message.id === "mine") {
      const applied = { line: message.result.applied ? 1 : 0, character: 0 };
      send({ id: later, result: [{ uri: "file:///x", range: { start: applied, end: applied } }] });
    }
    (ways[does]?.[message.method] ?? usual[message.method])?.(message);
  }
});
