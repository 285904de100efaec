// The code index as a user meets it: searched at once in a fresh folder, without network and without
// a model; killed at any moment it goes on where it was; what a question finds comes as lines of JSON.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Desk, desk } from "./kit.ts";

const sample = {
  "src/retry.ts":
    "/** Waits longer after each failure. */\nexport function backoffDelay() {\n  return 2;\n}\n",
  "src/header.py":
    'def parse_header(line):\n    """Splits a header line."""\n    return line.split(":")\n',
  "README.md": "# Sample\n\nRetries and headers.\n",
};

const jsonOf = (out: string): Record<string, unknown>[] =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

function commit(at: Desk, message: string): void {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  for (const args of [
    ["add", "-A"],
    ["commit", "-q", "-m", message],
  ]) {
    execFileSync("git", [...identity, ...args], { cwd: at.folder });
  }
}

describe("aiex search", () => {
  it("finds in a fresh folder, with the lines of the place and why", async () => {
    const at = desk(sample);
    const found = await at.aiex("search", "wait", "longer", "after", "a", "failure");
    expect(found).toMatchObject({ code: 0 });
    expect(found.out).toMatch(/^src\/retry\.ts:1 .*backoffDelay/);
    expect(found.out).toContain("return 2;");
  });

  it("ranks files for an issue that is piped in, one JSON object a line", async () => {
    const at = desk(sample);
    const issue = `Header values are cut\n\n${"A value with two colons loses its end. ".repeat(200)}`;
    const args = ["search", "--files", "--limit", "20", "--json", "-"];
    const found = await at.run(args, { stdin: issue });
    expect(found.code).toBe(0);
    const [first] = jsonOf(found.out);
    expect(first).toMatchObject({ path: "src/header.py", why: expect.any(Array) });
    expect(first?.score).toEqual(expect.any(Number));
  });

  it("says what is wrong with a question, and writes no index for it", async () => {
    const at = desk(sample);
    expect(await at.aiex("search")).toMatchObject({ code: 2, out: "" });
    const limit = await at.aiex("search", "--limit", "0", "retry");
    expect(limit).toMatchObject({ code: 2, out: "" });
    expect(limit.err).toContain("--limit");
    const empty = await at.run(["search", "-"], { stdin: " \n" });
    expect(empty).toMatchObject({ code: 2, out: "" });
    expect(await at.aiex("search", "zebra")).toMatchObject({ code: 1, out: "" });
  });

  it("sees a change at once, and uses no commit after the checked-out one", async () => {
    const at = desk(sample);
    execFileSync("git", ["init", "-q", "-b", "main"], { cwd: at.folder });
    commit(at, "first");
    writeFileSync(join(at.folder, "src/late.ts"), "export const flamingo = 1;\n");
    expect((await at.aiex("search", "flamingo")).out).toContain("src/late.ts");
    commit(at, "Teach the pelican to fly");
    expect((await at.aiex("search", "--files", "pelican")).out).toContain("src/late.ts");
    execFileSync("git", ["checkout", "-q", "HEAD~1"], { cwd: at.folder });
    expect(await at.aiex("search", "--files", "pelican")).toMatchObject({ code: 1, out: "" });
  });
});

describe("aiex index", () => {
  it("killed at any moment goes on with what was written, and ends whole", async () => {
    const at = desk();
    mkdirSync(join(at.folder, "m"));
    for (let i = 0; i < 1_500; i += 1) {
      const body = `  call${i}(value${i});\n`.repeat(40);
      writeFileSync(join(at.folder, `m/n${i}.ts`), `export function number${i}() {\n${body}}\n`);
    }
    for (const ms of [150, 300, 450, 600, 900]) {
      const child = at.start("index");
      const ended = once(child, "close");
      const timer = setTimeout(() => child.kill("SIGKILL"), ms);
      await ended;
      clearTimeout(timer);
    }
    const last = await at.aiex("index", "--json");
    expect(last.code).toBe(0);
    expect(jsonOf(last.out)[0]).toMatchObject({ files: 1_500 });
    const found = await at.aiex("search", "--json", "--limit", "1", "number1499");
    expect(jsonOf(found.out)[0]).toMatchObject({ path: "m/n1499.ts" });
    const again = await at.aiex("index", "--json");
    expect(jsonOf(again.out)[0]).toMatchObject({ read: 0 });
  });
});

describe("aiex context", () => {
  it("shows each piece with its reason, what is left out, and sends nothing", async () => {
    const at = desk(sample);
    const args = [
      "context",
      "--json",
      "--model",
      "openai/gpt-5",
      "why is the backoffDelay so short",
    ];
    const shown = await at.aiex(...args);
    expect(shown.code).toBe(0);
    const [made] = jsonOf(shown.out) as [
      { pieces: { kind: string }[]; left: { kind: string; why: string }[] },
    ];
    expect(made.pieces.map(({ kind }) => kind)).toEqual(["system", "tools", "prompt"]);
    expect(made.left[0]).toMatchObject({ kind: "code", why: "no room left for code" });
    const roomy = await at.run(args, { env: { AIEX_CODE_TOKENS: "2000" } });
    const [with_] = jsonOf(roomy.out) as [{ pieces: { kind: string; name: string }[] }];
    expect(with_.pieces.map(({ kind }) => kind)).toEqual([
      "system",
      "tools",
      "map",
      "code",
      "prompt",
    ]);
    expect(with_.pieces[3]?.name).toBe("src/retry.ts");
  });
});
