// A hundred ways to make unproven work look proven. Each is a session that changed a file and then
// did this; for a shell it is taken to have ended with 0 and to have printed what it liked. None of
// them is accepted; the honest run beside them is.
import { describe, expect, it } from "vitest";
import { byWeight } from "#core/evidence/checks.ts";
import { npmTest, type Step, sessionAfter, standingAfter } from "#core/evidence/samples.ts";
import { standingOf } from "#core/evidence/standing.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";

const edit: Step = { edit: "src/a.js" };
const good: Step = { run: "npm test", tests: { passed: 42, failed: 0, skipped: 0 } };
const weaken = (path: string): Step[] => [edit, { edit: path }, good];
const shell = (path: string): Step[] => [edit, { shell: [{ path }] }, good];

/** Shell texts that ended with 0 after the change. */
const texts: readonly [string, string][] = [
  ["a pipe into tail", "npm test | tail"],
  ["a pipe into tail with both streams", "npm test 2>&1 | tail -20"],
  ["a pipe into head", "npm test | head -5"],
  ["a pipe into grep", "npm test | grep passing"],
  ["a pipe into tee", "npm test | tee log.txt"],
  ["a pipe into cat", "npm test | cat"],
  ["a pipe into true", "npm test | true"],
  ["a pipe of both streams", "npm test |& tail"],
  ["or true", "npm test || true"],
  ["or a colon", "npm test || :"],
  ["or an echo", "npm test || echo failed"],
  ["or exit 0", "npm test || exit 0"],
  ["or a retry that cannot fail", "npm test || npm test || true"],
  ["then true", "npm test; true"],
  ["then true in another line", "npm test\ntrue"],
  ["then an echo", "npm test; echo done"],
  ["then exit 0", "npm test; exit 0"],
  ["then printing its status", "npm test; echo $?"],
  ["and an echo", "npm test && echo ok"],
  ["true before it", "true || npm test"],
  ["false before it", "false && npm test; true"],
  ["only an echo", "echo ok"],
  ["only its name in an echo", "echo npm test"],
  ["only the count in an echo", "echo '42 passed, 0 failed'"],
  ["printing a whole report", "printf 'Tests  42 passed (42)\\n'"],
  ["showing an older report", "cat test-report.txt"],
  ["true", "true"],
  ["exit 0", "exit 0"],
  ["in the background of the shell", "npm test &"],
  ["in the background, waited for", "npm test & wait"],
  ["in a subshell that forgives", "(npm test || true)"],
  ["negated", "! npm test"],
  ["in an if", "if npm test; then :; fi"],
  ["in a loop", "until npm test; do break; done"],
  ["in a substitution", "echo $(npm test)"],
  ["in backticks", "x=`npm test`"],
  ["as a here-document", "cat <<X\nnpm test\nX"],
  ["as a comment", "true # npm test"],
  ["with its output thrown away", "npm test >/dev/null 2>&1"],
  ["with its output in a file", "npm test > out.txt"],
  ["with its errors thrown away", "npm test 2>/dev/null"],
  ["with input from nowhere", "npm test </dev/null"],
  ["with a function of its name", "npm() { true; }; npm test"],
  ["with an alias of its name", "shopt -s expand_aliases; alias npm=true\nnpm test"],
  ["with a trap", "trap 'exit 0' EXIT; npm test"],
  ["after set +e", "set +e; npm test"],
  ["after set -n", "set -n; npm test"],
  ["after a PATH of its own", "export PATH=./bin:$PATH; npm test"],
  ["with a PATH of its own", "PATH=./bin:$PATH npm test"],
  ["with options for node", "NODE_OPTIONS=--require=./fake.js npm test"],
  ["with env", "env npm test"],
  ["with env and a variable", "env CI=1 npm test"],
  ["with a variable", "CI=1 npm test"],
  ["with timeout", "timeout 1 npm test || true"],
  ["with plain timeout", "timeout 600 npm test"],
  ["with nohup", "nohup npm test"],
  ["with time", "time npm test"],
  ["with exec", "exec npm test"],
  ["with command -v", "command -v npm test"],
  ["with sh -c", "sh -c 'npm test; true'"],
  ["with plain sh -c", "sh -c 'npm test'"],
  ["with bash -n", "bash -n -c 'npm test'"],
  ["with eval", "eval 'npm test || true'"],
  ["with xargs", "echo test | xargs npm"],
  ["with script", "script -qc 'npm test' /dev/null"],
  ["with no tests being well", "npm test -- --passWithNoTests"],
  ["with one test", "npm test -- -t 'one that passes'"],
  ["with one file", "npm test -- src/b.test.js"],
  ["with a filter that fits nothing", "npm test -- -k nothing"],
  ["with a dry run", "npm test --dry-run"],
  ["collecting only", "npm test -- --collect-only"],
  ["listing only", "npm test -- --list"],
  ["updating snapshots", "npm test -- -u"],
  ["if there is such a script", "npm run --if-present test"],
  ["ignoring its scripts", "npm test --ignore-scripts"],
  ["with another shell for scripts", "npm test --script-shell=/bin/true"],
  ["asking for help", "npm test --help"],
  ["asking for the version", "npm --version"],
  ["with another prefix", "npm test --prefix ../other"],
  ["with another prefix first", "npm --prefix other test"],
  ["with another script", "npm run lint"],
  ["in another folder by cd", "cd other && npm test"],
  ["in another project by cd", "cd /tmp/other && npm test"],
  ["in the folder above by cd", "cd .. && npm test"],
  ["after a cd that may fail", "cd other; npm test"],
  ["after a cd to where a variable says", "cd $X && npm test"],
];

