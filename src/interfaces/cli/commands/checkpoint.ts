// `aiex checkpoint …`: points that the user returns to, each the files of a folder under a name.
import type { App } from "#app";
import { fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { planLines } from "#interfaces/cli/bringing-back.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { differenceText } from "#interfaces/cli/differences.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { ago, count } from "#interfaces/cli/figures.ts";

const cwd = { about: "The folder.", short: "C", value: "folder" } as const;
const json = { about: "As JSON." } as const;
const named = { name: "name", about: "The checkpoint, by its name or a beginning of its id." };

type At = { app: App; path: string };

/** Opens the folder, does the work, and says what went wrong. */
async function inFolder(
  cli: Cli,
  folder: string | undefined,
  work: (at: At) => Promise<Result<ExitCode>>,
): Promise<ExitCode> {
  const opened = await cli.open({ folder });
  if (!opened.ok) return cli.fail(opened.error);
  const { app, location } = opened.value;
  const done = await work({ app, path: location.path });
  return done.ok ? done.value : cli.fail(done.error);
}

const told = async (
  cli: Cli,
  sent: Promise<Result<unknown>>,
  text: string,
): Promise<Result<ExitCode>> => {
  const done = await sent;
  if (!done.ok) return done;
  cli.terminal.out(`${text}\n`);
  return ok(0);
};

export const create = defineCommand({
  name: "checkpoint create",
  level: "everyday",
  about: "Name the files of this folder as they are now, to return to them later.",
  more: `Ignored files are held too, but none of dependencies, build output and version control.
Checkpoints are kept until they are removed.`,
  args: [{ name: "name", about: "What it is called.", many: true }],
  options: { tag: { about: "A tag.", value: "tag", many: true }, cwd },
  examples: ["aiex checkpoint create before the refactoring"],
  run: ({ args, options: { tag: tags, cwd: folder } }, cli) =>
    inFolder(cli, folder, ({ app, path }) => {
      const name = args.join(" ").trim();
      const sent = app.send({ type: "CreateCheckpoint", path, name, tags });
      return told(cli, sent, `"${reveal(name)}" is a checkpoint now`);
    }),
});

export const list = defineCommand({
  name: "checkpoint list",
  level: "everyday",
  about: "The checkpoints of this folder, newest first.",
  options: { tag: { about: "Only those with this tag.", value: "tag" }, cwd, json },
  examples: ["aiex checkpoint list"],
  run: ({ options: { tag, cwd: folder, json: asJson } }, cli) =>
    inFolder(cli, folder, async ({ app, path }) => {
      const all = await app.read({ type: "Checkpoints", path });
      if (!all.ok) return all;
      const shown = all.value.filter(({ tags }) => tag === undefined || tags.includes(tag));
      for (const { id, name, at, tags, ...rest } of shown.toReversed()) {
        const marks = tags.length > 0 ? `  [${tags.map(reveal).join(", ")}]` : "";
        const line = `${id.slice(0, 8)}  ${ago(at, cli.now())}  ${reveal(name)}${marks}`;
        cli.terminal.out(`${asJson ? JSON.stringify({ id, name, at, tags, ...rest }) : line}\n`);
      }
      if (shown.length === 0 && !asJson) {
        cli.terminal.err("no checkpoints; `aiex checkpoint create <name>` makes one\n");
      }
      return ok(0);
    }),
});

export const diff = defineCommand({
  name: "checkpoint diff",
  level: "advanced",
  about: "Show what is another in the files since a checkpoint.",
  args: [named, { name: "to", about: "Another checkpoint; now without it.", optional: true }],
  options: { stat: { about: "Only name the paths." }, cwd, json },
  examples: ["aiex checkpoint diff before"],
  run: ({ args: [from = "", to], options }, cli) =>
    inFolder(cli, options.cwd, async ({ app, path }) => {
      const found = await app.read({ type: "CheckpointDifference", path, from, to });
      if (!found.ok) return found;
      cli.terminal.out(differenceText(found.value, cli.terminal, options));
      return ok(0);
    }),
});

export const restore = defineCommand({
  name: "checkpoint restore",
  level: "everyday",
  about: "Bring the files of this folder back to a checkpoint.",
  more: `Says what would be done; with --apply it is done. The present becomes a checkpoint of its own
first. Dependencies, build output and version control stay as they are. What else could not be
brought back is named, and the end is 1 then, as of \`aiex undo\`.`,
  args: [named],
  options: { apply: { about: "Do it." }, cwd },
  examples: ["aiex checkpoint restore before", "aiex checkpoint restore before --apply"],
  run: ({ args: [checkpoint = ""], options: { apply, cwd: folder } }, cli) =>
    inFolder(cli, folder, (at) => (apply ? restored : planned)(cli, at, checkpoint)),
});

const NOTHING = "  no file is another";

async function planned(cli: Cli, { app, path }: At, checkpoint: string): Promise<Result<ExitCode>> {
  const plan = await app.read({ type: "CheckpointPlan", path, checkpoint });
  if (!plan.ok) return plan;
  const lines = planLines(plan.value);
  cli.terminal.out(`${lines.length > 0 ? lines.join("\n") : NOTHING}\n`);
  cli.terminal.err("  nothing was done yet (--apply does it)\n");
  return ok(endOf(plan.value.left.length));
}

async function restored(cli: Cli, at: At, checkpoint: string): Promise<Result<ExitCode>> {
  const { app, path } = at;
  const busy = await runningIn(app, path);
  if (busy) return busy;
  const plan = await app.read({ type: "CheckpointPlan", path, checkpoint });
  if (!plan.ok) return plan;
  const sent = await app.send({ type: "RestoreCheckpoint", path, checkpoint });
  if (!sent.ok) return sent;
  const outcome = await app.read({ type: "CheckpointOutcome", path });
  if (!outcome.ok) return outcome;
  const { left, paths } = outcome.value ?? { left: 0, paths: [] };
  const stayed = new Set(paths.map((one) => one.path));
  const changes = plan.value.changes.filter((one) => !stayed.has(one.path));
  const lines = planLines({ changes, left: paths }, left - paths.length);
  cli.terminal.out(`${lines.length > 0 ? lines.join("\n") : NOTHING}\n`);
  const but = left > 0 ? `, but for ${count(left, "path")} left as they are` : "";
  cli.terminal.out(`the files are those of "${reveal(checkpoint)}" now${but}\n`);
  return ok(endOf(left));
}

/** As `aiex undo` ends. */
const endOf = (left: number): ExitCode => (left > 0 ? 1 : 0);

/** A turn that is under way would write into what is being restored. */
async function runningIn(app: App, path: string) {
  const where = { path, state: "running" };
  const rows = await app.read({ type: "View", view: "sessions", where, limit: 1 });
  const [row] = rows.ok ? rows.value : [];
  return row
    ? fail("conflict", `a turn of session ${row.session} is not finished in this folder`, {
        fix: "wait for it, or cancel it",
      })
    : null;
}

export const tag = defineCommand({
  name: "checkpoint tag",
  level: "advanced",
  about: "Give a checkpoint other tags.",
  args: [named, { name: "tag", about: "Its tags from now on.", optional: true, many: true }],
  options: { cwd },
  examples: ["aiex checkpoint tag before release keep"],
  run: ({ args: [checkpoint = "", ...tags], options: { cwd: folder } }, cli) =>
    inFolder(cli, folder, ({ app, path }) => {
      const sent = app.send({ type: "TagCheckpoint", path, checkpoint, tags });
      const text = tags.length > 0 ? tags.map(reveal).join(", ") : "none";
      return told(cli, sent, `tags of "${reveal(checkpoint)}": ${text}`);
    }),
});

export const rm = defineCommand({
  name: "checkpoint rm",
  level: "advanced",
  about: "Remove a checkpoint; the files of the folder stay as they are.",
  args: [named],
  options: { cwd },
  examples: ["aiex checkpoint rm before"],
  run: ({ args: [checkpoint = ""], options: { cwd: folder } }, cli) =>
    inFolder(cli, folder, ({ app, path }) =>
      told(
        cli,
        app.send({ type: "RemoveCheckpoint", path, checkpoint }),
        `"${reveal(checkpoint)}" is no checkpoint any more`,
      ),
    ),
});

export const check = defineCommand({
  name: "checkpoint check",
  level: "operator",
  about: "Check that every kept tree of this folder is whole.",
  options: { tidy: { about: "Drop what is older than it is kept for, and pack the rest." }, cwd },
  examples: ["aiex checkpoint check", "aiex checkpoint check --tidy"],
  run: ({ options: { tidy, cwd: folder } }, cli) =>
    inFolder(cli, folder, async ({ app, path }) => {
      const tidied = tidy ? await app.send({ type: "TidyTrees", path }) : ok();
      if (!tidied.ok) return tidied;
      const faults = await app.read({ type: "TreeFaults", path });
      if (!faults.ok) return faults;
      for (const fault of faults.value) cli.terminal.out(`${reveal(fault)}\n`);
      const say =
        faults.value.length > 0 ? count(faults.value.length, "fault") : "every tree is whole";
      cli.terminal.out(`${say}\n`);
      return ok(faults.value.length > 0 ? 1 : 0);
    }),
});
