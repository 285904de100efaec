// What it means for a session that files were brought back: which turns can be taken back, which can
// be brought back, and what the model sees of them. A turn that was taken back is gone from the
// model's view, as it is from the files; where older messages were compacted since, it is told.
import type { EventOf } from "#core/session/events.ts";
import {
  messagesOf,
  type PastTurn,
  type Session,
  TURNS_MAX,
  type UndoneTurn,
} from "#core/session/state.ts";
import { told, user } from "#core/session/told.ts";

/** The turns that can be taken back once this one has begun. */
export function withTurn(s: Session, turn: string): readonly PastTurn[] {
  const { todo, instructions } = s;
  const past = { turn, from: s.version + 1, messages: messagesOf(s).length, todo, instructions };
  return [...s.turns, past].slice(-TURNS_MAX);
}

export const restoring = (s: Session, e: EventOf<"RestoreStarted" | "RestoreFinished">): Session =>
  e.type === "RestoreStarted" ? restoreStarted(s, e) : restoreFinished(s, e);

function restoreStarted(s: Session, e: EventOf<"RestoreStarted">): Session {
  const { cause, turn, changes, left, to } = e;
  return { ...s, restoring: { version: s.version + 1, cause, turn, changes, left, to } };
}

function restoreFinished(s: Session, e: EventOf<"RestoreFinished">): Session {
  const { restoring } = s;
  if (!restoring) return s;
  const paths = new Set(restoring.changes.map(({ path }) => path));
  const seen = s.seen.filter(({ path }) => !paths.has(path));
  const done = paths.size - e.left.filter(({ path }) => paths.has(path)).length;
  const after: Session = { ...s, restoring: null, seen };
  switch (restoring.cause) {
    case "undo":
      return undone(after, { turn: restoring.turn ?? "", undoneAt: restoring.version, done });
    case "redo":
      return redone(after, { turn: restoring.turn ?? "", done });
    default:
      return told(after, user("notice", restoredNotice(restoring.to ?? "an earlier state", done)));
  }
}

function undone(s: Session, how: { turn: string; undoneAt: number; done: number }): Session {
  const past = s.turns.find(({ turn }) => turn === how.turn);
  if (!past) return s;
  const turns = s.turns.filter((other) => other !== past);
  const cut = past.messages;
  const said = cut === null ? [] : s.messages.slice(cut);
  const entry: UndoneTurn = { ...past, said, undoneAt: how.undoneAt };
  const after = { ...s, turns, undone: [...s.undone, entry] };
  if (cut === null) return told(after, user("notice", undoneNotice(how.done)));
  const { todo, instructions } = past;
  return { ...after, messages: s.messages.slice(0, cut), todo, instructions, contextTokens: 0 };
}

function redone(s: Session, how: { turn: string; done: number }): Session {
  const entry = s.undone.find(({ turn }) => turn === how.turn);
  if (!entry) return s;
  const { said, undoneAt: _, ...past } = entry;
  const messages = past.messages === null ? null : s.messages.length;
  const after = {
    ...s,
    turns: [...s.turns, { ...past, messages }],
    undone: s.undone.filter((other) => other !== entry),
  };
  return messages === null
    ? told(after, user("notice", redoneNotice(how.done)))
    : { ...after, messages: [...s.messages, ...said], contextTokens: 0 };
}

const files = (count: number): string => (count === 1 ? "one path" : `${count} paths`);

const undoneNotice = (done: number): string =>
  `The user took back the last turn: ${files(done)} of the workspace are as they were before it. Do not go on with it, and read files again before you change them.`;

const redoneNotice = (done: number): string =>
  `The user brought the turn back that they had taken back: ${files(done)} of the workspace are as it left them.`;

const restoredNotice = (to: string, done: number): string =>
  `The user brought the files back to ${to}: ${files(done)} of the workspace changed. Read files again before you change them.`;
