// Honest runs of real test runners, in the real sandbox, by the tool that a model has: each is taken
// as evidence, with its counts; and where nothing was there to run, none is. What the machine lacks
// comes from Debian (see .ci/run), but for the three at the end: a Go, Rust or Java toolchain is too
// much for every run of CI, so those are run where they are, and their forms are kept as recorded
// output in src/core/evidence/tests.test.ts.
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "#boundary/tools/builtin/run.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { called, contextOf } from "#boundary/tools/samples.ts";
import { type Boxed, boxed } from "#boundary/workspace/boxed.ts";
import { described } from "#core/evidence/samples.ts";
import { standingOf } from "#core/evidence/standing.ts";
import { evolve } from "#core/session/evolve.ts";
import { finished, given, prompted, toolStarted } from "#core/session/samples.ts";

type Runner = {
  name: string;
  /** What works where it is installed. */
  needs: string;
  files: Record<string, string>;
  /** Two tests that pass, and where `skipped` says so one that is left out. */
  command: string;
  skipped?: number;
  /** Counts that it does not print. */
  uncounted?: true;
  /** The same without any test to run; null where it then says nothing at all, and ends with 0. */
  none: string | null;
};

const root = dirname(dirname(import.meta.dirname));
const vitest = `node ${join(root, "node_modules", "vitest", "vitest.mjs")} run --globals`;

const fixed: readonly Runner[] = [
  {
    name: "node:test",
    needs: "node --version",
    files: {
      "node.test.mjs":
        'import test from "node:test"; test("a", () => {}); test("b", () => {}); test.skip("c", () => {});',
    },
    command: "node --test node.test.mjs",
    skipped: 1,
    none: "node --test none",
  },
  {
    name: "vitest",
    needs: "node --version",
    files: { "web/v.test.js": 'it("a", () => {}); it("b", () => {}); it.skip("c", () => {});' },
    command: `${vitest} web`,
    skipped: 1,
    none: `${vitest} --passWithNoTests none`,
  },
  {
    name: "pytest",
    needs: "python3 -m pytest --version",
    files: {
      "py/test_p.py":
        "import pytest\ndef test_a(): pass\ndef test_b(): pass\n@pytest.mark.skip\ndef test_c(): pass\n",
    },
    command: "python3 -m pytest py/test_p.py",
    skipped: 1,
    none: "python3 -m pytest py/test_p.py -k none",
  },
  {
    name: "unittest",
    needs: "python3 --version",
    files: {
      "test_u.py":
        "import unittest\nclass T(unittest.TestCase):\n  def test_a(self): pass\n  def test_b(self): pass\n  @unittest.skip('x')\n  def test_c(self): pass\n",
    },
    command: "python3 -m unittest test_u",
    skipped: 1,
    none: "python3 -m unittest test_u -k none",
  },
  {
    name: "prove",
    needs: "prove --version",
    files: { "t/a.t": "use Test::More tests => 2;\nok 1;\nok 1;\n", "none/x": "" },
    command: "prove t",
    none: "prove none",
  },
  {
    name: "bats",
    needs: "bats --version",
    files: { "a.bats": '@test "a" { true; }\n@test "b" { true; }\n@test "c" { skip; }\n' },
    command: "bats a.bats",
    skipped: 1,
    none: "bats -f none a.bats",
  },
  {
    name: "ctest",
    needs: "ctest --version",
    files: {
      "CMakeLists.txt":
        "cmake_minimum_required(VERSION 3.10)\nproject(x NONE)\nenable_testing()\nadd_test(NAME a COMMAND true)\nadd_test(NAME b COMMAND true)\n",
    },
    command: "cmake -S . -B b && ctest --test-dir b",
    none: "cmake -S . -B b && ctest --test-dir b -R none",
  },
  {
    name: "RSpec",
    needs: "rspec --version",
    files: { "a_spec.rb": 'describe("x") { it("a") {}; it("b") {}; xit("c") {} }\n' },
    command: "rspec a_spec.rb",
    skipped: 1,
    none: "rspec a_spec.rb -e none",
  },
  {
    name: "minitest",
    needs: "ruby -rminitest -e 1",
    files: {
      "m.rb":
        'require "minitest/autorun"\nclass T < Minitest::Test\n  def test_a; end\n  def test_b; end\n  def test_c; skip; end\nend\n',
    },
    command: "ruby m.rb",
    skipped: 1,
    none: "ruby m.rb -n none",
  },
  {
    name: "test-unit",
    needs: "ruby -rtest/unit/version -e 1",
    files: {
      "tu.rb":
        'require "test/unit"\nclass T < Test::Unit::TestCase\n  def test_a; end\n  def test_b; end\nend\n',
    },
    command: "ruby tu.rb",
    none: null,
  },
  {
    name: "PHPUnit",
    needs: "phpunit --version",
    files: {
      "PTest.php":
        "<?php\nfinal class PTest extends PHPUnit\\Framework\\TestCase {\n  function testA(): void { $this->assertTrue(true); }\n  function testB(): void { $this->assertTrue(true); }\n}\n",
    },
    command: "phpunit PTest.php",
    none: "phpunit --filter none PTest.php",
  },
  {
    name: "ExUnit",
    needs: "elixir --version",
    files: {
      "e.exs":
        'ExUnit.start(exclude: if("none" in System.argv(), do: [:test], else: []))\ndefmodule T do\n  use ExUnit.Case\n  test "a", do: :ok\n  test "b", do: :ok\nend\n',
    },
    command: "elixir e.exs",
    none: "elixir e.exs none",
  },
];

