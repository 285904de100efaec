// Calls that real models got wrong, as threads of other agents and servers recorded them, each with
// its source: read where they have exactly one reading, otherwise answered with the right call.
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type InputForm, inputForm } from "#core/model/input.ts";
import { toolNamed } from "#core/model/repair.ts";

const text = z.string();
const whole = z.optional(z.int());
const flag = z.optional(z.boolean());
const edit = z.strictObject({ oldText: text, newText: text });
const todo = z.strictObject({ content: text, status: text });

/** The tools of those threads, as far as the calls show them. */
const tools: Record<string, InputForm<unknown>> = {
  read: form("read", z.strictObject({ filePath: text, offset: whole, limit: whole })),
  Read: form("Read", z.strictObject({ file_path: text, offset: whole, limit: whole })),
  path: form("path", z.strictObject({ path: text })),
  list: form("list", z.strictObject({ path: z.optional(text), limit: whole })),
  run: form("run", z.strictObject({ command: text, description: z.optional(text), bg: flag })),
  shell: form("shell", z.strictObject({ command: text, is_background: flag })),
  argv: form("argv", z.strictObject({ commands: z.array(text) })),
  edit: form("edit", z.strictObject({ path: text, edits: z.array(edit) })),
  todos: form("todos", z.strictObject({ todos: z.array(todo) })),
  write: form("write", z.strictObject({ path: text, content: text })),
  search: form("search", z.strictObject({ query: text, limit: whole, all: flag })),
  name: form("ExtractName", z.strictObject({ name: text })),
  facts: form(
    "facts",
    z.strictObject({ facts: z.array(z.strictObject({ key: text, quote: z.optional(text) })) }),
  ),
};

function form(name: string, input: Parameters<typeof inputForm>[0]["input"]): InputForm<unknown> {
  return inputForm({ name, about: "", input, example: {} });
}

const at = "https://github.com/";

