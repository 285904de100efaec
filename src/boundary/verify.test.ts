// What counts as a verify command in a location: what the user configured, and what was found in the
// project's files and confirmed there, as long as it is what it was.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { locationsOver } from "#boundary/locations.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { folderWith } from "#boundary/tools/samples.ts";
import { verifyOver, verifySettings } from "#boundary/verify.ts";
import { detectedVerify } from "#boundary/verify-commands.ts";

const scripts = (of: Record<string, unknown>) => JSON.stringify({ scripts: of });

describe("a project's own verify commands", () => {
  it.each<[Record<string, string>, string[]]>([
    [{}, []],
    [{ "package.json": scripts({ test: "vitest run", lint: "x" }) }, ["npm test"]],
    [{ "package.json": scripts({ test: 'echo "Error: no test specified" && exit 1' }) }, []],
    [{ "package.json": scripts({ test: "x" }), "pnpm-lock.yaml": "" }, ["pnpm test"]],
    [{ "package.json": scripts({ test: "x" }), "yarn.lock": "" }, ["yarn test"]],
    [{ Makefile: "all:\n\ncheck: all\n\tprove\n\ntest := 1\n" }, ["make check"]],
    [{ "package.json": scripts({ test: "vitest run || true" }) }, []],
    [{ "package.json": scripts({ test: "npm run unit", unit: "vitest run | tee log" }) }, []],
    [{ "package.json": scripts({ test: "mocha; exit 0" }) }, []],
    [{ Makefile: "test:\n\t-prove\n" }, []],
    [{ Makefile: "test: all\n\t@prove t\n" }, ["make test"]],
    [{ "Cargo.toml": "" }, ["cargo test"]],
    [{ "go.mod": "module x" }, ["go test ./..."]],
    [{ "mix.exs": "" }, ["mix test"]],
    [{ "pyproject.toml": "[tool.pytest.ini_options]\n" }, ["pytest"]],
    [{ "pyproject.toml": "[project]\n" }, []],
    [{ "pom.xml": "", mvnw: "" }, ["./mvnw test"]],
    [{ "build.gradle.kts": "" }, ["gradle test"]],
    [{ "composer.json": scripts({ test: "phpunit" }) }, ["composer test"]],
    [{ ".rspec": "", Gemfile: "" }, ["bundle exec rspec"]],
    [{ "Makefile.PL": "" }, ["prove -lr"]],
    [
      { ".github/workflows/ci.yml": "steps:\n  - run: npm ci\n  - run: npx vitest run\n" },
      ["npx vitest run"],
    ],
    [
      {
        ".github/workflows/ci.yml": "      - run: |\n          go build\n          go test ./...\n",
      },
      ["go test ./..."],
    ],
    [{ ".github/workflows/ci.yml": "- run: npm test || true\n- run: npm test | tee x\n" }, []],
    [{ ".github/workflows/ci.yml": "- run: npm test\n  working-directory: web\n" }, []],
    [{ ".gitlab-ci.yml": "t:\n  script:\n    - pip install x\n    - pytest -q\n" }, ["pytest -q"]],
  ])("in %j are %j", async (files, commands) => {
    const found = await detectedVerify(folderWith(files));
    expect(found.map(({ command }) => command)).toEqual(commands);
  });

  it("are looked for in its packages, each in its folder", async () => {
    const found = await detectedVerify(
      folderWith({
        "web/package.json": scripts({ test: "x" }),
        "packages/a/Cargo.toml": "",
        "node_modules/b/package.json": scripts({ test: "x" }),
      }),
    );
    expect(found.map(({ command, folder }) => [folder, command])).toEqual([
      ["web", "npm test"],
      ["packages/a", "cargo test"],
    ]);
  });

  it("are what they run, with the scripts that those run", async () => {
    const all = { pretest: "npm run build", test: "run-s unit", unit: "vitest", build: "tsc" };
    const [found] = await detectedVerify(
      folderWith({ "package.json": scripts({ ...all, other: "x" }) }),
    );
    expect(found?.definition.split("\n")).toEqual([
      "test: run-s unit",
      "pretest: npm run build",
      "build: tsc",
      "unit: vitest",
    ]);
  });
});

