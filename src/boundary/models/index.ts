// The providers: one line each in the table, adapters loaded when they are used. `openModel` makes a
// port from a name like `openai/gpt-5` and the settings; nothing is asked of the network for that.
import { type Description, nothingSaid } from "#boundary/models/lookup.ts";
import { type Deadlines, deadlinesDefault, type ModelPort } from "#boundary/models/port.ts";
import type { Probing } from "#boundary/models/probe.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import type { ProviderSetting } from "#core/model/settings.ts";

/**
 * The settings of models, as names and texts like an environment. Read here:
 * `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`;
 * `AIEX_OPENAI_DIALECT` (`responses` or `chat`; by default `responses` at api.openai.com, `chat`
 * elsewhere); `AIEX_OPENAI_SUMMARY` (`auto`, `concise`, `detailed`: readable reasoning);
 * `ANTHROPIC_API_KEY`, or `ANTHROPIC_AUTH_TOKEN` (sent as a bearer token; counts more),
 * `ANTHROPIC_BASE_URL`; `OLLAMA_HOST` or `AIEX_OLLAMA_HOST`, `AIEX_LM_STUDIO_HOST`.
 */
export type ModelSettings = Readonly<Record<string, string | undefined>>;

export type OpenedModel = {
  port: ModelPort;
  /** The provider's own name of the model, for `ModelRequest.model` and `call`. */
  model: string;
  /** What this provider needs: local servers may load a model before they answer at all. */
  deadlines: Deadlines;
  /** Tells keys apart for the gateway; no secret. */
  account: string;
  /** Where it answers, if that is an address. */
  url?: string;
};

export type Provider = {
  /** What it is, in a few words, for help and error messages. */
  about: string;
  open(model: string, settings: ModelSettings): Promise<Result<OpenedModel>>;
  /**
   * What the server that runs the model says of it. Ends within `DESCRIBE_MS` or at the signal; a
   * server that is silent or has nothing to say leaves everything unknown, which is no failure.
   */
  describe?(
    model: string,
    settings: ModelSettings,
    signal: AbortSignal,
  ): Promise<Result<Description>>;
};

export const providers: Readonly<Record<string, Provider>> = {
  openai: {
    about: "OpenAI, or any server that speaks its API",
    open: openOpenAi,
    describe: describeCompatible,
  },
  anthropic: { about: "Anthropic, or any server that speaks its API", open: openAnthropic },
  ollama: {
    about: "models on this machine, by Ollama",
    open: openOllama,
    describe: describeOllama,
  },
  lmstudio: {
    about: "models on this machine, by LM Studio",
    open: openLmStudio,
    describe: describeLmStudio,
  },
  scripted: { about: "no model: answers from a JSON file", open: openScripted },
};

export const OPENAI_URL = "https://api.openai.com/v1";

export const ANTHROPIC_URL = "https://api.anthropic.com";

/** A local server may load gigabytes from disk before its headers come. */
const deadlinesLocal: Deadlines = {
  ...deadlinesDefault,
  connectMs: 300_000,
  silenceMs: 300_000,
};

/** Opens `provider/model`; the model's own name may hold further slashes. */
export async function openModel(
  name: string,
  settings: ModelSettings,
): Promise<Result<OpenedModel>> {
  const named = providerOf(name);
  return named.ok ? named.value.provider.open(named.value.model, settings) : named;
}

/**
 * What the server behind `provider/model` says of it: nothing where it has no way to say it, and
 * not the whole where it is silent. Fails only where the name or the settings are wrong, or where
 * the server says that it does not have the model.
 */
export async function describeModel(
  name: string,
  settings: ModelSettings,
  signal: AbortSignal,
): Promise<Result<Description>> {
  const named = providerOf(name);
  if (!named.ok) return named;
  const { provider, model } = named.value;
  return provider.describe ? provider.describe(model, settings, signal) : ok(nothingSaid);
}

