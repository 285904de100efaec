// `aiex completion`: prints what a shell needs to complete commands and options.
import { defineCommand } from "#interfaces/cli/command.ts";
import { completionFor, shells } from "#interfaces/cli/completion.ts";

export const completion = defineCommand({
  name: "completion",
  level: "advanced",
  about: "Print the completion script for bash, zsh or fish.",
  args: [{ name: "shell", about: "bash, zsh or fish." }],
  examples: ['eval "$(aiex completion bash)"'],
  async run({ args: [typed = ""] }, cli) {
    const shell = shells.find((known) => known === typed);
    if (!shell) {
      const say = `there is no completion for "${typed}"`;
      return cli.fail({ code: "bad_input", say, fix: `it is one of: ${shells.join(", ")}` });
    }
    const all = await Promise.all(cli.table.names.map(cli.table.load));
    cli.terminal.out(completionFor(shell, all));
    return 0;
  },
});
