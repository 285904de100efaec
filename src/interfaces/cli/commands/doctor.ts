// `aiex doctor`: what works on this machine, what does not, and how to mend it.
import type { Check } from "#app";
import { checkLines } from "#interfaces/cli/checks.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { isModelCheck } from "#interfaces/cli/no-model.ts";

export const doctor = defineCommand({
  name: "doctor",
  level: "everyday",
  about: "Check what Aiex needs, and say how to mend what is missing.",
  more: "Ends with 1 where something that matters is missing. One model in reach is enough.",
  options: { json: { about: "One JSON object a line, one for each check." } },
  examples: ["aiex doctor"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const health = await opened.value.app.read({ type: "Health" });
    if (!health.ok) return cli.fail(health.error);
    const { version, node, home, checks } = health.value;
    const { terminal } = cli;
    const wrong = missing(checks);
    if (options.json) {
      for (const check of checks) terminal.out(lineOf("check", check));
      terminal.out(lineOf("result", { ok: wrong.length === 0, version, node, home }));
      return wrong.length === 0 ? 0 : 1;
    }
    const paint = terminal.paint.out;
    terminal.out(`aiex ${version} · node ${node} · ${home}\n\n`);
    terminal.out(`${checkLines(checks, paint).join("\n")}\n\n`);
    const { ignored } = opened.value.config;
    for (const { key, where, why } of ignored) terminal.out(`  ${where}: ${key} ignored: ${why}\n`);
    terminal.out(
      wrong.length === 0 ? "All that matters works.\n" : `${wrong.join(", ")}: see above.\n`,
    );
    return wrong.length === 0 ? 0 : 1;
  },
});

/** What matters and is missing. Of the models one is enough. */
export function missing(checks: readonly Check[]): string[] {
  const models = checks.filter(isModelCheck);
  const others = checks.filter((check) => !isModelCheck(check) && !check.ok);
  const noModel = models.length > 0 && models.every(({ ok }) => !ok);
  return [...others.map(({ name }) => name), ...(noModel ? ["no model in reach"] : [])];
}
