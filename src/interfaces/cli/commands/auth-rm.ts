// `aiex auth rm`: forgets the kept keys of a provider.
import { defineCommand } from "#interfaces/cli/command.ts";

export const rm = defineCommand({
  name: "auth rm",
  level: "advanced",
  about: "Forget the kept keys of a provider.",
  args: [{ name: "provider", about: "Whose; `aiex auth list` shows them." }],
  examples: ["aiex auth rm openai"],
  async run({ args: [provider = ""] }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const gone = await opened.value.app.send({ type: "RemoveKeys", provider });
    if (!gone.ok) return cli.fail(gone.error);
    cli.terminal.out(`the keys of ${provider} are forgotten\n`);
    return 0;
  },
});
