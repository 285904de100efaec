// Whether a command may happen now, and what happens then. Pure: on a conflict the caller folds
// what came meanwhile and simply decides again.
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { narrower } from "#core/session/child.ts";
import type { SessionCommand } from "#core/session/commands.ts";
import { compact } from "#core/session/compact.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { isRunning, type Session } from "#core/session/state.ts";
import { REFUSED } from "#core/session/told.ts";

/** Prompts that may wait behind a running turn. */
export const QUEUE_MAX = 50;

type Command<T extends SessionCommand["type"]> = Extract<SessionCommand, { type: T }>;

export function decide(command: SessionCommand, s: Session): Result<SessionEvent[]> {
  if (s.erased) return fail("not_found", "this session was erased", { fix: "start a new one" });
  if (!s.start) return fail("not_found", "there is no such session");
  if (s.unknown) {
    const say = "a newer version of Aiex wrote into this session, or a record of it is damaged";
    return fail("not_supported", say, {
      fix: "use that version, or start a new session; `aiex audit verify` names what is damaged",
    });
  }
  if (s.over !== null && !stays.has(command.type)) return over;
  switch (command.type) {
    case "SubmitPrompt":
      return submit(command, s);
    case "Steer":
      return steer(command, s);
    case "Cancel":
      return cancel(command, s);
    case "Unqueue":
      return s.queue.some((prompt) => prompt.turn === command.turn)
        ? ok([{ type: "PromptUnqueued", turn: command.turn }])
        : fail("not_found", "that prompt is not in the queue", {
            fix: "it may be running already",
          });
    case "AnswerPermission":
      return answer(command, s);
    case "Rename":
      return ok([{ type: "SessionRenamed", title: command.title }]);
    case "SwitchModel":
      return ok([{ type: "ModelSwitched", model: command.model }]);
    case "SwitchMode":
      if (s.start?.child && narrower(s.mode, command.mode) !== command.mode) {
        return fail("denied", `a child in mode ${s.mode} is not given more than that`, {
          fix: "speak to its parent",
        });
      }
      return ok(command.mode === s.mode ? [] : [{ type: "ModeSwitched", mode: command.mode }]);
    case "SwitchEffort":
      return ok([{ type: "EffortSwitched", effort: command.effort }]);
    case "SetBudget":
      return ok([{ ...command, type: "BudgetSet" }]);
    case "Compact":
      return compactNow(s);
    case "Erase":
      return isRunning(s)
        ? fail("conflict", "a turn is running", { fix: "cancel it first" })
        : ok([{ type: "SessionErased", why: command.why }]);
    default:
      return unreachable(command);
  }
}

/** What may be asked of a child that is over. */
const stays: ReadonlySet<SessionCommand["type"]> = new Set(["Rename", "Erase", "Cancel"]);

const over = fail("conflict", "this child session is over", {
  fix: "`aiex session fork` makes a session of it that goes on",
});

function submit(command: Command<"SubmitPrompt">, s: Session): Result<SessionEvent[]> {
  const { type: _, ...prompt } = command;
  if (s.start?.child) {
    return fail("conflict", "a child session has one turn, which its parent waits for", {
      fix: "speak to its parent, or steer the child while it runs",
    });
  }
  if (s.restoring) {
    return fail("conflict", "files of this session are being brought back", {
      fix: "try again in a moment",
    });
  }
  if (!isRunning(s)) return ok([{ type: "TurnStarted", ...prompt }]);
  if (s.queue.length >= QUEUE_MAX) {
    return fail("too_large", `${QUEUE_MAX} prompts are waiting already`, {
      fix: "wait for a turn to end, or take one back",
    });
  }
  return ok([{ type: "PromptQueued", ...prompt }]);
}

function steer(command: Command<"Steer">, s: Session): Result<SessionEvent[]> {
  if (!isRunning(s) || s.turn?.cancelled) {
    return fail("conflict", "no turn is running", { fix: "send it as a prompt" });
  }
  return ok([{ type: "Steered", text: command.text, attachments: command.attachments }]);
}

function cancel(command: Command<"Cancel">, s: Session): Result<SessionEvent[]> {
  if (!s.turn || s.turn.cancelled !== null) return ok([]);
  return ok([{ type: "CancelRequested", why: command.why }]);
}

function compactNow(s: Session): Result<SessionEvent[]> {
  if (isRunning(s)) return fail("conflict", "a turn is running", { fix: "wait for its end" });
  const body = compact(s, "asked");
  return body
    ? ok([{ type: "Compacted", ...body }])
    : fail("conflict", "there is nothing old enough to be compacted");
}

function answer(command: Command<"AnswerPermission">, s: Session): Result<SessionEvent[]> {
  const { type: _, ...body } = command;
  const open = s.calls.find(({ call }) => call.id === command.callId);
  if (!open?.ask || open.state !== "asked") {
    return fail("conflict", "nobody is waiting for that permission", {
      fix: "it was answered already, or its turn ended",
    });
  }
  if (open.ask.hash !== command.hash) {
    return fail("conflict", "the answer is for something else than what is asked now", {
      fix: "look at the question again",
    });
  }
  const said: SessionEvent = { type: "PermissionAnswered", ...body };
  if (command.answer === "allow") return ok([said]);
  const words = command.say ? ` and said: ${command.say}` : "";
  const text = `${REFUSED}${words}. Do not try it another way; ask, or go on without it.`;
  return ok([
    said,
    {
      type: "ToolFinished",
      callId: command.callId,
      end: "denied",
      parts: [{ type: "text", text }],
      facts: [],
    },
  ]);
}