/** Tool, what was sent, what it means, where it was seen. */
const readable: [string, string, object, string][] = [
  ["list", '"{ \\"limit\\": 2 }"', { limit: 2 }, "quarkiverse/quarkus-langchain4j/pull/2642"],
  [
    "search",
    '"{\\"query\\": \\"New York\\"}"',
    { query: "New York" },
    "huggingface/smolagents/pull/1003",
  ],
  [
    "todos",
    '{"todos": "[{\\"content\\": \\"写报告\\", \\"status\\": \\"pending\\"}]"}',
    { todos: [{ content: "写报告", status: "pending" }] },
    "Miso2233/SonettoHere/issues/319",
  ],
  [
    "todos",
    '{"todos":{"content":"Test todo","status":"pending"}}',
    { todos: [{ content: "Test todo", status: "pending" }] },
    "Miso2233/SonettoHere/issues/319",
  ],
  [
    "Read",
    '{"file_path":"a","offset":"50"}',
    { file_path: "a", offset: 50 },
    "anthropics/claude-code/issues/30197",
  ],
  [
    "read",
    '{"filePath":"AL/alphaLiquidatorV3.py","limit":"90","offset":"2490"}',
    { filePath: "AL/alphaLiquidatorV3.py", limit: 90, offset: 2490 },
    "anomalyco/opencode/issues/26870",
  ],
  [
    "Read",
    '{"file_path":"v.vue","offset":"-100"}',
    { file_path: "v.vue", offset: -100 },
    "MoonshotAI/kimi-code/issues/3381",
  ],
  [
    "shell",
    '{"command":"ping -c 4 192.168.5.123","is_background":"False"}',
    { command: "ping -c 4 192.168.5.123", is_background: false },
    "QwenLM/qwen-code/issues/633",
  ],
  [
    "search",
    '{"query":"a","all":"false"}',
    { query: "a", all: false },
    "tradesdontlie/tradingview-mcp/pull/528",
  ],
  [
    "edit",
    '{"edits":"{\\"newText\\": \\"GOODBYE world\\", \\"oldText\\": \\"hello     world\\"}","path":"/tmp/a"}',
    { path: "/tmp/a", edits: [{ newText: "GOODBYE world", oldText: "hello     world" }] },
    "earendil-works/pi/issues/7835",
  ],
  [
    "edit",
    '{"path":"a","edits":{"oldText":"x","newText":"y"}}',
    { path: "a", edits: [{ oldText: "x", newText: "y" }] },
    "earendil-works/pi/pull/8011",
  ],
  [
    "edit",
    '{"path":"file.txt","edits":["{\\"oldText\\":\\"a\\",\\"newText\\":\\"b\\"}"]}',
    { path: "file.txt", edits: [{ oldText: "a", newText: "b" }] },
    "earendil-works/pi/issues/8962",
  ],
  ["read", '{"file_path":"src/a.ts"}', { filePath: "src/a.ts" }, "Kilo-Org/kilocode/issues/12091"],
  [
    "search",
    '```json\n{"query":"paris"}\n```',
    { query: "paris" },
    "earendil-works/pi/issues/8858",
  ],
  [
    "Read",
    '{"file_path": "/home/zlaw/test.py"}</tool_call>',
    { file_path: "/home/zlaw/test.py" },
    "agentscope-ai/QwenPaw/issues/6363",
  ],
  [
    "path",
    '```json\n{"path": "a.txt"}\n```',
    { path: "a.txt" },
    "NousResearch/hermes-agent/pull/79333",
  ],
  ["list", '{"limit": 3}{"limit": 3}', { limit: 3 }, "simonw/llm/pull/1130"],
  ["path", '{"path":"1"}{"path":"1"}', { path: "1" }, "mudler/cogito/pull/66"],
  ["list", "", {}, "openai/openai-agents-js/issues/664"],
  ["list", "null", {}, "openclaw/openclaw/pull/72628"],
  ["list", '{"path":null}', {}, "modelcontextprotocol/inspector/issues/328"],
  [
    "facts",
    '{"facts":[{"key":"k","quote":null}]}',
    { facts: [{ key: "k" }] },
    "vierisid/jarvis/pull/199",
  ],
  [
    "write",
    '{"path":"a","content":"b",}',
    { path: "a", content: "b" },
    "dataelement/Clawith/pull/212",
  ],
  [
    "run",
    '{"arguments": "{\\"command\\":\\"echo hello\\"}"}',
    { command: "echo hello" },
    "vllm-project/vllm/pull/41531",
  ],
  [
    "run",
    '{"arguments": {"command": "ls -la"}}',
    { command: "ls -la" },
    "sgl-project/sglang/pull/38386",
  ],
  ["run", '{"input": {"command": "ls"}}', { command: "ls" }, "sgl-project/sglang/pull/39344"],
  [
    "run",
    '{"name":"run","arguments":{"command":"ls"}}',
    { command: "ls" },
    "ollama/ollama/pull/17486",
  ],
  [
    "write",
    '{"path":"a","content":"one\ntwo"}',
    { path: "a", content: "one\ntwo" },
    "minpeter/ai-sdk-tool-call-middleware/pull/300",
  ],
  [
    "edit",
    '{"path":"a","edits":[{"oldText":"\tx","newText":"y"}]}',
    { path: "a", edits: [{ oldText: "\tx", newText: "y" }] },
    "earendil-works/pi/issues/3637",
  ],
  [
    "shell",
    '{"command":"make","is_background":True}',
    { command: "make", is_background: true },
    "waybarrios/vllm-mlx/pull/64",
  ],
];

/** Tool, what was sent, what is said, where it was seen. */
const unreadable: [string, string, RegExp, string][] = [
  [
    "todos",
    "{\"todos\":\"['a', 'b']\"}",
    /`todos` must be an array/,
    "Miso2233/SonettoHere/issues/319",
  ],
  [
    "search",
    '{"query":"a","all":"0"}',
    /`all` must be a boolean/,
    "SWE-agent/SWE-agent/issues/1542",
  ],
  [
    "path",
    '{"filePath":"a"}',
    /`path` is missing.*unknown key `filePath`/,
    "cortexkit/aft/issues/148",
  ],
  ["Read", '{"path":"E:/x"}', /`file_path` is missing/, "7836246/cursor2api/issues/15"],
  ["path", '{"path": "a.txt"} trailing text', /not JSON/, "NousResearch/hermes-agent/pull/79333"],
  [
    "search",
    '{"query": "TO-DO", "limit": 10}\n\nI\'ll now search for the items.',
    /not JSON/,
    "librefang/librefang/pull/2995",
  ],
  [
    "search",
    '{"query":"works_at"}{"query":"ceo_of"}',
    /not JSON/,
    "NousResearch/hermes-agent/pull/26053",
  ],
  ["run", '{"arguments": "ls -la"}', /`command` is missing/, "sgl-project/sglang/pull/38386"],
  [
    "name",
    '{"name":"ExtractName","arguments":{"name":"John"}}',
    /unknown key `arguments`/,
    "ollama/ollama/issues/11805",
  ],
  ["run", '{"command": "', /not JSON/, "anomalyco/opencode/issues/42307"],
  [
    "write",
    '{"path":"a.md","content":"# Title\\n```sql',
    /not JSON/,
    "anomalyco/opencode/issues/11531",
  ],
  ["argv", '{"commands": ["npm install", "npm test"', /not JSON/, "cline/cline/issues/13001"],
  [
    "write",
    '{"path":"a.json","content":{"python":{"analysis":{}}}}',
    /`content` must be a string, not an object/,
    "QwenLM/qwen-code/issues/4791",
  ],
  ["search", "{'query': 'Warsaw'}", /not JSON/, "lablup/mlxcel/issues/1306"],
  [
    "argv",
    '{"commands":"echo hi"}',
    /`commands` must be an array/,
    "openai/openai-agents-python/issues/3091",
  ],
  [
    "run",
    '[{"command":"ls"}]',
    /must be a JSON object, not an array/,
    "NousResearch/hermes-agent/pull/14350",
  ],
];

