// The configuration: each layer over the one before, a project that can only narrow, and no value
// that is silently not used.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allKeys, type ConfigKey, keys, loadConfig, nearest } from "#config";

const folder = mkdtempSync(join(tmpdir(), "aiex-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function load(layers: {
  user?: object | string;
  project?: object;
  env?: Record<string, string>;
  flags?: Partial<Record<ConfigKey, unknown>>;
}) {
  const { user = {}, project, env = {}, flags = {} } = layers;
  const file = join(folder, `${++count}.json`);
  writeFileSync(file, typeof user === "string" ? user : JSON.stringify(user));
  const given = project ? { file: "/p/.aiex/config.json", text: JSON.stringify(project) } : null;
  const sources = { env: { AIEX_CONFIG: file, AIEX_HOME: folder, ...env }, flags, project: given };
  return loadConfig(sources);
}

function settingOf(layers: Parameters<typeof load>[0], key: ConfigKey) {
  const loaded = load(layers);
  if (!loaded.ok) throw new Error(loaded.error.say);
  const setting = loaded.value.settings.get(key);
  return [setting?.value, setting?.from];
}

describe("layers", () => {
  it("flags stand over the environment, the environment over the user, the user over defaults", () => {
    const user = { mode: "plan" };
    const env = { AIEX_MODE: "read-only" };
    expect(settingOf({}, "mode")).toEqual(["ask", "default"]);
    expect(settingOf({ user }, "mode")).toEqual(["plan", "user"]);
    expect(settingOf({ user, env }, "mode")).toEqual(["read-only", "environment"]);
    expect(settingOf({ user, env, flags: { mode: "yes" } }, "mode")).toEqual(["yes", "flag"]);
  });

  it("an empty variable is as one that is not set", () => {
    expect(settingOf({ env: { AIEX_MODE: "" } }, "mode")).toEqual(["ask", "default"]);
  });
});

/** For each key a value of the user, and values that a project may and may not put in its place. */
const table: Record<ConfigKey, { user: unknown; may: unknown[]; mayNot: unknown[] }> = {
  model: { user: "openai/a", may: [], mayNot: ["openai/b"] },
  mode: { user: "ask", may: ["plan", "read-only"], mayNot: ["yes"] },
  sandbox: { user: "auto", may: [], mayNot: ["none"] },
  languageServers: { user: "asked", may: ["off"], mayNot: ["auto"] },
  "openai.baseUrl": { user: "https://a.test/v1", may: [], mayNot: ["https://evil.test/v1"] },
  "openai.apiKey": { user: "k1", may: [], mayNot: ["k2"] },
  "openai.dialect": { user: "chat", may: [], mayNot: ["responses"] },
  "anthropic.baseUrl": { user: "https://a.test", may: [], mayNot: ["https://evil.test"] },
  "anthropic.apiKey": { user: "k1", may: [], mayNot: ["k2"] },
  probe: { user: "first_use", may: [], mayNot: ["never"] },
  "compaction.summary": { user: "off", may: [], mayNot: ["session", "openai/b"] },
  "limits.contextTokens": { user: 1_000, may: [999], mayNot: [1_001] },
  "context.codeTokens": { user: 1_000, may: [], mayNot: [999, 1_001] },
  "limits.stepsPerTurn": { user: 10, may: [9], mayNot: [11] },
  "budget.userDollars": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.userTokens": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.dayDollars": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.dayTokens": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.sessionDollars": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.sessionTokens": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.childDollars": { user: 5, may: [4], mayNot: [6, 0] },
  "budget.childTokens": { user: 5, may: [4], mayNot: [6, 0] },
  "trees.keepDays": { user: 10, may: [], mayNot: [9, 11] },
  "trees.bytesMax": { user: 10, may: [], mayNot: [9, 11] },
  "deadlines.connectMs": { user: 10, may: [], mayNot: [9, 11] },
  "deadlines.firstTokenMs": { user: 10, may: [], mayNot: [9, 11] },
  "deadlines.silenceMs": { user: 10, may: [], mayNot: [9, 11] },
  "deadlines.idleMs": { user: 10, may: [], mayNot: [9, 11] },
  "deadlines.childMs": { user: 10, may: [9], mayNot: [11] },
  "deadlines.totalMs": { user: 10, may: [], mayNot: [9, 11] },
  models: { user: [], may: [], mayNot: [[{ name: "*", windowTokens: 1 }]] },
  routes: { user: [], may: [], mayNot: [[{ name: "fast", models: ["a/b"] }]] },
  fallback: { user: ["a/b"], may: [], mayNot: [[], ["c/d"]] },
  rates: { user: [], may: [], mayNot: [["documented"]] },
  providers: { user: [], may: [], mayNot: [[{ name: "evil", url: "https://evil.test/v1" }]] },
  keychain: { user: "auto", may: [], mayNot: ["none"] },
  verify: { user: ["a", "b"], may: [["b"]], mayNot: [[], ["c"], ["a", "c"]] },
  evidence: { user: "strict_tests_may_change", may: ["strict"], mayNot: ["shown"] },
  "audit.anchor": { user: "/mnt/a", may: [], mayNot: ["/mnt/b", ""] },
  rules: { user: [], may: [], mayNot: [[{ allow: "run" }]] },
};