const large: readonly Runner[] = [
  {
    name: "go test",
    needs: "go version",
    files: {
      "go.mod": "module x\n\ngo 1.19\n",
      "x.go": "package x\n",
      "x_test.go":
        'package x\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n',
    },
    command: "go test ./...",
    uncounted: true,
    none: "go test -run none ./...",
  },
  {
    name: "cargo test",
    needs: "cargo --version",
    files: {
      "Cargo.toml": '[package]\nname = "x"\nversion = "0.1.0"\n',
      "src/lib.rs": "#[test]\nfn a() {}\n#[test]\nfn b() {}\n",
    },
    command: "cargo test",
    none: "cargo test none",
  },
];

/** On the path of a command in the sandbox, where the home folder is another one. */
const isHere = (program: string): boolean =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .concat("/usr/bin")
    .some(
      (folder) =>
        !folder.startsWith(process.env.HOME ?? "/nowhere") && existsSync(join(folder, program)),
    );

const runners = [...fixed, ...large.filter(({ needs }) => isHere(needs.split(" ", 1)[0] ?? ""))];

let box: Boxed;
beforeAll(async () => {
  box = await boxed();
  for (const { files } of runners) {
    for (const [name, text] of Object.entries(files)) box.put(name, text);
  }
});
afterAll(() => box.close());

/** How a session stands that changed a file and then ran this as its verify command. */
async function standingOfRun(command: string) {
  const context = contextOf(box.root, { sandbox: box.sandbox });
  const { outcome, text } = await called(run(jobsOfNode()), { command }, context);
  const changed = { type: "fileChanged", path: "src/a", before: "1", after: "2" } as const;
  const session = [
    described({ command, folder: ".", files: [] }),
    toolStarted("edit"),
    finished("edit", { facts: [changed] }),
    toolStarted("run"),
    finished("run", { facts: outcome?.facts ?? [] }),
  ].reduce(evolve, given(prompted()));
  return { standing: standingOf(session.evidence), text };
}

describe("an honest run of", () => {
  it("at least twelve runners is tried", () => {
    expect(new Set(fixed.map(({ name }) => name)).size).toBeGreaterThanOrEqual(12);
  });

  it.for(runners)("$name is evidence, with its counts", async (runner, { skip }) => {
    const { name, needs, command, skipped = 0, uncounted } = runner;
    if ((await box.run(needs)).code !== 0) skip(`${name} is not installed; see .ci/run`);
    const { standing, text } = await standingOfRun(command);
    expect(standing, text).toMatchObject({ state: "proven", by: [{ command }] });
    const counts = uncounted ? undefined : { passed: 2, failed: 0, skipped };
    expect(standing.by[0]?.tests, text).toEqual(counts);
  });

  const empty = runners.flatMap((one) => (one.none === null ? [] : [{ ...one, none: one.none }]));
  it.for(empty)("$name is none where no test ran", async ({ name, needs, none }, { skip }) => {
    if ((await box.run(needs)).code !== 0) skip(`${name} is not installed; see .ci/run`);
    const { standing, text } = await standingOfRun(none);
    expect(standing.state, text).toBe("unproven");
  });
});
