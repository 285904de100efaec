// One running language server and what it can be asked: the errors of a file, where a name is
// defined and used, and what a rename would change. It only answers; nothing is written here.
import type * as z from "zod/mini";
import type { Connection } from "#boundary/tools/servers/connection.ts";
import { connectionTo, type Deadline } from "#boundary/tools/servers/connection.ts";
import { type Documents, documentsOf, uriIn } from "#boundary/tools/servers/documents.ts";
import { type Published, publishedBy } from "#boundary/tools/servers/published.ts";
import {
  type Capabilities,
  configurationAsked,
  initialized,
  locations,
  type Position,
  pulled,
  type Range,
  type Reported,
  tsserverAnswer,
  workspaceEdit,
} from "#boundary/tools/servers/shapes.ts";
import { type Work, workOf } from "#boundary/tools/servers/work.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { RunningCommand } from "#boundary/workspace/sandbox-port.ts";
import type { LanguageServer } from "#core/code/language-servers.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";

/** From its start until it says what it can do, and for each answer. */
export type Deadlines = { startMs: number; requestMs: number };

export type Spot = { path: string; position: Position };
export type Found = { uri: string; range: Range };

/** A server that has begun. Each question tells it first what changed in the files. */
export type Talk = {
  readonly server: LanguageServer;
  /** What it has against a file as it is now. */
  diagnostics(path: string, signal: AbortSignal): Promise<Result<readonly Reported[]>>;
  find(
    what: "definition" | "references",
    spot: Spot,
    signal: AbortSignal,
  ): Promise<Result<Found[]>>;
  rename(
    spot: Spot,
    to: string,
    signal: AbortSignal,
  ): Promise<Result<NonNullable<z.output<typeof workspaceEdit>> | null>>;
  /** The text of a file as it was told last. */
  told(path: string): { text: string; hash: string } | undefined;
  readonly ended: Promise<Failure>;
  close(): void;
};

type Begin = {
  server: LanguageServer;
  workspace: Workspace;
  running: RunningCommand;
  deadlines: Deadlines;
  signal: AbortSignal;
};

/** Shakes hands with a program that was just started; on any failure the program is ended. */
export async function begin(given: Begin): Promise<Result<Talk>> {
  const { server, workspace, running, deadlines, signal } = given;
  const pushed = publishedBy(workspace.root);
  const work = workOf();
  const connection = connectionTo(running, {
    name: server.name,
    told(method, params) {
      if (method === "textDocument/publishDiagnostics") pushed.take(params);
      if (method === "$/progress") work.take(params);
    },
    asked: (method, params) => answerTo(server, workspace.root, method, params),
  });
  const documents = documentsOf(server, workspace, () => connection);
  await documents.begin(signal);
  const deadline = { timeoutMs: deadlines.startMs, signal };
  const hello = await connection.request("initialize", helloOf(server, workspace.root), deadline);
  const can = hello.ok ? read(server, initialized, hello.value) : hello;
  if (!can.ok) {
    connection.close();
    return can;
  }
  connection.notify("initialized", {});
  // Not the settings themselves: each server has its own form of them, and asks for what it wants.
  connection.notify("workspace/didChangeConfiguration", { settings: null });
  const { capabilities } = can.value;
  return ok(talkOver({ server, connection, documents, pushed, capabilities, work, deadlines }));
}

type Parts = {
  server: LanguageServer;
  connection: Connection;
  documents: Documents;
  pushed: Published;
  capabilities: Capabilities;
  work: Work;
  deadlines: Deadlines;
};

function talkOver(parts: Parts): Talk {
  const { server, connection, documents, capabilities, work, deadlines } = parts;
  const within = (signal: AbortSignal): Deadline => ({ timeoutMs: deadlines.requestMs, signal });

  const ask = async <Shape extends z.ZodMiniType>(
    method: string,
    params: object,
    { shape, signal }: { shape: Shape; signal: AbortSignal },
  ): Promise<Result<z.output<Shape>>> => {
    const answer = await connection.request(method, params, within(signal));
    return answer.ok ? read(server, shape, answer.value) : answer;
  };

  return {
    server,
    ended: connection.ended,
    close: () => connection.close(),
    told: (path) => documents.known(path),
    diagnostics: (path, signal) => diagnosticsOf(parts, path, within(signal)),
    async find(what, { path, position }, signal) {
      if (!capabilities[`${what}Provider`]) return unable(server, what);
      const file = await documents.open(path, signal);
      if (!file.ok) return file;
      await work.done(within(signal));
      const params = {
        textDocument: { uri: file.value.uri },
        position,
        ...(what === "references" ? { context: { includeDeclaration: true } } : {}),
      };
      const found = await ask(`textDocument/${what}`, params, { shape: locations, signal });
      return found.ok ? ok(foundIn(found.value)) : found;
    },
    async rename({ path, position }, to, signal) {
      if (!capabilities.renameProvider) return unable(server, "rename");
      const file = await documents.open(path, signal);
      if (!file.ok) return file;
      await work.done(within(signal));
      const params = { textDocument: { uri: file.value.uri }, position, newName: to };
      return await ask("textDocument/rename", params, { shape: workspaceEdit, signal });
    },
  };
}

