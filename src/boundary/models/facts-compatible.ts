// What servers behind the OpenAI-compatible API say of a model: LM Studio by a REST API of its own,
// vLLM and llama.cpp by further fields in `/v1/models`, llama.cpp also by `/props`.
import type { Described } from "#boundary/models/facts-ollama.ts";
import {
  DESCRIBE_MS,
  type Description,
  goodJson,
  nothingSaid,
  silence,
} from "#boundary/models/lookup.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { type Fields, fieldsOf, listOf, numberAt, textAt } from "#core/model/json.ts";

/** One model of LM Studio as both versions of its API say it. */
export type LmStudioModel = {
  id: string;
  embeds: boolean;
  loaded: boolean;
  facts: ModelFacts;
};

/**
 * `baseUrl` is the server's root. Not whole before the model is loaded: the first request loads it,
 * and only then its window is known.
 */
export async function lmStudioFacts({ baseUrl, model, signal }: Described): Promise<Description> {
  const models = await lmStudioModels(baseUrl, { ms: DESCRIBE_MS, signal });
  if (!models) return silence;
  const found = models.find(({ id }) => id === model);
  return found ? { facts: found.facts, isWhole: found.loaded } : nothingSaid;
}

/**
 * All models that LM Studio has, none where something else answers; undefined where it is silent.
 * `/api/v1/models` since 0.4.0, before that `/api/v0/models`: lmstudio.ai/docs/developer/rest.
 */
export async function lmStudioModels(
  baseUrl: string,
  wait: { ms: number; signal: AbortSignal },
): Promise<LmStudioModel[] | undefined> {
  const [newer, older] = await Promise.all([
    goodJson({ url: `${baseUrl}/api/v1/models`, ...wait }),
    goodJson({ url: `${baseUrl}/api/v0/models`, ...wait }),
  ]);
  const { models } = fieldsOf(newer.json);
  if (Array.isArray(models)) return models.map((model) => newerModel(fieldsOf(model)));
  const { data } = fieldsOf(older.json);
  if (Array.isArray(data)) return data.map((model) => olderModel(fieldsOf(model)));
  return newer.isHeard && older.isHeard ? [] : undefined;
}

function newerModel(model: Fields): LmStudioModel {
  const [instance] = listOf(model.loaded_instances).map(fieldsOf);
  const { vision, trained_for_tool_use: tools } = fieldsOf(model.capabilities);
  const window = numberAt(fieldsOf(instance?.config), "context_length");
  return {
    id: textAt(model, "key") ?? "",
    embeds: model.type === "embedding",
    loaded: instance !== undefined,
    facts: {
      ...loadedWindow(window),
      ...(typeof vision === "boolean" ? { images: vision } : {}),
      ...(typeof tools === "boolean" ? { calls: tools ? "native" : "text" } : {}),
    },
  };
}

function olderModel(model: Fields): LmStudioModel {
  const loaded = model.state === "loaded";
  const window = loaded ? numberAt(model, "loaded_context_length") : undefined;
  const { capabilities, type } = model;
  return {
    id: textAt(model, "id") ?? "",
    embeds: type === "embeddings",
    loaded,
    facts: {
      ...loadedWindow(window),
      ...(type === "vlm" || type === "llm" ? { images: type === "vlm" } : {}),
      ...(Array.isArray(capabilities)
        ? { calls: capabilities.includes("tool_use") ? "native" : "text" }
        : {}),
    },
  };
}

/**
 * Only what is loaded is known: LM Studio loads a model with the window of its own settings, often
 * far below `max_context_length`, and a request cannot change it.
 */
const loadedWindow = (tokens: number | undefined): ModelFacts =>
  tokens !== undefined && tokens > 0 ? { windowTokens: tokens, loadedTokens: tokens } : {};

/** `baseUrl` is that of the compatible API, often in `/v1`. */
export async function compatibleFacts(described: Described): Promise<Description> {
  const { model, apiKey, signal } = described;
  const baseUrl = described.baseUrl.replace(/\/+$/, "");
  const at = (url: string) => goodJson({ url, apiKey, ms: DESCRIBE_MS, signal });
  const [list, props] = await Promise.all([
    at(`${baseUrl}/models`),
    at(`${baseUrl.replace(/\/v1$/, "")}/props`),
  ]);
  const entries = listOf(fieldsOf(list.json).data).map(fieldsOf);
  const entry = entries.find(({ id }) => id === model) ?? {};
  const told = fieldsOf(props.json);
  const { vision } = fieldsOf(told.modalities);
  const facts = {
    ...windowOf(entry, told),
    ...(typeof vision === "boolean" ? { images: vision } : {}),
  };
  return { facts, isWhole: list.isHeard && props.isHeard };
}

/**
 * `max_model_len`: vLLM, `ModelCard` in its `protocol.py` · `n_ctx` in `/props`: llama.cpp, as it
 * runs, for each of its slots · `meta.n_ctx_train`: llama.cpp, what the model was made for, which
 * is only a bound (`tools/server/README.md`).
 */
function windowOf(entry: Fields, props: Fields): ModelFacts | undefined {
  const meta = fieldsOf(entry.meta);
  const tokens =
    numberAt(entry, "max_model_len") ??
    numberAt(fieldsOf(props.default_generation_settings), "n_ctx") ??
    numberAt(meta, "n_ctx") ??
    numberAt(meta, "n_ctx_train");
  return tokens !== undefined && tokens > 0 ? { windowTokens: tokens } : undefined;
}
