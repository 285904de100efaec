// Configuration: a table of keys, five layers (defaults, user, project, environment, flags), one
// frozen value. Each value knows where it came from. A project may only narrow what the user set:
// keys that could widen power or reach (a URL, a model, a sandbox) are the user's alone.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { type Key, keyTable } from "./config-keys.ts";

export type Layer = "default" | "user" | "project" | "environment" | "flag";

/** Every key there is. What is not here is an error that names the nearest key. */
export const keys = keyTable;

export type ConfigKey = keyof typeof keys;
export type Setting = { key: ConfigKey; value: unknown; from: Layer; where: string };

/** All settings, and the narrowing that a project tried and was not allowed. */
export type Config = {
  home: string;
  userFile: string;
  settings: ReadonlyMap<ConfigKey, Setting>;
  ignored: readonly { key: string; where: string; why: string }[];
  /** Rules of the project's file; they can only deny and ask. */
  projectRules: readonly unknown[];
};

export type Sources = {
  env: Readonly<Record<string, string | undefined>>;
  flags: Readonly<Partial<Record<ConfigKey, unknown>>>;
  /** Text of the project's file, where the location is trusted; else null. */
  project?: { file: string; text: string } | null;
};

/** Aiex's own folder: the log, blobs, leases. */
export function homeOf(env: Sources["env"]): string {
  if (env.AIEX_HOME) return env.AIEX_HOME;
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state"), "aiex");
}

export function userFileOf(env: Sources["env"]): string {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  return env.AIEX_CONFIG || join(folder, "aiex", "config.json");
}

export function loadConfig(sources: Sources): Result<Config> {
  const userFile = userFileOf(sources.env);
  const settings = new Map<ConfigKey, Setting>();
  const ignored: { key: string; where: string; why: string }[] = [];
  for (const key of allKeys) {
    settings.set(key, { key, value: keys[key].fallback, from: "default", where: "" });
  }
  const text = textOf(userFile);
  if (!text.ok) return text;
  const user = readLayer(text.value, userFile);
  if (!user.ok) return user;
  const project = sources.project
    ? readLayer(sources.project.text, sources.project.file)
    : ok(new Map<ConfigKey, unknown>());
  if (!project.ok) return project;
  const environment = environmentLayer(sources.env);
  if (!environment.ok) return environment;
  for (const [key, value] of user.value)
    settings.set(key, { key, value, from: "user", where: userFile });
  for (const { key, value, where } of environment.value) {
    settings.set(key, { key, value, from: "environment", where });
  }
  for (const [key, value] of Object.entries(sources.flags) as [ConfigKey, unknown][]) {
    const bad = faultOf(key, value, `--${key}`);
    if (bad) return bad;
    settings.set(key, { key, value, from: "flag", where: "the command line" });
  }
  const where = sources.project?.file ?? "";
  const projectRules = project.value.get("rules");
  project.value.delete("rules");
  for (const [key, value] of project.value) {
    const before = settings.get(key)?.value;
    const { narrower } = keys[key] as Key;
    if (narrower?.(value, before)) settings.set(key, { key, value, from: "project", where });
    else if (value !== before)
      ignored.push({ key, where, why: whyIgnored(narrower !== undefined) });
  }
  return ok(
    Object.freeze({
      home: homeOf(sources.env),
      userFile,
      settings,
      ignored,
      projectRules: Array.isArray(projectRules) ? projectRules : [],
    }),
  );
}

const whyIgnored = (mayNarrow: boolean): string =>
  mayNarrow
    ? "a project may only narrow what the user set"
    : "only the user may set this, not a project";

export const allKeys = Object.keys(keys) as ConfigKey[];
const isKey = (key: string): key is ConfigKey => Object.hasOwn(keys, key);

/** A value of the configuration, as its key's kind. */
export const textSetting = (config: Config, key: ConfigKey): string =>
  String(config.settings.get(key)?.value ?? "");
export const numberSetting = (config: Config, key: ConfigKey): number =>
  Number(config.settings.get(key)?.value);

/** The text of a file, or null where there is none. One that cannot be read may hold rules: it fails. */
function textOf(file: string): Result<string | null> {
  try {
    return ok(readFileSync(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return ok(null);
    return fail("bad_input", `${file} cannot be read: ${message}`, {
      fix: "make it readable, or name another with AIEX_CONFIG",
    });
  }
}

/** Reads one file: a JSON object of keys, dotted as in the table. */
export function readLayer(text: string | null, file: string): Result<Map<ConfigKey, unknown>> {
  if (text === null || text.trim() === "") return ok(new Map());
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return fail("bad_input", `${file} is not JSON: ${(error as Error).message}`, {
      fix: "correct it, or remove it and use `aiex config set`",
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return fail("bad_input", `${file} must hold one JSON object`, { fix: "for example {}" });
  }
  const found = new Map<ConfigKey, unknown>();
  for (const [key, value] of Object.entries(parsed)) {
    const bad = faultOf(key, value, file);
    if (bad) return bad;
    found.set(key as ConfigKey, value);
  }
  return ok(found);
}

function environmentLayer(env: Sources["env"]) {
  const found: { key: ConfigKey; value: unknown; where: string }[] = [];
  for (const key of allKeys) {
    const definition: Key = keys[key];
    for (const name of definition.env ?? []) {
      const text = env[name];
      if (text === undefined || text === "") continue;
      const value = parseValue(key, text);
      const bad = faultOf(key, value, `$${name}`);
      if (bad) return bad;
      found.push({ key, value, where: `$${name}` });
    }
  }
  return ok(found);
}

/** A value as it is typed: a number where the key wants one, JSON for lists, else the text. */
export function parseValue(key: string, text: string): unknown {
  if (!isKey(key)) return text;
  if (keys[key].kind === "number") return text.trim() === "" ? Number.NaN : Number(text);
  if (keys[key].kind !== "list") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What is wrong with a key or its value, or null. */
export function faultOf(key: string, value: unknown, where?: string): Failed | null {
  const at = where === undefined ? "" : `${where}: `;
  if (!isKey(key)) {
    const near = nearest(key, allKeys);
    return fail("bad_input", `${at}there is no configuration key "${key}"`, {
      fix: near ? `did you mean "${near}"?` : "`aiex config list` shows all keys",
    });
  }
  const { kind, choices }: Key = keys[key];
  const say = (wanted: string) =>
    fail("bad_input", `${at}${key} must be ${wanted}, not ${JSON.stringify(value)}`, {
      fix: `for example: aiex config set ${key} ${JSON.stringify(keys[key].fallback)}`,
    });
  if (kind === "number") {
    const isNone = value === 0 && keys[key].fallback === 0;
    return isNone || (typeof value === "number" && Number.isFinite(value) && value > 0)
      ? null
      : say("a number above 0");
  }
  if (kind === "list") return Array.isArray(value) ? null : say("a list");
  if (typeof value !== "string") return say("text");
  return choices && !choices.includes(value) ? say(`one of ${choices.join(", ")}`) : null;
}

/** The candidate that differs least from what was typed, if it is close enough to be meant. */
export function nearest(typed: string, candidates: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const name of candidates) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (!best || distance < best.distance) best = { name, distance };
  }
  return best && best.distance <= Math.max(2, typed.length / 3) ? best.name : null;
}

/** Insertions, deletions and replacements between two short texts (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
