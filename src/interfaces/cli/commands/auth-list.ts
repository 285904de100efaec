// `aiex auth list`: whose keys are kept; never the keys.
import { defineCommand } from "#interfaces/cli/command.ts";
import { ago, count } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";

export const list = defineCommand({
  name: "auth list",
  level: "advanced",
  about: "Whose keys are kept, and since when.",
  options: { json: { about: "One JSON object a line." } },
  examples: ["aiex auth list"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const kept = await opened.value.app.read({ type: "Keys" });
    if (!kept.ok) return cli.fail(kept.error);
    const { terminal } = cli;
    for (const { provider, keys, at } of kept.value) {
      if (options.json) terminal.out(lineOf("key", { provider, keys, at }));
      else terminal.out(`${provider}  ${count(keys, "key")}, set ${ago(at, cli.now())}\n`);
    }
    if (kept.value.length === 0 && !options.json) {
      terminal.err("  (no key is kept; `aiex auth set openai` keeps one)\n");
    }
    return 0;
  },
});