function world(files: Record<string, string>, configured: unknown = []) {
  const folder = folderWith(files);
  const log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 });
  const locations = locationsOver(log, "n");
  const settings = verifySettings(configured);
  if (!settings.ok) throw new Error(settings.error.say);
  const verify = verifyOver(locations, settings.value);
  const names = async () => (await verify.commands(folder)).map(({ command }) => command);
  return { folder, locations, verify, names };
}

describe("a verify command that was found", () => {
  const files = { "package.json": scripts({ test: "node test/run.js" }) };

  it("counts once the user confirmed it, in every later session", async () => {
    const { folder, locations, verify, names } = world(files);
    await locations.trust(folder);
    expect(await names()).toEqual([]);
    const rows = await verify.rows(folder);
    const key = rows.ok ? (rows.value[0]?.key ?? "") : "";
    expect((await verify.confirm(folder, key)).ok).toBe(true);
    expect((await verify.confirm(folder, key)).ok).toBe(true);
    expect(await verify.commands(folder)).toEqual([
      { command: "npm test", folder: ".", files: ["test/run.js"] },
    ]);
    expect((await world({}, ["pytest"]).verify.commands(folder))[0]).toMatchObject({
      counts: true,
    });
  });

  it("counts no more when what it runs is something else", async () => {
    const { folder, locations, verify, names } = world(files);
    await locations.trust(folder);
    const rows = await verify.rows(folder);
    await verify.confirm(folder, rows.ok ? (rows.value[0]?.key ?? "") : "");
    writeFileSync(join(folder, "package.json"), scripts({ test: "true" }));
    expect(await names()).toEqual([]);
    writeFileSync(join(folder, "package.json"), files["package.json"]);
    expect(await names()).toEqual(["npm test"]);
  });

  it("is not even looked for before the folder is trusted, nor confirmed after it is not", async () => {
    const { folder, locations, verify, names } = world(files);
    expect(await verify.rows(folder)).toEqual({ ok: true, value: [] });
    await locations.trust(folder);
    const rows = await verify.rows(folder);
    await verify.confirm(folder, rows.ok ? (rows.value[0]?.key ?? "") : "");
    await locations.distrust(folder);
    await locations.trust(folder);
    expect(await names()).toEqual([]);
  });

  it("cannot be confirmed by a name that nothing has now", async () => {
    const { folder, locations, verify } = world(files);
    await locations.trust(folder);
    expect(await verify.confirm(folder, "0")).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("a verify command that is configured", () => {
  it("counts at once, also where the folder is not trusted", async () => {
    expect(await world({}, ["make check"]).names()).toEqual(["make check"]);
  });

  it("counts in its folder and its location only", async () => {
    const elsewhere = folderWith({});
    mkdirSync(join(elsewhere, "web"));
    const entry = { command: "npm test", folder: "./web/", location: elsewhere };
    const { verify, folder } = world({}, [entry]);
    expect(await verify.commands(folder)).toEqual([]);
    expect(await verify.commands(elsewhere)).toEqual([
      { command: "npm test", folder: "web", files: [] },
    ]);
  });

  it.each([
    ["npm test | tail", "only `&&` may join"],
    [{ folder: "web" }, "names no command"],
    [7, "names no command"],
    [{ command: "x", folder: "../y" }, "below the workspace"],
    [{ command: "x", location: "y" }, "absolute"],
    [{ command: "x", evil: 1 }, 'knows no "evil"'],
  ])("as %j is refused, with what is wrong", (entry, say) => {
    const read = verifySettings([entry]);
    expect(read.ok ? "" : read.error.say).toContain(say);
  });
});
