// `aiex models probe`: one tiny request, to see whether a model answers and calls tools.
import type { Probe } from "#app";
import { sentenceOf } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { exitOfFailure } from "#interfaces/cli/exit.ts";
import { lasted, moneyText, short, tokens } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";

export const probe = defineCommand({
  name: "models probe",
  level: "advanced",
  about: "Send a model one tiny request with a tool, and say what came of it.",
  more: `It takes five seconds at most. With a model that is paid for it costs a fraction of a cent,
which is said. Without a name the model is probed that would be asked now.`,
  args: [{ name: "model", about: "provider/name, as in `aiex models`.", optional: true }],
  options: { json: { about: "One JSON object." } },
  examples: ["aiex models probe ollama/qwen3", "aiex models probe openai/gpt-5.6-luna"],
  async run({ args: [named], options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app, config } = opened.value;
    let model = named ?? String(config.settings.get("model")?.value ?? "");
    if (model === "") {
      const models = await app.read({ type: "Models" });
      if (!models.ok) return cli.fail(models.error);
      const first = models.value.models.find(({ ways }) => ways.length > 0);
      if (!first) {
        const fix = "`aiex models` shows what was looked for";
        return cli.fail({ code: "no_model", say: "no model is in reach", fix });
      }
      model = first.name;
    }
    const found = await app.read({ type: "ProbeModel", model });
    if (!found.ok) return cli.fail(found.error);
    const { failure } = found.value;
    if (options.json) {
      const { facts, sources, ...rest } = found.value;
      cli.terminal.out(lineOf("probe", { ...rest, facts, sources }));
    } else cli.terminal.out(textOf(found.value));
    return failure ? exitOfFailure(failure.code) : 0;
  },
});

function textOf({ model, ms, say, usage, facts, failure }: Probe): string {
  if (failure) return `${reveal(model)}: ${reveal(sentenceOf(failure))}\n`;
  const money = moneyText(usage);
  const window = facts.windowTokens === undefined ? "not known" : short(facts.windowTokens);
  return [
    `${reveal(model)} answered in ${lasted(ms)}`,
    reveal(say ?? ""),
    `window ${window}`,
    tokens(usage),
    money === "" ? "its price is not known" : `cost ${money}`,
  ]
    .join("\n  ")
    .concat("\n");
}