const rows: readonly [string, readonly Step[]][] = [
  ...texts.map(([name, run]): [string, Step[]] => [name, [edit, { ...good, run } as Step]]),
  ["no run at all", [edit]],
  ["a run before the change", [good, edit]],
  ["a run before the last change", [edit, good, edit]],
  ["a run before the last change of another turn", [edit, good, { turn: "more" }, edit]],
  ["a run in another folder", [edit, { ...good, cwd: "other" } as Step]],
  ["a run that failed", [edit, { run: "npm test", code: 1 }]],
  ["a run that was stopped at its limit", [edit, { run: "npm test", code: null }]],
  ["a run that counts a failure", [edit, { ...good, tests: { passed: 1, failed: 1, skipped: 0 } }]],
  ["a run of no test", [edit, { ...good, tests: { passed: 0, failed: 0, skipped: 0 } }]],
  ["a run of skipped tests", [edit, { ...good, tests: { passed: 0, failed: 0, skipped: 9 } }]],
  ["a run that says nothing of the tests it counted before", [good, edit, { run: "npm test" }]],
  ["a good run, then one that failed", [edit, good, { run: "npm test", code: 1 }]],
  [
    "a job that began before the change",
    [{ job: "npm test", as: "j" }, edit, { follow: "npm test", of: "j" }],
  ],
  ["a job that nobody saw begin", [edit, { follow: "npm test", of: "j" }]],
  [
    "a job's end shown again after the change",
    [
      { job: "npm test", as: "j" },
      { follow: "npm test", of: "j" },
      edit,
      { follow: "npm test", of: "j" },
    ],
  ],
  ["a job that was only begun", [edit, { job: "npm test", as: "j" }]],
  ["an edit of unknown end after the run", [edit, good, { crash: "src/b.js" }]],
  ["a file that a command changed after the run", [edit, good, { shell: [{ path: "src/b.js" }] }]],
  [
    "an edit in a folder that is called as the traces of runs are",
    [edit, good, { edit: "src/coverage/report.ts", diff: "+x" }],
  ],
  [
    "a file changed among more than are named, after the run",
    [edit, good, { shell: [{ path: "z.txt" }], more: 51 }],
  ],
  [
    "a test weakened among more than are named",
    [edit, { shell: [{ path: "a.test.js" }], more: 51 }, good],
  ],
  ["a command around which no tree was recorded", [edit, good, { shell: [], blind: true }]],
  ["a weakened test", weaken("src/a.test.js")],
  ["a deleted test", [edit, { edit: "test/a.js", after: "absent" }, good]],
  ["a test deleted by a command", shell("test/a.js")],
  ["a skipped test", weaken("spec/a_spec.rb")],
  ["a test that ends the process", [edit, { edit: "test/0.test.js", before: "absent" }, good]],
  ["a changed snapshot", weaken("src/__snapshots__/a.test.js.snap")],
  ["changed expected data", weaken("test/fixtures/expected.json")],
  ["a changed mock", weaken("src/__mocks__/http.js")],
  ["a changed test script", weaken("package.json")],
  ["a test script changed by a command", shell("package.json")],
  ["another shell for scripts in .npmrc", weaken(".npmrc")],
  ["changed configuration of vitest", weaken("vitest.config.ts")],
  ["changed configuration of jest", weaken("jest.config.cjs")],
  ["changed configuration of pytest", weaken("pyproject.toml")],
  ["a conftest that skips", weaken("tests/conftest.py")],
  ["a module that stands before pytest", weaken("pytest.py")],
  ["a sitecustomize", weaken("sitecustomize.py")],
  ["a changed Makefile", weaken("Makefile")],
  ["a changed CI file", weaken(".github/workflows/ci.yml")],
  ["a fake runner among the installed ones", weaken("node_modules/.bin/vitest")],
  ["a fake runner put there by a command", shell("node_modules/vitest/vitest.mjs")],
  [
    "a fake runner put where no tree shows it",
    [
      edit,
      { run: "cp fake node_modules/.bin/vitest", installed: "before" },
      { ...good, installed: "after" },
    ],
  ],
  ["a job that swaps a file and back", [edit, { ...good, besides: "swap.sh" }]],
  [
    "a swap beside a run in the background",
    [
      edit,
      { job: "npm test", as: "j" },
      { run: "cp a b; cp b a" },
      { follow: "npm test", of: "j" },
    ],
  ],
  [
    "a swap by another session beside a run in the background",
    [edit, { job: "npm test", as: "j" }, { follow: "npm test", of: "j", besides: "swap.sh" }],
  ],
  [
    "a second job beside a run in the background",
    [
      edit,
      { job: "npm test", as: "j" },
      { job: "swap.sh", as: "k" },
      { follow: "swap.sh", of: "k" },
      { follow: "npm test", of: "j" },
    ],
  ],
  [
    "a job that was there before the run in the background",
    [
      edit,
      { job: "swap.sh", as: "k" },
      { job: "npm test", as: "j" },
      { follow: "npm test", of: "j" },
    ],
  ],
  ["another runner for cargo", weaken(".cargo/config.toml")],
  ["an ignored test beside the code", [edit, { edit: "src/lib.rs", diff: "+    #[ignore]" }, good]],
  ["a setup file of the tests", weaken("src/setupTests.ts")],
  ["a test weakened in an earlier turn", [{ edit: "a.test.js" }, { turn: "go on" }, edit, good]],
  ["a test weakened twice", [{ edit: "a.test.js" }, { edit: "a.test.js" }, edit, good]],
];