/**
 * Whether the model really calls tools, by one tiny request within `TOOL_PROBE_MS`: what servers say
 * of it is often wrong. Finds a failure where that cannot be told now (no answer in time, a failing
 * server). What was found may be kept with `probeStore`.
 */
export async function probe(
  opened: OpenedModel,
  facts: ModelFacts,
  signal: AbortSignal,
): Promise<Probing> {
  const { probeTools } = await import("#boundary/models/probe.ts");
  return probeTools(opened, facts, signal);
}

/** The same model with its tools in its text, for one whose facts or probe say `calls: "text"`. */
export async function throughText(opened: OpenedModel): Promise<OpenedModel> {
  const { textCalls } = await import("#boundary/models/text-calls.ts");
  return { ...opened, port: textCalls(opened.port) };
}

function providerOf(name: string): Result<{ provider: Provider; model: string }> {
  const slash = name.indexOf("/");
  const provider = Object.hasOwn(providers, name.slice(0, slash))
    ? providers[name.slice(0, slash)]
    : undefined;
  const model = name.slice(slash + 1).trim();
  if (slash === -1 || !provider || model === "") {
    const known = Object.keys(providers).join(", ");
    return fail("bad_input", `"${name}" names no model`, {
      fix: `write provider/model, with one of ${known}`,
    });
  }
  return ok({ provider, model });
}

async function openOpenAi(model: string, settings: ModelSettings): Promise<Result<OpenedModel>> {
  const baseUrl = httpUrl(settings.OPENAI_BASE_URL || OPENAI_URL, "OPENAI_BASE_URL", OPENAI_URL);
  if (!baseUrl.ok) return baseUrl;
  const isOpenAi = new URL(baseUrl.value).hostname === "api.openai.com";
  const apiKey = settings.OPENAI_API_KEY?.trim() ?? "";
  if (apiKey === "" && isOpenAi) {
    return fail("no_model", "OpenAI needs a key, and OPENAI_API_KEY is not set", {
      fix: "`aiex auth set openai`, or set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without",
    });
  }
  if (!isKey(apiKey)) return badKey("OPENAI_API_KEY");
  const dialect = settings.AIEX_OPENAI_DIALECT || (isOpenAi ? "responses" : "chat");
  const headers = headersOf({
    "openai-organization": settings.OPENAI_ORG_ID,
    "openai-project": settings.OPENAI_PROJECT_ID,
  });
  const endpoint = { provider: "openai", baseUrl: baseUrl.value, apiKey, headers };
  const account = await fingerprint(`${baseUrl.value}\n${apiKey}`);
  const opened = (port: ModelPort) =>
    ok({ port, model, deadlines: deadlinesDefault, account, url: baseUrl.value });
  if (dialect === "chat") {
    const { openaiChat } = await import("#boundary/models/openai-chat.ts");
    return opened(openaiChat({ ...endpoint, isOpenAi }));
  }
  if (dialect === "responses") {
    const summary = summaryOf(settings.AIEX_OPENAI_SUMMARY);
    if (!summary.ok) return summary;
    const { openaiResponses } = await import("#boundary/models/openai-responses.ts");
    return opened(openaiResponses({ ...endpoint, summary: summary.value }));
  }
  return fail("bad_input", `AIEX_OPENAI_DIALECT is "${dialect}"`, {
    fix: "use responses or chat",
  });
}

async function openAnthropic(model: string, settings: ModelSettings): Promise<Result<OpenedModel>> {
  const given = settings.ANTHROPIC_BASE_URL || ANTHROPIC_URL;
  const baseUrl = httpUrl(given, "ANTHROPIC_BASE_URL", ANTHROPIC_URL);
  if (!baseUrl.ok) return baseUrl;
  const proof = anthropicProof(settings);
  if (!proof && new URL(baseUrl.value).hostname === new URL(ANTHROPIC_URL).hostname) {
    return fail("no_model", "Anthropic needs a key, and ANTHROPIC_API_KEY is not set", {
      fix: "`aiex auth set anthropic`, or set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server without",
    });
  }
  if (proof && !isKey(proof.secret)) return badKey(proof.name);
  const { anthropic } = await import("#boundary/models/anthropic.ts");
  const port = anthropic({ provider: "anthropic", baseUrl: baseUrl.value, proof });
  const account = await fingerprint(`${baseUrl.value}\n${proof?.secret ?? ""}`);
  return ok({ port, model, deadlines: deadlinesDefault, account, url: baseUrl.value });
}

