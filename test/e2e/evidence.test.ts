// Evidence as a user meets it: a real program in a real sandbox, a real runner, scripted answers.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linesOf, Machine } from "./aiex.ts";
import { desk } from "./kit.ts";
import { ENTER, screenOf } from "./screen.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  machine.write("package.json", JSON.stringify({ scripts: { test: "node --test" } }));
  machine.write("sum.js", "exports.sum = (a, b) => a - b;\n");
  machine.write(
    "sum.test.js",
    'const { test } = require("node:test");\ntest("adds", () => require("assert").equal(require("./sum.js").sum(1, 2), 3));\n',
  );
});
afterEach(() => machine.remove());
beforeEach(() => configure({ verify: ["npm test"] }));

const call = (tool: string, input: object) => ({ calls: [{ tool, input }] });
const run = (command: string) => call("run", { command });
const mend = [
  call("read", { path: "sum.js" }),
  call("edit", { path: "sum.js", edits: [{ old: "a - b", new: "a + b" }] }),
];
const weaken = [
  call("read", { path: "sum.test.js" }),
  call("edit", { path: "sum.test.js", edits: [{ old: ", 3)", new: ", -1)" }] }),
];
const done = { text: "All tests pass." };

type Result = {
  session: string;
  end: string;
  exit: number;
  evidence?: { state: string };
};

/** The user's own configuration. */
function configure(values: object): void {
  const folder = join(machine.root, "config", "aiex");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(values));
}

/** One prompt to the end, in a folder that is trusted with it. */
async function asked(answers: object[], ...flags: string[]) {
  const model = machine.model("m", answers);
  const args = ["ask", "--trust", "--yes", "--json", ...flags, "-m", model, "mend it"];
  const ended = await machine.run(args);
  const lines = linesOf(ended.out);
  return { ...ended, lines, result: lines.at(-1) as Result };
}

describe("a run that looks like evidence", () => {
  it("is none beside a job, which could swap a file and put it back", async () => {
    const job = call("run", { command: "sleep 300", background: true });
    const { code, result } = await asked([...mend, job, run("npm test"), done]);
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        evidence: {
          state: "unproven",
          why: expect.stringMatching(/`sleep 300` ran at the same time: end that/),
        },
      },
    });
  });

  it("is doubted where a job changed a test while no call ran", async () => {
    const weaken = "sleep 0.3; sed -i 's/, 3)/, -1)/' sum.test.js";
    const model = machine.model("job", [
      call("run", { command: weaken, background: true }),
      { ...call("read", { path: "sum.js" }), delayMs: 1_500 },
      call("edit", { path: "sum.js", edits: [{ old: "a - b", new: "a - (b)" }] }),
      run("npm test"),
      done,
    ]);
    const ended = await machine.run(["ask", "--trust", "--yes", "--json", "-m", model, "mend it"]);
    const result = linesOf(ended.out).at(-1) as Result;
    // The test passes on code that is as wrong as before.
    expect(result.evidence).toMatchObject({ state: "doubted", checks: ["sum.test.js"] });
  });

  it("is unproven where a job changed a file after the tests had passed", async () => {
    const job = call("run", { command: "sleep 0.3; echo '// more' >> sum.js", background: true });
    const model = machine.model("late", [
      ...mend,
      run("npm test"),
      job,
      { text: "All tests pass.", delayMs: 1_500 },
    ]);
    const ended = await machine.run(["ask", "--trust", "--yes", "--json", "-m", model, "mend it"]);
    const result = linesOf(ended.out).at(-1) as Result;
    expect(result).toMatchObject({ evidence: { state: "unproven", unproven: ["sum.js"] } });
  });

  it("is doubted where a command put another runner among what is installed", async () => {
    machine.write("package.json", JSON.stringify({ scripts: { test: "check" } }));
    machine.write("node_modules/.bin/check", "#!/bin/sh\nexec node --test\n");
    chmodSync(join(machine.folder, "node_modules/.bin/check"), 0o755);
    const honest = await asked([...mend, run("npm test"), done], "--strict");
    expect(honest.result).toMatchObject({ exit: 0, evidence: { state: "proven" } });
    // Broken again, and a runner that says that all is well.
    machine.write("sum.js", "exports.sum = (a, b) => a - b;\n");
    const fake = "printf '#!/bin/sh\\necho ok\\n' > node_modules/.bin/check";
    const cheat = await asked([run(fake), ...mend, run("npm test"), done, done, done], "--strict");
    expect(cheat.result).toMatchObject({
      exit: 8,
      evidence: { state: "doubted", checks: ["node_modules/"] },
    });
  });
});

