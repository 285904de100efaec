// What Ollama says of a model: `/api/show` (the model itself), `/api/ps` (as it is loaded now) and
// `/api/tags` (which build it is). Shapes: `ShowResponse`, `ProcessModelResponse` and
// `ListModelResponse` in `api/types.go` of github.com/ollama/ollama at v0.33.
import {
  DESCRIBE_MS,
  type Description,
  goodJson,
  isHeard,
  lookup,
  nothingSaid,
  silence,
} from "#boundary/models/lookup.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { type Fields, fieldsOf, listOf, numberAt, textAt } from "#core/model/json.ts";

export type Described = { baseUrl: string; model: string; apiKey?: string; signal: AbortSignal };

export async function ollamaFacts(described: Described): Promise<Result<Description>> {
  const { baseUrl, model, apiKey, signal } = described;
  const at = (path: string) => ({ url: baseUrl + path, apiKey, ms: DESCRIBE_MS, signal });
  const [show, ps, tags] = await Promise.all([
    lookup({ ...at("/api/show"), body: { model } }),
    goodJson(at("/api/ps")),
    goodJson(at("/api/tags")),
  ]);
  if (!isHeard(show)) return ok(silence);
  const told = fieldsOf(show.json);
  if (show.status === 404 && /model .*not found/i.test(textAt(told, "error") ?? "")) {
    const { host } = new URL(baseUrl);
    return fail("not_found", `Ollama on ${host} does not have the model ${model}`, {
      fix: `get it with: ollama pull ${model}`,
    });
  }
  if (show.status !== 200) return ok(nothingSaid);
  const loaded = numberAt(named(ps.json, model), "context_length") ?? parameterIn(told, "num_ctx");
  const digest = textAt(named(tags.json, model), "digest");
  const facts = {
    ...(windowIn(told) ?? {}),
    ...(loaded !== undefined && loaded > 0 ? { loadedTokens: loaded } : {}),
    ...abilitiesIn(told),
    ...(digest ? { digest } : {}),
  };
  return ok({ facts, isWhole: ps.isHeard && tags.isHeard });
}

/** The model's own length: Ollama loads it with any window up to that. */
function windowIn(show: Fields): ModelFacts | undefined {
  const info = fieldsOf(show.model_info);
  const tokens = numberAt(info, `${textAt(info, "general.architecture")}.context_length`);
  return tokens !== undefined && tokens > 0 ? { windowTokens: tokens } : undefined;
}

/** `capabilities` says all or nothing: versions before 0.6.4 leave it out. */
function abilitiesIn({ capabilities }: Fields): ModelFacts {
  if (!Array.isArray(capabilities)) return {};
  const has = (name: string) => capabilities.includes(name);
  return {
    calls: has("tools") ? "native" : "text",
    images: has("vision"),
    thinking: has("thinking"),
  };
}

/** `parameters` is the text of the Modelfile's PARAMETER lines: a name, spaces, a value. */
function parameterIn(show: Fields, name: string): number | undefined {
  const lines = (textAt(show, "parameters") ?? "")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const value = Number(lines.find(([key]) => key === name)?.[1]);
  return Number.isInteger(value) ? value : undefined;
}

/** The entry of a list with this name; `:latest` is what Ollama adds where no tag is written. */
function named(list: unknown, model: string): Fields {
  const full = /:[^/]*$/.test(model) ? model : `${model}:latest`;
  const entries = listOf(fieldsOf(list).models).map(fieldsOf);
  return entries.find(({ name, model: id }) => name === full || id === full) ?? {};
}
