// `aiex session fork`: a new session that goes on from a moment of another one.
import { resolve } from "node:path";
import { ok } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { sessionMeant } from "#interfaces/cli/bringing-back.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { momentAbout, momentIn } from "#interfaces/cli/moments.ts";

export const fork = defineCommand({
  name: "session fork",
  level: "advanced",
  about: "Begin a new session from a moment of another one.",
  more: `The other session stays as it is. The new one goes on in the same folder with the files as
they are now; with --into it gets a folder of its own with the files as they were at that moment.
There it can undo what it does from then on, and the other session what was done before.`,
  args: [
    { name: "id", about: "The session; a beginning of its id is enough." },
    { name: "at", about: `${momentAbout} The newest without it.`, optional: true },
  ],
  options: { into: { about: "A new folder for the files of that moment.", value: "folder" } },
  examples: ["aiex session fork 3k2j9x 12", "aiex session fork 3k2j9x 12 --into ../try"],
  async run({ args: [id = "", at], options: { into } }, cli) {
    const moment = at === undefined ? ok(undefined) : momentIn(at);
    if (!moment.ok) return cli.fail(moment.error);
    const meant = await sessionMeant(cli, id, undefined);
    if (!meant.ok) return cli.fail(meant.error);
    const { app, session } = meant.value;
    const folder = into === undefined ? undefined : resolve(cli.folder, into);
    const done = await app.send({ type: "Fork", session, at: moment.value, into: folder });
    if (!done.ok) return cli.fail(done.error);
    const { stream } = done.value;
    const where = folder === undefined ? "" : ` in ${reveal(folder)}`;
    cli.terminal.out(`${stream} goes on from ${session}${where}\n`);
    cli.terminal.err(`  (aiex chat --session ${stream})\n`);
    return 0;
  },
});