describe("a turn that changed a file", () => {
  it("is proven by the tests that ran on it, with their counts", async () => {
    const { code, result } = await asked([...mend, run("npm test"), done], "--strict");
    expect({ code, result }).toMatchObject({
      code: 0,
      result: {
        end: "done",
        evidence: { state: "proven", by: [{ command: "npm test", tests: { passed: 1 } }] },
      },
    });
    const shown = await machine.run(["session", "show", String(result.session)]);
    expect(shown.out).toMatch(/proven by npm test \(1 passed\)[\s\S]*> mend it/);
    const standing = await machine.run(["session", "show", String(result.session), "--json"]);
    expect(linesOf(standing.out).at(-1)).toMatchObject({
      type: "standing",
      evidence: { state: "proven" },
    });
  });

  it("is unproven where the model only says so, and the screen says that", async () => {
    const model = machine.model("m", [...mend, done]);
    const { code, out, err } = await machine.run(["ask", "--trust", "--yes", "-m", model, "mend"]);
    expect({ code, out }).toEqual({ code: 0, out: "All tests pass.\n" });
    expect(err).toContain("unproven: sum.js\n");
  });

  it.each([
    ["npm test | tail", "a pipe ends as its last command does"],
    ["npm test || true", "with `||` it ends well"],
    ["npm() { true; }; npm test", "it ends as its last command does"],
    ["echo '# pass 42'", undefined],
  ])("is not proven by %s", async (command, why) => {
    const { result } = await asked([...mend, run(command), done]);
    expect(result.evidence).toMatchObject({ state: "unproven" });
    if (why) expect(result.evidence).toMatchObject({ why: expect.stringContaining(why) });
  });

  it("is doubted where it made the test fit, and the test is named", async () => {
    const { result } = await asked([...weaken, run("npm test"), done]);
    expect(result.evidence).toMatchObject({ state: "doubted", checks: ["sum.test.js"] });
  });

  it("is not proven by a job that began before the change", async () => {
    const job = call("run", { command: "npm test", background: true });
    const { lines, result } = await asked([job, ...mend, done]);
    expect(JSON.stringify(lines)).toContain("jobStarted");
    expect(result.evidence).toMatchObject({ state: "unproven" });
  });
});

describe("a strict turn", () => {
  it("makes the model run the tests before it may end", async () => {
    const { code, result, lines } = await asked([...mend, done, run("npm test"), done], "--strict");
    const notices = lines.filter(({ type }) => type === "EvidenceAsked");
    expect(notices).toHaveLength(1);
    expect({ code, result }).toMatchObject({ code: 0, result: { evidence: { state: "proven" } } });
  });

  it("ends unproven with its own exit code where the model insists", async () => {
    const { code, result, lines } = await asked([...mend, done, done, done], "--strict");
    expect(lines.filter(({ type }) => type === "EvidenceAsked")).toHaveLength(2);
    expect({ code, result }).toMatchObject({
      code: 8,
      result: { end: "unproven", failure: { code: "unproven", fix: "run `npm test`" } },
    });
  });

  it("by configuration is strict without the flag, and a project cannot undo it", async () => {
    machine.write(".aiex/config.json", JSON.stringify({ evidence: "shown" }));
    configure({ verify: ["npm test"], evidence: "strict" });
    expect((await asked([...mend, done, done, done])).code).toBe(8);
  });
});

describe("a chat", () => {
  it("says how its turn stands, and is strict by configuration", async () => {
    const at = desk({ "sum.js": "exports.sum = (a, b) => a - b;\n" });
    const config = join(at.home, "config.json");
    writeFileSync(config, JSON.stringify({ verify: ["npm test"], evidence: "strict" }));
    const model = machine.model("m", [...mend, done, done, done]);
    const args = ["--trust", "--model", model];
    const screen = screenOf({ ...at, env: { ...at.env, AIEX_CONFIG: config } }, args);
    await screen.shows("mode ask · ");
    screen.type(`mend it${ENTER}`);
    const text = await screen.shows("ended unproven · ");
    expect(text).toContain("This turn cannot end as done yet: sum.js changed, unproven");
    expect(text).toContain("unproven: sum.js");
    screen.type("\u0004");
    expect(await screen.ended).toBe(0);
  });
});

describe("a verify command that was found", () => {
  beforeEach(() => configure({}));

  it("counts once it is confirmed, and no more when its script is another", async () => {
    await machine.run(["trust"]);
    expect((await machine.run(["verify"])).out).toContain("found   npm test");
    const confirmed = await machine.run(["verify", "--confirm", "npm test"]);
    expect(confirmed.out).toContain("counts  npm test  (package.json: test: node --test)");
    const honest = await asked([...mend, run("npm test"), done], "--strict");
    expect(honest.result.evidence).toMatchObject({ state: "proven" });
    machine.write("package.json", JSON.stringify({ scripts: { test: "true" } }));
    machine.write("sum.js", "exports.sum = (a, b) => a - b;\n");
    const { code, result } = await asked([...mend, run("npm test"), done], "--strict");
    expect({ code, result }).toMatchObject({
      code: 8,
      result: { evidence: { why: "no verify command is known here" } },
    });
  });

  it("is asked about when the folder is trusted in a terminal, once", async () => {
    const model = machine.model("m", [{ text: "Hello." }, { text: "Again." }]);
    const first = await machine.type(
      ["ask", "-m", model, "hi"],
      [
        ["Trust this folder?", "y\r"],
        ["Is their success evidence", "y\r"],
      ],
    );
    expect(first).toMatchObject({ code: 0, screen: expect.stringContaining("node --test") });
    const again = await machine.type(["ask", "-m", model, "hi"], []);
    expect(again).toMatchObject({ code: 0, screen: expect.not.stringContaining("evidence?") });
    expect((await machine.run(["verify", "--json"])).out).toContain('"confirmed":true');
  });
});
