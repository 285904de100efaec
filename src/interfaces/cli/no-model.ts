// No model in reach: what was looked for, and how to connect one.
import type { Check } from "#app";
import { type Config, textSetting } from "#config";
import { checkLines } from "#interfaces/cli/checks.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

/** The checks of the door that are about models are named so. */
export const isModelCheck = ({ name }: Check): boolean => name.startsWith("model");

export function isModelInReach(config: Config, checks: readonly Check[]): boolean {
  const isConfigured = textSetting(config, "model") !== "";
  return isConfigured || checks.some((check) => isModelCheck(check) && check.ok);
}

export function noModelText(checks: readonly Check[], paint: Paint): string {
  const models = checks.filter(isModelCheck).map(({ fix: _, ...check }) => check);
  const looked = models.length > 0 ? ["It looked for:", ...checkLines(models, paint), ""] : [];
  return [
    "Aiex finds no model to talk to.",
    ...looked,
    "To connect one, any of:",
    "  export OPENAI_API_KEY=sk-…                              OpenAI",
    "  export OPENAI_BASE_URL=http://127.0.0.1:11434/v1        Ollama, LM Studio, any other",
    "  aiex config set model openai/<name>                     which of its models to use",
    "",
    "The demo needs none: its answers are scripted, everything else is real.",
  ].join("\n");
}
