// `aiex session diff`: what is another in the files between two moments of a session.
import type { PathDifference } from "#app";
import { ok, type Result } from "#core/failure.ts";
import { sessionMeant } from "#interfaces/cli/bringing-back.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { differenceText } from "#interfaces/cli/differences.ts";
import { momentAbout, momentIn } from "#interfaces/cli/moments.ts";

export const diff = defineCommand({
  name: "session diff",
  level: "advanced",
  about: "Show what is another in the files between two moments of a session.",
  more: "Without a second moment: between the first and now.",
  args: [
    { name: "id", about: "The session; a beginning of its id is enough." },
    { name: "from", about: momentAbout },
    { name: "to", about: "Another moment; now without it.", optional: true },
  ],
  options: {
    stat: { about: "Only name the paths." },
    json: { about: "One JSON object a line: a path that differs." },
  },
  examples: ["aiex session diff 3k2j9x 1", "aiex session diff 3k2j9x 12 40 --stat"],
  async run({ args: [id = "", from = "", to], options }, cli) {
    const found = await differences(cli, { id, from, to });
    if (!found.ok) return cli.fail(found.error);
    cli.terminal.out(differenceText(found.value, cli.terminal, options));
    return 0;
  },
});

async function differences(
  cli: Cli,
  { id, from, to }: { id: string; from: string; to: string | undefined },
): Promise<Result<readonly PathDifference[]>> {
  const first = momentIn(from);
  if (!first.ok) return first;
  const last = to === undefined ? ok(undefined) : momentIn(to);
  if (!last.ok) return last;
  const meant = await sessionMeant(cli, id, undefined);
  if (!meant.ok) return meant;
  const { app, session } = meant.value;
  const between = { session, from: first.value, to: last.value };
  return await app.read({ type: "Difference", ...between });
}
