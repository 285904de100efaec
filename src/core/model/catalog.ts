// What is known of a model before it is asked anything: its window, what it can do, which family it
// belongs to, what it costs. Three sources say it, each over the one before: the table in
// known-models.ts, the server that runs the model, the user's configuration. What none of them says
// stays unknown and is not guessed.
import { type KnownModel, knownModels } from "#core/model/known-models.ts";
import type { Price } from "#core/model/money.ts";

/** Which surface of tools and which prompt a model was trained on; `other` gets the plain ones. */
export const families = ["gpt", "claude", "gemini", "local", "other"] as const;
export type Family = (typeof families)[number];

/** Everything that may be known; a missing member is not known. Token counts are the model's own. */
export type ModelFacts = {
  family?: Family;
  /** Tokens of request and answer together, as the model will really be run. */
  windowTokens?: number;
  /** The window it is loaded with now, or is loaded with by default: asking for less unloads it. */
  loadedTokens?: number;
  /** Tokens of the longest answer it can give. */
  outputTokensMax?: number;
  /** Whether it sees images. */
  images?: boolean;
  /** Whether it can think before it answers, and how much can be asked for. */
  thinking?: boolean;
  /** `native`: the server takes and returns tool calls · `text`: calls must go through the text. */
  calls?: "native" | "text";
  /** Tells this build of the model from another of the same name, where the server says it. */
  digest?: string;
  /** Whether the provider keeps the common beginning of requests and charges less for it. */
  caching?: boolean;
  /** Whether one answer may hold several calls. */
  parallelCalls?: boolean;
  /** What its tokens cost where the maker itself runs it. */
  price?: Price;
};

export type FactName = keyof ModelFacts;
export type FactSource = "catalog" | "server" | "user";

/** Facts that a user gives about the models whose name fits `name`, in which `*` is any text. */
export type UserFacts = { name: string; facts: ModelFacts };

export type Facts = { facts: ModelFacts; sources: Readonly<Partial<Record<FactName, FactSource>>> };

/**
 * What is known of `provider/model`. The table's price counts only where the provider is the
 * model's maker; `elsewhere` says that something other than the maker's own API answers there.
 */
export function factsOf(
  name: string,
  told: { server?: ModelFacts; user?: readonly UserFacts[]; elsewhere?: boolean } = {},
): Facts {
  const { server = {}, user = [], elsewhere = false } = told;
  const layers: [FactSource, ModelFacts][] = [
    ...catalogFacts(name, elsewhere).map((facts): [FactSource, ModelFacts] => ["catalog", facts]),
    ["server", server],
    ...user
      .filter((entry) => fits(entry.name, name))
      .map(({ facts }): [FactSource, ModelFacts] => ["user", facts]),
  ];
  const facts: Record<string, unknown> = {};
  const sources: Partial<Record<FactName, FactSource>> = {};
  for (const [source, layer] of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      facts[key] = value;
      sources[key as FactName] = source;
    }
  }
  return { facts: facts as ModelFacts, sources };
}

/** The table's rows for a name, the vaguest first, so that a row of the exact name has the last word. */
function catalogFacts(name: string, elsewhere: boolean): ModelFacts[] {
  const model = name.slice(name.lastIndexOf("/") + 1);
  const provider = name.slice(0, Math.max(0, name.indexOf("/")));
  const isMaker = (row: KnownModel) => row.maker === provider && !elsewhere;
  return knownModels
    .filter((row) => row.name.test(model))
    .map((row) => {
      const { price, ...rest } = row.facts;
      return price && isMaker(row) ? { ...rest, price } : rest;
    });
}

/** Whether a pattern with `*` for any text names exactly this. Linear in both lengths. */
export function fits(pattern: string, name: string): boolean {
  const [first = "", ...pieces] = pattern.split("*");
  if (!name.startsWith(first)) return false;
  const last = pieces.pop();
  if (last === undefined) return name === first;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}
