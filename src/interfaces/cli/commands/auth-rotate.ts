// `aiex auth rotate`: seals all kept keys anew.
import { defineCommand } from "#interfaces/cli/command.ts";

export const rotate = defineCommand({
  name: "auth rotate",
  level: "operator",
  about: "Seal all kept keys anew, under a new data key.",
  more: `The keys themselves stay as they are; the old data key is forgotten. Do it when somebody may
have seen the data key, and where a keychain was added since.`,
  examples: ["aiex auth rotate"],
  async run(_given, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const done = await opened.value.app.send({ type: "RotateKeys" });
    if (!done.ok) return cli.fail(done.error);
    cli.terminal.out("the kept keys are sealed anew\n");
    return 0;
  },
});
