// Before a folder is trusted nothing of it is run, obeyed or reached, whatever it holds and is
// called; afterwards it can only narrow, and only as it was when it was trusted. Traced as the
// kernel sees it: every program that is started and every connection that is made.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allKeys, type ConfigKey, keys, loadConfig } from "#config";
import { linesOf } from "./aiex.ts";
import { allowing, configs, makeHostile, NAMES } from "./hostile-folder.ts";
import { type Desk, desk, modelAt, program, type Ran } from "./kit.ts";

const hasTrace = spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
const noTrace = "strace is not installed, or may not trace here";

let reached = 0;
const server = createServer((socket) => {
  reached += 1;
  socket.on("error", () => {}).destroy();
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());
const portOf = (it: Server): number => (it.address() as AddressInfo).port;
const evil = (): string => `http://127.0.0.1:${portOf(server)}/v1`;
/** The user's own model, which refuses, so that a call ends at once. */
const model = createHttpServer((_, response) => void response.writeHead(401).end("{}"));
beforeAll(() => new Promise<void>((resolve) => model.listen(0, "127.0.0.1", resolve)));
afterAll(() => void model.close());
const own = () => modelAt(`http://127.0.0.1:${portOf(model)}/v1`);

const prompt = ["ask", "--json", "what is this?"];
const COMMANDS = [
  prompt,
  ["session", "list"],
  ["doctor"],
  ["config", "list"],
  ["config", "explain", "mode"],
];

function hostileFolder(at: Desk, name: string, config?: string): string {
  const folder = join(at.folder, name);
  makeHostile(folder, evil(), config);
  return folder;
}

type Trace = Ran & { started: string[]; connected: string[] };

let traces = 0;

/** Runs it under the eyes of the kernel. */
async function traced(at: Desk, args: readonly string[], cwd: string): Promise<Trace> {
  traces += 1;
  const file = join(at.home, `trace-${traces}`);
  const flags = ["-f", "-qq", "-s", "4096", "-e", "trace=execve,execveat,connect", "-o", file];
  const child = spawn("strace", [...flags, program, ...args], { cwd, env: at.env });
  const ran = await ended(child);
  const lines = readFileSync(file, "utf8").split("\n");
  const calls = (name: string) => lines.filter((line) => line.includes(` ${name}`));
  return { ...ran, started: calls("execve"), connected: calls("connect(") };
}

function ended(child: ChildProcess): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    child.stdout?.on("data", (chunk: Buffer) => (out += chunk));
    child.stderr?.on("data", (chunk: Buffer) => (err += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin?.end();
  });
}

/** Everything below a folder, names and bytes: what must not change. */
function stateOf(folder: string): string {
  const hash = createHash("sha256");
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  for (const entry of entries.sort((a, b) =>
    a.parentPath + a.name < b.parentPath + b.name ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    hash.update(JSON.stringify(path)).update(entry.isFile() ? readFileSync(path) : "");
  }
  return hash.digest("hex");
}

/** Aiex itself, its Node, and the trial of the sandbox, which runs `true` in `/`. */
const OWN_PROGRAM = /^\d+ +execve\("(\/(?:usr\/)?bin\/(?:bwrap|true|sh)|[^"]*\/node)", /;

function expectNothingOf(folder: string, args: readonly string[], trace: Trace): void {
  expect(trace.started.filter((line) => line.includes(`execve("${program}"`))).toHaveLength(1);
  const what = JSON.stringify([folder, args]);
  const foreign = trace.started.filter(
    (line) =>
      line.includes(folder) || !(OWN_PROGRAM.test(line) || line.includes(`execve("${program}"`)),
  );
  expect({ what, foreign }).toEqual({ what, foreign: [] });
  expect({ what, connected: trace.connected }).toEqual({ what, connected: [] });
}

/** Three at a time: each is a process of its own. */
async function each<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await act(one);
  };
  await Promise.all([work(), work(), work()]);
}

