// Builds what is shipped: one bundle in dist/, split so that a command loads only what it needs.
// `--if-stale` does nothing where dist/ is newer than every source.
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

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
