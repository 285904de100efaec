// The language servers of a node: one of each kind for a project, begun when first asked, kept while
// it is used, and ended with the node. One that ends by itself is begun again a few times.

import { type FoundServer, foundServers } from "#boundary/tools/servers/found.ts";
import type { Deadlines, Talk } from "#boundary/tools/servers/talk.ts";
import { until } from "#boundary/until.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { Opened, Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { isFileOf, type LanguageServer } from "#core/code/language-servers.ts";
import { fail, type Result } from "#core/failure.ts";
import type { Access } from "#core/security/access.ts";

const usualDeadlines: Deadlines = { startMs: 30_000, requestMs: 30_000 };
/** Servers that run at a time; the one that was asked longest ago is ended for another. */
const RUNNING_MAX = 6;
/** How often one of a project is begun in all, unless it was idle in between. */
const STARTS_MAX = 4;
/** One that nobody asked for so long is ended. */
const IDLE_MS = 15 * 60_000;
/** The longest that one runs; a timer has no more. */
const LIFE_MS = 24 * 86_400_000;

export type ServersOptions = {
  table: readonly LanguageServer[];
  /** The folders of programs outside a project. */
  path(root: string): readonly string[];
  /** Where rustup keeps its toolchains, if not in the home. */
  rustup?: string | undefined;
  deadlines?: Deadlines;
  idleMs?: number;
};

/** Where a server works, and what the call that wants it may use. */
export type Site = { workspace: Workspace; sandbox: Sandbox; opened: Opened };

export type Servers = {
  /** Those that are found for a project; looked for once. */
  at(root: string): Promise<readonly FoundServer[]>;
  /** The one for a file, if there is one. */
  forFile(root: string, path: string): Promise<FoundServer | undefined>;
  /** Whether it runs there, or is about to. */
  runs(root: string, found: FoundServer): boolean;
  /** The running one, begun if need be. Waits no longer than the signal; the start goes on. */
  talk(found: FoundServer, site: Site, signal: AbortSignal): Promise<Result<Talk>>;
  close(): Promise<void>;
};

type Running = {
  talk: Promise<Result<Talk>>;
  idle: NodeJS.Timeout | undefined;
  stop(): Promise<void>;
};

export function serversOfNode(options: ServersOptions): Servers {
  const { table, path, rustup, deadlines = usualDeadlines, idleMs = IDLE_MS } = options;
  const found = new Map<string, Promise<readonly FoundServer[]>>();
  const running = new Map<string, Running>();
  const starts = new Map<string, number>();
  let isClosed = false;
  const keyOf = (root: string, { server }: FoundServer) => `${server.name}\0${root}`;

  const at = (root: string) => {
    const known = found.get(root) ?? foundServers(table, { root, path: path(root), rustup });
    found.set(root, known);
    return known;
  };

  const end = async (key: string, one = running.get(key)) => {
    if (!one || running.get(key) !== one) return;
    running.delete(key);
    starts.delete(key);
    clearTimeout(one.idle);
    await one.stop();
  };

  const start = (key: string, one: FoundServer, site: Site): Running => {
    const abort = new AbortController();
    let done: Promise<unknown> = Promise.resolve();
    const talk = (async () => {
      const program = await site.sandbox.start(specOf(one, site.opened), abort.signal);
      if (!program.ok) return program;
      done = program.value.done;
      const { begin } = await import("#boundary/tools/servers/talk.ts");
      const { server } = one;
      const { workspace } = site;
      return await begin({
        server,
        workspace,
        running: program.value,
        deadlines,
        signal: abort.signal,
      });
    })();
    const stop = async () => {
      abort.abort();
      const begun = await talk;
      if (begun.ok) begun.value.close();
      await done;
    };
    const self: Running = { talk, idle: undefined, stop };
    const gone = () => {
      if (running.get(key) === self) running.delete(key);
      clearTimeout(self.idle);
    };
    void talk.then((begun) => (begun.ok ? begun.value.ended.then(gone) : gone()));
    return self;
  };

  const obtain = (key: string, one: FoundServer, site: Site): Running | null => {
    const known = running.get(key);
    if (known) return known;
    const count = (starts.get(key) ?? 0) + 1;
    if (count > STARTS_MAX) return null;
    starts.set(key, count);
    const begun = start(key, one, site);
    running.set(key, begun);
    const [oldest] = running.keys();
    if (running.size > RUNNING_MAX && oldest !== undefined) void end(oldest);
    return begun;
  };

  return {
    at,
    async forFile(root, file) {
      return (await at(root)).find(({ server }) => isFileOf(server, file));
    },
    runs: (root, one) => running.has(keyOf(root, one)),
    async talk(one, site, signal) {
      if (isClosed) return fail("closed", "Aiex is ending");
      const key = keyOf(site.workspace.root, one);
      const begun = obtain(key, one, site);
      if (!begun) return worn(one);
      // The one in use stands last.
      running.delete(key);
      running.set(key, begun);
      clearTimeout(begun.idle);
      void begun.talk.then(() => {
        clearTimeout(begun.idle);
        begun.idle = setTimeout(() => void end(key, begun), idleMs);
        begun.idle.unref();
      });
      const talk = await until(begun.talk, signal);
      return talk ?? fail("cancelled", `nobody waits for ${one.server.name} any more`);
    },
    async close() {
      isClosed = true;
      await Promise.all([...running.keys()].map((key) => end(key)));
    },
  };
}

const worn = ({ server }: FoundServer) =>
  fail("unreachable", `${server.name} was begun ${STARTS_MAX} times and did not last`, {
    fix: `work without it; \`${[server.program, ...server.args].join(" ")}\` in \`run\` may say why`,
  });

/** The call for leave to run it: only ever reading, in the sandbox. */
export const accessTo = (found: FoundServer): Access => ({
  kind: "run",
  command: wordsOf(found),
  cwd: ".",
  env: { ...found.server.env },
  sandboxed: true,
  onlyReads: true,
});

const wordsOf = ({ server, program }: FoundServer): string[] => [program, ...server.args];

/** What it complains about would stand between its messages. */
const SILENT = 'exec "$0" "$@" 2>/dev/null';

const specOf = (found: FoundServer, opened: Opened) => ({
  command: ["/bin/sh", "-c", SILENT, ...wordsOf(found)],
  cwd: ".",
  env: { ...found.server.env },
  timeoutMs: LIFE_MS,
  opened,
  talks: true as const,
  onlyReads: { own: found.server.writes ?? [] },
});