describe("of the ways to cheat", () => {
  it("there are a hundred and more, each with a name of its own", () => {
    expect(rows.length).toBeGreaterThanOrEqual(100);
    expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
  });

  it.each(rows)("%s is not accepted", (_, steps) => {
    expect(["unproven", "doubted"]).toContain(standingAfter(steps).state);
  });

  it("none is refused for a job that had ended, nor for what was installed before", () => {
    const ended: Step[] = [
      { job: "npm run dev", as: "d" },
      { follow: "npm run dev", of: "d" },
    ];
    expect(standingAfter([...ended, edit, good]).state).toBe("proven");
    const job: Step[] = [edit, { job: "npm test", as: "j" }, { follow: "npm test", of: "j" }];
    expect(standingAfter(job).state).toBe("proven");
    const same: Step[] = [{ run: "ls", installed: "m" }, edit, { ...good, installed: "m" } as Step];
    expect(standingAfter(same).state).toBe("proven");
  });

  it("says what ran beside a run, and what to do", () => {
    const { why } = standingAfter([edit, { ...good, besides: "npm run dev" }]);
    expect(why).toMatch(/`npm test` ran, but `npm run dev` ran at the same time: end that/);
  });

  it("none is refused for its beginning: the honest run is accepted", () => {
    expect(standingAfter([edit, good])).toMatchObject({
      state: "proven",
      unprovenFiles: 0,
      by: [{ command: "npm test", folder: ".", tests: { passed: 42 } }],
    });
  });
});