describe("a project", () => {
  it("has a row in this table for every key there is", () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(keys).sort());
  });

  for (const key of allKeys) {
    const { user, may, mayNot } = table[key];
    it(`narrows ${key} at most, and what it may not is said`, () => {
      for (const value of may) {
        const layers = { user: { [key]: user }, project: { [key]: value } };
        expect(settingOf(layers, key)).toEqual([value, "project"]);
      }
      for (const value of mayNot) {
        const layers = { user: { [key]: user }, project: { [key]: value } };
        expect(settingOf(layers, key)).toEqual([user, "user"]);
        const loaded = load(layers);
        if (!loaded.ok) throw new Error(loaded.error.say);
        // Rules are handed on by themselves: they can only deny and ask.
        const said = key === "rules" ? loaded.value.projectRules : loaded.value.ignored;
        expect(said).toHaveLength(1);
      }
    });
  }

  it("sets a budget where the user set none", () => {
    const project = { "budget.dayDollars": 5 };
    expect(settingOf({ project }, "budget.dayDollars")).toEqual([5, "project"]);
  });

  it("narrows also what a flag or the environment set", () => {
    const project = { mode: "plan" };
    expect(settingOf({ project, flags: { mode: "yes" } }, "mode")).toEqual(["plan", "project"]);
    const env = { AIEX_MAX_STEPS: "5" };
    const wide = { "limits.stepsPerTurn": 50 };
    expect(settingOf({ project: wide, env }, "limits.stepsPerTurn")).toEqual([5, "environment"]);
  });
});

describe("what is wrong", () => {
  const cases: [string, Parameters<typeof load>[0], string][] = [
    ["an unknown key names the nearest", { user: { modle: "x" } }, "modle"],
    ["a key of every object is none of ours", { user: '{"__proto__": 1}' }, "__proto__"],
    ["a choice that there is not", { user: { mode: "root" } }, "one of ask"],
    ["a number that is none", { env: { AIEX_MAX_STEPS: "many" } }, "a number above 0"],
    ["a limit of nothing", { flags: { "limits.stepsPerTurn": 0 } }, "a number above 0"],
    ["a file that is not JSON", { user: "{" }, "is not JSON"],
    ["a file that is a list", { user: "[]" }, "one JSON object"],
  ];
  for (const [title, layers, said] of cases) {
    it(`${title} is refused with what to do`, () => {
      const loaded = load(layers);
      expect(loaded).toMatchObject({
        error: { code: "bad_input", say: expect.stringContaining(said) },
      });
      expect(!loaded.ok && loaded.error.fix).toBeTruthy();
    });
  }

  it("a file that is there and cannot be read is refused: its rules would not hold", () => {
    const env = { AIEX_CONFIG: folder, AIEX_HOME: folder };
    expect(loadConfig({ env, flags: {} })).toMatchObject({ error: { code: "bad_input" } });
  });

  it("no file at all is no failure", () => {
    const env = { AIEX_CONFIG: join(folder, "none.json"), AIEX_HOME: folder };
    expect(loadConfig({ env, flags: {} })).toMatchObject({ ok: true });
  });
});

it("the nearest name is what was meant, or nothing", () => {
  expect(nearest("sandbx", allKeys)).toBe("sandbox");
  expect(nearest("zzzzzz", allKeys)).toBeNull();
});
