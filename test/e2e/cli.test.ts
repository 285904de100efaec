// The command line as a user meets it: real processes, real log, real files, scripted answers.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startStrictStub } from "../peers/strict.ts";
import { linesOf, Machine, main } from "./aiex.ts";
import { modelAt } from "./kit.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const network = { kind: "network", hosts: ["docs.rs"], why: "the docs are online" };
const asking = [
  { text: "Let me look.", calls: [{ tool: "run", input: { command: "true", escalate: network } }] },
  { text: "I looked." },
];
const slow = [
  { text: "Working.", calls: [{ tool: "run", input: { command: "sleep 30" } }] },
  { text: "Never reached." },
];

const sessionIn = async (): Promise<string> => {
  const { out } = await machine.run(["session", "list", "--json"]);
  return String(linesOf(out)[0]?.session);
};

describe("without a terminal", () => {
  it("shows the demo: a test fails, is mended and passes, and nothing is left but the log", async () => {
    const { code, out, err } = await machine.run([]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(err).toMatch(
      /run node --test {2}exit 1[\s\S]*edit price\.js[\s\S]*run node --test {2}exit 0/,
    );
    expect(out).toContain("Both tests pass.");
    expect(err).toContain("proven by node --test (2 passed)");
    expect(existsSync(/(\/\S+)\/shop/.exec(err)?.[1] ?? "")).toBe(false);
    expect((await machine.run(["audit", "verify"])).out).toContain("every chain holds");
  });

  it("shows no demo to whoever wanted a session gone on with", async () => {
    const { code, out, err } = await machine.run(["--continue"]);
    expect({ code, out, err }).toMatchObject({ code: 2, out: "" });
    expect(err).toContain("there is no terminal to talk in; `aiex ask");
  });

  it("says at once that its home cannot be made, also where /proc refuses", async () => {
    const { code, err } = await machine.run(["session", "list"], { home: "/proc/nope/aiex" });
    expect({ code, err }).toMatchObject({ code: 74 });
    expect(err).toContain("set AIEX_HOME");
  });

  it("leaves nothing of the demo's project when it is terminated", async () => {
    const demo = machine.start(["demo"]);
    await demo.wrote("read price.js");
    demo.kill("SIGTERM");
    const { code, err } = await demo.ended;
    expect(code).toBe(143);
    const project = /(\/\S+)\/shop/.exec(err)?.[1] ?? "";
    expect(project).not.toBe("");
    expect(existsSync(project)).toBe(false);
  });

  it("says that it reads a standard input that does not end, and how not to", async () => {
    const waiting = machine.start(["ask", "hi"], { stdin: null });
    await waiting.wrote("reading standard input until it ends; `</dev/null` says there is none");
    waiting.kill("SIGINT");
    expect((await waiting.ended).code).toBe(130);
  });

  it("does nothing in a folder that is not trusted, and says how to trust it", async () => {
    const model = machine.model("m", [{ text: "Hello." }]);
    const refused = await machine.run(["ask", "-m", model, "hi"]);
    expect(refused).toMatchObject({ code: 4, out: "", err: expect.stringContaining("aiex trust") });
    expect((await machine.run(["session", "list", "-a", "--json"])).out).toBe("");
    expect(await machine.run(["ask", "--trust", "-m", model, "hi"])).toMatchObject({
      code: 0,
      out: "Hello.\n",
    });
  });

  it("asks again when the project's configuration changed, and lets it only narrow", async () => {
    const model = machine.model("m", [{ text: "one" }, { text: "two" }]);
    machine.write(".aiex/config.json", '{"mode":"read-only","model":"evil/model"}');
    expect((await machine.run(["ask", "--trust", "-m", model, "hi"])).code).toBe(0);
    const explained = await machine.run(["config", "explain", "mode"]);
    expect(explained.out).toContain("mode = read-only");
    expect((await machine.run(["config", "list"])).err).toContain("model ignored");
    machine.write(".aiex/config.json", '{"mode":"plan"}');
    expect((await machine.run(["ask", "-c", "again"])).code).toBe(4);
  });

  it("ends with 3 where leave is needed, and goes on once exactly that is allowed", async () => {
    const model = machine.model("m", asking);
    const asked = await machine.run(["ask", "--trust", "--json", "-m", model, "look"]);
    const result = linesOf(asked.out).at(-1) ?? {};
    expect(asked.code).toBe(3);
    expect(result).toMatchObject({ v: 1, type: "result", end: "permission_needed", exit: 3 });
    const [ask] = result.asks as { hash: string; what: string }[];
    expect(ask).toMatchObject({ what: "true", opens: { hosts: ["docs.rs"] } });
    const session = String(result.session);
    expect(asked.err).toContain(`aiex ask --session ${session} --allow`);
    const other = "0123456789ab";
    const unmoved = await machine.run(["ask", "--session", session, "--allow", other]);
    expect(unmoved.code).toBe(3);
    const hash = ask?.hash.slice(0, 12) ?? "";
    const done = await machine.run(["ask", "--session", session.slice(0, 8), "--allow", hash]);
    expect(done).toMatchObject({ code: 0, out: "I looked.\n" });
    const { out } = await machine.run(["session", "show", session]);
    expect(out).toMatch(
      /> look[\s\S]*asked: true[\s\S]*allowed once[\s\S]*· run true {2}exit 0[\s\S]*I looked\./,
    );
  });

  it("puts what is piped in and text files into the prompt, and attaches images", async () => {
    const model = machine.model("m", [{ text: "Seen." }]);
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    const image = machine.write("a.png", "");
    writeFileSync(image, png);
    machine.write("b.txt", "text of b\n```\n");
    const args = ["ask", "--trust", "--json", "-m", model, "-i", "a.png", "-i", "b.txt", "what"];
    const { code, out } = await machine.run(args, { stdin: "piped in\n" });
    expect(code).toBe(0);
    const started = linesOf(out).find(({ type }) => type === "TurnStarted");
    expect(started?.body).toMatchObject({
      text: "what\n\npiped in\n\nThe file b.txt:\n````\ntext of b\n```\n````",
      attachments: [{ media: "image/png", name: "a.png", bytes: png.length }],
    });
    machine.write("c.bin", "\0\x01");
    expect((await machine.run(["ask", "-m", model, "-i", "c.bin", "what"])).code).toBe(2);
  });

  it("says that its output cannot be written, and that is no bug", async () => {
    const line = `"${process.execPath}" "${main}" completion bash > /dev/full`;
    const env = { ...process.env, AIEX_HOME: machine.home, HOME: machine.root };
    const done = spawnSync("bash", ["-c", line], { cwd: machine.folder, env, encoding: "utf8" });
    expect(done).toMatchObject({ status: 74, stderr: expect.stringMatching(/cannot be written/) });
    expect(done.stderr).not.toContain("bug");
  });

  it("leaves quietly when the reader of its output does", async () => {
    await machine.run(["demo"]);
    const line = `"${process.execPath}" "${main}" audit | true; echo "\${PIPESTATUS[0]}"`;
    const env = { ...process.env, AIEX_HOME: machine.home, HOME: machine.root };
    const done = spawnSync("bash", ["-c", line], { cwd: machine.folder, env, encoding: "utf8" });
    expect(done).toMatchObject({ stderr: "" });
    expect(["0\n", "141\n"]).toContain(done.stdout);
  });
});

describe("several at once", () => {
  it("ten first starts in one folder all end, and the log holds", async () => {
    const model = machine.model("m", [{ text: "Hello." }]);
    const asks = Array.from({ length: 10 }, () =>
      machine.run(["ask", "--trust", "-m", model, "hi"]),
    );
    for (const { code, out, err } of await Promise.all(asks)) {
      expect({ code, out, err }).toMatchObject({ code: 0, out: "Hello.\n" });
    }
    expect((await machine.run(["audit", "verify"])).out).toContain("every chain holds");
  });

  it("two on one session: one runs, the other waits for its own turn", async () => {
    const queued = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const stub = await startStrictStub({
      script: {
        answers: [
          { text: "First.", expect: { contains: "one" } },
          { text: "Second.", expect: { contains: "two" } },
        ],
      },
      fault(index) {
        if (index > 0) return undefined;
        asked.resolve();
        return { do: "hold", until: queued.promise };
      },
    });
    onTestFinished(() => stub.close());
    const env = modelAt(stub.url);
    const one = machine.start(["ask", "--trust", "--json", "one"], { env });
    await asked.promise;
    const two = machine.start(["ask", "-c", "two"], { env });
    await two.wrote("queued behind the turn that is open");
    queued.resolve();
    expect(await two.ended).toMatchObject({ code: 0, out: "First.\nSecond.\n" });
    expect(linesOf((await one.ended).out).at(-1)).toMatchObject({ end: "done", text: "First." });
    expect(stub.malformed()).toEqual([]);
  });
});

describe("signals", () => {
  it("the first Ctrl-C cancels the turn, and the session can be gone on with", async () => {
    const model = machine.model("m", [...slow.slice(0, 1), { text: "Again." }]);
    const run = machine.start(["ask", "--trust", "--json", "-m", model, "work"]);
    await run.wrote("ToolStarted");
    run.kill("SIGINT");
    const { code, out } = await run.ended;
    expect(code).toBe(130);
    expect(linesOf(out).at(-1)).toMatchObject({ type: "result", end: "cancelled", exit: 130 });
    expect(await machine.run(["ask", "-c", "again"])).toMatchObject({ code: 0, out: "Again.\n" });
  });

  it("SIGTERM closes cleanly, and what ran is told as interrupted", async () => {
    const model = machine.model("m", [slow[0] ?? {}, { text: "After." }]);
    const run = machine.start(["ask", "--trust", "--json", "-m", model, "work"]);
    await run.wrote("ToolStarted");
    run.kill("SIGTERM");
    expect((await run.ended).code).toBe(143);
    const resumed = await machine.run(["ask", "--continue"]);
    expect(resumed).toMatchObject({ code: 0, out: "After.\n" });
  });
});

describe("sessions that travel", () => {
  it("are exported whole, refused where they were changed, and erased for good", async () => {
    const model = machine.model("m", [{ text: "Secret words." }]);
    await machine.run(["ask", "--trust", "-m", model, "a secret prompt"]);
    const session = await sessionIn();
    const file = join(machine.root, "s.jsonl");
    expect((await machine.run(["session", "export", session, "-o", file])).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await machine.run(["session", "export", session, "-o", file])).code).toBe(2);
    const home = join(machine.root, "other-home");
    const imported = await machine.run(["session", "import", file], { home });
    expect(imported.code).toBe(0);
    const shown = await machine.run(["session", "show", imported.out.trim()], { home });
    expect(shown.out).toMatch(/> a secret prompt[\s\S]*Secret words\./);
    const pipe = join(machine.root, "pipe");
    execFileSync("mkfifo", [pipe]);
    const refused = await machine.run(["session", "import", pipe], { home });
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("nobody writes to") });
    const changed = readFileSync(file, "utf8").replace("a secret", "b secret");
    expect((await machine.run(["session", "import", "-"], { home, stdin: changed })).code).toBe(74);
    expect((await machine.run(["session", "rm", session])).code).toBe(3);
    expect((await machine.run(["session", "rm", "--yes", session])).code).toBe(0);
    expect((await machine.run(["session", "show", session])).out).not.toContain("secret");
    expect((await machine.run(["session", "list", "--json"])).out).toBe("");
    expect((await machine.run(["audit", "verify"])).out).toContain("every chain holds");
  });
});

