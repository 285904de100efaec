// `aiex session restore`: the files of a folder as they were at a moment of a session.
import { ok, type Result } from "#core/failure.ts";
import { broughtBack, sessionMeant } from "#interfaces/cli/bringing-back.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { momentAbout, momentIn } from "#interfaces/cli/moments.ts";

export const restore = defineCommand({
  name: "session restore",
  level: "advanced",
  about: "Bring the files back to what they were at a moment of a session.",
  more: `Says what would be done; with --apply it is done. All files are meant, whoever changed them
since: to take back only what a turn did, use \`aiex undo\`. The present is recorded first, so that a
restore to it takes this one back. Dependencies, build output and version control stay as they are.`,
  args: [
    { name: "id", about: "The session; a beginning of its id is enough." },
    { name: "at", about: momentAbout },
  ],
  options: {
    apply: { about: "Do it." },
    json: { about: "One JSON object: what was done, and what was left as it is." },
  },
  examples: ["aiex session restore 3k2j9x 42", "aiex session restore 3k2j9x 42 --apply"],
  async run({ args: [id = "", at = ""], options }, cli) {
    const done = await restored({ id, at }, options, cli);
    return done.ok ? done.value : cli.fail(done.error);
  },
});

async function restored(
  { id, at }: { id: string; at: string },
  { apply, json }: { apply: boolean; json: boolean },
  cli: Cli,
): Promise<Result<ExitCode>> {
  const moment = momentIn(at);
  if (!moment.ok) return moment;
  const meant = await sessionMeant(cli, id, undefined);
  if (!meant.ok) return meant;
  const { app, session } = meant.value;
  const asked = { session, cause: "restore", at: moment.value } as const;
  const plan = await app.read({ type: "RestorePlan", ...asked });
  if (!plan.ok) return plan;
  const send = apply ? ({ type: "Restore", session, at: moment.value } as const) : null;
  const done = await broughtBack(meant.value, { cli, plan: plan.value, send, json });
  if (done.ok && !apply && !json) cli.terminal.err("  (--apply does it)\n");
  return done.ok ? ok(done.value) : done;
}