async function diagnosticsOf(
  { server, connection, documents, pushed, capabilities, work }: Parts,
  path: string,
  within: Deadline,
): Promise<Result<readonly Reported[]>> {
  const { signal } = within;
  if (server.asks === "tsserver") {
    const file = await documents.open(path, signal);
    return file.ok ? await tsserverSays(server, connection, file.value.uri, within) : file;
  }
  if (capabilities.diagnosticProvider) {
    const file = await documents.open(path, signal);
    if (!file.ok) return file;
    await work.done(within);
    const params = { textDocument: { uri: file.value.uri } };
    const said = await connection.request("textDocument/diagnostic", params, within);
    if (!said.ok) return said;
    const report = read(server, pulled, said.value);
    return report.ok ? ok(report.value.items) : report;
  }
  // What is only pushed is waited for, and opened anew so that something is.
  const since = pushed.count();
  const file = await documents.again(path, signal);
  if (!file.ok) return file;
  await work.done(within);
  const { name } = server;
  return await pushed.of({ ...file.value, since, name, ended: connection.ended }, within);
}

/**
 * Its own diagnostics come in pieces of which nobody says which is the last; tsserver's answer is
 * whole. https://github.com/typescript-language-server/typescript-language-server#commands
 */
async function tsserverSays(
  server: LanguageServer,
  connection: Connection,
  uri: string,
  within: Deadline,
): Promise<Result<readonly Reported[]>> {
  const all: Reported[] = [];
  for (const kind of ["syntactic", "semantic"]) {
    const command = "typescript.tsserverRequest";
    const params = { command, arguments: [`${kind}DiagnosticsSync`, { file: uri }] };
    const said = await connection.request("workspace/executeCommand", params, within);
    const answer = said.ok ? read(server, tsserverAnswer, said.value) : said;
    if (!answer.ok) return answer;
    for (const { start, end, text, code, category } of answer.value.body ?? []) {
      const severity = { error: 1, warning: 2 }[category] ?? 4;
      const range = { start: fromOne(start), end: fromOne(end) };
      all.push({ range, severity, message: text, ...(code === undefined ? {} : { code }) });
    }
  }
  return ok(all);
}

const fromOne = ({ line, offset }: { line: number; offset: number }): Position => ({
  line: line - 1,
  character: offset - 1,
});

function foundIn(said: z.output<typeof locations>): Found[] {
  const all = said === null ? [] : Array.isArray(said) ? said : [said];
  return all.map((one) =>
    "uri" in one
      ? { uri: one.uri, range: one.range }
      : { uri: one.targetUri, range: one.targetSelectionRange },
  );
}

function read<Shape extends z.ZodMiniType>(
  { name }: LanguageServer,
  shape: Shape,
  value: unknown,
): Result<z.output<Shape>> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return fail("broken", `${name} gave an answer that is not of the protocol`, {
    fix: "work without it",
  });
}

const unable = ({ name }: LanguageServer, what: string) =>
  fail("not_supported", `${name} knows no ${what}`, { fix: "use `search` instead" });

/** What we answer a server; nothing that it asks changes a file. */
function answerTo(server: LanguageServer, root: string, method: string, params: unknown): unknown {
  switch (method) {
    case "workspace/configuration": {
      const asked = configurationAsked.safeParse(params);
      return asked.success ? asked.data.items.map(() => server.options ?? null) : [];
    }
    case "workspace/workspaceFolders":
      return foldersOf(root);
    case "workspace/applyEdit":
      return { applied: false };
    case "client/registerCapability":
    case "client/unregisterCapability":
    case "window/workDoneProgress/create":
    case "window/showMessageRequest":
    case "workspace/diagnostic/refresh":
    case "workspace/semanticTokens/refresh":
    case "workspace/inlayHint/refresh":
    case "workspace/codeLens/refresh":
      return null;
    default:
      return undefined;
  }
}

const foldersOf = (root: string) => [{ uri: uriIn(root, "."), name: "workspace" }];

const helloOf = (server: LanguageServer, root: string) => ({
  processId: null,
  clientInfo: { name: "aiex" },
  rootUri: uriIn(root, "."),
  workspaceFolders: foldersOf(root),
  initializationOptions: server.options ?? {},
  capabilities: {
    general: { positionEncodings: ["utf-16"] },
    textDocument: {
      synchronization: { didSave: true },
      publishDiagnostics: { versionSupport: true },
      diagnostic: { dynamicRegistration: false },
      definition: { linkSupport: true },
      references: {},
      rename: {},
    },
    workspace: {
      configuration: true,
      workspaceFolders: true,
      didChangeWatchedFiles: { dynamicRegistration: true },
      workspaceEdit: { documentChanges: true },
    },
    window: { workDoneProgress: true },
  },
});
