// `aiex trust`: from now on a folder's files may be worked on and its configuration obeyed.
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { projectOf } from "#interfaces/cli/open.ts";
import { quoted } from "#interfaces/cli/trusting.ts";

export const trust = defineCommand({
  name: "trust",
  level: "everyday",
  about: "Trust a folder as it is now.",
  more: `In a trusted folder Aiex may read and change files, run commands in the sandbox, and follow
AGENTS.md and .aiex/config.json. When that configuration changes, it asks again.`,
  args: [{ name: "path", about: "The folder; this one if it is left out.", optional: true }],
  examples: ["aiex trust", "aiex trust ~/src/shop"],
  async run({ args }, cli) {
    const opened = await cli.open({ folder: args[0] });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const { path } = location;
    const named = reveal(path);
    const done = await app.send({ type: "Trust", path });
    if (!done.ok) return cli.fail(done.error);
    const { terminal } = cli;
    terminal.out(location.trusted ? `${named} was trusted already\n` : `${named} is trusted now\n`);
    const project = projectOf(path);
    if (project) terminal.out(`with its configuration as it is: ${reveal(project.file)}\n`);
    terminal.out(terminal.paint.out.dim(`aiex untrust ${reveal(quoted(path))} takes it back\n`));
    return 0;
  },
});
