// What honest work looks like to the fold, and what a person or a model is told of the rest.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { npmTest, type Step, sessionAfter, standingAfter } from "#core/evidence/samples.ts";
import { lackIn } from "#core/evidence/standing.ts";
import {
  defectOfVerify,
  filesNamedIn,
  isCounting,
  isForgiving,
  matched,
} from "#core/evidence/verify.ts";

const edit: Step = { edit: "src/a.js" };
const good: Step = { run: "npm test" };
const web = { command: "npm test", folder: "web", files: [] };

type Simple = { changes: number; isGood: boolean; job: number | null };

/** The same in a few words, for steps with one verify command and no test among the files. */
function simply(s: Simple, step: Step): Simple {
  if ("job" in step) return { ...s, job: s.changes };
  if ("follow" in step) return { ...s, job: null, isGood: s.isGood || s.job === s.changes };
  if ("turn" in step) return s;
  if ("run" in step) {
    // Nobody can say what a job read that another command ran beside.
    const beside = { ...s, job: s.job === null ? null : -1 };
    return step.run === "npm test" ? { ...beside, isGood: step.code === undefined } : beside;
  }
  return { ...s, changes: s.changes + 1, isGood: false };
}

describe("a session", () => {
  it("that changed nothing has nothing to prove", () => {
    expect(standingAfter([{ run: "npm test", code: 1 }]).state).toBe("nothing");
  });

  it.each<[string, Step[]]>([
    ["as it is", [good]],
    ["with quotes", [{ run: 'npm "test"' }]],
    ["with blanks around it", [{ run: "  npm   test \n" }]],
    ["after a cd to its folder", [{ run: "cd . && npm test", cwd: "." }]],
    ["from a folder below", [{ run: "cd .. && npm test", cwd: "src" }]],
    ["by an absolute path", [{ run: "cd /w && npm test", cwd: "src" }]],
    [
      "as a job",
      [
        { job: "npm test", as: "j" },
        { follow: "npm test", of: "j" },
      ],
    ],
    ["after one that failed", [{ run: "npm test", code: 1 }, good]],
    ["with other commands between", [good, { run: "ls" }, { run: "cat test/a.js" }]],
    ["that writes files itself", [{ run: "npm test", edits: "coverage/index.html" }]],
    ["whose traces come later", [good, { shell: [{ path: "tests/__pycache__/test_a.pyc" }] }]],
    ["that leaves traces", [{ run: "npm test", edits: "node_modules/.vite/results.json" }]],
    ["in a later turn", [{ turn: "and?" }, good]],
  ])("is proven by a run %s", (_, steps) => {
    expect(standingAfter([edit, ...steps]).state).toBe("proven");
  });

  it("is proven by one chain, where that is the verify command", () => {
    const chain = { command: "cmake --build b && ctest --test-dir b", folder: ".", files: [] };
    expect(standingAfter([edit, { run: chain.command }], [chain]).state).toBe("proven");
    expect(standingAfter([edit, { run: "ctest --test-dir b" }], [chain]).state).toBe("unproven");
  });

  it("is plainly proven again once a changed test is as it was", () => {
    const changed = { edit: "a.test.js", before: "h1", after: "h2" };
    const back = { edit: "a.test.js", before: "h2", after: "h1" };
    expect(standingAfter([changed, good])).toMatchObject({
      state: "doubted",
      checks: ["a.test.js"],
    });
    expect(standingAfter([changed, back]).state).toBe("unproven");
    expect(standingAfter([changed, back, good])).toMatchObject({ state: "proven", checks: [] });
  });

  it("says why the run that looked like evidence is none", () => {
    expect(standingAfter([edit, { run: "npm test | tail" }]).why).toBe(
      "`npm test` ran, but it was not run as it is: a pipe ends as its last command does",
    );
    expect(standingAfter([edit, { ...good, cwd: "web" } as Step]).why).toContain("was run in web");
    expect(standingAfter([edit], []).why).toBe("no verify command is known here");
  });

  it("is proven, in any order of things, if and only if the last run was good and nothing came after", () => {
    const steps = fc.constantFrom<Step>(
      edit,
      { edit: "web/b.js" },
      { shell: [{ path: "c.js" }] },
      { crash: "d.js" },
      good,
      { run: "npm test", code: 1 },
      { run: "npm test || true" },
      { job: "npm test", as: "j" },
      { follow: "npm test", of: "j" },
      { turn: "go on" },
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 12 }), (all) => {
        const { changes, isGood } = all.reduce(simply, { changes: 0, isGood: false, job: null });
        const state = changes === 0 ? "nothing" : isGood ? "proven" : "unproven";
        expect(standingAfter(all).state).toBe(state);
      }),
      { numRuns: 1_000 },
    );
  });

  it("stays bounded, and what is only counted is proven by the root alone", () => {
    const many = Array.from({ length: 500 }, (_, i): Step => ({ edit: `web/f${i}.js` }));
    const both = [npmTest, web];
    const { evidence } = sessionAfter(many, both);
    expect(evidence.unproven.length).toBeLessThanOrEqual(200);
    expect(standingAfter(many, both).unprovenFiles).toBe(500);
    expect(standingAfter([...many, { ...good, cwd: "web" } as Step], both).state).toBe("unproven");
    expect(standingAfter([...many, good], both).state).toBe("proven");
  });

  it("counts a test that it changed beyond the bound", () => {
    const many = Array.from({ length: 300 }, (_, i): Step => ({ edit: `test/f${i}.js` }));
    expect(standingAfter([...many, good])).toMatchObject({ state: "doubted", checksChanged: 300 });
  });
});

