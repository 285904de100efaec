// Builds what is shipped: one bundle in dist/, split so that a command loads only what it needs.
// `--if-stale` does nothing where dist/ is newer than every source.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "rolldown";
import { GRAMMARS_FOLDER, shippedGrammars } from "../src/boundary/parse/grammars.ts";

const root = dirname(import.meta.dirname);
const entry = join(root, "dist", "aiex.js");

const sources = () => globSync("src/**/*.ts", { cwd: root }).filter((f) => !f.endsWith(".test.ts"));

function isStale(): boolean {
  try {
    const built = statSync(entry).mtimeMs;
    const inputs = [...sources(), "package.json", "scripts/build.ts"];
    return inputs.some((file) => statSync(join(root, file)).mtimeMs > built);
  } catch {
    return true;
  }
}

/** Names the code that folds sessions, so that a snapshot made by other code is not used. */
function fingerprint(): string {
  const hash = createHash("sha256");
  // All of core: a fold imports from most of its folders, and a snapshot is made anew in no time.
  const folds = sources().filter((file) => file.startsWith("src/core/"));
  for (const file of folds.sort()) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex").slice(0, 16);
}

// The entry turns the compile cache on before the program is loaded, and does nothing else. The
// cache lies with the user's own, not in the shared temporary folder that Node would take.
const entrySource = `import { enableCompileCache } from "node:module";
const home = process.env.XDG_CACHE_HOME || (process.env.HOME ? process.env.HOME + "/.cache" : "");
if (home) enableCompileCache(home + "/aiex/compile");
await import("./main.js");
`;

/**
 * Modules that are loaded together by nearly everybody who loads one, though each is loaded where
 * it is first used: as one chunk, because a further one costs a start about half a millisecond.
 */
const CHUNKS: Readonly<Record<string, readonly string[]>> = {
  // Every command.
  base: [
    "./start.ts",
    "#interfaces/cli/cli.ts",
    "#interfaces/cli/figures.ts",
    "#interfaces/cli/interrupts.ts",
    "#interfaces/cli/json.ts",
  ],
  // Every prompt in its turn; other commands need not load it.
  turn: [
    "./command-defect.ts",
    "#boundary/children/roles.ts",
    "#boundary/door/send.ts",
    "#boundary/door/sweep.ts",
    "#boundary/instructions.ts",
    "#boundary/models/arguments.ts",
    "#boundary/models/facts-compatible.ts",
    "#boundary/models/openai-chat.ts",
    "#boundary/models/probes.ts",
    "#boundary/models/reach.ts",
    "#boundary/outside.ts",
    "#boundary/seals.ts",
    "#boundary/security/judge.ts",
    "#boundary/surfaces.ts",
    "#boundary/tools/builtin/index.ts",
    "#boundary/tools/jobs.ts",
    "#boundary/turns.ts",
    "#boundary/verify-commands.ts",
    "#boundary/workspace/index.ts",
    "#boundary/workspace/limits.ts",
    "#boundary/workspace/local.ts",
    "#boundary/workspace/secret-files.ts",
    "#core/model/settings.ts",
    "#core/security/mask.ts",
    "#core/security/secret-files.ts",
    "#interfaces/cli/commands/ask.ts",
  ],
};

const chunkOf = new Map(
  Object.entries(CHUNKS).flatMap(([chunk, names]) =>
    names.map((name, part) => [name, { chunk: `chunk:${chunk}`, part }] as const),
  ),
);

/** Makes one module of each chunk's, and lets every `import()` of one of them go through it. */
const together: Plugin = {
  name: "together",
  resolveId: (id) => (id.startsWith("chunk:") ? id : null),
  load: (id) =>
    id.startsWith("chunk:")
      ? (CHUNKS[id.slice("chunk:".length)] ?? [])
          .map((name) => name.replace(/^\./, join(root, "src")))
          .map((name, part) => `export * as part${part} from "${name}";`)
          .join("\n")
      : null,
  transform: {
    filter: { id: /\/src\/.*\.ts$/ },
    handler: (code) =>
      code.replaceAll(/\bimport\("([^"]+)"\)/g, (whole, name) => {
        const found = chunkOf.get(name);
        return found ? `import("${found.chunk}").then((all) => all.part${found.part})` : whole;
      }),
  },
};

const common: BuildOptions = {
  cwd: root,
  platform: "node",
  transform: { target: "node26" },
  // web-tree-sitter leaves a way open for scripts inside of its wasm; the grammars have none.
  checks: { eval: false },
  onLog: (_, { code, message }) => {
    throw new Error(`${code}: ${message}`);
  },
};

async function run(): Promise<void> {
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const bundled = {
    target: "node26",
    define: { AIEX_BUILD: JSON.stringify({ version, fingerprint: fingerprint() }) },
  };
  rmSync(join(root, "dist"), { recursive: true, force: true });
  mkdirSync(join(root, "dist"));
  await build({
    ...common,
    input: { main: "src/main.ts" },
    external: ["@vscode/ripgrep", "@napi-rs/keyring"],
    plugins: [together],
    transform: bundled,
    output: {
      dir: "dist",
      format: "esm",
      minify: true,
      comments: false,
      codeSplitting: {
        // What several of them need is in the first.
        groups: [
          { name: "build", test: (id) => id === join(root, "src", "build.ts"), priority: 3 },
          { name: "base", test: (id) => id === "chunk:base", priority: 2 },
          { name: "turn", test: (id) => id === "chunk:turn", priority: 1 },
        ],
      },
    },
  });
  // By itself and in one file: it runs inside the sandbox, where the others are not.
  await build({
    ...common,
    input: "src/boundary/workspace/relay.ts",
    output: { file: "dist/relay.cjs", format: "cjs", minify: true, comments: false },
  });
  // By itself: a thread that holds the log of a chat.
  await build({
    ...common,
    input: "src/boundary/log/thread-sqlite.ts",
    output: { file: "dist/log-thread.js", format: "esm", minify: true, comments: false },
  });
  // By itself: a thread that reads files for the code index.
  await build({
    ...common,
    input: "src/start-index.ts",
    external: ["@vscode/ripgrep"],
    transform: bundled,
    output: {
      ...{ file: "dist/index-worker.js", format: "esm", minify: true, comments: false },
      codeSplitting: false,
    },
  });
  const grammars = join(root, "dist", GRAMMARS_FOLDER);
  mkdirSync(grammars);
  for (const { from, name } of shippedGrammars) {
    copyFileSync(join(root, "node_modules", from), join(grammars, name));
  }
  writeFileSync(entry, entrySource);
}

if (!process.argv.includes("--if-stale") || isStale()) await run();
