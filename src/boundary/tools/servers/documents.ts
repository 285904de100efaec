// What a language server is told of the files: the open ones by their text, the others by the news
// that they are there, gone or another. Looked at before each question, since commands and people
// change files unseen.
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { sha256 } from "#boundary/digest.ts";
import { nameIn, visibleFiles } from "#boundary/tools/ripgrep.ts";
import type { Connection } from "#boundary/tools/servers/connection.ts";
import { presentFile, textIn } from "#boundary/tools/text-file.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { endingOf, isFileOf, type LanguageServer } from "#core/code/language-servers.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { relativeTo } from "#core/security/paths.ts";

/** Files that are open at a time; the one that was asked about longest ago is closed. */
const OPEN_MAX = 40;
/** UTF-16 units of a file that is opened. */
const TEXT_CHARACTERS_MAX = 4_000_000;
/** Files whose changes are noticed while they are not open. */
const WATCHED_MAX = 20_000;
/** Files that are looked at side by side. */
const LOOKS_AT_ONCE = 64;

export type Opened = { path: string; uri: string; version: number; hash: string; text: string };

export type Documents = {
  /** Tells what changed since the last look, then opens the file or brings it up to date. */
  open(path: string, signal: AbortSignal): Promise<Result<Opened>>;
  /** The same, and gives it a new version in any case, so that what is said of it is said again. */
  again(path: string, signal: AbortSignal): Promise<Result<Opened>>;
  /** Remembers how the files are, as the server will find them at its start. */
  begin(signal: AbortSignal): Promise<void>;
  /** The open file of that name as it was told last. */
  known(path: string): Opened | undefined;
};

/** 1 made, 2 changed, 3 gone. */
type News = { uri: string; type: 1 | 2 | 3 };

export function documentsOf(
  server: LanguageServer,
  workspace: Workspace,
  connection: () => Pick<Connection, "notify">,
): Documents {
  const files = new Map<string, Opened>();
  let marks: ReadonlyMap<string, string> = new Map();
  const uriOf = (path: string) => uriIn(workspace.root, path);
  const tell = (method: string, params: unknown) =>
    connection().notify(`textDocument/${method}`, params);

  const close = ({ path, uri }: Opened) => {
    files.delete(path);
    tell("didClose", { textDocument: { uri } });
  };

  const look = async (signal: AbortSignal): Promise<void> => {
    const now = await marksNow(server, workspace, signal);
    if (!now || signal.aborted) return;
    const news: News[] = [];
    for (const [path, mark] of now) {
      const before = marks.get(path);
      if (before !== mark) news.push({ uri: uriOf(path), type: before === undefined ? 1 : 2 });
    }
    for (const path of marks.keys()) {
      if (!now.has(path)) news.push({ uri: uriOf(path), type: 3 });
    }
    marks = now;
    if (news.length > 0) connection().notify("workspace/didChangeWatchedFiles", { changes: news });
    for (const file of [...files.values()]) {
      if (news.some(({ uri }) => uri === file.uri)) await refresh(file);
    }
  };

  const refresh = async (file: Opened): Promise<void> => {
    const read = await textOf(workspace, file.path);
    if (!read.ok) close(file);
    else update(file, read.value);
  };

  const update = (file: Opened, now: Text): Opened =>
    now.hash === file.hash ? file : changed(file, now);

  const changed = (file: Opened, { text, hash }: Text): Opened => {
    const now = { ...file, version: file.version + 1, hash, text };
    files.set(file.path, now);
    const textDocument = { uri: file.uri, version: now.version };
    tell("didChange", { textDocument, contentChanges: [{ text }] });
    tell("didSave", { textDocument: { uri: file.uri } });
    return now;
  };

  const open = async (path: string, signal: AbortSignal): Promise<Result<Opened>> => {
    await look(signal);
    const read = await textOf(workspace, path);
    if (!read.ok) return read;
    const known = files.get(path);
    if (known) {
      const now = update(known, read.value);
      // The newest in use stands last.
      files.delete(path);
      files.set(path, now);
      return ok(now);
    }
    const uri = uriOf(path);
    const opened = { path, uri, version: 1, ...read.value };
    const [oldest] = files.values();
    if (oldest && files.size >= OPEN_MAX) close(oldest);
    files.set(path, opened);
    const languageId = server.languages[endingOf(path)] ?? "";
    tell("didOpen", { textDocument: { uri, languageId, version: 1, text: opened.text } });
    return ok(opened);
  };

  return {
    open,
    async again(path, signal) {
      const known = files.get(path);
      const file = await open(path, signal);
      return file.ok && file.value === known ? ok(changed(known, known)) : file;
    },
    async begin(signal) {
      marks = (await marksNow(server, workspace, signal)) ?? new Map();
    },
    known: (path) => files.get(path),
  };
}

type Text = { text: string; hash: string };

async function textOf(workspace: Workspace, path: string): Promise<Result<Text>> {
  const present = await presentFile(workspace, path);
  if (!present.ok) return present;
  if (present.value.hash === "absent") {
    return fail("not_found", `\`${path}\` does not exist`, { fix: "correct the path" });
  }
  const text = textIn(present.value);
  if (!text.ok) return text;
  if (text.value.length > TEXT_CHARACTERS_MAX) {
    const say = `\`${path}\` has more than ${TEXT_CHARACTERS_MAX} characters`;
    return fail("too_large", say, { fix: "use `search` instead" });
  }
  return ok({ text: text.value, hash: sha256(present.value.bytes) });
}

/** A mark of each file that the server may care for; null where they cannot be listed. */
async function marksNow(
  server: LanguageServer,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | null> {
  const listed = await visibleFiles(workspace, { folder: ".", signal });
  if (!listed.ok) return null;
  const wanted = [...listed.value]
    .map((file) => nameIn(".", file))
    .filter((file) => isFileOf(server, file) || server.markers.includes(lastOf(file)))
    .slice(0, WATCHED_MAX);
  const marks = new Map<string, string>();
  for (let at = 0; at < wanted.length; at += LOOKS_AT_ONCE) {
    const some = wanted.slice(at, at + LOOKS_AT_ONCE);
    await Promise.all(
      some.map(async (path) => {
        const stat = await lstat(join(workspace.root, path)).catch(() => null);
        if (stat) marks.set(path, [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join());
      }),
    );
  }
  return marks;
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** How a server names a file of the workspace. */
export const uriIn = (root: string, path: string): string => pathToFileURL(join(root, path)).href;

/** Where a name of a server leads: into the workspace, elsewhere, or to no file at all. */
export function fileAt(root: string, uri: string): { inside: string } | { outside: string } | null {
  try {
    const path = fileURLToPath(uri);
    const name = relativeTo(root, path);
    return name.ok ? { inside: name.value } : { outside: path };
  } catch {
    return null;
  }
}
