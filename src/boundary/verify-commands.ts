// The commands by which a project checks itself, read off its manifests and CI files: by name for a
// prompt, and whole for the user to confirm. Nothing of it counts as a verify command before that.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { plainFile } from "#boundary/plain-file.ts";
import { defectOfVerify, isForgiving } from "#core/evidence/verify.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";

export type Detected = {
  command: string;
  /** Workspace-relative. */
  folder: string;
  /** The file that it was found in, workspace-relative. */
  from: string;
  /** What it runs as far as that stands there, so that a confirmation holds for exactly that. */
  definition: string;
};

const FILE_BYTES_MAX = 262_144;
/** Folders looked at besides the root. */
const FOLDERS_MAX = 40;
const CI_FILES_MAX = 20;
const DETECTED_MAX = 50;
/** Where projects keep packages of their own. */
const GROUPS = ["packages", "apps", "crates", "libs", "services", "modules"];
const SKIPPED = /^(\.|node_modules$|vendor$|target$|dist$|build$|venv$)/;

/** What `npm init` writes where there is no test. */
const NO_TEST = /no test specified/;

type Found = { command: string; definition: string };
type Folder = { has(name: string): boolean };

/** The manifests that say how a project tests itself; of one kind of project the first that does. */
const manifests: readonly { file: string; find(text: string, folder: Folder): Found[] }[] = [
  { file: "package.json", find: (text, folder) => scripts(text, folder) },
  { file: "Makefile", find: (text) => targets(text) },
  { file: "Cargo.toml", find: () => [{ command: "cargo test", definition: "" }] },
  { file: "go.mod", find: () => [{ command: "go test ./...", definition: "" }] },
  { file: "mix.exs", find: () => [{ command: "mix test", definition: "" }] },
  { file: "pytest.ini", find: () => [pytest] },
  { file: "tox.ini", find: (text) => (/^\[pytest\]/m.test(text) ? [pytest] : []) },
  { file: "setup.cfg", find: (text) => (/^\[tool:pytest\]/m.test(text) ? [pytest] : []) },
  { file: "pyproject.toml", find: (text) => (/\bpytest\b/.test(text) ? [pytest] : []) },
  { file: "pom.xml", find: (_, { has }) => [wrapped(has("mvnw"), "./mvnw test", "mvn test")] },
  { file: "build.gradle", find: (_, { has }) => [gradle(has("gradlew"))] },
  { file: "build.gradle.kts", find: (_, { has }) => [gradle(has("gradlew"))] },
  { file: "composer.json", find: (text) => composer(text) },
  { file: "phpunit.xml", find: () => [phpunit] },
  { file: "phpunit.xml.dist", find: () => [phpunit] },
  { file: ".rspec", find: (_, { has }) => [wrapped(has("Gemfile"), "bundle exec rspec", "rspec")] },
  { file: "deno.json", find: () => [{ command: "deno test", definition: "" }] },
  { file: "Makefile.PL", find: () => [{ command: "prove -lr", definition: "" }] },
];

const pytest: Found = { command: "pytest", definition: "" };
const phpunit: Found = { command: "vendor/bin/phpunit", definition: "" };
const wrapped = (isWrapped: boolean, own: string, other: string): Found => ({
  command: isWrapped ? own : other,
  definition: "",
});
const gradle = (isWrapped: boolean) => wrapped(isWrapped, "./gradlew test", "gradle test");

export async function detectedVerify(root: string): Promise<Detected[]> {
  const found: Detected[] = [];
  for (const folder of await foldersOf(root)) found.push(...(await inFolder(root, folder)));
  found.push(...(await inCi(root)));
  const nameOf = ({ folder, command }: Detected) => `${folder}\n${command}`;
  const first = new Map(found.toReversed().map((one) => [nameOf(one), one]));
  return found.filter((one) => first.get(nameOf(one)) === one).slice(0, DETECTED_MAX);
}

async function foldersOf(root: string): Promise<string[]> {
  const below = async (folder: string) => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && !SKIPPED.test(entry.name))
      .map(({ name }) => (folder === "." ? name : `${folder}/${name}`))
      .sort();
  };
  const top = await below(".");
  const groups = await Promise.all(top.filter((name) => GROUPS.includes(name)).map(below));
  return [".", ...[...top, ...groups.flat()].slice(0, FOLDERS_MAX)];
}

const read = async (root: string, name: string): Promise<string | null> =>
  (await plainFile(join(root, name), { bytesMax: FILE_BYTES_MAX }))?.bytes.toString() ?? null;

async function inFolder(root: string, folder: string): Promise<Detected[]> {
  const names = new Set(await readdir(join(root, folder)).catch(() => []));
  const found: Detected[] = [];
  for (const { file, find } of manifests) {
    const path = folder === "." ? file : `${folder}/${file}`;
    const text = names.has(file) ? await read(root, path) : null;
    if (text === null) continue;
    const here = find(text, { has: (name) => names.has(name) });
    found.push(...here.map((one) => ({ ...one, folder, from: path })));
  }
  return found.filter(
    ({ command, definition }) => defectOfVerify(command) === null && !isForgiving(definition),
  );
}

function scripts(text: string, { has }: Folder): Found[] {
  const all = fieldsOf(fieldsOf(parsed(text)).scripts);
  const body = all.test;
  if (typeof body !== "string" || NO_TEST.test(body)) return [];
  const command = has("pnpm-lock.yaml")
    ? "pnpm test"
    : has("yarn.lock")
      ? "yarn test"
      : has("bun.lock") || has("bun.lockb")
        ? "bun run test"
        : "npm test";
  return [{ command, definition: whole("test", all) }];
}

