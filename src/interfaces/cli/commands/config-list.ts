// `aiex config list`: every key, its value here, and which layer it came from.
import { allKeys } from "#config";
import { defineCommand } from "#interfaces/cli/command.ts";
import { column, cut } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { configHere, valueText } from "#interfaces/cli/settings.ts";

const KEY_COLUMNS = 24;

export const list = defineCommand({
  name: "config list",
  level: "advanced",
  about: "Every key with its value in this folder, and where that came from.",
  options: { json: { about: "One JSON object a line." } },
  examples: ["aiex config list"],
  async run({ options }, cli) {
    const config = await configHere(cli);
    if (!config.ok) return cli.fail(config.error);
    const { terminal } = cli;
    const { dim } = terminal.paint.out;
    for (const key of allKeys) {
      const setting = config.value.settings.get(key);
      if (!setting) continue;
      const { from, where } = setting;
      const value = valueText(key, setting.value);
      if (options.json) {
        terminal.out(lineOf("setting", { key, value, from, where }));
        continue;
      }
      const source = from === "default" ? "" : `  ${from}${where ? ` (${where})` : ""}`;
      terminal.out(`${column(key, KEY_COLUMNS)} ${cut(value, 60)}${dim(source)}\n`);
    }
    for (const { key, where, why } of config.value.ignored) {
      terminal.err(`  ${where}: ${key} ignored: ${why}\n`);
    }
    return 0;
  },
});