/** What other programs spoilt by repairing it: right as it is. */
const untouched: [string, object, string][] = [
  ["run", { command: "true" }, "agno-agi/agno/issues/10459"],
  ["write", { path: "a", content: '[some-label]: {"foo":"bar"}' }, "epam/dm.ai/pull/461"],
  ["write", { path: "a", content: "ends with </tool_call>" }, "raullenchai/Rapid-MLX/issues/1515"],
  ["write", { path: "a", content: '{"a": 1}' }, "openclaw/openclaw/issues/102297"],
  ["search", { query: "what's the weather" }, "NousResearch/atropos/pull/479"],
  ["write", { path: "a", content: "" }, "openclaw/openclaw/pull/68637"],
];

const read = (tool: string, sent: string) => {
  const known = tools[tool];
  if (!known) throw new Error(`there is no sample of ${tool}`);
  return known.read(sent);
};

describe("a malformed call that was seen in the wild", () => {
  it.each(readable)("%s %s is read (%$)", (tool, sent, meant) => {
    const found = read(tool, sent);
    expect(found).toMatchObject({ ok: true, value: { input: meant } });
    expect(found.ok && found.value.input).toEqual(meant);
    expect(found.ok && found.value.repairs.length).toBeGreaterThan(0);
  });

  it.each(unreadable)("%s %s is answered (%$)", (tool, sent, said) => {
    const found = read(tool, sent);
    expect(found).toMatchObject({ ok: false, error: { code: "bad_input" } });
    expect(found.ok ? "" : found.error.say).toMatch(said);
    expect(found.ok ? "" : found.error.fix).toMatch(/^call `\w+` again like \{/);
  });

  it.each(untouched)("%s %j is taken as it is (%$)", (tool, sent) => {
    expect(read(tool, JSON.stringify(sent))).toEqual({
      ok: true,
      value: { input: sent, repairs: [] },
    });
  });

  it("is one of more than forty, each with its thread", () => {
    const all = [...readable, ...unreadable, ...untouched].map((row) => row.at(-1));
    expect(all.length).toBeGreaterThanOrEqual(40);
    for (const thread of all) {
      expect(URL.parse(`${at}${thread}`)?.pathname).toMatch(
        /^\/[\w.-]+\/[\w.-]+\/(issues|pull)\/\d+$/,
      );
    }
  });
});

describe("a tool called by a name that is not quite its own", () => {
  const names = ["read", "run", "shell_command", "Bash", "read_file", "glob"];

  it.each([
    ["functions.read", "read", "waybarrios/vllm-mlx/pull/50"],
    ["functions.read_file:3", "read_file", "vybestack/llxprt-code/issues/712"],
    ["shell_command<|channel|>commentary", "shell_command", "vllm-project/vllm/pull/35906"],
    ["Glob", "glob", "itayinbarr/little-coder/issues/34"],
    ["bash", "Bash", "leookun/cursor-byok/pull/384"],
  ])("%s is %s (%s)", (called, meant) => {
    expect(toolNamed(called, names)).toBe(meant);
  });

  it.each([
    ["", "tailcallhq/forgecode/issues/1141"],
    ["invalid", "anomalyco/opencode/issues/34071"],
    ["edit", "QwenLM/qwen-code/issues/2012"],
  ])("%j is none of them (%s)", (called) => {
    expect(toolNamed(called, names)).toBeUndefined();
  });

  it("may come with the name space that Gemini writes it in", () => {
    expect(toolNamed("default_api.read_file", names)).toBe("read_file");
  });

  it("is not chosen where two tools differ only in case", () => {
    expect(toolNamed("READ", ["read", "Read"])).toBeUndefined();
    expect(toolNamed("Read", ["read", "Read"])).toBe("Read");
  });
});
