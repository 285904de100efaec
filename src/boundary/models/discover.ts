// What models are in reach without any configuration: keys in the settings, Ollama and LM Studio on
// this machine. Local servers are asked for their list within 300 ms; nothing is ever started.
import { lmStudioModels } from "#boundary/models/facts-compatible.ts";
import {
  ANTHROPIC_URL,
  anthropicProof,
  type Local,
  localUrl,
  type ModelSettings,
  OPENAI_URL,
} from "#boundary/models/index.ts";
import { lookup } from "#boundary/models/lookup.ts";
import { fieldsOf, listOf, textAt } from "#core/model/json.ts";

/** Milliseconds for a local server to answer: it is on this machine or it is not there. */
export const PROBE_MS = 300;
/** The same for the server at `OPENAI_BASE_URL`, which may be further away. */
export const PROBE_FAR_MS = 1_500;
const MODELS_MAX = 1_000;

/**
 * Proposed where the user names none: "our go-to model for everyday work, from coding to powering
 * agents". The GPT-5 models before it are or will be shut down (2026-12-11).
 * https://developers.openai.com/api/docs/models/gpt-6.2-sol
 * https://developers.openai.com/api/docs/deprecations
 */
const OPENAI_MODEL = "gpt-6.2-sol";

/** The same at Anthropic: the newest of its middle line in `Model` of the official types. */
const ANTHROPIC_MODEL = "claude-sonnet-5-5";

export type Found = {
  provider: string;
  /** How it was found, for people: `OPENAI_API_KEY`, `http://127.0.0.1:11434`. */
  by: string;
  /** Names for `--model`, the one to propose first; not every provider is asked for its list. */
  models: readonly string[];
};

export type Discovery = {
  found: readonly Found[];
  /** Everything that was looked for, with what came of it, for people. */
  looked: readonly { where: string; outcome: string }[];
};

/** Looks in all places at once. Never fails; ends within `PROBE_FAR_MS` or at the signal. */
export async function discover(settings: ModelSettings, signal: AbortSignal): Promise<Discovery> {
  const places = [
    named(settings, signal),
    anthropic(settings),
    local("ollama", settings, signal),
    local("lmstudio", settings, signal),
  ];
  const all = await Promise.all(places);
  return {
    found: all.flatMap(({ found }) => (found ? [found] : [])),
    looked: all.map(({ where, outcome }) => ({ where, outcome })),
  };
}

type Place = { where: string; outcome: string; found?: Found };

/** What `OPENAI_API_KEY` and `OPENAI_BASE_URL` name. OpenAI itself is not asked. */
async function named(settings: ModelSettings, signal: AbortSignal): Promise<Place> {
  const where = "OPENAI_API_KEY and OPENAI_BASE_URL";
  const apiKey = settings.OPENAI_API_KEY?.trim() ?? "";
  const url = settings.OPENAI_BASE_URL?.trim();
  if (!apiKey && !url) return { where, outcome: "not set" };
  // Only the host: a URL may hold a password.
  const host = URL.parse(url ?? "")?.host ?? "no URL";
  const by = url ? `OPENAI_BASE_URL (${host})` : "OPENAI_API_KEY";
  if (url && URL.parse(url)?.hostname !== new URL(OPENAI_URL).hostname) {
    const ids = URL.parse(url) ? await listed(url, signal, { ms: PROBE_FAR_MS, apiKey }) : "no URL";
    if (typeof ids === "string") return { where, outcome: `${host}: ${ids}` };
    const models = ids.map((id) => `openai/${id}`);
    return { where, outcome: `${ids.length} models`, found: { provider: "openai", by, models } };
  }
  if (!apiKey) return { where, outcome: "a URL, but no key" };
  return {
    where,
    outcome: "set",
    found: { provider: "openai", by, models: [`openai/${OPENAI_MODEL}`] },
  };
}

/**
 * What Anthropic's settings name. Nothing is asked: of a compatible server, whose list of models has
 * no common form, only a model that the user names can be used.
 */
