// `aiex untrust`: takes the trust in a folder back, with what was allowed there for good.
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";

export const untrust = defineCommand({
  name: "untrust",
  level: "advanced",
  about: "Take the trust in a folder back, and every permission kept for it.",
  args: [{ name: "path", about: "The folder; this one if it is left out.", optional: true }],
  examples: ["aiex untrust", "aiex untrust ~/src/shop"],
  async run({ args }, cli) {
    const opened = await cli.open({ folder: args[0] });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const done = await app.send({ type: "Distrust", path: location.path });
    if (!done.ok) return cli.fail(done.error);
    cli.terminal.out(`${reveal(location.path)} is not trusted now\n`);
    return 0;
  },
});
