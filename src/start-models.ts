// The models' part of the composition root: which settings, keys and lists the models in reach are
// made from. Everything of it is loaded when a model is first asked for.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "#app";
import type { Keychain, Keys } from "#boundary/keys.ts";
import { fileLeases } from "#boundary/lease/file.ts";
import type { ProbeStore } from "#boundary/models/probes.ts";
import type { Reach } from "#boundary/models/reach.ts";
import { type Config, type ConfigKey, numberSetting, textSetting } from "#config";
import { fail, ok, type Result } from "#core/failure.ts";
import { nanoOfNumber } from "#core/ledger/amount.ts";
import { type Budgets, budgetKinds } from "#core/ledger/budget.ts";
import type { Family } from "#core/model/catalog.ts";
import { familyOf } from "#core/model/family.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * How long a change of the kept keys waits for another one: for two answers of a keychain, each of
 * which may take 30 s. Milliseconds.
 */
const KEYS_WAIT_MS = 60_000;

/** The kept keys of this home, loaded when they are first wanted. */
export function keysOf(config: Config): Keys {
  let loading: Promise<Keys> | null = null;
  const folder = join(config.home, "keys");

  async function load(): Promise<Keys> {
    const [{ keysIn }, keychain] = await Promise.all([import("#boundary/keys.ts"), chain()]);
    return keysIn(folder, {
      keychain,
      leases: fileLeases(join(config.home, "leases")),
      patience: () => AbortSignal.timeout(KEYS_WAIT_MS),
      now: Date.now,
    });
  }

  async function chain(): Promise<Keychain | null> {
    if (textSetting(config, "keychain") === "none") return null;
    return (await import("#boundary/keychain.ts")).systemKeychain();
  }

  const keys = async () => {
    loading ??= load();
    return await loading;
  };
  return {
    set: async (provider, all) => await (await keys()).set(provider, all),
    remove: async (provider) => await (await keys()).remove(provider),
    list: async () => await (await keys()).list(),
    // Most homes keep no keys: then nothing of this is loaded.
    read: async (provider) => (existsSync(folder) ? await (await keys()).read(provider) : ok([])),
    rotate: async () => await (await keys()).rotate(),
  };
}

/** The models in reach, made when they are first wanted; a failure is a mistake in the lists. */
export function reachOf(parts: { config: Config; env: Env; keys: Keys; ephemeral: boolean }) {
  let loading: Promise<Result<Reach>> | null = null;

  async function load(): Promise<Result<Reach>> {
    const [{ readLists }, { modelsInReach }, { probeStore }] = await Promise.all([
      import("#core/model/settings.ts"),
      import("#boundary/models/reach.ts"),
      import("#boundary/models/probes.ts"),
    ]);
    const { config } = parts;
    const list = (key: ConfigKey) => config.settings.get(key)?.value;
    const lists = readLists({
      models: list("models"),
      routes: list("routes"),
      fallback: list("fallback"),
      rates: list("rates"),
      providers: list("providers"),
    });
    if (!lists.ok) return lists;
    return ok(
      modelsInReach({
        lists: lists.value,
        packages: join(config.home, "packages"),
        probes: parts.ephemeral ? forgetful : probeStore(join(config.home, "probes.json")),
        probing: textSetting(config, "probe") === "never" ? "never" : "first_use",
        settingsFor: (provider, keyName) => settingsFor(parts, provider, keyName),
      }),
    );
  }

  return async (): Promise<Result<Reach>> => {
    loading ??= load();
    return await loading;
  };
}

/** Keeps nothing of what probes found. */
const forgetful: ProbeStore = { get: async () => undefined, put: async () => ok() };

/** What the providers read, by the names of their environment variables. */
function modelSettings(config: Config, env: Env): Record<string, string | undefined> {
  const dialect = textSetting(config, "openai.dialect");
  const urlOf = (key: ConfigKey) =>
    config.settings.get(key)?.from === "default" ? "" : textSetting(config, key);
  return {
    ...env,
    OPENAI_API_KEY: textSetting(config, "openai.apiKey"),
    OPENAI_BASE_URL: urlOf("openai.baseUrl"),
    AIEX_OPENAI_DIALECT: dialect === "auto" ? "" : dialect,
    ANTHROPIC_API_KEY: textSetting(config, "anthropic.apiKey"),
    ANTHROPIC_BASE_URL: urlOf("anthropic.baseUrl"),
  };
}

