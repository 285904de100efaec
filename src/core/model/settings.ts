// What a user configures about models, read from the lists of the configuration: facts, routes, the
// chain of fallbacks, rates, providers. Whatever does not fit is a failure that names its place; a
// list that was read is safe to use without further checks.
import * as z from "zod/mini";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import type { ModelFacts, UserFacts } from "#core/model/catalog.ts";
import type { Rate } from "#core/model/limits.ts";
import { type Price, perToken } from "#core/model/money.ts";
import type { Strategy } from "#core/model/route.ts";
import { strategies } from "#core/model/route.ts";

/** Models of one route or chain, at most: each may be tried several times in one step. */
const CHAIN_MAX = 8;
/** Entries of a list, at most. */
const ENTRIES_MAX = 200;

export type Route = { name: string; models: readonly string[]; strategy: Strategy };

/** A rate for each of the models whose name fits `models`, for each key. */
export type RateFor = { models: string; rate: Rate };

/** A provider by configuration: a package of the AI SDK, or a URL that speaks OpenAI's API. */
export type ProviderSetting =
  | {
      name: string;
      kind: "package";
      package: string;
      options: Record<string, unknown>;
      key?: string;
    }
  | { name: string; kind: "url"; url: string; key?: string };

export type ModelLists = {
  models: readonly UserFacts[];
  routes: readonly Route[];
  fallback: readonly string[];
  rates: readonly RateFor[];
  providers: readonly ProviderSetting[];
};

/** The lists as they stand in the configuration; a missing one is empty. */
export type WrittenLists = Readonly<Partial<Record<keyof ModelLists, unknown>>>;

const tokens = z.int().check(z.minimum(1), z.maximum(100_000_000));
const dollars = z
  .number()
  .check(z.refine((n) => perToken(n) !== undefined, "dollars with at most three decimals"));
const modelName = z
  .string()
  .check(z.regex(/^[^\s/]+\/\S+$/, "write provider/model"), z.maxLength(300));
/** The name of a route or provider: what stands before the slash of a model, or for all of it. */
const plainName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, "a short plain name"));
const envName = z.string().check(z.regex(/^[A-Za-z_]\w{0,99}$/, "the name of a variable"));

const rates = { input: dollars, cached: z.optional(dollars), written: z.optional(dollars) };
const price = z.strictObject({
  ...rates,
  output: dollars,
  above: z.optional(z.strictObject({ tokens, ...rates, output: dollars })),
});

const facts = z.strictObject({
  name: z.string().check(z.minLength(1), z.maxLength(300)),
  family: z.optional(z.enum(["gpt", "claude", "gemini", "local", "other"])),
  windowTokens: z.optional(tokens),
  outputTokensMax: z.optional(tokens),
  images: z.optional(z.boolean()),
  thinking: z.optional(z.boolean()),
  calls: z.optional(z.enum(["native", "text"])),
  caching: z.optional(z.boolean()),
  parallelCalls: z.optional(z.boolean()),
  price: z.optional(price),
});

const route = z.strictObject({
  name: plainName,
  models: z.array(modelName).check(z.minLength(1), z.maxLength(CHAIN_MAX)),
  strategy: z.optional(z.string()),
});

const rate = z.strictObject({
  models: z.string().check(z.minLength(1), z.maxLength(300)),
  requestsPerMinute: z.optional(z.int().check(z.minimum(1))),
  tokensPerMinute: z.optional(tokens),
});

const provider = z.union([
  z.strictObject({
    name: plainName,
    package: z.string().check(z.regex(/^(@[\w.-]+\/)?[\w.-]+$/, "the name of an npm package")),
    options: z.optional(z.record(z.string(), z.unknown())),
    key: z.optional(envName),
  }),
  z.strictObject({
    name: plainName,
    url: z.string().check(z.regex(/^https?:\/\/[^\s]+$/, "an http or https URL")),
    key: z.optional(envName),
  }),
]);

const list = <T extends z.ZodMiniType>(entry: T) => z.array(entry).check(z.maxLength(ENTRIES_MAX));

const schemas = {
  models: list(facts),
  routes: list(route),
  fallback: z.array(modelName).check(z.maxLength(CHAIN_MAX)),
  rates: list(z.union([z.literal("documented"), rate])),
  providers: list(provider),
};

