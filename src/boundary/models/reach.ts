// The models in reach of this node: names become ports behind the gateway, routes become orders,
// facts are gathered from the catalog, the server and the user. Keys are read when a model is opened,
// so that one that was just set counts at once.
import type { Answers, ModelRow, Probe } from "#app";
import { type Discovery, discover, listed, PROBE_FAR_MS } from "#boundary/models/discover.ts";
import { type Gateway, gateway, type Way } from "#boundary/models/gateway.ts";
import {
  describeModel,
  describeOwn,
  type ModelSettings,
  type OpenedModel,
  openModel,
  openOwn,
  providers,
  throughText,
} from "#boundary/models/index.ts";
import { type Known, knownModelsOf } from "#boundary/models/known.ts";
import { DESCRIBE_MS, type Description } from "#boundary/models/lookup.ts";
import type { ProbeStore } from "#boundary/models/probes.ts";
import type { ModelOpened, OpenOptions } from "#boundary/turn/parts.ts";
import { until } from "#boundary/until.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { type Facts, type Family, factsOf, fits, type ModelFacts } from "#core/model/catalog.ts";
import { familyOf } from "#core/model/family.ts";
import type { Rate } from "#core/model/limits.ts";
import { type Candidate, routeOrder } from "#core/model/route.ts";
import type { ModelLists, ProviderSetting } from "#core/model/settings.ts";

/** Keys of one provider, at most. */
const KEYS_MAX = 16;
/** Models of servers on this machine that are described for a list. */
const DESCRIBED_MAX = 30;

/** Models remembered as opened before. */
const USED_MAX = 1_000;

export type ReachParts = {
  lists: ModelLists;
  /**
   * The settings with the key of this provider in its place: environment, kept keys, configuration,
   * in this order. Several keys stand there separated by commas.
   */
  settingsFor(provider: string, keyName: string): Promise<Result<ModelSettings>>;
  /** Where the user's own packages are, for providers of the AI SDK. */
  packages: string;
  /** Where what probes found is kept. */
  probes: ProbeStore;
  /** Whether a model of this machine is probed when it is first used and nothing is known. */
  probing: "first_use" | "never";
  random?: () => number;
  /** Monotonic milliseconds, for how long a server's word counts. */
  nowMs?: () => number;
};

export type Reach = {
  readonly providerNames: readonly string[];
  /** Opens `provider/model` behind the gateway. */
  open(name: string, options: OpenOptions): Promise<Result<ModelOpened & Facts>>;
  /** Whether a model can be opened, without asking its server anything. */
  check(name: string): Promise<Result<void>>;
  /** The family of a model, or of the first of a route, as far as that is known without asking. */
  familyOf(name: string): Family;
  /** The models behind a name in the order to ask them; `begin` counts as a turn of its round. */
  modelsFor(name: string, use: "begin" | "next"): Promise<Result<readonly string[]>>;
  list(signal: AbortSignal): Promise<Answers["Models"]>;
  probe(name: string, signal: AbortSignal): Promise<Result<Probe>>;
  discover(signal: AbortSignal): Promise<Discovery>;
};

type Opened = {
  all: [OpenedModel, ...OpenedModel[]];
  rate: Rate;
  isLocal: boolean;
  /** Whether it is worth a probe: it runs at the user's, and hardly anybody knows it. */
  isHome: boolean;
  /** Its server said what it knows, now or before. */
  isAsked: boolean;
} & Facts;

const wayOf = ({ port, account }: OpenedModel): Way => ({ port, account });
const waysOf = ([first, ...others]: Opened["all"]): [Way, ...Way[]] => [
  wayOf(first),
  ...others.map(wayOf),
];