async function anthropic(settings: ModelSettings): Promise<Place> {
  const where = "ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL";
  const proof = anthropicProof(settings);
  const url = settings.ANTHROPIC_BASE_URL?.trim();
  if (!proof && !url) return { where, outcome: "not set" };
  const host = URL.parse(url ?? "")?.host ?? "no URL";
  if (url && host !== new URL(ANTHROPIC_URL).host) {
    return { where, outcome: `${host}: name its model, as anthropic/name` };
  }
  if (!proof) return { where, outcome: "a URL, but no key" };
  const models = [`anthropic/${ANTHROPIC_MODEL}`];
  return { where, outcome: "set", found: { provider: "anthropic", by: proof.name, models } };
}

const titles: Record<Local, string> = { ollama: "Ollama", lmstudio: "LM Studio" };

async function local(name: Local, settings: ModelSettings, signal: AbortSignal): Promise<Place> {
  const url = localUrl(name, settings);
  if (!url.ok) return { where: titles[name], outcome: url.error.say };
  const { host, origin } = new URL(url.value);
  const where = `${titles[name]} on ${host}`;
  const ids = await lists[name](url.value, signal);
  if (typeof ids === "string") return { where, outcome: ids };
  const models = ids.filter((id) => !/embed/i.test(id)).map((id) => `${name}/${id}`);
  if (models.length === 0) return { where, outcome: "runs, but has no model" };
  return {
    where,
    outcome: `${models.length} models`,
    found: { provider: name, by: origin, models },
  };
}

/** The names that a local server has, the one to propose first; or in words why there are none. */
const lists: Record<Local, (url: string, signal: AbortSignal) => Promise<string[] | string>> = {
  ollama: async (root, signal) => {
    const wait = { ms: PROBE_MS, signal };
    const models = await answered({ url: `${root}/api/tags`, ...wait }, "models");
    if (typeof models === "string") return models;
    // Ollama lists by when a model was got or changed; newer versions say what each can do.
    const can = (model: unknown, what: string) =>
      listOf(fieldsOf(model).capabilities).includes(what);
    const callers = models.filter((model) => can(model, "tools"));
    const others = models.filter((model) => !can(model, "tools") && !can(model, "embedding"));
    return [...callers, ...others].flatMap((model) => textAt(fieldsOf(model), "name") ?? []);
  },
  lmstudio: async (root, signal) => {
    const wait = { ms: PROBE_MS, signal };
    const [own, ids] = await Promise.all([
      lmStudioModels(root, wait),
      listed(`${root}/v1`, signal, { ms: PROBE_MS, apiKey: "" }),
    ]);
    if (!own?.length || typeof ids === "string") return ids;
    // Loading takes gigabytes and minutes, so what is loaded comes first, then what calls tools.
    const rank = ({ loaded, facts }: (typeof own)[number]) =>
      (loaded ? 0 : 2) + (facts.calls === "native" ? 0 : 1);
    const chat = own.filter(({ id, embeds }) => id !== "" && !embeds);
    return chat.toSorted((a, b) => rank(a) - rank(b)).map(({ id }) => id);
  },
};

/** The ids that `GET /models` lists, or in words why there are none. */
export async function listed(
  baseUrl: string,
  signal: AbortSignal,
  { ms, apiKey }: { ms: number; apiKey: string },
): Promise<string[] | string> {
  const url = `${baseUrl.replace(/\/+$/, "")}/models`;
  const data = await answered({ url, apiKey, ms, signal }, "data");
  if (typeof data === "string") return data;
  return data.flatMap((model) => textAt(fieldsOf(model), "id") ?? []);
}

/** The list under `key` of an answer, or in words why there is none. */
async function answered(
  question: Parameters<typeof lookup>[0],
  key: string,
): Promise<readonly unknown[] | string> {
  const found = await lookup(question);
  switch (found.got) {
    case "cancelled":
      return "not asked";
    case "late":
      return `no answer within ${question.ms} ms`;
    case "nothing":
      return "nothing there";
    case "answer": {
      const list = fieldsOf(found.json)[key];
      const good = found.status === 200 && Array.isArray(list);
      return good ? list.slice(0, MODELS_MAX) : "something else answers there";
    }
  }
}
