// `aiex undo`: takes the last turn back, files and conversation.
import type { Result } from "#core/failure.ts";
import { backOptions, broughtBack, sessionMeant } from "#interfaces/cli/bringing-back.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand, type Values } from "#interfaces/cli/command.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";

const session = {
  name: "id",
  about: "The session; a beginning of its id is enough. The newest of this folder without it.",
  optional: true,
} as const;

export const undo = defineCommand({
  name: "undo",
  level: "everyday",
  about: "Take the last turn of a session back: what it changed, and what was said.",
  more: `Path by path: what is still exactly as the turn left it goes back to what it was before,
the shell's changes included. What you, another session or a job changed since stays as it is and
is named, and the end is 1 then; so does what somebody else may have changed while a command of the
turn ran, but for --doubtful. Nothing is lost: \`aiex redo\` brings the turn back.`,
  args: [session],
  options: {
    ...backOptions,
    doubtful: { about: "Also what somebody else may have changed while a command ran." },
  },
  examples: ["aiex undo", "aiex undo --dry-run", "aiex undo 3k2j9x"],
  async run({ args, options }, cli) {
    const { doubtful } = options;
    return await ended(cli, back("undo", args[0], { ...options, doubtful }, cli));
  },
});

export const redo = defineCommand({
  name: "redo",
  level: "everyday",
  about: "Bring the turn back that was undone last.",
  more: "Possible until the next prompt of the session. Path by path, as `aiex undo`.",
  args: [session],
  options: backOptions,
  examples: ["aiex redo", "aiex redo --dry-run"],
  async run({ args, options }, cli) {
    return await ended(cli, back("redo", args[0], { ...options, doubtful: false }, cli));
  },
});

async function ended(cli: Cli, done: Promise<Result<ExitCode>>): Promise<ExitCode> {
  const result = await done;
  return result.ok ? result.value : cli.fail(result.error);
}

async function back(
  cause: "undo" | "redo",
  id: string | undefined,
  options: Values<typeof backOptions> & { doubtful: boolean },
  cli: Cli,
): Promise<Result<ExitCode>> {
  const { doubtful } = options;
  const meant = await sessionMeant(cli, id, options.cwd);
  if (!meant.ok) return meant;
  const { app, session: meantId } = meant.value;
  const plan = await app.read({ type: "RestorePlan", session: meantId, cause, doubtful });
  if (!plan.ok) return plan;
  const send = options["dry-run"]
    ? null
    : cause === "undo"
      ? ({ type: "Undo", session: meantId, doubtful } as const)
      : ({ type: "Redo", session: meantId } as const);
  const { json } = options;
  return await broughtBack(meant.value, { cli, plan: plan.value, send, json });
}
