// What begins with a slash in a chat: one row each, named as other assistants name theirs.

import { type Effort, efforts } from "#core/model/message.ts";
import { reveal, screen } from "#core/security/screen.ts";
import { modes } from "#core/session/tool-facts.ts";
import { emptyTranscript, follow, type ToolItem } from "#core/session/transcript.ts";
import { type Outcome, outcomeOf, planLines } from "#interfaces/cli/bringing-back.ts";
import { diffLines } from "#interfaces/cli/changes.ts";
import { budgetOrder } from "#interfaces/cli/chat/budget.ts";
import type { Chat } from "#interfaces/cli/chat/chat.ts";
import { contextLines } from "#interfaces/cli/chat/context.ts";
import { count, moneyText, tokens } from "#interfaces/cli/figures.ts";
import type { Line } from "#interfaces/cli/render.ts";

export type Order = {
  about: string;
  /** What may follow it, for people. */
  takes?: string;
  /** Whether it can be done while a turn runs. */
  atOnce: boolean;
  run(chat: Chat, value: string): Promise<void>;
};

/** Events that are looked at for what a session changed. */
const EVENTS_LOOKED_AT = 1_000;
/** Models that /model names. */
const MODELS_SHOWN = 12;
/** Lines of one file's change that /diff shows. */
const CHANGE_LINES = 200;

const INIT = `Write an AGENTS.md for this repository: what a developer who has never seen it must know to change it safely. Look at the manifests, the CI, the README and the code first. At most 60 lines: what it is, how to build, test and lint (commands that you ran), where things are, the conventions that the code really follows. If there is one already, improve it instead of replacing what is still true.`;

export const orders: Readonly<Record<string, Order>> = {
  help: { about: "What can be typed here.", atOnce: true, run: help },
  model: { about: "Another model from now on.", takes: "provider/name", atOnce: true, run: model },
  effort: {
    about: "How much the model thinks.",
    takes: `${efforts.join("|")}|auto`,
    atOnce: true,
    run: effort,
  },
  mode: {
    about: "How much is done without asking.",
    takes: modes.join("|"),
    atOnce: true,
    run: mode,
  },
  compact: { about: "Shorten old messages now.", atOnce: false, run: compact },
  diff: { about: "What the last turn changed; `all`: the session.", atOnce: true, run: diff },
  undo: { about: "Take the last turn back, with its changes.", atOnce: false, run: undo },
  redo: {
    about: "Bring the undone turn back.",
    atOnce: false,
    run: (chat) => bringBack(chat, "redo"),
  },
  permissions: { about: "What is allowed here.", atOnce: true, run: permissions },
  context: { about: "What fills the model's window.", atOnce: true, run: context },
  cost: { about: "What the session took.", atOnce: true, run: cost },
  budget: {
    about: "What it may spend from here on.",
    takes: "2|200k tokens|off",
    atOnce: true,
    run: budgetOrder,
  },
  init: {
    about: "Have an AGENTS.md written for this folder.",
    atOnce: false,
    run: (chat) => chat.speak(INIT, { behind: "nothing" }),
  },
  queue: {
    about: "A prompt for when this turn has ended.",
    takes: "prompt",
    atOnce: true,
    run: queue,
  },
  new: { about: "Begin a new session.", atOnce: false, run: fresh },
  quit: { about: "Leave (or Ctrl-D); the session stays.", atOnce: true, run: quit },
  exit: { about: "The same.", atOnce: true, run: quit },
};

async function quit(chat: Chat): Promise<void> {
  chat.quit();
}

async function help(chat: Chat): Promise<void> {
  const rows = Object.entries(orders).map(([name, { about, takes }]) => {
    const shown = `/${name}${takes ? ` ${takes}` : ""}`;
    return `${shown.padEnd(30)} ${about}`;
  });
  const keys = [
    "Enter sends, Shift-Enter or Ctrl-J begins a new line, Up brings earlier prompts back.",
    "While a turn runs, what you send steers it. Esc or Ctrl-C cancels it.",
    "Shift-Tab goes through the modes. Name an image or a PDF by its path to attach it;",
    "Ctrl-V pastes an image from the clipboard.",
  ];
  chat.activity.say([...rows, "", ...keys].map((text): Line => ({ kind: "note", text })));
}

async function model(chat: Chat, value: string): Promise<void> {
  if (value === "") return await modelsThere(chat);
  if (await chat.change({ model: value })) chat.note(`model ${value}`);
}

/** The names in reach, those of routes first. */
async function modelsThere(chat: Chat): Promise<void> {
  const read = await chat.talk.app.read({ type: "Models" });
  if (!chat.report(read)) return;
  const { models: found, routes } = read.value;
  const names = [
    ...routes.map(({ name }) => name),
    ...found.filter(({ ways }) => ways.length > 0).map(({ name }) => name),
  ];
  for (const name of names.slice(0, MODELS_SHOWN)) chat.note(`  ${name}`);
  const left = names.length - MODELS_SHOWN;
  if (left > 0) chat.note(`  and ${left} more: aiex models`);
  chat.note(names.length > 0 ? "usage: /model provider/name" : "no model is in reach: aiex doctor");
}

