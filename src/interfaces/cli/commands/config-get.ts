// `aiex config get`: the value that holds here, and nothing else.
import { defineCommand } from "#interfaces/cli/command.ts";
import { configHere, definitionOf, keyNamed, valueText } from "#interfaces/cli/settings.ts";

export const get = defineCommand({
  name: "config get",
  level: "advanced",
  about: "Print the value of a key that holds in this folder.",
  more: "A secret is never printed, only whether it is set. A key that is not set prints nothing.",
  args: [{ name: "key", about: "Which one; `aiex config list` shows them." }],
  examples: ["aiex config get model"],
  async run({ args: [typed = ""] }, cli) {
    const key = keyNamed(typed);
    if (!key.ok) return cli.fail(key.error);
    const config = await configHere(cli);
    if (!config.ok) return cli.fail(config.error);
    const value = config.value.settings.get(key.value)?.value;
    if (value === "" && !definitionOf(key.value).secret) return 0;
    cli.terminal.out(`${valueText(key.value, value)}\n`);
    return 0;
  },
});
