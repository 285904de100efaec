// Every surface in a real folder: each tool takes its own documented example, maps it onto the tool
// of ours that does it, and says what went wrong in the family's own words.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import { offered } from "#boundary/surfaces.ts";
import { builtinTools } from "#boundary/tools/builtin/index.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import type { Tool, ToolContext } from "#boundary/tools/port.ts";
import { called, contentOf, contextOf, folderWith, seenIn } from "#boundary/tools/samples.ts";
import { startUnsandboxed } from "#boundary/workspace/unsandboxed.ts";
import { ok } from "#core/failure.ts";
import { type Family, families } from "#core/model/catalog.ts";
import type { Piece } from "#core/session/recall.ts";

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const files = {
  "src/main.ts": "export const main = 1;\n",
  "src/sum.ts": "function sum(a, b) {\n  return a - b;\n}\n",
  "src/total.ts": "function cartTotal() {}\n",
  "src/a.test.ts": "",
  "docs/screen.png": png,
};

const toolsOf = async (family: Family): Promise<Map<string, Tool>> => {
  const all = await offered(await builtinTools(jobsOfNode()).tools(), family);
  return new Map(all.map((tool) => [tool.spec.name, tool]));
};

const exampleOf = (tool: Tool): Record<string, unknown> =>
  JSON.parse(tool.spec.about.split("\nExample: ")[1] ?? "");

const server: Piece = {
  at: 7,
  kind: "result",
  name: "run npm test",
  text: "The test server listens on 4711.",
  turn: "t1",
  undone: false,
};

/** A folder whose commands really run, each with the leave that the judge would have given. */
function place(): { root: string; context: ToolContext } {
  const root = folderWith(files);
  const options = {
    workspace: root,
    scratch: join(root, ".scratch"),
    home: root,
    host: process.env,
  };
  const context = contextOf(root, {
    seen: seenIn(root, "src/sum.ts"),
    history: async () => ok([server]),
    index: async () => codeIndexAt(root, null, { parsing: syntaxParser, entry: null }),
    sandbox: {
      kind: "none",
      start: (spec, signal) =>
        startUnsandboxed({ ...spec, opened: { unsandboxed: true } }, options, signal),
    },
  });
  return { root, context };
}