/** A script with those that it runs: before it, after it, and by name. */
function whole(name: string, all: Record<string, unknown>): string {
  const seen = new Set<string>();
  const lines: string[] = [];
  const add = (one: string) => {
    const body = all[one];
    if (seen.has(one) || typeof body !== "string") return;
    seen.add(one);
    lines.push(`${one}: ${body}`);
    for (const other of [`pre${one}`, `post${one}`]) add(other);
    for (const [word] of body.matchAll(/[\w:.-]+/g)) add(word);
  };
  add(name);
  return lines.join("\n");
}

function targets(text: string): Found[] {
  return ["test", "check"].flatMap((name) => {
    const rule = new RegExp(`^${name}\\s*::?(?!=)[^\\n]*(?:\\n\\t[^\\n]*)*`, "m").exec(text);
    return rule ? [{ command: `make ${name}`, definition: rule[0] }] : [];
  });
}

function composer(text: string): Found[] {
  const body = fieldsOf(fieldsOf(parsed(text)).scripts).test;
  return body === undefined ? [] : [{ command: "composer test", definition: JSON.stringify(body) }];
}

/** What CI runs as tests, by the names that runners have. */
const TESTS =
  /^(?:(?:npm|pnpm|yarn|bun) (?:test|run (?:test|check|ci|verify))\b|(?:npx|pnpm exec|yarn|bunx) (?:vitest run|jest|mocha|ava|tap|playwright test)\b|node --test\b|(?:uv run |poetry run |hatch run )?(?:python3? -m )?(?:pytest|unittest)\b|tox\b|nox\b|go test\b|cargo (?:test|nextest run)\b|mix test\b|(?:\.\/)?mvnw? (?:-\S+ )*(?:test|verify)\b|(?:\.\/)?gradlew? (?:-\S+ )*(?:test|check)\b|make (?:test|check|ci)\b|(?:bundle exec )?(?:rspec|rake (?:test|spec))\b|composer test\b|(?:vendor\/bin\/)?phpunit\b|ctest\b|prove\b|dotnet test\b|deno test\b|swift test\b|(?:stack|cabal|sbt|just|task|flutter|dart) test\b|bazel test\b)/;

async function inCi(root: string): Promise<Detected[]> {
  const workflows = ".github/workflows";
  const names = await readdir(join(root, workflows)).catch(() => []);
  const files = names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => `${workflows}/${name}`);
  const found: Detected[] = [];
  for (const from of [...files.slice(0, CI_FILES_MAX), ".gitlab-ci.yml"]) {
    const lines = linesOfCi((await read(root, from)) ?? "");
    const commands = lines.filter((line) => TESTS.test(line) && defectOfVerify(line) === null);
    found.push(...commands.map((command) => ({ command, folder: ".", from, definition: "" })));
  }
  return found;
}

/**
 * The commands of steps that run in the root, without reading YAML: `run: x`, the lines of `run: |`,
 * and the items of `script:`. A file with another working directory anywhere is left out whole.
 */
function linesOfCi(text: string): string[] {
  if (/^\s*-?\s*working-directory:/m.test(text)) return [];
  const single = [...text.matchAll(/^\s*(?:- )?run:[ \t]+(?![|>])(.+)$/gm)].map(([, line]) => line);
  const blocks = [...text.matchAll(/^( *)(?:- )?run:[ \t]+\|[-+]?\n((?:\1 +.*\n|\s*\n)+)/gm)];
  const inBlocks = blocks.flatMap(([, , body = ""]) => body.split("\n"));
  const scripts = [...text.matchAll(/^( *)script:\n((?:\1 *- .*\n?)+)/gm)];
  const items = scripts.flatMap(([, , body = ""]) =>
    body.split("\n").map((line) => line.replace(/^\s*- /, "")),
  );
  return [...single, ...inBlocks, ...items].map((line = "") =>
    line.trim().replace(/^(["'])(.*)\1$/, "$2"),
  );
}

/** Names of scripts and targets that check and change nothing else, most useful first. */
const NAMES = ["test", "check", "lint", "typecheck", "build"];

/**
 * The names of these commands for a prompt: only such as mean tests and checks everywhere, so that
 * nothing that a file says gets into it. At most one source, a project's own scripts first.
 */
export async function commandsNamed(folder: string): Promise<string[]> {
  const { scripts } = fieldsOf(parsed((await read(folder, "package.json")) ?? ""));
  const named = NAMES.filter((name) => typeof fieldsOf(scripts)[name] === "string");
  if (named.length > 0)
    return named.map((name) => (name === "test" ? "npm test" : `npm run ${name}`));
  const makefile = await read(folder, "Makefile");
  const targets = NAMES.filter((name) =>
    new RegExp(`^${name}\\s*:(?!=)`, "m").test(makefile ?? ""),
  );
  if (targets.length > 0) return targets.map((name) => `make ${name}`);
  for (const [file, command] of conventions)
    if ((await read(folder, file)) !== null) return [command];
  return [];
}

/** What the tools of a language have for every project of theirs. */
const conventions = [
  ["Cargo.toml", "cargo test"],
  ["go.mod", "go test ./..."],
  ["mix.exs", "mix test"],
] as const;