async function mode(chat: Chat, value: string): Promise<void> {
  const known = modes.find((name) => name === value);
  if (!known) return chat.note(`usage: /mode ${modes.join("|")}`);
  if (await chat.change({ mode: known })) chat.note(`mode ${known}`);
}

async function effort(chat: Chat, value: string): Promise<void> {
  const known: Effort | null | undefined =
    value === "auto" ? null : efforts.find((name) => name === value);
  if (known === undefined) return chat.note(`usage: /effort ${efforts.join("|")}|auto`);
  const { session, app } = chat.talk;
  if (session === null) return chat.note("say something first: effort belongs to a session");
  if (!chat.report(await app.send({ type: "SwitchEffort", session, effort: known }))) return;
  await chat.refresh();
  chat.note(`effort ${value}`);
}

async function compact(chat: Chat): Promise<void> {
  const { session, app } = chat.talk;
  if (session === null) return chat.note("there is no session yet");
  if (!chat.report(await app.send({ type: "Compact", session }))) return;
  await chat.refresh();
  chat.note("old messages are shortened for the model; the log has them whole");
}

async function diff(chat: Chat, value: string): Promise<void> {
  const { session, app } = chat.talk;
  if (session === null) return chat.note("there is no session yet");
  const query = { type: "Transcript", session, limit: EVENTS_LOOKED_AT } as const;
  const entries = await app.read(query);
  if (!chat.report(entries)) return;
  const { items } = entries.value.reduce(
    (t, { record, decoded }) => follow(t, record, decoded),
    emptyTranscript,
  );
  const begin =
    value === "all"
      ? 0
      : items.findLastIndex((item) => item.type === "prompt" && item.how === "prompt");
  const tools = items.slice(Math.max(0, begin)).filter((item) => item.type === "tool");
  const lines = tools.flatMap(changeLines);
  chat.activity.say(lines.length > 0 ? lines : [{ kind: "note", text: "nothing was changed" }]);
  const ran = tools.filter(({ facts }) => facts.some((fact) => fact.type === "commandEnded"));
  if (ran.length > 0) chat.note(`${count(ran.length, "command")} ran; git diff shows all changes`);
}

function changeLines({ facts }: ToolItem): Line[] {
  return facts.flatMap((fact): Line[] => {
    if (fact.type !== "fileChanged") return [];
    const shown = diffLines(screen(fact.diff ?? ""), CHANGE_LINES).map(
      ({ kind, text }): Line => ({
        kind: kind === "context" ? "output" : kind,
        text: `  ${text}`,
      }),
    );
    return [{ kind: "note", text: reveal(fact.path) }, ...shown];
  });
}

async function undo(chat: Chat): Promise<void> {
  await bringBack(chat, "undo");
}

/** As `aiex undo` and `aiex redo`, in the chat's own session. */
async function bringBack(chat: Chat, cause: "undo" | "redo"): Promise<void> {
  const { app, session } = chat.talk;
  if (session === null) return chat.note("there is no session yet");
  const sent = await app.send({ type: cause === "undo" ? "Undo" : "Redo", session });
  if (!chat.report(sent)) return;
  const done = await outcomeOf(app, session);
  if (!chat.report(done)) return;
  await chat.refresh();
  const lines = planLines(done.value);
  for (const text of lines.length > 0 ? lines : ["  no file is another"]) chat.note(text);
  chat.note(saidOf(done.value));
}

/** What was done; where another one was begun before, it was that. */
function saidOf({ cause, to }: Outcome): string {
  if (cause === "undo") return "undone; /redo brings the turn back";
  return cause === "redo" ? "the turn is back" : `the files are those of ${reveal(to ?? "before")}`;
}

async function permissions(chat: Chat): Promise<void> {
  const { state, app, folder } = chat.talk;
  const lines = [`mode ${chat.mode}`];
  const location = await app.read({ type: "Location", path: folder });
  if (location.ok) lines.push(location.value.trusted ? "this folder is trusted" : "not trusted");
  const grants = state?.grants ?? [];
  lines.push(`${count(grants.length, "permission")} given in this session`);
  for (const grant of grants) lines.push(`  ${grant}`);
  for (const text of lines) chat.note(text);
}

async function context(chat: Chat): Promise<void> {
  await chat.refresh();
  const { state } = chat.talk;
  if (!state) return chat.note("there is no session yet");
  for (const text of contextLines(state)) chat.note(text);
}

async function cost(chat: Chat): Promise<void> {
  await chat.refresh();
  const { state } = chat.talk;
  if (!state) return chat.note("there is no session yet");
  const took = [tokens(state.usage), moneyText(state.usage)];
  chat.note(took.filter((part) => part !== "").join(" · "));
}

async function queue(chat: Chat, value: string): Promise<void> {
  if (value === "") return chat.note("usage: /queue what to do then");
  await chat.speak(value, { behind: chat.isRunning ? "turn" : "nothing" });
}

async function fresh(chat: Chat): Promise<void> {
  chat.talk = { ...chat.talk, session: null, state: null };
  chat.note("the next prompt begins a new session");
}
