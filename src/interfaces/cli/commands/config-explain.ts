// `aiex config explain`: what a key is for, what it is here, and what each layer says.
import { defineCommand } from "#interfaces/cli/command.ts";
import { wrapped } from "#interfaces/cli/help.ts";
import {
  configHere,
  definitionOf,
  keyNamed,
  layersOf,
  valueText,
} from "#interfaces/cli/settings.ts";

const COLUMNS = 78;

export const explain = defineCommand({
  name: "config explain",
  level: "advanced",
  about: "Say what a key is for, what it is here, and what each layer says.",
  args: [{ name: "key", about: "Which one; `aiex config list` shows them." }],
  examples: ["aiex config explain mode"],
  async run({ args: [typed = ""] }, cli) {
    const named = keyNamed(typed);
    if (!named.ok) return cli.fail(named.error);
    const key = named.value;
    const config = await configHere(cli);
    if (!config.ok) return cli.fail(config.error);
    const { terminal } = cli;
    const { bold, dim } = terminal.paint.out;
    const { about, choices, env } = definitionOf(key);
    const setting = config.value.settings.get(key);
    terminal.out(`${bold(key)} = ${valueText(key, setting?.value)}\n`);
    terminal.out(`${wrapped(about, COLUMNS).join("\n")}\n\n`);
    if (choices) terminal.out(`one of: ${choices.join(", ")}\n`);
    if (env) terminal.out(`environment: ${env.map((name) => `$${name}`).join(", ")}\n`);
    const ignored = config.value.ignored.find((narrowing) => narrowing.key === key);
    for (const { layer, where, value } of layersOf(config.value, key, cli)) {
      const counts = layer === setting?.from ? "*" : " ";
      const why = layer === "project" && ignored ? `  ignored: ${ignored.why}` : "";
      const untrusted = layer === "project" && !ignored && counts === " " ? "  not in force" : "";
      const place = where ? dim(`  ${where}`) : "";
      terminal.out(
        `${counts} ${layer.padEnd(12)} ${valueText(key, value)}${place}${why}${untrusted}\n`,
      );
    }
    return 0;
  },
});
