// `aiex demo`: a turn from prompt to green test, without a model. Says what is real and what is not.
import { ok, type Result } from "#core/failure.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { COMMAND, type DemoProject, demoProject, PROMPT } from "#interfaces/cli/demo-project.ts";
import { type ExitCode, exitOfTurn } from "#interfaces/cli/exit.ts";
import { type Ask, askFor, type Reply } from "#interfaces/cli/permission.ts";
import { quoted } from "#interfaces/cli/trusting.ts";
import { type Outcome, watchTurn } from "#interfaces/cli/turn.ts";
import { textView } from "#interfaces/cli/view.ts";

export const demo = defineCommand({
  name: "demo",
  level: "everyday",
  about: "See Aiex at work on a small project, without a model.",
  more: `The model's answers are scripted. The project, the sandbox, the tools, the tests and the
log are real; the project lies in a temporary folder that is removed afterwards.`,
  options: { keep: { about: "Keep the project's folder." } },
  examples: ["aiex demo", "aiex demo --keep"],
  run: ({ options }, cli) => runDemo(options, cli),
});

export async function runDemo(options: { keep: boolean }, cli: Cli): Promise<ExitCode> {
  const { terminal } = cli;
  const project = await demoProject(options);
  terminal.err(introduction(project.path));
  const outcome = await played(project, cli);
  if (!outcome.ok) return cli.fail(outcome.error);
  const { end, failure } = outcome.value.outcome;
  if (end === "permission_needed") {
    return cli.fail({ code: "permission_needed", say: "the demo needs your leave to go on" });
  }
  terminal.err(conclusion(outcome.value.session, options.keep ? project.path : null));
  return exitOfTurn(end, failure);
}

const introduction = (path: string): string =>
  `This is a demo. The answers of the model are scripted; everything else is real:
the tools, the tests, the log, the sandbox if this machine has one, and the project in
${path}

> ${PROMPT}

`;

const conclusion = (session: string, kept: string | null): string =>
  [
    "",
    "That was the demo. What happened is in the log, like any session:",
    `  aiex session show ${session.slice(0, 8)}`,
    ...(kept ? [`The project is kept in ${quoted(kept)}`] : []),
    "",
  ].join("\n");

type Played = { outcome: Outcome; session: string };

async function played(project: DemoProject, cli: Cli): Promise<Result<Played>> {
  const flags = { model: project.model, verify: [COMMAND] };
  const opened = await cli.open({ folder: project.path, flags });
  if (!opened.ok) return opened;
  const { app, location } = opened.value;
  const trusted = await app.send({ type: "Trust", path: location.path });
  if (!trusted.ok) return trusted;
  try {
    const { model } = project;
    const begun = await app.send({ type: "StartSession", cwd: location.path, model, mode: "ask" });
    if (!begun.ok) return begun;
    const session = begun.value.stream;
    const sent = await app.send({ type: "SubmitPrompt", session, text: PROMPT });
    if (!sent.ok) return sent;
    const calledOff = cli.interrupts.during(() => {
      void app.send({ type: "Cancel", session, why: "the user pressed Ctrl-C" });
    });
    const at = sent.value.version;
    const outcome = await watchTurn({
      app,
      session,
      after: at - 1,
      turn: { at },
      view: textView(cli.terminal, { session }),
      answer: (ask, signal) => answered(ask, signal, cli),
    });
    calledOff();
    return outcome.ok ? ok({ outcome: outcome.value, session }) : outcome;
  } finally {
    // The folder goes away; nobody who makes another one of that name inherits its trust.
    await app.send({ type: "Distrust", path: location.path });
  }
}

/**
 * Where a question comes up (this machine has no sandbox, say), a person is asked. Without one, the
 * demo allows its own command, in its own folder, and says so.
 */
async function answered(
  ask: Ask,
  signal: AbortSignal,
  { terminal, interrupts }: Cli,
): Promise<Reply | null> {
  if (!terminal.interactive) {
    if (!ask.what.includes(COMMAND) && !ask.what.includes("price.js")) return null;
    terminal.err(`  (asked: ${ask.why}; the demo allows its own step)\n`);
    return { answer: "allow", scope: "once" };
  }
  const keyboard = terminal.keyboard(interrupts.fire);
  try {
    return await askFor(ask, keyboard, terminal.err, { paint: terminal.paint.err, signal });
  } finally {
    keyboard.close();
  }
}