describe("a folder that is not trusted", () => {
  it("has nothing of it run or reached, whatever it is called", async (ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const at = desk({}, own());
    const cases = NAMES.flatMap((name) => COMMANDS.map((args) => ({ name, args })));
    for (const name of NAMES) hostileFolder(at, name);
    const before = stateOf(at.folder);
    await each(cases, async ({ name, args }) => {
      const folder = join(at.folder, name);
      const trace = await traced(at, args, folder);
      expectNothingOf(folder, args, trace);
      if (args === prompt) expect(trace).toMatchObject({ code: 4 });
      else expect([0, 1]).toContain(trace.code);
    });
    expect(stateOf(at.folder)).toBe(before);
    expect(reached).toBe(0);
  });

  it("has its configuration ignored, whatever that says", async (ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const at = desk({}, own());
    const plain = await at.run(["config", "list", "--json"]);
    expect(plain.code).toBe(0);
    const named = Object.entries(configs(evil())).map(([name, config]) => {
      return { name, folder: hostileFolder(at, name, config) };
    });
    const before = stateOf(at.folder);
    await each(named, async ({ folder }) => {
      const asked = await traced(at, prompt, folder);
      expectNothingOf(folder, prompt, asked);
      expect(asked).toMatchObject({ code: 4 });
      const listed = await traced(at, ["config", "list", "--json"], folder);
      expectNothingOf(folder, ["config", "list"], listed);
      expect(listed).toMatchObject({ code: 0, out: plain.out });
    });
    expect(stateOf(at.folder)).toBe(before);
    expect(reached).toBe(0);
  });

  it("is trusted without a program of it being run", async (ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const at = desk({}, own());
    for (const name of NAMES) hostileFolder(at, name, '{"mode":"plan"}');
    const before = stateOf(at.folder);
    await each(NAMES, async (name) => {
      const folder = join(at.folder, name);
      for (const args of [["trust"], ["config", "list"], ["session", "list"], ["doctor"]]) {
        const trace = await traced(at, args, folder);
        expectNothingOf(folder, args, trace);
        expect([0, 1]).toContain(trace.code);
      }
      const explained = await at.run(["config", "explain", "mode"], { cwd: folder });
      expect(explained.out).toContain("mode = plan");
      const asked = await traced(at, prompt, folder);
      expect(asked.connected.length).toBeGreaterThan(0);
      const elsewhere = asked.connected.filter((line) => !line.includes(`htons(${portOf(model)})`));
      expectNothingOf(folder, prompt, { ...asked, connected: elsewhere });
    });
    expect(stateOf(at.folder)).toBe(before);
    expect(reached).toBe(0);
  });
});

/** A value of each key that gives more than the default, or leads elsewhere. */
const WIDER: Record<ConfigKey, unknown> = {
  model: "openai/other",
  mode: "yes",
  sandbox: "none",
  languageServers: "auto",
  "openai.baseUrl": "http://127.0.0.1:1/v1",
  "openai.apiKey": "stolen",
  "openai.dialect": "chat",
  "anthropic.baseUrl": "http://127.0.0.1:1",
  "anthropic.apiKey": "stolen",
  probe: "never",
  "compaction.summary": "openai/other",
  "limits.contextTokens": 100_000_000,
  "context.codeTokens": 50_000,
  "limits.stepsPerTurn": 100_000,
  "deadlines.connectMs": 1,
  "deadlines.firstTokenMs": 1,
  "deadlines.silenceMs": 1,
  "deadlines.idleMs": 1,
  "budget.userDollars": 0,
  "budget.userTokens": 0,
  "budget.dayDollars": 0,
  "budget.dayTokens": 0,
  "budget.sessionDollars": 0,
  "budget.sessionTokens": 0,
  "budget.childDollars": 0,
  "budget.childTokens": 0,
  "trees.keepDays": 1,
  "trees.bytesMax": 1,
  "deadlines.totalMs": 1,
  "deadlines.childMs": 100_000_000,
  models: [{ name: "*", price: { input: 0, output: 0 } }],
  routes: [{ name: "fast", models: ["openai/other"] }],
  fallback: ["openai/other"],
  rates: ["documented"],
  providers: [{ name: "openai", url: "http://127.0.0.1:1/v1" }],
  keychain: "none",
  verify: ["true"],
  evidence: "shown",
  "audit.anchor": "/tmp/evil",
  rules: [allowing("touch")],
};
const NARROWER: Partial<Record<ConfigKey, unknown>> = {
  languageServers: "asked",
  mode: "plan",
  "limits.contextTokens": 1_000,
  "limits.stepsPerTurn": 2,
  "deadlines.childMs": 1_000,
  verify: ["npm test"],
  evidence: "strict",
  "budget.userDollars": 1,
  "budget.userTokens": 1,
  "budget.dayDollars": 1,
  "budget.dayTokens": 1,
  "budget.sessionDollars": 1,
  "budget.sessionTokens": 1,
  "budget.childDollars": 1,
  "budget.childTokens": 1,
};
/** What the user said, where a default leaves nothing to widen or to narrow. */
const SAID: Partial<Record<ConfigKey, unknown>> = {
  verify: ["make check", "npm test"],
  evidence: "strict_tests_may_change",
};