export function modelsInReach(parts: ReachParts): Reach {
  const { lists, random = Math.random, nowMs = () => performance.now() } = parts;
  const way: Gateway = gateway({ random });
  const rounds = new Map<string, number>();
  /** Models that were opened before. */
  const used = new Set<string>();
  const known: Known = knownModelsOf({
    probes: parts.probes,
    nowMs,
    describeMs: DESCRIBE_MS,
  });

  /**
   * `ask`: the model's server is asked what it knows of it, unless it was lately; as long as the
   * signal wants to wait for it.
   */
  async function opened(
    name: string,
    ask: "ask" | "kept",
    signal: AbortSignal = always,
  ): Promise<Result<Opened>> {
    const provider = name.slice(0, Math.max(0, name.indexOf("/")));
    const own = lists.providers.find((setting) => setting.name === provider);
    if (!own && !Object.hasOwn(providers, provider)) return noSuchName(name, lists);
    const all = await until(withEachKey(name, provider, own), signal);
    if (!all) return fail("cancelled", `opening ${name} was called off`);
    if (!all.ok) return all;
    const { models, describe } = all.value;
    const host = URL.parse(models[0].url ?? "")?.hostname;
    const elsewhere = host !== undefined && host !== makers[provider];
    const said =
      ask === "ask" ? await known.said(name, describe, signal) : ok(known.saidBefore(name));
    if (!said.ok) return said;
    const { facts: server, isWhole: isAsked } = said.value;
    const facts = factsOf(name, { server, user: lists.models, elsewhere });
    const isLocal = host === undefined ? provider === "scripted" : isLoopback(host);
    const isHome = host !== undefined && (isLocal || atHome.has(provider));
    return ok({ all: models, rate: rateOf(name), isLocal, isHome, isAsked, ...facts });
  }

  /** A model as one, behind the gateway. */
  const guarded = ({ all, rate }: Opened): OpenedModel => ({
    ...all[0],
    port: way.through(waysOf(all), rate),
  });

  /** With what is known of how it calls tools; and what was found. */
  async function asItCalls(
    model: Opened,
    options: OpenOptions,
  ): Promise<Opened & { found?: string }> {
    const { all, facts, sources } = model;
    const [first] = all;
    const kept = sources.calls === "user" ? undefined : await known.kept(first, facts);
    const isAsked = facts.calls === undefined && model.isHome && parts.probing === "first_use";
    const probed =
      kept ?? (isAsked ? await known.probed(guarded(model), facts, options) : undefined);
    const calls = probed?.calls ?? facts.calls;
    if (calls === undefined) return model;
    const as = { ...model, facts: { ...facts, calls } };
    // What is as it should be is said once, when it was found.
    if (calls === "native") return kept || !probed ? as : { ...as, found: probed.say };
    const byServer = `its server says that ${first.model} calls no tools; they go through its text`;
    const found = probed?.say ?? (sources.calls === "server" ? byServer : undefined);
    return { ...as, ...(found ? { found } : {}) };
  }

  /** Opens a model once for each key of its provider; once where there is none. */
  async function withEachKey(
    name: string,
    provider: string,
    own: ProviderSetting | undefined,
  ): Promise<Result<{ models: Opened["all"]; describe: Describe }>> {
    const keyName = own?.key ?? keyNameOf(provider);
    const settings = await parts.settingsFor(provider, keyName);
    if (!settings.ok) return settings;
    const [firstKey = "", ...otherKeys] = keysIn(settings.value[keyName]);
    if (otherKeys.length >= KEYS_MAX) {
      return fail("too_large", `${keyName} holds more than ${KEYS_MAX} keys`);
    }
    const id = name.slice(provider.length + 1);
    const withKey = (key: string) =>
      own
        ? openOwn(own, { model: id, apiKey: key, packages: parts.packages })
        : openModel(name, { ...settings.value, [keyName]: key });
    const describe: Describe = (signal) =>
      own
        ? describeOwn(own, { model: id, apiKey: firstKey }, signal)
        : describeModel(name, { ...settings.value, [keyName]: firstKey }, signal);
    const first = await withKey(firstKey);
    if (!first.ok) return first;
    const models: Opened["all"] = [first.value];
    for (const key of otherKeys) {
      const one = await withKey(key);
      if (!one.ok) return one;
      // The same account twice is one: a token counts more than any key.
      if (models.every(({ account }) => account !== one.value.account)) models.push(one.value);
    }
    return ok({ models, describe });
  }

  const rateOf = (name: string): Rate =>
    Object.assign(
      {},
      ...lists.rates.filter(({ models }) => fits(models, name)).map(({ rate }) => rate),
    );

  async function candidate(name: string): Promise<Candidate> {
    const model = await opened(name, "kept");
    if (!model.ok) return { name, isLocal: false, waitMs: Number.POSITIVE_INFINITY, open: 0 };
    const { all, rate, isLocal } = model.value;
    const health = way.health(all[0].model, waysOf(all), rate);
    const waitMs = Math.min(...health.map((one) => one.waitMs));
    return { name, isLocal, waitMs, open: health.reduce((sum, { open }) => sum + open, 0) };
  }

  async function inReach(
    name: string,
    by: string,
    { ask, signal }: { ask: "ask" | "kept"; signal: AbortSignal },
  ): Promise<ModelRow> {
    const model = await opened(name, ask, signal);
    if (!model.ok) return { name, by, ways: [], why: model.error.say, ...userFacts(name) };
    const { all, rate, facts, sources } = model.value;
    return { name, by, ways: way.health(all[0].model, waysOf(all), rate), facts, sources };
  }

  const userFacts = (name: string) => factsOf(name, { user: lists.models });

  async function discovered(signal: AbortSignal): Promise<Discovery> {
    const settings = await parts.settingsFor("openai", "OPENAI_API_KEY");
    const anthropic = await parts.settingsFor("anthropic", "ANTHROPIC_API_KEY");
    const [OPENAI_API_KEY = ""] = settings.ok ? keysIn(settings.value.OPENAI_API_KEY) : [];
    const [ANTHROPIC_API_KEY = ""] = anthropic.ok ? keysIn(anthropic.value.ANTHROPIC_API_KEY) : [];
    const firsts = { OPENAI_API_KEY, ANTHROPIC_API_KEY };
    const [builtIn, ...own] = await Promise.all([
      discover({ ...(settings.ok ? settings.value : {}), ...firsts }, signal),
      ...lists.providers.flatMap((one) => (one.kind === "url" ? [ownListed(one, signal)] : [])),
    ]);
    return {
      found: [...builtIn.found, ...own.flatMap(({ found }) => found)],
      looked: [...builtIn.looked, ...own.flatMap(({ looked }) => looked)],
    };
  }

  async function ownListed(
    { name, url, key }: Extract<ProviderSetting, { kind: "url" }>,
    signal: AbortSignal,
  ): Promise<Discovery> {
    const keyName = key ?? keyNameOf(name);
    const settings = await parts.settingsFor(name, keyName);
    const [apiKey = ""] = settings.ok ? keysIn(settings.value[keyName]) : [];
    const where = `${name} (${URL.parse(url)?.host ?? "no URL"})`;
    const ids = await listed(url, signal, { ms: PROBE_FAR_MS, apiKey });
    if (typeof ids === "string") return { found: [], looked: [{ where, outcome: ids }] };
    const models = ids.map((id) => `${name}/${id}`);
    const looked = [{ where, outcome: `${ids.length} models` }];
    return { found: [{ provider: name, by: where, models }], looked };
  }

  /**
   * The first request of a session fits any window, so it does not wait for a server's word: that is
   * asked for with the second. Unless the request itself goes by it (Ollama's window), or nobody
   * knows yet how the model calls tools.
   */
  async function firstOpened(name: string, signal: AbortSignal): Promise<Result<Opened>> {
    const isSecond = used.has(name);
    if (used.size >= USED_MAX) used.clear();
    used.add(name);
    if (isSecond || atHome.has(name.split("/")[0] ?? "")) {
      return await opened(name, "ask", signal);
    }
    const model = await opened(name, "kept", signal);
    if (!model.ok || !model.value.isHome || parts.probing === "never") return model;
    const [first] = model.value.all;
    const isKept = await known.kept(first, model.value.facts);
    return isKept ? model : await opened(name, "ask", signal);
  }

  async function open(name: string, options: OpenOptions): Promise<Result<ModelOpened & Facts>> {
    const { signal } = options;
    const model = await firstOpened(name, signal);
    if (!model.ok) return model;
    const asItIs = await asItCalls(model.value, options);
    if (signal.aborted) return fail("cancelled", `opening ${name} was called off`);
    const { facts, sources, found, isAsked } = asItIs;
    // What is wrong with a call in the text is the model's own doing, and no illness of its endpoint:
    // so it is read out before the gateway.
    const one = guarded(asItIs);
    const { model: id, deadlines, port } = facts.calls === "text" ? await throughText(one) : one;
    return ok({
      port,
      model: id,
      deadlines,
      facts: sources.outputTokensMax === "catalog" ? withoutMost(facts) : facts,
      sources,
      ...(isAsked ? {} : { unasked: true as const }),
      ...(found === undefined ? {} : { found }),
    });
  }

  async function probeOf(name: string, signal: AbortSignal): Promise<Result<Probe>> {
    const model = await opened(name, "ask", signal);
    if (!model.ok) return model;
    const { facts, sources } = model.value;
    const { found, usage, ms } = await known.probe(guarded(model.value), facts, signal);
    const outcome = found.ok ? found.value : { failure: found.error };
    return ok({ model: name, ms, usage, facts, sources, ...outcome });
  }

  return {
    providerNames: [...Object.keys(providers), ...lists.providers.map((one) => one.name)],
    open,
    async check(name) {
      const model = await opened(name, "kept");
      return model.ok ? ok() : model;
    },
    probe: probeOf,
    familyOf(name) {
      const [first = name] = lists.routes.find((one) => one.name === name)?.models ?? [];
      return familyOf(first, userFacts(first).facts);
    },
    async modelsFor(name, use) {
      const route = lists.routes.find((one) => one.name === name);
      if (!route) return ok([...new Set([name, ...lists.fallback])]);
      const round = rounds.get(name) ?? 0;
      if (use === "begin") rounds.set(name, round + 1);
      const candidates = await Promise.all(route.models.map(candidate));
      const { strategy } = route;
      const ordered = routeOrder(candidates, { strategy, round, random });
      return ok([...new Set([...ordered.map((one) => one.name), ...lists.fallback])]);
    },
    discover: discovered,
    async list(signal) {
      const { found, looked } = await discovered(signal);
      const names = new Map(
        found.flatMap(({ models, by }) => models.map((name) => [name, by] as const)),
      );
      const named = [...lists.routes.flatMap(({ models }) => models), ...lists.fallback];
      for (const name of named) if (!names.has(name)) names.set(name, "your configuration");
      const near = [...names.keys()].filter((name) => atHome.has(name.split("/")[0] ?? ""));
      const described = new Set(near.slice(0, DESCRIBED_MAX));
      const models = await Promise.all(
        [...names].map(([name, by]) =>
          inReach(name, by, { ask: described.has(name) ? "ask" : "kept", signal }),
        ),
      );
      return { models, routes: lists.routes, looked };
    },
  };
}

