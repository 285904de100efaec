// What undo, redo and restore have in common: the session that is meant, and telling what goes back
// and what stays as it is.
import type { Answers, App, Command } from "#app";
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { ABSENT, entryOf, kindOf, type PathChange } from "#core/tree/entry.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import type { Options } from "#interfaces/cli/command.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { count } from "#interfaces/cli/figures.ts";

/** Paths that are named one by one. */
const NAMED = 40;

export const backOptions = {
  cwd: { about: "The folder whose newest session is meant.", short: "C", value: "folder" },
  "dry-run": { about: "Only say what would be done.", short: "n" },
  json: { about: "One JSON object: what was done, and what was left as it is." },
} as const satisfies Options;

export type Meant = { app: App; session: string };

/** The session with this id, or the newest one of the folder. */
export async function sessionMeant(
  cli: Cli,
  id: string | undefined,
  folder: string | undefined,
): Promise<Result<Meant>> {
  const opened = await cli.open({ folder });
  if (!opened.ok) return opened;
  const { app, location } = opened.value;
  if (id !== undefined) {
    const found = await app.read({ type: "Session", session: id });
    return found.ok ? ok({ app, session: found.value.session }) : found;
  }
  const where = { path: location.path, child: 0 };
  const rows = await app.read({ type: "View", view: "sessions", where, limit: 1 });
  if (!rows.ok) return rows;
  const [row] = rows.value;
  return row
    ? ok({ app, session: String(row.session) })
    : fail("not_found", `there is no session in ${location.path}`, {
        fix: "name one: `aiex session list` shows them",
      });
}

type Plan = Answers["RestorePlan"];

/** A line for each path: what becomes of it. `more` stay that are not among those in `left`. */
export function planLines({ changes, left }: Pick<Plan, "changes" | "left">, more = 0): string[] {
  const paths = changes.filter(isShown);
  const lines = paths.slice(0, NAMED).map(({ path, ...how }) => `  ${verb(how)} ${reveal(path)}`);
  if (paths.length > NAMED) lines.push(`  … and ${paths.length - NAMED} more`);
  const stay = left
    .slice(0, NAMED)
    .map(({ path, why }) => `  stays    ${reveal(path)} (${reveal(why)})`);
  const rest = more + Math.max(0, left.length - NAMED);
  if (rest > 0) stay.push(`  … and ${rest} more stay as they are`);
  return [...lines, ...stay];
}

/** A folder that comes or goes with what is in it says nothing of its own. */
function isShown(
  { path, before, after }: PathChange,
  _: number,
  all: readonly PathChange[],
): boolean {
  const isFolder = [before, after].every((state) => {
    const entry = entryOf(state);
    return entry === null || kindOf(entry) === "folder";
  });
  return !isFolder || !all.some((other) => other.path.startsWith(`${path}/`));
}

function verb({ before, after }: Pick<PathChange, "before" | "after">): string {
  if (before === ABSENT) return "returns ";
  return after === ABSENT ? "goes    " : "goes back";
}

/** Says what would be done; with `send`, does it and says what was. */
export async function broughtBack(
  { app, session }: Meant,
  options: {
    cli: Cli;
    plan: Plan;
    /** Null: only say what would be done. */
    send: Extract<Command, { type: "Undo" | "Redo" | "Restore" }> | null;
    json: boolean;
  },
): Promise<Result<ExitCode>> {
  const { cli, plan, send, json } = options;
  const { terminal } = cli;
  let told: Outcome = plan;
  if (send) {
    const sent = await app.send(send);
    if (!sent.ok) return sent;
    const done = await outcomeOf(app, session);
    if (!done.ok) return done;
    told = done.value;
  }
  const { cause, changes, left } = told;
  if (json) {
    const done = send !== null;
    terminal.out(`${JSON.stringify({ session, cause, done, changes, left })}\n`);
    return ok(left.length > 0 ? 1 : 0);
  }
  const begun = plan.begun ? ` (begun before, and ${send ? "" : "not "}ended now)` : "";
  terminal.out(`${titleOf(told, session)}${begun}\n`);
  const lines = planLines({ changes, left });
  const files = count(changes.filter(isShown).length, "path");
  terminal.out(lines.length > 0 ? `${lines.join("\n")}\n` : "  no file is another\n");
  const stay = left.length > 0 ? `, ${left.length} left as they are` : "";
  terminal.out(`${send ? "" : "nothing was done yet: "}${files}${stay}\n`);
  if (send && cause === "undo") terminal.err("  (aiex redo brings it back)\n");
  return ok(left.length > 0 ? 1 : 0);
}

/** What was done, as a plan says it. Where one was begun before, it is that and no other. */
export type Outcome = Pick<Plan, "cause" | "to" | "changes" | "left">;

function titleOf({ cause, to }: Outcome, session: string): string {
  switch (cause) {
    case "undo":
    case "redo":
      return `${cause} the last turn of ${session}`;
    case "restore":
      return `restore the files of ${reveal(to ?? "an earlier state")} of ${session}`;
    default:
      return unreachable(cause);
  }
}

/** What the newest bringing back did: its changes, less what it had to leave. */
export async function outcomeOf(app: App, session: string): Promise<Result<Outcome>> {
  const entries = await app.read({ type: "Transcript", session, limit: 20 });
  if (!entries.ok) return entries;
  const events = entries.value.flatMap(({ decoded }) =>
    decoded.kind === "event" ? [decoded.event] : [],
  );
  const started = events.findLast((event) => event.type === "RestoreStarted");
  const finished = events.findLast((event) => event.type === "RestoreFinished");
  if (!started || !finished) return fail("broken", "the session does not say what was done");
  const stayed = new Set(finished.left.map(({ path }) => path));
  return ok({
    cause: started.cause,
    to: started.to ?? null,
    changes: started.changes.filter(({ path }) => !stayed.has(path)),
    left: finished.left,
  });
}
