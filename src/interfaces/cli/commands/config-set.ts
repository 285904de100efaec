// `aiex config set`: changes the user's configuration file, after the value was checked.
import { faultOf, parseValue } from "#config";
import { defineCommand } from "#interfaces/cli/command.ts";
import { definitionOf, keyNamed, valueText, writeSetting } from "#interfaces/cli/settings.ts";

/** What is wrong with a list about models: its schema is loaded when one is set. */
async function listed(key: string, value: unknown) {
  if (!Array.isArray(value)) return null;
  const { listFault } = await import("#core/model/settings.ts");
  return listFault(key, value);
}

export const set = defineCommand({
  name: "config set",
  level: "advanced",
  about: "Set a key in your configuration file.",
  args: [
    { name: "key", about: "Which one; `aiex config list` shows them." },
    { name: "value", about: "Its value; a list is written as JSON.", optional: true },
  ],
  options: { unset: { about: "Take the key out of the file." } },
  examples: ["aiex config set model openai/gpt-5.1", "aiex config set mode --unset"],
  async run({ args: [typed = "", text], options }, cli) {
    const key = keyNamed(typed);
    if (!key.ok) return cli.fail(key.error);
    if ((text === undefined) !== options.unset) {
      const say = options.unset ? "--unset takes no value" : "<value> is missing";
      const fix = "usage: aiex config set <key> <value>, or --unset";
      return cli.fail({ code: "bad_input", say, fix });
    }
    const value = text === undefined ? undefined : parseValue(key.value, text);
    const bad =
      text === undefined ? null : (faultOf(key.value, value) ?? (await listed(key.value, value)));
    if (bad) return cli.fail(bad.error);
    const file = writeSetting(cli.env, key.value, value);
    if (!file.ok) return cli.fail(file.error);
    const { terminal } = cli;
    const now = value === undefined ? "no longer set" : `= ${valueText(key.value, value)}`;
    terminal.out(`${key.value} ${now} in ${file.value}\n`);
    const over = definitionOf(key.value).env?.find((name) => cli.env[name]);
    if (over) terminal.err(`  ($${over} is set and counts more)\n`);
    return 0;
  },
});