/** The settings with a provider's key: the environment's or a flag's, else a kept one, else the file's. */
async function settingsFor(
  { config, env, keys }: { config: Config; env: Env; keys: Keys },
  provider: string,
  keyName: string,
): Promise<Result<Readonly<Record<string, string | undefined>>>> {
  const settings = modelSettings(config, env);
  const setting = config.settings.get(`${provider}.apiKey` as ConfigKey);
  const isNear = setting?.from === "flag" || setting?.from === "environment";
  if (isNear || env[keyName]) return ok(settings);
  const kept = await keys.read(provider);
  if (!kept.ok) return kept;
  return ok(kept.value.length === 0 ? settings : { ...settings, [keyName]: kept.value.join(",") });
}

/** The budgets that are set: 0 is none, and less than the smallest there is is the smallest. */
function budgetsIn(config: Config): Budgets {
  const atLeastOne = (n: number, whole: number) => (n > 0 ? Math.max(1, whole) : undefined);
  const set = budgetKinds.map((kind) => {
    const dollars = numberSetting(config, `budget.${kind}Dollars`);
    const count = numberSetting(config, `budget.${kind}Tokens`);
    const nanoDollars = atLeastOne(dollars, nanoOfNumber(dollars));
    const tokens = atLeastOne(count, Math.floor(count));
    return [kind, { nanoDollars, tokens }];
  });
  return Object.fromEntries(set);
}

/** What the door and the runner ask of the models in reach, apart from opening one. */
export const modelParts = (config: Config, reach: ReturnType<typeof reachOf>) => ({
  budgets: { set: budgetsIn(config), now: Date.now },
  defaultModel: () => defaultModel(config, reach),
  async familyOf(name: string): Promise<Family> {
    const models = await reach();
    return models.ok ? models.value.familyOf(name) : familyOf(name);
  },
  async modelsFor(name: string, use: "begin" | "next") {
    const models = await reach();
    return models.ok ? await models.value.modelsFor(name, use) : models;
  },
  async providerNames() {
    const models = await reach();
    return models.ok ? ok(models.value.providerNames) : models;
  },
  async models(signal: AbortSignal) {
    const models = await reach();
    return models.ok ? ok(await models.value.list(signal)) : models;
  },
  async probe(model: string, signal: AbortSignal) {
    const models = await reach();
    return models.ok ? await models.value.probe(model, signal) : models;
  },
});

/** The model of a session that names none: the configured one, or the first in reach. */
async function defaultModel(
  config: Config,
  reach: ReturnType<typeof reachOf>,
): Promise<Result<string>> {
  const named = textSetting(config, "model");
  if (named) return ok(named);
  const models = await reach();
  if (!models.ok) return models;
  const { found } = await models.value.discover(new AbortController().signal);
  const first = found.flatMap((one) => one.models)[0];
  return first ? ok(first) : noModel;
}

const noModel = fail("no_model", "no model is configured, and none is in reach", {
  fix: "set OPENAI_API_KEY or ANTHROPIC_API_KEY, or run `aiex auth set openai`, start Ollama or LM Studio, or name one: aiex config set model provider/name",
});

/** The model that answers; where there is none, every place that was looked at. */
export async function modelChecks(
  config: Config,
  reach: ReturnType<typeof reachOf>,
): Promise<Check[]> {
  const models = await reach();
  if (!models.ok) {
    const { say, fix } = models.error;
    return [{ name: "model", ok: false, say, ...(fix ? { fix } : {}) }];
  }
  const named = textSetting(config, "model");
  if (named) return await candidateChecks(models.value, named);
  const { found, looked } = await models.value.discover(new AbortController().signal);
  const [first] = found.flatMap((one) => one.models);
  if (first) return [{ name: "model", ok: true, say: first }];
  const { fix } = noModel.error;
  return looked.map(({ where, outcome }, i) => ({
    name: "model",
    ok: false,
    say: `${where}: ${outcome}`,
    ...(i === looked.length - 1 && fix ? { fix } : {}),
  }));
}

/** Each model that may be asked for this name, and whether it can be. */
async function candidateChecks(models: Reach, named: string): Promise<Check[]> {
  const names = await models.modelsFor(named, "next");
  const checks = (names.ok ? names.value : [named]).map(async (name): Promise<Check> => {
    const known = await models.check(name);
    if (known.ok) return { name: "model", ok: true, say: name };
    const { say, fix } = known.error;
    return { name: "model", ok: false, say: `${name}: ${say}`, ...(fix ? { fix } : {}) };
  });
  return await Promise.all(checks);
}
