// `aiex help`: the commands by level, or one of them in full.
import { defineCommand } from "#interfaces/cli/command.ts";
import { groupHelp, helpOf, overview } from "#interfaces/cli/help.ts";
import { route } from "#interfaces/cli/parse.ts";

export const help = defineCommand({
  name: "help",
  level: "everyday",
  about: "Explain a command, or show the commands.",
  args: [{ name: "command", about: "What to explain.", optional: true, many: true }],
  options: { all: { about: "Every command, and the exit codes.", short: "a" } },
  examples: ["aiex help", "aiex help --all", "aiex help session show"],
  async run({ args, options }, cli) {
    const { terminal } = cli;
    const { names, load } = cli.table;
    const paint = terminal.paint.out;
    const [group = ""] = args;
    if (args.length === 0) {
      const all = await Promise.all(names.map(load));
      terminal.out(overview(all, { whole: options.all }, paint));
      return 0;
    }
    const members = names.filter((name) => name.startsWith(`${group} `));
    if (args.length === 1 && members.length > 0) {
      const all = await Promise.all(names.map(load));
      terminal.out(groupHelp(group, all, paint));
      return 0;
    }
    const routed = route(args, names);
    if (!routed.ok) return cli.fail(routed.error);
    terminal.out(helpOf(await load(routed.value.name), paint));
    return 0;
  },
});
