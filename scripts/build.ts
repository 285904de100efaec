// Builds what is shipped: one bundle in dist/, split so that a command loads only what it needs.
// `--if-stale` does nothing where dist/ is newer than every source.
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";

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
  const folds = sources().filter(
    (file) => file.startsWith("src/core/session/") || file.startsWith("src/core/model/message"),
  );
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
 * What nearly every prompt loads in its turn, though each part is loaded where it is first used: as
 * one chunk it starts a quarter faster than as sixty, and other commands load none of it.
 */
const TURN = [
  "#boundary/door/send.ts",
  "#boundary/door/sweep.ts",
  "#boundary/instructions.ts",
  "#boundary/models/arguments.ts",
  "#boundary/models/facts-compatible.ts",
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
];

/** Makes one module of them, and lets every `import()` of one of them go through it. */
const turnInOneChunk: Plugin = {
  name: "turn-in-one-chunk",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^turn-chunk$/ }, () => ({ path: "turn-chunk", namespace: "chunk" }));
    onLoad({ filter: /.*/, namespace: "chunk" }, () => ({
      // What starts the node is there by then: what both need stays with it, in fewer chunks.
      contents: [
        'import "./src/start.ts";',
        'import "#interfaces/cli/cli.ts";',
        ...TURN.map((name, i) => `export * as part${i} from "${name}";`),
      ].join("\n"),
      resolveDir: root,
    }));
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(/\bimport\("(#[^"]+)"\)/g, (whole, name) => {
        const part = TURN.indexOf(name);
        return part < 0 ? whole : `import("turn-chunk").then((all) => all.part${part})`;
      }),
      loader: "ts",
    }));
  },
};

async function run(): Promise<void> {
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  rmSync(join(root, "dist"), { recursive: true, force: true });
  mkdirSync(join(root, "dist"));
  await build({
    absWorkingDir: root,
    entryPoints: { main: "src/main.ts" },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node26",
    minify: true,
    legalComments: "none",
    external: ["@vscode/ripgrep", "@napi-rs/keyring"],
    plugins: [turnInOneChunk],
    define: { AIEX_BUILD: JSON.stringify({ version, fingerprint: fingerprint() }) },
    logLevel: "warning",
  });
  // By itself and in one file: it runs inside the sandbox, where the others are not.
  await build({
    absWorkingDir: root,
    entryPoints: ["src/boundary/workspace/relay.ts"],
    outfile: "dist/relay.cjs",
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node26",
    minify: true,
    logLevel: "warning",
  });
  writeFileSync(entry, entrySource);
}

if (!process.argv.includes("--if-stale") || isStale()) await run();