/** Who asks: the token where there is one, else the key. Both together are an error there. */
export function anthropicProof(settings: ModelSettings) {
  const token = settings.ANTHROPIC_AUTH_TOKEN?.trim();
  if (token) return { type: "token", secret: token, name: "ANTHROPIC_AUTH_TOKEN" } as const;
  const key = settings.ANTHROPIC_API_KEY?.trim();
  return key ? ({ type: "key", secret: key, name: "ANTHROPIC_API_KEY" } as const) : undefined;
}

/** What may stand in a header, and a space never does in a key. */
const isKey = (text: string): boolean => /^[\x21-\x7e]*$/.test(text);

const badKey = (name: string) =>
  fail("bad_input", `${name} holds characters that no key has`, {
    fix: "copy the key again, without spaces and quotes",
  });

export type Local = "ollama" | "lmstudio";

/** The root of a local server, without a slash at its end; the usual port where none is set. */
export function localUrl(name: Local, settings: ModelSettings): Result<string> {
  if (name === "lmstudio") {
    return hostUrl(settings.AIEX_LM_STUDIO_HOST, 1234, "AIEX_LM_STUDIO_HOST");
  }
  const host = settings.AIEX_OLLAMA_HOST || settings.OLLAMA_HOST;
  return hostUrl(host, 11434, settings.AIEX_OLLAMA_HOST ? "AIEX_OLLAMA_HOST" : "OLLAMA_HOST");
}

async function openOllama(model: string, settings: ModelSettings): Promise<Result<OpenedModel>> {
  const baseUrl = localUrl("ollama", settings);
  if (!baseUrl.ok) return baseUrl;
  const { ollama } = await import("#boundary/models/ollama.ts");
  const port = ollama({ provider: "ollama", baseUrl: baseUrl.value });
  const url = baseUrl.value;
  return ok({ port, model, deadlines: deadlinesLocal, account: await fingerprint(url), url });
}

async function openLmStudio(model: string, settings: ModelSettings): Promise<Result<OpenedModel>> {
  const root = localUrl("lmstudio", settings);
  if (!root.ok) return root;
  const { openaiChat } = await import("#boundary/models/openai-chat.ts");
  const baseUrl = `${root.value}/v1`;
  const port = openaiChat({ provider: "lmstudio", baseUrl, isOpenAi: false });
  return ok({
    port,
    model,
    deadlines: deadlinesLocal,
    account: await fingerprint(root.value),
    url: root.value,
  });
}

async function describeOllama(model: string, settings: ModelSettings, signal: AbortSignal) {
  const root = localUrl("ollama", settings);
  if (!root.ok) return root;
  const { ollamaFacts } = await import("#boundary/models/facts-ollama.ts");
  return ollamaFacts({ baseUrl: root.value, model, signal });
}

async function describeLmStudio(model: string, settings: ModelSettings, signal: AbortSignal) {
  const root = localUrl("lmstudio", settings);
  if (!root.ok) return root;
  const { lmStudioFacts } = await import("#boundary/models/facts-compatible.ts");
  return ok(await lmStudioFacts({ baseUrl: root.value, model, signal }));
}

