// `aiex session rename`: a name of the user's own for a session.
import { defineCommand } from "#interfaces/cli/command.ts";

export const rename = defineCommand({
  name: "session rename",
  level: "advanced",
  about: "Give a session another name.",
  args: [
    { name: "id", about: "The session; a beginning of its id is enough." },
    { name: "name", about: "Its name from now on.", many: true },
  ],
  examples: ["aiex session rename 3k2j9x login test"],
  async run({ args: [id = "", ...words] }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const found = await app.read({ type: "Session", session: id });
    if (!found.ok) return cli.fail(found.error);
    const { session } = found.value;
    const title = words.join(" ").trim();
    const done = await app.send({ type: "Rename", session, title });
    if (!done.ok) return cli.fail(done.error);
    cli.terminal.out(`${session} is "${title}" now\n`);
    return 0;
  },
});