/** What each tool's example must come to, by the name of the tool. */
const come: Record<string, RegExp> = {
  read: /1\texport const main/,
  write: /created src\/greet\.ts/,
  edit: /edited src\/sum\.ts \(\+1 -1\)|return a \+ b/,
  apply_patch: /src\/sum\.ts/,
  run: /hello/,
  list: /sum\.ts/,
  glob: /src\/a\.test\.ts/,
  search: /src\/total\.ts/,
  search_code: /src\/total\.ts:1-1\n1\tfunction cartTotal/,
  find_symbol: /defined:\nsrc\/total\.ts:1-1 function: function cartTotal\(\)$/,
  repo_map: /^src\/[\s\S]*\n {2}function cartTotal\(\)/m,
  recall: /#7 result of run npm test\nThe test server listens on 4711\./,
  todo: /Fix sum\(\)/,
  task: /: The child is done \(1 answers? in 1 s\)\. It answers:\n\ndid: Find every caller/,
  view_image: /docs\/screen\.png \(image\/png/,
};

const kinds: Record<string, string> = {
  Read: "read",
  read_file: "read",
  Write: "write",
  write_file: "write",
  Edit: "edit",
  replace: "edit",
  Bash: "run",
  shell_command: "run",
  run_shell_command: "run",
  list_directory: "list",
  Glob: "glob",
  Grep: "search",
  grep_search: "search",
  TodoWrite: "todo",
  write_todos: "todo",
  update_plan: "todo",
  Task: "task",
};

const elsewhere = new Set(["BashOutput", "KillShell", "WebFetch", "web_fetch", "fetch", "job"]);

describe.each(families)("the surface for %s", (family) => {
  it("does what each of its documented examples says", async () => {
    for (const [name, tool] of await toolsOf(family)) {
      if (elsewhere.has(name)) continue;
      const { context } = place();
      const example = exampleOf(tool);
      if ("command" in example) example.command = "echo hello";
      const done = await called(tool, example, context);
      expect(`${name}: ${done.text}`).toMatch(come[kinds[name] ?? name] ?? /no expectation/);
      expect([name, done.outcome?.failed]).toEqual([name, false]);
    }
  });

  it("has a name, keys and a free form that every provider takes, and few words", async () => {
    const tools = [...(await toolsOf(family)).values()];
    for (const { spec } of tools) {
      expect(spec.name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(spec.schema).toMatchObject({ type: "object", additionalProperties: false });
    }
    const bytes = JSON.stringify(tools.map(({ spec }) => spec)).length;
    expect(bytes).toBeLessThan(family === "local" ? 6_500 : 13_500);
  });

  it("can always run a command and ask to leave the sandbox", async () => {
    const tools = await toolsOf(family);
    const runs = [...tools.values()].filter(({ spec }) =>
      Object.keys(spec.schema.properties ?? {}).includes("command"),
    );
    expect(runs.map(({ spec }) => Object.keys(spec.schema.properties ?? {}))).toEqual([
      expect.arrayContaining(["command", "escalate"]),
    ]);
    const why = "the docs are online";
    const flat =
      family === "local" ? { escalate: "network", why } : { escalate: { kind: "network", why } };
    const { context } = place();
    const prepared = await runs[0]?.prepare(JSON.stringify({ command: "ls", ...flat }), context);
    const access = prepared?.ok ? prepared.value.access : [];
    expect(access).toMatchObject([{ kind: "run", escalate: { kind: "network", why } }]);
  });

  it("advises in names that are on offer", async () => {
    const tools = await toolsOf(family);
    const names = [...tools.keys()];
    for (const { spec } of tools.values()) {
      const advised = [
        ...(spec.about.split("\nExample: ")[0] ?? "").matchAll(/(?:use|with) `(\w+)`/gi),
      ];
      for (const [, name = ""] of advised) {
        const keys = Object.keys(spec.schema.properties ?? {});
        expect([...names, ...keys]).toContain(name);
      }
    }
  });
});

describe("a call in a family's words", () => {
  it("takes an absolute path inside the workspace, and no other", async () => {
    const tools = await toolsOf("claude");
    const { root, context } = place();
    const read = tools.get("Read") as Tool;
    const inside = await called(read, { file_path: join(root, "src/main.ts") }, context);
    expect(inside.outcome?.facts).toMatchObject([{ type: "fileSeen", path: "src/main.ts" }]);
    expect((await called(read, { file_path: join(tmpdir(), "x") }, context)).code).toBe("denied");
  });

  it("is refused in those words, with its own example", async () => {
    const tools = await toolsOf("claude");
    const { root, context } = place();
    const edit = tools.get("Edit") as Tool;
    const wrong = await called(edit, { file_path: "src/sum.ts", old: "a" }, context);
    expect(wrong.text).toContain("`Edit`: `old_string` is missing");
    expect(wrong.text).toContain('call `Edit` again like {"file_path":');
    const change = { file_path: "src/main.ts", old_string: "1", new_string: "2" };
    const unread = await called(edit, change, context);
    expect(unread.text).toContain("`Read` it first");
    const empty = await called(edit, { ...change, old_string: "" }, context);
    expect(empty.text).toContain("create a file with `Write`");
    const many = await called(
      tools.get("Bash") as Tool,
      { command: "ls", timeout: 1, escalate: { kind: "network", why: "" } },
      context,
    );
    expect(many.text).toContain("`Bash`: `escalate.why` is empty");
    expect(contentOf(root, "src/main.ts")).toBe("export const main = 1;\n");
  });

  it("is told where to go on in the family's keys", async () => {
    const tools = await toolsOf("gemini");
    const { context } = place();
    const part = { file_path: "src/sum.ts", start_line: 1, end_line: 1 };
    const read = await called(tools.get("read_file") as Tool, part, context);
    expect(read.text).toContain("(2 more lines: read on with start_line: 2)");
    const missing = await called(tools.get("read_file") as Tool, { file_path: "no.ts" }, context);
    expect(missing.text).toContain("look for it with `glob`");
  });

  it("follows and ends a background command by Claude's two tools", async () => {
    const tools = await toolsOf("claude");
    const { context } = place();
    const bash = tools.get("Bash") as Tool;
    const asked = { command: "echo begun; sleep 100", run_in_background: true };
    const started = await called(bash, asked, context);
    expect(started.text).toContain("Follow or end it with `BashOutput`");
    const id = /job (\w+)/.exec(started.text)?.[1] ?? "";
    const output = tools.get("BashOutput") as Tool;
    await called(output, { bash_id: id, timeout: 100 }, context);
    const killed = await called(tools.get("KillShell") as Tool, { shell_id: id }, context);
    expect(killed.text).toContain("begun");
    expect(killed.outcome?.facts).toMatchObject([{ type: "commandEnded" }, { type: "jobEnded" }]);
  });

  it("fetches only what the user may be asked about", async () => {
    for (const [family, name] of [
      ["claude", "WebFetch"],
      ["gemini", "web_fetch"],
    ] as const) {
      const tool = (await toolsOf(family)).get(name) as Tool;
      const prepared = await tool.prepare(JSON.stringify(exampleOf(tool)), place().context);
      expect(prepared.ok && prepared.value.access).toMatchObject([{ kind: "fetch" }]);
    }
  });

  it("takes a patch free-form and as a function", async () => {
    const tool = (await toolsOf("gpt")).get("apply_patch") as Tool;
    const { input } = exampleOf(tool);
    for (const form of [input, { input }]) {
      const { root, context } = place();
      expect((await called(tool, form, context)).outcome?.failed).toBe(false);
      expect(contentOf(root, "src/sum.ts")).toContain("return a + b;");
    }
    const stars = String(input).replace("Begin Patch", "Begin Patch ***");
    const { context } = place();
    const wrong = await called(tool, stars, context);
    // https://github.com/lidge-jun/opencodex/issues/372
    expect(wrong.text).toContain("a patch begins with `*** Begin Patch`");
  });

  it("keeps a limit of the inner tool in the surface's words", async () => {
    const tool = (await toolsOf("claude")).get("BashOutput") as Tool;
    const far = await called(tool, { bash_id: "x".repeat(21) }, place().context);
    expect(far.text).toContain("`bash_id` must have at most 20 characters");
  });
});

/** The tool of each family that runs commands. */
const commanding: Record<Family, string> = {
  claude: "Bash",
  gpt: "shell_command",
  gemini: "run_shell_command",
  local: "run",
  other: "run",
};

describe("a command that wants the network", () => {
  it.each(families)(
    "names its hosts in the words of %s, and asks for just those",
    async (family) => {
      const tool = (await toolsOf(family)).get(commanding[family]);
      const hosts = ["registry.npmjs.org"];
      const escalate = { kind: "network", why: "to install", hosts };
      const flat = { escalate: escalate.kind, why: escalate.why, hosts };
      const input = { command: "npm install", ...(family === "local" ? flat : { escalate }) };
      const prepared = await tool?.prepare(JSON.stringify(input), place().context);
      expect(prepared).toMatchObject({ ok: true });
      expect(prepared?.ok && JSON.stringify(prepared.value.access)).toContain(hosts[0]);
    },
  );
});