describe("a strict turn", () => {
  const lack = (steps: Step[], strict: Parameters<typeof lackIn>[1] = "strict") =>
    lackIn(sessionAfter(steps).evidence, strict);

  it("lacks nothing where nothing changed, or where it is proven", () => {
    expect(lack([])).toBeNull();
    expect(lack([edit, good])).toBeNull();
  });

  it("lacks evidence where a test changed, unless tests may change", () => {
    const steps: Step[] = [{ edit: "a.test.js" }, good];
    expect(lack(steps)?.say).toContain("a.test.js");
    expect(lack(steps, "strict_tests_may_change")).toBeNull();
    expect(lack([edit], "strict_tests_may_change")?.say).toBe("src/a.js changed, unproven");
  });

  it("does not ask a model for what no command can prove", () => {
    expect(lackIn(sessionAfter([edit], []).evidence, "strict")).toMatchObject({ canAsk: false });
    expect(lack([edit])).toMatchObject({ canAsk: true, fix: "run `npm test`" });
  });
});

describe("a verify command", () => {
  it.each([
    ["npm test", null],
    ["npm run lint && npm test", null],
    ["cargo test --all-features -- --nocapture", null],
    ["", "it is empty"],
    ["npm test || true", "only `&&`"],
    ["npm test | tail", "only `&&`"],
    ["npm test; true", "only `&&`"],
    ["npm test > x", "only `&&`"],
    ["npm test &", "only `&&`"],
    ["CI=1 npm test", "it sets a variable"],
    ["npm test $X", "the shell would put"],
  ])("written %j: %j", (text, defect) => {
    const found = defectOfVerify(text);
    if (defect === null) expect(found).toBeNull();
    else expect(found).toContain(defect);
  });

  it("belongs to its folder, wherever it is typed", () => {
    const ran = (text: string, cwd: string) => matched({ text, cwd, root: "/w" }, [web]).is;
    expect(ran("npm test", "web")).toBe("verify");
    expect(ran("cd web && npm test", ".")).toBe("verify");
    expect(ran("cd '/w/web' && npm test", "api")).toBe("verify");
    expect(ran("cd ../web && npm test", "api")).toBe("verify");
    expect(ran("npm test", ".")).toBe("near");
    expect(ran("cd web && cd .. && npm test", ".")).toBe("near");
    expect(ran("cd - && npm test", "web")).toBe("near");
    expect(ran("ls", "web")).toBe("other");
  });

  it.each([
    ["pytest", true],
    ["npm test\ntest: vitest run", true],
    ["node --test", true],
    ["pytest -q", false],
    ["npm test\ntest: mocha --reporter json", false],
    ["go test ./...", false],
    ["make check", false],
  ])("%j always counts its tests: %s", (text, is) => {
    expect(isCounting(text)).toBe(is);
  });

  it.each([
    ["test: vitest run && tsc", false],
    ["test:\n\t@prove t", false],
    ["test: vitest run || true", true],
    ["test: vitest run | tee x", true],
    ["test: vitest run; exit 0", true],
    ["test: vitest & sleep 1", true],
    ["test:\n\t-prove t", true],
  ])("a script %j forgives: %s", (text, is) => {
    expect(isForgiving(text)).toBe(is);
  });

  it("is made of the files that it names", () => {
    expect(filesNamedIn("node scripts/test.ts --config=../x.json ./run.sh", "web")).toEqual([
      "web/scripts/test.ts",
      "x.json",
      "web/run.sh",
    ]);
  });
});

describe("what others did", () => {
  it("while a run went on is not proven by it", () => {
    const ran: Step = { run: "npm test", others: "src/b.js" };
    expect(standingAfter([edit, ran]).state).toBe("unproven");
    expect(standingAfter([edit, ran, good]).state).toBe("proven");
  });

  it("by undoing a turn has to be proven again", () => {
    expect(standingAfter([edit, good, { undo: "src/a.js" }]).state).toBe("unproven");
  });
});