const examples: Record<keyof ModelLists, string> = {
  models: `[{"name": "corp/*", "windowTokens": 128000, "price": {"input": 2, "output": 8}}]`,
  routes: `[{"name": "fast", "models": ["openai/gpt-5.6-luna", "ollama/qwen3"], "strategy": "random"}]`,
  fallback: `["anthropic/claude-haiku-5-5", "ollama/qwen3"]`,
  rates: `["documented", {"models": "openai/*", "requestsPerMinute": 60}]`,
  providers: `[{"name": "mistral", "package": "@ai-sdk/mistral", "key": "MISTRAL_API_KEY"}]`,
};

/** The rates that `"documented"` stands for: what the description names for both, a minute. */
const documented: readonly RateFor[] = [
  { models: "anthropic/*", rate: { requestsPerMinute: 50, tokensPerMinute: 100_000 } },
  { models: "openai/*", rate: { requestsPerMinute: 60, tokensPerMinute: 90_000 } },
];

/** What is wrong with one of the lists, or null; for whoever sets a key. */
export function listFault(key: string, value: unknown): Failed | null {
  if (!Object.hasOwn(schemas, key)) return null;
  const read = readLists({ [key]: value });
  return read.ok ? null : read;
}

/** Reads all lists; `from` tells a user's entry about its source in a price. */
export function readLists(written: WrittenLists): Result<ModelLists> {
  const parsed = <K extends keyof ModelLists>(key: K) => {
    const read = schemas[key].safeParse(written[key] ?? []);
    if (read.success) return ok(read.data as z.infer<(typeof schemas)[K]>);
    const [issue] = read.error.issues;
    const where = [key, ...(issue?.path ?? [])].join(".");
    return fail("bad_input", `the configuration's ${where} is wrong: ${issue?.message}`, {
      fix: `for example ${examples[key]}`,
    });
  };
  const models = parsed("models");
  if (!models.ok) return models;
  const routes = parsed("routes");
  if (!routes.ok) return routes;
  const fallback = parsed("fallback");
  if (!fallback.ok) return fallback;
  const rates = parsed("rates");
  if (!rates.ok) return rates;
  const providers = parsed("providers");
  if (!providers.ok) return providers;
  const read: ModelLists = {
    models: models.value.map(userFacts),
    routes: routes.value.map(({ name, models: names, strategy }) => ({
      name,
      models: names,
      strategy: strategy ?? "local_affinity",
    })),
    fallback: fallback.value,
    rates: rates.value.flatMap((entry) => (entry === "documented" ? documented : [rateFor(entry)])),
    providers: providers.value.map(providerSetting),
  };
  return unclear(read) ?? ok(read);
}

/** Names that would mean two things, and strategies that name nothing. */
function unclear({ routes, providers }: ModelLists): Failed | null {
  for (const { name, models, strategy } of routes) {
    if (!strategies.includes(strategy as never) && !models.includes(strategy)) {
      return fail("bad_input", `the route "${name}" has no strategy "${strategy}"`, {
        fix: `use one of ${strategies.join(", ")}, or the name of one of its models`,
      });
    }
  }
  for (const entries of [routes, providers]) {
    const names = entries.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice) return fail("bad_input", `the configuration names "${twice}" twice`);
  }
  return null;
}

function userFacts({ name, price: written, ...rest }: z.infer<typeof facts>): UserFacts {
  const known: ModelFacts = rest;
  return { name, facts: written ? { ...known, price: priceOf(written) } : known };
}

type WrittenRates = { input: number; cached?: number; written?: number; output: number };

const nanoOf = (dollarsPerMillion: number): number => perToken(dollarsPerMillion) ?? 0;

const ratesOf = ({ input, cached, written, output }: WrittenRates) => ({
  input: nanoOf(input),
  ...(cached === undefined ? {} : { cached: nanoOf(cached) }),
  ...(written === undefined ? {} : { written: nanoOf(written) }),
  output: nanoOf(output),
});

const priceOf = ({ above, ...written }: z.infer<typeof price>): Price => ({
  ...ratesOf(written),
  ...(above ? { above: { tokens: above.tokens, ...ratesOf(above) } } : {}),
  date: "",
  source: "your configuration",
});

const rateFor = ({
  models,
  requestsPerMinute,
  tokensPerMinute,
}: z.infer<typeof rate>): RateFor => ({
  models,
  rate: {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  },
});

function providerSetting(written: z.infer<typeof provider>): ProviderSetting {
  const { name, key } = written;
  const named = key === undefined ? { name } : { name, key };
  return "url" in written
    ? { ...named, kind: "url", url: written.url }
    : { ...named, kind: "package", package: written.package, options: written.options ?? {} };
}