/** OpenAI itself says nothing of its models; other servers behind the same API say their window. */
async function describeCompatible(model: string, settings: ModelSettings, signal: AbortSignal) {
  const baseUrl = httpUrl(settings.OPENAI_BASE_URL || OPENAI_URL, "OPENAI_BASE_URL", OPENAI_URL);
  if (!baseUrl.ok) return baseUrl;
  if (new URL(baseUrl.value).hostname === "api.openai.com") return ok(nothingSaid);
  const { compatibleFacts } = await import("#boundary/models/facts-compatible.ts");
  const apiKey = settings.OPENAI_API_KEY?.trim() ?? "";
  return ok(await compatibleFacts({ baseUrl: baseUrl.value, apiKey, model, signal }));
}

async function openScripted(path: string): Promise<Result<OpenedModel>> {
  const { readFile } = await import("node:fs/promises");
  const { readScript } = await import("#boundary/models/script.ts");
  const { scriptedModel } = await import("#boundary/models/scripted.ts");
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch {
    return fail("not_found", `the script ${path} cannot be read`, {
      fix: "write scripted/ and then the path of a JSON script",
    });
  }
  const script = readScript(json, path);
  if (!script.ok) return script;
  const port = scriptedModel(script.value);
  return ok({ port, model: "script", deadlines: deadlinesDefault, account: path });
}

/** `host`, `host:port` or a URL, as Ollama's own variable allows; 0.0.0.0 means this machine. */
function hostUrl(host: string | undefined, port: number, name: string): Result<string> {
  const text = host?.trim() || "127.0.0.1";
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (!url) return fail("bad_input", `${name} is "${text}", which is no address`);
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  const hasPort = url.port !== "" || /^https?:\/\//.test(text);
  if (!hasPort) url.port = String(port);
  // People write the address of the compatible API too.
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  return ok(url.href.replace(/\/$/, ""));
}

function httpUrl(text: string, name: string, example: string): Result<string> {
  const url = URL.parse(text.trim());
  if (url?.protocol === "https:" || url?.protocol === "http:") return ok(url.href);
  return fail("bad_input", `${name} is "${text}", which is no http or https URL`, {
    fix: `write it like ${example}`,
  });
}

const summaries = ["auto", "concise", "detailed"] as const;

function summaryOf(text: string | undefined): Result<(typeof summaries)[number] | undefined> {
  const summary = summaries.find((known) => known === text);
  if (summary || !text) return ok(summary);
  return fail("bad_input", `AIEX_OPENAI_SUMMARY is "${text}"`, {
    fix: `use ${summaries.join(", ")}, or leave it out`,
  });
}

function headersOf(given: Record<string, string | undefined>): Record<string, string> {
  const set = Object.entries(given).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return Object.fromEntries(set);
}

/** Eight hexadecimal digits that differ for different keys and give none away. */
async function fingerprint(text: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Opens a model of a provider that the user configured. */
export async function openOwn(
  own: ProviderSetting,
  { model, apiKey, packages }: { model: string; apiKey: string; packages: string },
): Promise<Result<OpenedModel>> {
  const account = await fingerprint(`${own.name}\n${apiKey}`);
  if (own.kind === "package") {
    const { aiSdkModel } = await import("#boundary/models/ai-sdk-open.ts");
    const port = await aiSdkModel({ ...own, folder: packages, model, apiKey, account });
    return port.ok ? ok({ port: port.value, model, deadlines: deadlinesDefault, account }) : port;
  }
  const { openaiChat } = await import("#boundary/models/openai-chat.ts");
  const port = openaiChat({ provider: own.name, baseUrl: own.url, apiKey, isOpenAi: false });
  return ok({ port, model, deadlines: deadlinesDefault, account, url: own.url });
}

/** What the server of such a model says of it, as `describeModel`. */
export async function describeOwn(
  own: ProviderSetting,
  { model, apiKey }: { model: string; apiKey: string },
  signal: AbortSignal,
): Promise<Result<Description>> {
  if (own.kind === "package") return ok(nothingSaid);
  const { compatibleFacts } = await import("#boundary/models/facts-compatible.ts");
  return ok(await compatibleFacts({ baseUrl: own.url, apiKey, model, signal }));
}
