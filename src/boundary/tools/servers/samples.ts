// What the tests of language servers stand on: a project in a real sandbox, with the servers that
// this repository has for its tests.
import { mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { afterAll } from "vitest";
import type { ToolContext } from "#boundary/tools/port.ts";
import { contextOf } from "#boundary/tools/samples.ts";
import {
  type Servers,
  type ServersOptions,
  serversOfNode,
} from "#boundary/tools/servers/servers.ts";
import { type Boxed, boxed, missing } from "#boundary/workspace/boxed.ts";
import { type LanguageServer, languageServers } from "#core/code/language-servers.ts";

const modules = resolve(import.meta.dirname, "../../../../node_modules");
const bin = join(modules, ".bin");
/** The pinned Node, whatever the machine has. */
const node = dirname(process.execPath);

/** A TypeScript that has a tsserver: the one that a development dependency brings along. */
function typescriptFolder(): string {
  const generator = createRequire(join(modules, "ts-json-schema-generator/package.json"));
  return dirname(dirname(generator.resolve("typescript/lib/tsserver.js")));
}

export type Project = {
  box: Boxed;
  servers: Servers;
  context: ToolContext;
  /** Why it cannot be tried here; null where it can. */
  missing: string | null;
};

/**
 * A project with files in a real sandbox, and the servers that are found for it. `native`: with the
 * TypeScript that is its own language server.
 */
export async function projectWith(
  files: Readonly<Record<string, string>>,
  { native, ...options }: Partial<ServersOptions> & { native?: true } = {},
): Promise<Project> {
  const box = await boxed("app", undefined, undefined, undefined);
  for (const [name, text] of Object.entries(files)) box.put(name, text);
  const linked = join(box.root, "node_modules/typescript");
  mkdirSync(dirname(linked), { recursive: true });
  symlinkSync(native ? join(modules, "typescript") : typescriptFolder(), linked);
  const servers = serversOfNode({ table: languageServers, path: () => [bin, node], ...options });
  const context = contextOf(box.root, {
    sandbox: box.sandbox,
    allows: async () => ({}),
  });
  projects.push({ box, servers });
  return { box, servers, context, missing: missing(box) };
}

const projects: Pick<Project, "box" | "servers">[] = [];

/** To be called by each suite that makes projects: ends their servers and removes them. */
export function endProjects(): void {
  afterAll(async () => {
    for (const { box, servers } of projects.splice(0)) {
      await servers.close();
      box.close();
    }
  });
}

/** The scripted server of the tests, as one for files that end in `.bad`. */
export const badServer = (does: string): LanguageServer => ({
  name: "bad",
  program: "node",
  args: [join(import.meta.dirname, "bad-server.js"), does],
  languages: { ".bad": "bad" },
  markers: ["bad.toml"],
});
