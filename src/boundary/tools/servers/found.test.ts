// Which language servers are found for a project, and which tools are on offer there.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtinTools } from "#boundary/tools/builtin/index.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { folderWith } from "#boundary/tools/samples.ts";
import { foundServers } from "#boundary/tools/servers/found.ts";
import { serversOfNode } from "#boundary/tools/servers/servers.ts";
import { languageServers } from "#core/code/language-servers.ts";

/** A folder of programs that only have names. */
function programs(...names: string[]): string {
  const folder = folderWith({});
  for (const name of names) {
    writeFileSync(join(folder, name), "#!/bin/sh\nexit 1\n");
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const namesFor = async (root: string, ...path: string[]) =>
  (await foundServers(languageServers, { root, path })).map(({ program }) => program);

describe("a language server is found", () => {
  it("where the project has a marker or a file of its language, here or one folder below", async () => {
    const path = programs("gopls", "pyright-langserver");
    expect(await namesFor(folderWith({ "go.mod": "" }), path)).toEqual([join(path, "gopls")]);
    expect(await namesFor(folderWith({ "cmd/main.go": "" }), path)).toEqual([join(path, "gopls")]);
    expect(await namesFor(folderWith({ "a.txt": "" }), path)).toEqual([]);
    expect(await namesFor(folderWith({ "go.mod": "" }), programs("other"))).toEqual([]);
  });

  it("in the project before the user's, and only with what it needs", async () => {
    const path = programs("typescript-language-server", "tsc");
    const root = folderWith({ "package.json": "{}" });
    expect(await namesFor(root, path)).toEqual([]);
    const seven = folderWith({ "a.ts": "", "node_modules/typescript/lib/getExePath.js": "" });
    expect(await namesFor(seven, path)).toEqual([join(path, "tsc")]);
    const own = join(seven, "node_modules/.bin/tsc");
    mkdirSync(join(own, ".."));
    symlinkSync(join(path, "tsc"), own);
    expect(await namesFor(seven, path)).toEqual([own]);
  });

  it("not where a program is only rustup's name for one that is not installed", async () => {
    const path = programs("rustup");
    symlinkSync(join(path, "rustup"), join(path, "rust-analyzer"));
    const root = folderWith({ "Cargo.toml": "" });
    expect(await foundServers(languageServers, { root, path: [path], rustup: path })).toEqual([]);
    mkdirSync(join(path, "toolchains/stable/bin"), { recursive: true });
    writeFileSync(join(path, "toolchains/stable/bin/rust-analyzer"), "");
    const found = await foundServers(languageServers, { root, path: [path], rustup: path });
    expect(found.map(({ server }) => server.name)).toEqual(["rust-analyzer"]);
  });
});

describe("the tools of a folder", () => {
  it("are the usual ones where no server is found, and two more where one is", async () => {
    const path = programs("gopls");
    const servers = serversOfNode({ table: languageServers, path: () => [path] });
    const source = builtinTools(jobsOfNode(), { servers, tellsErrors: true });
    const usual = await builtinTools(jobsOfNode()).tools();
    const names = async (root?: string) => (await source.tools(root)).map(({ spec }) => spec.name);
    const before = usual.map(({ spec }) => spec.name);
    expect(await names(folderWith({ "a.py": "" }))).toEqual(before);
    expect(await names()).toEqual(before);
    const more = await names(folderWith({ "go.mod": "" }));
    expect(more.filter((name) => !before.includes(name))).toEqual(["code", "rename"]);
    expect(more.length).toBe(before.length + 2);
  });
});