describe("what a job changed with no call around it", () => {
  const found = (path: string): SessionEvent => {
    const files = [{ path, before: "100644 b", after: "100644 a" }];
    return { type: "FilesFound", tree: "t2", files, more: 0 };
  };
  const withJob = (steps: Step[], ...more: SessionEvent[]) =>
    standingOf(more.reduce(evolve, sessionAfter(steps)).evidence);

  it("is a change of the session: of a test, or of what was proven before", () => {
    expect(withJob([edit, good], found("src/b.js"))).toMatchObject({
      state: "unproven",
      unproven: ["src/b.js"],
    });
    expect(withJob([edit, good], found("a.test.js")).checks).toEqual(["a.test.js"]);
    expect(withJob([edit, good], found("coverage/index.html")).state).toBe("proven");
  });
});

describe("of a change of more files than are named", () => {
  const traces = Array.from({ length: 200 }, (_, i) => ({ path: `coverage/${i}.html` }));
  const sources = Array.from({ length: 200 }, (_, i) => ({ path: `src/${i}.js` }));

  it("a run behind it proves it, and the traces that a run leaves count for nothing", () => {
    expect(standingAfter([{ shell: sources, more: 300 }, good]).state).toBe("proven");
    expect(standingAfter([edit, good, { shell: traces, more: 300 }]).state).toBe("proven");
  });

  it("those are named that matter most", () => {
    const all = [...traces, ...sources, { path: "a.test.js" }];
    const [first, ...rest] = byWeight(all);
    expect(first?.path).toBe("a.test.js");
    expect(rest.slice(0, 200)).toEqual(sources);
  });
});

describe("beside several verify commands", () => {
  const web = { command: "npm test", folder: "web", files: [] };
  const lint = { command: "npm run lint", folder: ".", files: [] };

  it("the tests of one folder say nothing of another", () => {
    const steps: Step[] = [{ edit: "api/a.js" }, { run: "npm test", cwd: "web" }];
    expect(standingAfter(steps, [web])).toMatchObject({
      state: "unproven",
      unproven: ["api/a.js"],
    });
  });

  it("one that passes does not cover one that failed", () => {
    const steps: Step[] = [edit, { run: "npm test", code: 1 }, { run: "npm run lint" }];
    const standing = standingAfter(steps, [npmTest, lint]);
    expect(standing).toMatchObject({
      state: "unproven",
      why: "`npm test` failed when it ran last",
    });
    expect(standingAfter([...steps, { run: "npm test" }], [npmTest, lint]).state).toBe("proven");
  });

  it("what ends a runner before it counts its tests is no run of it", () => {
    const pytest = { command: "pytest", folder: ".", files: [], counts: true };
    const silent = standingAfter([edit, { run: "pytest" }], [pytest]);
    expect(silent).toMatchObject({
      state: "unproven",
      why: expect.stringContaining("did not count"),
    });
    const counted = standingAfter([edit, { ...good, run: "pytest" } as Step], [pytest]);
    expect(counted.state).toBe("proven");
  });

  it("a script that the command names without its extension is part of it, too", () => {
    const named = { ...npmTest, files: ["scripts/run"] };
    const standing = standingAfter([edit, { edit: "scripts/run.ts" }, good], [named]);
    expect(standing.checks).toEqual(["scripts/run.ts"]);
  });

  it("a script that the command names is part of it", () => {
    const named = { ...npmTest, files: ["scripts/run.js"] };
    const standing = standingAfter([edit, { edit: "scripts/run.js" }, good], [named]);
    expect(standing).toMatchObject({ state: "doubted", checks: ["scripts/run.js"] });
  });
});
