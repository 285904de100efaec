// The pieces of a session that a model may read again: each event that said something, as one text
// with the version of its event. What only repeats others (digests, summaries, what was recalled) is
// no piece: a hit is always the original.
import { type AnswerPart, textOf } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";

export type Piece = {
  at: number;
  kind: "prompt" | "steer" | "answer" | "result" | "instructions" | "notice";
  /** What it is, in one line: of a result its call. */
  name: string;
  text: string;
  /** The turn that it is of; empty between turns. */
  turn: string;
  /** Whether the user took that turn back. */
  undone: boolean;
};

/** The tool's own name in every family: what it answered is not searched again. */
export const RECALL = "recall";

/** Characters of a call's arguments in a name. */
const NAME_CHARS_MAX = 300;

export type Pieces = {
  /** All so far, oldest first. */
  readonly all: readonly Piece[];
  add(at: number, e: SessionEvent): void;
};

/** Gathers the pieces of a session from its events, in their order. */
export function piecesOfSession(): Pieces {
  const all: Piece[] = [];
  const calls = new Map<string, { tool: string; name: string }>();
  let turn = "";
  let restoring: { isUndo: boolean; turn: string } | null = null;

  function said(at: number, kind: Piece["kind"], name: string, text: string): void {
    if (text.trim() !== "") all.push({ at, kind, name, text, turn, undone: false });
  }

  function answered(at: number, parts: readonly AnswerPart[]): void {
    const asked = parts.filter((part) => part.type === "call");
    for (const { id, tool, input } of asked) {
      calls.set(id, { tool, name: `${tool} ${input.slice(0, NAME_CHARS_MAX)}` });
    }
    const lines = asked.flatMap(({ tool, input }) =>
      isRecall(tool) ? [] : [`called ${tool} ${input}`],
    );
    said(at, "answer", "answer", [textOf(parts).trim(), ...lines].join("\n").trim());
  }

  /** What a turn said that was taken back is marked, and no more once it was brought back. */
  function restored(): void {
    for (const piece of all) {
      if (restoring && piece.turn === restoring.turn) piece.undone = restoring.isUndo;
    }
    restoring = null;
  }

  function add(at: number, e: SessionEvent): void {
    switch (e.type) {
      case "TurnStarted":
        turn = e.turn;
        said(at, "prompt", "prompt", e.text);
        break;
      case "Steered":
        said(at, "steer", "steer", e.text);
        break;
      case "ContextAdded":
        said(at, e.origin, e.path ?? e.origin, e.text);
        break;
      case "StepCompleted":
        answered(at, e.parts);
        break;
      case "ToolFinished": {
        const { tool, name } = calls.get(e.callId) ?? { tool: "", name: e.callId };
        if (!isRecall(tool)) said(at, "result", name, textOf(e.parts));
        break;
      }
      case "TurnEnded":
        turn = "";
        break;
      case "RestoreStarted":
        restoring = e.turn === undefined ? null : { isUndo: e.cause === "undo", turn: e.turn };
        break;
      case "RestoreFinished":
        restored();
        break;
      default:
    }
  }

  return { all, add };
}

/** Models put names of their own before a tool's. */
const isRecall = (tool: string): boolean => tool === RECALL || tool.endsWith(`.${RECALL}`);