/** Of one who waits as long as it takes; each part of it has its own bound. */
const always = new AbortController().signal;

type Describe = (signal: AbortSignal) => Promise<Result<Description>>;

/** Providers that are programs of the user's own, wherever they run. */
const atHome: ReadonlySet<string> = new Set(["ollama", "lmstudio"]);

/**
 * What a model can write at most is no limit that anybody set, and some providers count what is
 * asked for against the rate: only the user's word is sent.
 */
const withoutMost = ({ outputTokensMax: _, ...facts }: ModelFacts): ModelFacts => facts;

/** Hosts of the makers whose prices the catalog has. */
const makers: Readonly<Record<string, string>> = {
  openai: "api.openai.com",
  anthropic: "api.anthropic.com",
};

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127\./.test(host);

/** The variable that holds a provider's key where its configuration names none. */
export const keyNameOf = (provider: string): string =>
  `${provider.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_API_KEY`;

/** Keys in a text: separated by commas; none where there is nothing. */
export const keysIn = (text = ""): string[] =>
  text
    .split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "");

function noSuchName(name: string, { routes, providers: own }: ModelLists): Failed {
  const known = [...Object.keys(providers), ...own.map((one) => one.name)];
  const also = routes.length > 0 ? `, or a route: ${routes.map((one) => one.name).join(", ")}` : "";
  return fail("bad_input", `"${name}" names no model`, {
    fix: `write provider/model, with one of ${known.join(", ")}${also}`,
  });
}
