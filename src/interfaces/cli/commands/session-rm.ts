// `aiex session rm`: removes the content of sessions for good. The chain of the log stays valid.
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { confirm } from "#interfaces/cli/trusting.ts";

export const rm = defineCommand({
  name: "session rm",
  level: "advanced",
  about: "Remove the content of sessions for good.",
  more: `What was said and done is erased and cannot be brought back (export it first to keep it).
That a session was, and that it was erased, stays in the log.`,
  args: [{ name: "id", about: "The sessions; beginnings of ids are enough.", many: true }],
  options: { yes: { about: "Do not ask.", short: "y" } },
  examples: ["aiex session rm 3k2j9x", "aiex session rm --yes 3k2j9x 7wq0de"],
  async run({ args, options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const found: { session: string; title: string }[] = [];
    for (const id of args) {
      const read = await app.read({ type: "Session", session: id });
      if (!read.ok) return cli.fail(read.error);
      found.push({ session: read.value.session, title: read.value.state.title });
    }
    const { terminal } = cli;
    if (!options.yes) {
      if (!terminal.interactive) {
        const say = "removing a session cannot be undone, and there is no terminal to ask";
        return cli.fail({ code: "permission_needed", say, fix: "add --yes" });
      }
      const names = found.map(({ session, title }) => `  ${session}  ${reveal(title)}\n`).join("");
      if (!(await confirm(cli, names, "Erase for good?"))) {
        terminal.err("nothing was erased\n");
        return 77;
      }
    }
    for (const { session } of found) {
      const done = await app.send({ type: "Erase", session, why: "the user removed it" });
      if (!done.ok) return cli.fail(done.error);
      terminal.out(`erased ${session}\n`);
    }
    return 0;
  },
});
