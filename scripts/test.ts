// `npm test`: every suite. First it names what the machine lacks, with the command that installs
// it; what then cannot run is skipped with that reason (in CI a skip is a failure).
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const wanted = [
  { program: "bwrap", debian: "bubblewrap", why: "the sandbox that commands run in" },
  { program: "git", debian: "git", why: "tests of repositories" },
  { program: "python3", debian: "python3", why: "tests of harmless commands" },
  { program: "make", debian: "make", why: "tests of harmless commands" },
  { program: "strace", debian: "strace", why: "tests that nothing runs before trust" },
  { program: "zsh", debian: "zsh", why: "tests of its completions" },
  { program: "fish", debian: "fish", why: "tests of its completions" },
  ...[
    ["prove", "perl"],
    ["bats", "bats"],
    ["ctest", "cmake"],
    ["ruby", "ruby ruby-minitest ruby-test-unit"],
    ["rspec", "ruby-rspec"],
    ["phpunit", "phpunit"],
    ["elixir", "elixir"],
    ["pytest-3", "python3-pytest"],
  ].map(([program = "", debian = ""]) => ({ program, debian, why: "honest runs of test runners" })),
];

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const missing = wanted.filter(({ program }) => !isInstalled(program));
for (const { program, why } of missing) console.log(`missing: ${program} (${why})`);
if (missing.length > 0) {
  console.log(`to install: sudo apt-get install ${missing.map((one) => one.debian).join(" ")}`);
}

const built = spawnSync(process.execPath, ["scripts/build.ts", "--if-stale"], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
const run = spawnSync("vitest", ["run", ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(run.status ?? 1);
