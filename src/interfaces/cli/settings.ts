// The configuration as the `config` commands see it: every layer of a key, and the user's file.
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import {
  allKeys,
  type Config,
  type ConfigKey,
  keys,
  type Layer,
  loadConfig,
  nearest,
  readLayer,
  userFileOf,
} from "#config";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { projectOf } from "#interfaces/cli/open.ts";

type Definition = {
  about: string;
  kind: string;
  env?: readonly string[];
  choices?: readonly string[];
  secret?: boolean;
};

export const definitionOf = (key: ConfigKey): Definition => keys[key];

/** The key that was typed, or what is wrong with it. */
export function keyNamed(typed: string): Result<ConfigKey> {
  if (Object.hasOwn(keys, typed)) return ok(typed as ConfigKey);
  const near = nearest(typed, allKeys);
  return fail("bad_input", `there is no configuration key "${typed}"`, {
    fix: near ? `did you mean "${near}"?` : "`aiex config list` shows all keys",
  });
}

/** What holds in this folder. The door is opened only where a project could have a say. */
export async function configHere(cli: Cli): Promise<Result<Config>> {
  if (!projectOf(cli.folder)) return loadConfig({ env: cli.env, flags: {} });
  const opened = await cli.open();
  return opened.ok ? ok(opened.value.config) : opened;
}

/** A value on one line; a secret only as being set. */
export function valueText(key: ConfigKey, value: unknown): string {
  if (definitionOf(key).secret) return value ? "(set, not shown)" : "(not set)";
  if (value === "") return "(not set)";
  return reveal(typeof value === "string" ? value : JSON.stringify(value, unsecret));
}

/** Options of a provider may hold a key or a header, a URL a password: only their names are shown. */
function unsecret(name: string, value: unknown): unknown {
  if (name === "options" && typeof value === "object" && value !== null) return Object.keys(value);
  const url = name === "url" && typeof value === "string" ? URL.parse(value) : null;
  return url?.password ? `${url.protocol}//${url.host}${url.pathname}` : value;
}

export type LayerValue = { layer: Layer; where: string; value: unknown };

/** Every layer's value of a key, the weakest first; layers that say nothing are left out. */
export function layersOf(config: Config, key: ConfigKey, cli: Cli): LayerValue[] {
  const found: LayerValue[] = [{ layer: "default", where: "", value: keys[key].fallback }];
  const user = layerFile(config.userFile, key);
  if (user) found.push({ layer: "user", ...user });
  const project = projectOf(cli.folder);
  const layer = project ? readLayer(project.text, project.file) : null;
  if (project && layer?.ok && layer.value.has(key)) {
    found.push({ layer: "project", where: project.file, value: layer.value.get(key) });
  }
  for (const name of definitionOf(key).env ?? []) {
    const value = cli.env[name];
    if (value) found.push({ layer: "environment", where: `$${name}`, value });
  }
  return found;
}

function layerFile(file: string, key: ConfigKey): { where: string; value: unknown } | null {
  const layer = readLayer(readText(file), file);
  return layer.ok && layer.value.has(key) ? { where: file, value: layer.value.get(key) } : null;
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Changes one key of the user's file: a new file that replaces the old one whole, readable by the
 * user alone. A link is followed, so that a configuration kept elsewhere stays there.
 */
export function writeSetting(env: Cli["env"], key: ConfigKey, value: unknown): Result<string> {
  const named = userFileOf(env);
  let scratch: string | null = null;
  try {
    mkdirSync(dirname(named), { recursive: true, mode: 0o700 });
    const text = readText(named);
    const layer = readLayer(text, named);
    if (!layer.ok) return layer;
    const file = text === null ? named : realpathSync(named);
    const settings = new Map<string, unknown>(layer.value);
    if (value === undefined) settings.delete(key);
    else settings.set(key, value);
    scratch = join(dirname(file), `.config-${randomUUID()}.json`);
    const written = `${JSON.stringify(Object.fromEntries(settings), null, 2)}\n`;
    writeFileSync(scratch, written, { mode: 0o600, flag: "wx", flush: true });
    chmodSync(scratch, 0o600);
    renameSync(scratch, file);
    return ok(file);
  } catch (error) {
    if (scratch) rmSync(scratch, { force: true });
    return unwritable(named, error);
  }
}

const unwritable = (file: string, error: unknown): Failed =>
  fail("storage", `${file} cannot be written: ${(error as Error).message}`, {
    fix: "check who owns it and its folder",
  });
