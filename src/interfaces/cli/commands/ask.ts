// `aiex ask "why is this slow?"`: one prompt, its turn to the end, the answer on standard output.
import { fail, ok, type Result } from "#core/failure.ts";
import { asksOf } from "#core/session/state.ts";
import { transcriptFrom } from "#core/session/transcript.ts";
import { type Spoken, spoken } from "#interfaces/cli/attach.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand, type Values } from "#interfaces/cli/command.ts";
import { type ExitCode, exitOfFailure, exitOfTurn } from "#interfaces/cli/exit.ts";
import { failureLine, jsonView, resultLine } from "#interfaces/cli/json.ts";
import { type Ask, askFor, neededText, type Reply } from "#interfaces/cli/permission.ts";
import { beginTalk, speakingIn, strictIn, type Talk, talkOptions } from "#interfaces/cli/talk.ts";
import {
  answerLeft,
  childrenOf,
  type Outcome,
  type Watching,
  watchTurn,
} from "#interfaces/cli/turn.ts";
import { textView } from "#interfaces/cli/view.ts";

/** Characters of a hash that name a permission on the command line, at least. */
const ALLOW_CHARS_MIN = 8;

const options = {
  input: { about: "Attach a file: image, PDF or text.", short: "i", value: "file", many: true },
  json: { about: "One JSON object a line: every event, then the result (docs/json.md)." },
  ...talkOptions,
  strict: {
    about: "End as done only with evidence: a verify command that passed on the files as they are.",
  },
  allow: { about: "Allow exactly the permission of this hash.", value: "hash", many: true },
} as const;

export const ask = defineCommand({
  name: "ask",
  level: "everyday",
  about: "Ask once in this folder; the answer goes to standard output.",
  more: `What is piped in is added to the prompt. Without a terminal nothing is asked: where your
leave is needed, Aiex says for what, ends with 3, and the session can be resumed.`,
  args: [{ name: "prompt", about: "What to do or to answer.", optional: true, many: true }],
  options,
  examples: [
    'aiex ask "why does the login test fail?"',
    'git diff | aiex ask --read-only "review this"',
    'aiex ask -i screen.png "rebuild this page"',
    'aiex ask --strict --yes "make the login test pass"',
    'aiex ask --continue "now the same for the other tests"',
  ],
  async run({ args, options }, cli) {
    const done = await asked(args, options, cli);
    if (done.ok) return done.value;
    if (options.json) cli.terminal.out(failureLine(done.error, exitOfFailure(done.error.code)));
    return cli.fail(done.error);
  },
});

type Given = Values<typeof options>;

async function asked(args: string[], options: Given, cli: Cli): Promise<Result<ExitCode>> {
  const resumes = options.session !== undefined || options.continue;
  const prompt = await spoken(
    { words: args, files: options.input, folder: cli.folder },
    cli.terminal,
  );
  if (!prompt.ok) return prompt;
  if (prompt.value.text === "" && !resumes) return emptyPrompt;
  const short = options.allow.find((hash) => hash.length < ALLOW_CHARS_MIN);
  if (short) return fail("bad_input", `--allow ${short} is too short to mean one permission`);
  cli.terminal.status("opening …");
  const talk = await beginTalk(options, cli, { ask: !options.json });
  if (!talk.ok) return talk;
  return await spokenIn(talk.value, prompt.value, options, cli);
}

const emptyPrompt = fail("bad_input", "the prompt is empty", {
  fix: 'usage: aiex ask "what to do"',
});

async function spokenIn(
  talk: Talk,
  prompt: Spoken,
  options: Given,
  cli: Cli,
): Promise<Result<ExitCode>> {
  const { app, state } = talk;
  const open = state?.turn ?? state?.queue[0] ?? null;
  if (prompt.text === "" && !open) {
    return fail("bad_input", "the prompt is empty and no turn of this session is open", {
      fix: 'say what to do: aiex ask --continue "…"',
    });
  }
  const speaking = await speakingIn(talk);
  if (!speaking.ok) return speaking;
  const session = speaking.value;
  const strict = options.strict ? { evidence: "strict" as const } : strictIn(talk);
  const sent =
    prompt.text === ""
      ? await app.send({ type: "Resume", session })
      : await app.send({ type: "SubmitPrompt", session, ...prompt, ...strict });
  if (!sent.ok) return sent;
  if (prompt.text !== "" && open) {
    cli.terminal.err("  (queued behind the turn that is open)\n");
  }
  const turn = prompt.text === "" && open ? { id: idOf(open) } : { at: sent.value.version };
  const resumed = prompt.text === "" && state ? await answerLeft(app, session, state) : null;
  const after = resumed ?? (open ? (state?.version ?? 0) : sent.value.version - 1);
  const outcome = await watched({ talk, session, after, turn }, options, cli);
  if (!outcome.ok) return outcome;
  return ok(await concluded(outcome.value, session, talk, options, cli));
}

const idOf = (open: { id: string } | { turn: string }): string =>
  "id" in open ? open.id : open.turn;

async function watched(
  at: Pick<Watching, "session" | "after" | "turn"> & { talk: Talk },
  options: Given,
  cli: Cli,
): Promise<Result<Outcome>> {
  const { talk, session, after, turn } = at;
  const { terminal, interrupts } = cli;
  const calledOff = interrupts.during(() => {
    terminal.err("  (cancelling; Ctrl-C again leaves at once)\n");
    void talk.app.send({ type: "Cancel", session, why: "the user pressed Ctrl-C" });
  });
  try {
    return await watchTurn({
      app: talk.app,
      session,
      after,
      turn,
      asks: talk.state ? asksOf(talk.state) : [],
      children: talk.state ? childrenOf(talk.state) : [],
      view: options.json
        ? jsonView(terminal)
        : textView(terminal, { session, from: transcriptFrom(talk.state) }),
      answer: (ask, signal) => answered(ask, signal, options, cli),
    });
  } finally {
    calledOff();
  }
}

async function answered(
  ask: Ask,
  signal: AbortSignal,
  options: Given,
  { terminal, interrupts }: Cli,
): Promise<Reply | null> {
  const allowed = options.allow.some((hash) => ask.hash.startsWith(hash.toLowerCase()));
  if (allowed) return { answer: "allow", scope: "once" };
  if (options.json || !terminal.interactive) return null;
  const keyboard = terminal.keyboard(interrupts.fire);
  try {
    return await askFor(ask, keyboard, terminal.err, { paint: terminal.paint.err, signal });
  } finally {
    keyboard.close();
  }
}

/** Says what is left to say, and answers the exit code. */
async function concluded(
  outcome: Outcome,
  session: string,
  { app }: Talk,
  options: Given,
  { terminal }: Cli,
): Promise<ExitCode> {
  const needs = outcome.end === "permission_needed";
  const state = needs ? await app.read({ type: "Session", session }) : null;
  const own = state?.ok ? asksOf(state.value.state) : null;
  const ofChildren = outcome.asks.filter((ask) => ask.session !== undefined);
  const asks = own ? [...own, ...ofChildren] : outcome.asks;
  const exit = outcome.end === "permission_needed" ? 3 : exitOfTurn(outcome.end, outcome.failure);
  if (options.json) terminal.out(resultLine(session, { ...outcome, asks }, exit));
  if (needs) terminal.err(neededText(session, asks, terminal.paint.err));
  return exit;
}
