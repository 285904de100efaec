// A model that speaks the tools of its family edits and runs a real file, through the real program
// and against the strict stub, which takes no malformed request.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { fieldsOf } from "#core/model/json.ts";
import { spoken } from "../peers/dialects.ts";
import { startStrictStub } from "../peers/strict.ts";
import type { Dialect } from "../peers/strict-answers.ts";
import { desk, eventsOf, modelAt } from "./kit.ts";

const files = {
  "package.json": '{"type":"module"}',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "sum.test.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { sum } from "./sum.js";\ntest("sum", () => assert.equal(sum(2, 3), 5));\n',
};

type Called = NonNullable<ScriptedAnswer["calls"]>[number];

const families: [family: string, model: string, dialect: Dialect, calls: Called[]][] = [
  [
    "claude",
    "claude-sonnet-4-5",
    "messages",
    [
      { tool: "Read", input: { file_path: "sum.js" } },
      { tool: "Edit", input: { file_path: "sum.js", old_string: "a - b", new_string: "a + b" } },
      { tool: "Bash", input: { command: "node --test", description: "Run the test" } },
    ],
  ],
  [
    "gemini",
    "gemini-2.5-pro",
    "chat",
    [
      { tool: "default_api.read_file", input: { file_path: "sum.js" } },
      {
        tool: "replace",
        input: {
          file_path: "sum.js",
          instruction: "Add.",
          old_string: "a - b",
          new_string: "a + b",
        },
      },
      { tool: "run_shell_command", input: { command: "node --test" } },
    ],
  ],
  [
    "gpt",
    "gpt-5.1-codex",
    "responses",
    [
      { tool: "shell_command", input: { command: "sed -n 1,20p sum.js" } },
      {
        tool: "apply_patch",
        input:
          "*** Begin Patch\n*** Update File: sum.js\n@@\n-export const sum = (a, b) => a - b;\n+export const sum = (a, b) => a + b;\n*** End Patch\n",
      },
      { tool: "shell_command", input: { command: "node --test" } },
    ],
  ],
  [
    "local",
    "qwen2.5-coder-7b",
    "chat",
    [
      { tool: "read", input: '```json\n{"path": "sum.js"}\n```' },
      { tool: "edit", input: { path: "sum.js", old: "a - b", new: "a + b" } },
      { tool: "run", input: { command: "node --test", seconds: "60" } },
    ],
  ],
];

it.each(families)("aiex ask with a %s model (%s)", async (_, model, dialect, calls) => {
  const answers: ScriptedAnswer[] = calls.map((call) => ({ calls: [call] }));
  const stub = await startStrictStub({ script: { answers: [...answers, { text: "Fixed." }] } });
  onTestFinished(() => stub.close());
  const { aiex, folder } = desk(files, {
    ...modelAt(stub.url, dialect),
    AIEX_MODEL: `${spoken[dialect].provider}/${model}`,
  });
  expect((await aiex("trust")).code).toBe(0);
  const ran = await aiex("ask", "--yes", "--json", "fix the sum");
  expect([ran.code, stub.malformed()]).toEqual([0, []]);
  const text = readFileSync(join(folder, "sum.js"), "utf8");
  expect(text).toBe("export const sum = (a, b) => a + b;\n");
  const events = eventsOf(ran.out);
  const of = (type: string) =>
    events.flatMap((event) => (event.type === type ? [fieldsOf(event.body)] : []));
  const ends = of("ToolFinished").map(({ end }) => end);
  expect(ends).toEqual(["ok", "ok", "ok"]);
  const asked = of("ToolStarted").map(({ tool }) => tool);
  expect(asked).toEqual(calls.map(({ tool }) => tool));
});