const withProject = (values: Record<string, unknown>, flags: typeof SAID = {}) => {
  const env = { HOME: "/nonexistent" };
  const loaded = loadConfig({
    env,
    flags,
    project: { file: "project", text: JSON.stringify(values) },
  });
  if (!loaded.ok) throw new Error(loaded.error.say);
  return loaded.value;
};

describe("a folder that is trusted", () => {
  it.each(allKeys)("can only narrow: %s", (key) => {
    const said = key in SAID ? { [key]: SAID[key] } : {};
    const wide = withProject({ [key]: WIDER[key] }, said);
    const before = key in SAID ? SAID[key] : keys[key].fallback;
    const from = key in SAID ? "flag" : "default";
    expect(wide.settings.get(key)).toMatchObject({ value: before, from });
    // A budget of 0 is none, as by default: there is nothing wider to be ignored.
    const ignored = WIDER[key] === before ? [] : [key];
    if (key !== "rules") expect(wide.ignored.map((one) => one.key)).toEqual(ignored);
    const narrow = NARROWER[key];
    expect(narrow !== undefined).toBe("narrower" in keys[key]);
    if (narrow === undefined) return;
    expect(withProject({ [key]: narrow }, said).settings.get(key)).toMatchObject({
      value: narrow,
      from: "project",
    });
  });

  const calling = (command: string, more: object = {}) => [
    { text: "Now.", calls: [{ tool: "run", input: { command, ...more } }] },
    { text: "Done." },
  ];
  const scripted = (at: Desk, answers: readonly object[]): string => {
    const file = join(at.home, "script.json");
    writeFileSync(file, JSON.stringify({ answers }));
    return `scripted/${file}`;
  };

  it("has its rules obeyed that deny, also where they are all it says", async () => {
    const rule = { do: "deny", kind: "run", program: "touch", examples: { match: ["touch x"] } };
    const at = desk({ ".aiex/config.json": JSON.stringify({ rules: [rule] }) });
    const model = scripted(at, calling("touch made"));
    expect((await at.aiex("trust")).code).toBe(0);
    const { code, out } = await at.aiex("ask", "--json", "-m", model, "go");
    expect({ code }).toEqual({ code: 0 });
    expect(out).toContain("deny run touch");
    expect(readdirSync(at.folder)).toEqual([".aiex"]);
  });

  it("has its rules ignored that allow, and its command asked about", async () => {
    const at = desk({ ".aiex/config.json": JSON.stringify({ rules: [allowing("touch")] }) });
    const escalate = { kind: "unsandboxed", why: "I want to" };
    const model = scripted(at, calling("touch made", { escalate }));
    expect((await at.aiex("trust")).code).toBe(0);
    const { code } = await at.aiex("ask", "--json", "--yes", "-m", model, "go");
    expect(code).toBe(3);
    expect(readdirSync(at.folder)).toEqual([".aiex"]);
  });

  it("is asked about again when one byte of its configuration changed", async () => {
    const at = desk();
    const model = scripted(at, [{ text: "Hello." }]);
    const text = '{"limits.stepsPerTurn": 5}';
    const say = (config: string) => {
      mkdirSync(join(at.folder, ".aiex"), { recursive: true });
      writeFileSync(join(at.folder, ".aiex/config.json"), config);
      return at.aiex("ask", "-m", model, "hi");
    };
    const trusting = async () => expect((await at.aiex("trust")).code).toBe(0);
    await trusting();
    // One where there was none, then any other byte, a blank too.
    expect((await say(text)).code).toBe(4);
    await trusting();
    expect((await say(text)).code).toBe(0);
    for (const at of [0, 12, text.length]) {
      expect((await say(`${text.slice(0, at)} ${text.slice(at)}`)).code).toBe(4);
    }
    expect((await say(text.replace("5", "6"))).code).toBe(4);
    const listed = await at.aiex("config", "list", "--json");
    expect(linesOf(listed.out).filter(({ from }) => from === "project")).toEqual([]);
    expect((await say(text)).code).toBe(0);
  });

  it("says what is wrong with a configuration that it cannot read, and does nothing", async () => {
    const at = desk({ ".aiex/config.json": '{"mode":' });
    expect((await at.aiex("trust")).code).toBe(0);
    const { code, err } = await at.aiex("ask", "-m", scripted(at, [{ text: "Hello." }]), "hi");
    expect({ code }).toEqual({ code: 2 });
    expect(err).toContain("config.json is not JSON");
  });
});