describe("configuration", () => {
  it("is written whole, for the user alone, and never shows a secret", async () => {
    const set = await machine.run(["config", "set", "openai.apiKey", "sk-secret"]);
    expect(set).toMatchObject({ code: 0, out: expect.not.stringContaining("sk-secret") });
    const file = join(machine.root, "config", "aiex", "config.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ "openai.apiKey": "sk-secret" });
    const verbs = [["get", "openai.apiKey"], ["list"], ["explain", "openai.apiKey"]];
    for (const verb of verbs) {
      const { code, out, err } = await machine.run(["config", ...verb]);
      expect({ code, secret: (out + err).includes("sk-secret") }).toEqual({
        code: 0,
        secret: false,
      });
    }
    expect((await machine.run(["config", "set", "mode", "yess"])).code).toBe(2);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ "openai.apiKey": "sk-secret" });
  });
});

describe("a rule about a file", () => {
  it("holds for the lines that a search in its folder would show", async () => {
    const rule = {
      do: "deny",
      kind: "read",
      path: "keys/**",
      examples: { match: ["keys/a.pem"], not: ["src/keys.ts"] },
    };
    const file = join(machine.root, "config", "aiex", "config.json");
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, JSON.stringify({ rules: [rule] }));
    machine.write("keys/a.pem", "needle secret\n");
    machine.write("b.txt", "needle\n");
    const expected = [
      { from: "tool", contains: "b.txt\n1: needle" },
      { from: "tool", contains: "1 matching line in 1 file left out", lacks: "secret" },
    ];
    const model = machine.model("m", [
      { calls: [{ tool: "search", input: { pattern: "needle" } }] },
      { text: "Found one.", expect: expected },
    ]);
    const { code, out, err } = await machine.run(["ask", "--trust", "-m", model, "find"]);
    expect({ code, out, err }).toMatchObject({ code: 0, out: "Found one.\n" });
  });
});

