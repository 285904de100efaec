// No model in reach: what was looked for, and how to connect one.
import type { Check } from "#app";
import { type Config, textSetting } from "#config";
import { reveal } from "#core/security/screen.ts";
import { markOf } from "#interfaces/cli/checks.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

/** The checks of the door that are about models are named so. */
export const isModelCheck = ({ name }: Check): boolean => name.startsWith("model");

export function isModelInReach(config: Config, checks: readonly Check[]): boolean {
  const isConfigured = textSetting(config, "model") !== "";
  return isConfigured || checks.some((check) => isModelCheck(check) && check.ok);
}

export function noModelText(checks: readonly Check[], paint: Paint): string {
  const models = checks.filter(isModelCheck);
  const lines = models.map(({ ok, say }) => `  ${markOf(ok, paint)} ${reveal(say)}`);
  const looked = lines.length > 0 ? ["It looked for:", ...lines, ""] : [];
  return [
    "Aiex finds no model to talk to.",
    ...looked,
    "To connect one, any of:",
    "  export OPENAI_API_KEY=sk-…                  OpenAI",
    "  export ANTHROPIC_API_KEY=sk-ant-…           Anthropic",
    "  start Ollama or LM Studio                   found by itself; nothing to set",
    "  export OPENAI_BASE_URL=https://…/v1         any other that speaks OpenAI's API",
    "",
    "The demo needs none: its answers are scripted, everything else is real.",
  ].join("\n");
}
