// The commands a project has to check itself, from real files.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderWith } from "#boundary/tools/samples.ts";
import { commandsNamed } from "#boundary/verify-commands.ts";

const scripts = (of: Record<string, unknown>) => JSON.stringify({ scripts: of });

it.each([
  [{}, []],
  [{ "package.json": scripts({ lint: "x", test: "y", evil: "z" }) }, ["npm test", "npm run lint"]],
  [{ "package.json": scripts({ test: 7 }) }, []],
  [{ "package.json": "{not json", Makefile: "test: all\n\tgo\nother:\n" }, ["make test"]],
  [{ Makefile: "test := 1\ncheck:\n\ttrue\n" }, ["make check"]],
  [{ "Cargo.toml": "" }, ["cargo test"]],
  [{ "go.mod": "module x" }, ["go test ./..."]],
  [{ "mix.exs": "" }, ["mix test"]],
])("finds in %j %j", async (files, commands) => {
  expect(await commandsNamed(folderWith(files))).toEqual(commands);
});

it("follows no link to find them", async () => {
  const elsewhere = folderWith({ "package.json": scripts({ test: "x" }) });
  const folder = folderWith({});
  symlinkSync(join(elsewhere, "package.json"), join(folder, "package.json"));
  expect(await commandsNamed(folder)).toEqual([]);
});