describe("in a terminal", () => {
  it("asks for trust and leave, shows the answer as it comes, once", async () => {
    const text = "A sentence that comes in pieces, so that one can see it grow.";
    const model = machine.model("m", [{ ...asking[0], text, pauseMs: 10 }, { text: "Done." }]);
    const { code, screen } = await machine.type(
      ["ask", "--color", "never", "-m", model, "look"],
      [
        ["Trust this folder? [y/N]", "y\r"],
        ["or type why not", "y\r"],
      ],
    );
    expect({ code, screen }).toMatchObject({ code: 0 });
    expect(screen.split(text)).toHaveLength(2);
    expect(screen).toContain("opens   the network to docs.rs");
    expect(screen).toContain("· run true  exit 0");
    expect(screen).toContain("Done.");
  });

  it("says once that a turn was cancelled", async () => {
    const model = machine.model("m", slow);
    const { screen } = await machine.type(
      ["ask", "--trust", "--color", "never", "-m", model, "go"],
      [["run sleep 30", "\x03"]],
    );
    expect(screen).toContain("cancelled");
    expect(screen).not.toMatch(/called off: the user|gave no answer/);
  });

  it("says what it looked for where there is no model, and offers the demo", async () => {
    const { code, screen } = await machine.type(["--color", "never"], [["[Y/n]", "n\r"]]);
    expect(code).toBe(5);
    expect(screen).toMatch(/Ollama on 127\.0\.0\.1:11434[\s\S]*LM Studio on 127\.0\.0\.1:1234/);
    expect(screen).toContain("export OPENAI_API_KEY=");
  });
});
