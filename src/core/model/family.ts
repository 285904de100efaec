// Which family a model belongs to, by its name: what surface of tools and which prompt it gets. A
// name that says nothing belongs to `other`, whose surface is our plain tools.
import type { Family, ModelFacts } from "#core/model/catalog.ts";

/**
 * Names whose makers published the tools that their models work with, whoever serves them. The
 * open-weight models of OpenAI were trained on `apply_patch` too: https://github.com/openai/gpt-oss
 */
const makers: readonly [RegExp, Family][] = [
  [/^(ft:)?(gpt-|chatgpt-|codex-|o[1-9]($|-))/, "gpt"],
  [/^claude-/, "claude"],
  [/^gemini-/, "gemini"],
];

/** Open weights that are run at home in sizes of a few billion parameters. */
const OPEN =
  /^(qwen|qwq|llama|codellama|mistral|ministral|mixtral|devstral|codestral|magistral|deepseek|gemma|codegemma|phi|granite|smollm|starcoder|glm|kimi|gpt-oss|olmo|yi|command-r|nemotron|hermes|cogito|lfm)/;

/** Providers that run on the user's own machine. */
const AT_HOME = new Set(["ollama", "lmstudio", "llamacpp"]);

/** Billions of parameters up to which a model counts as small: what fits one graphics card. */
const SMALL_MAX = 40;

/** The family of `provider/model`: what is known of it has the last word, otherwise its name says. */
export const familyOf = (name: string, { family }: ModelFacts = {}): Family =>
  family ?? familyByName(name);

function familyByName(name: string): Family {
  const slash = name.indexOf("/");
  const provider = slash === -1 ? "" : name.slice(0, slash);
  if (provider === "scripted") return "other";
  // Regions and makers stand before the name: `us.anthropic.claude-…`, `anthropic/claude-…`.
  const model = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const bare = model
    .replace(/^(us|eu|apac|global)\./, "")
    .replace(/^(anthropic|openai|meta|mistral)\./, "");
  const known = makers.find(([pattern]) => pattern.test(bare));
  if (known) return known[1];
  if (!OPEN.test(bare) && !AT_HOME.has(provider)) return "other";
  const billions = sizeIn(bare);
  if (billions !== undefined) return billions <= SMALL_MAX ? "local" : "other";
  return AT_HOME.has(provider) && !bare.endsWith("cloud") ? "local" : "other";
}

/** `qwen3:8b` 8, `mixtral-8x7b` 56, `qwen3-coder-480b-a35b` 480 (all of its experts). */
function sizeIn(model: string): number | undefined {
  const sizes = [...model.matchAll(/(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)(b|t)(?![a-z0-9])/g)];
  const [size] = sizes;
  if (!size) return undefined;
  const [, experts = "1", count = "", unit] = size;
  return Number(experts) * Number(count) * (unit === "t" ? 1_000 : 1);
}
