// What an event looks like to a person: events in, lines out. The same code tells a running turn
// and a finished session. Pure; colour and width are the terminal's business.
import type { Entry } from "#app";
import { unreachable } from "#core/assert.ts";
import { addUsage, noUsage, textOf, type Usage } from "#core/model/message.ts";
import { reveal, screen } from "#core/security/screen.ts";
import type { CallEnd, EventOf, SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import { count, lasted, tokens } from "#interfaces/cli/figures.ts";

/**
 * `prompt` the user's words · `answer` the model's · `work` what a tool did · `trouble` what a tool
 * could not do · `fault` a failure in full · `ask` a question to the user · `note` anything else.
 */
export type Line = {
  kind: "prompt" | "answer" | "work" | "trouble" | "fault" | "ask" | "note";
  text: string;
};

/** What earlier events said that later ones refer to. */
export type Known = {
  /** Calls of the open turn, by id: how to name them. */
  calls: Readonly<Record<string, string>>;
  /** Files that the open turn changed. */
  changed: readonly string[];
  open: boolean;
  steps: number;
  usage: Usage;
  beganAt: number;
  /** What was said last of a step that broke, so that the turn's end does not say it again. */
  fault: string;
};

export const nothingKnown: Known = {
  calls: {},
  changed: [],
  open: false,
  steps: 0,
  usage: noUsage,
  beganAt: 0,
  fault: "",
};

/** What is known of a session whose turn is open already. */
export function knownOf(session: Session | null): Known {
  if (!session?.turn) return nothingKnown;
  const calls = session.calls.map(({ call, ask }) => [
    call.id,
    ask?.title ?? `${call.tool} ${call.input}`,
  ]);
  return { ...nothingKnown, open: true, calls: Object.fromEntries(calls) };
}

export type Told = { known: Known; lines: Line[] };

/** Characters of a title or of a result's first line. */
const LINE_CHARS_MAX = 160;
/** Files named when a turn ends. */
const FILES_MAX = 8;

/** One entry as lines. Answers are lines here too; a live screen shows those as they come. */
export function tell(known: Known, { record, decoded }: Entry): Told {
  switch (decoded.kind) {
    case "event":
      return tellEvent(known, decoded.event, record.at);
    case "erased":
      return { known, lines: [note(`(${decoded.type}: erased)`)] };
    case "unknown":
      return { known, lines: [note(`(${decoded.type}: written by a newer version of Aiex)`)] };
    case "far":
      return { known, lines: [note(`(${decoded.type}: too long to show)`)] };
    default:
      return unreachable(decoded);
  }
}

function tellEvent(known: Known, e: SessionEvent, at: number): Told {
  switch (e.type) {
    case "TurnStarted":
      return {
        known: { ...nothingKnown, open: true, beganAt: at },
        lines: [said("prompt", e.text, e.attachments)],
      };
    case "StepCompleted":
      return { known: stepped(known, e), lines: answerLines(e) };
    case "StepBroken":
      return {
        known: { ...known, usage: addUsage(known.usage, e.usage), fault: e.failure.say },
        // Of a turn that was cancelled, its end says it.
        lines: e.failure.code === "cancelled" ? [] : [{ kind: "fault", text: brokenText(e) }],
      };
    case "ToolStarted":
      return {
        known: { ...known, calls: { ...known.calls, [e.callId]: titleOf(e) } },
        lines: [],
      };
    case "PermissionAsked":
      return {
        known: { ...known, calls: { ...known.calls, [e.callId]: e.title } },
        lines: [{ kind: "ask", text: `asked: ${first(e.what)} (${first(e.why)})` }],
      };
    case "ToolFinished":
      return { known: withChanged(known, e), lines: [toolLine(known, e)] };
    case "TurnEnded":
      return { known: nothingKnown, lines: endLines(known, e, at) };
    case "SessionAdopted": {
      const again = known.open && known.steps > 0;
      return { known, lines: again ? [note("(another process took over)")] : [] };
    }
    default:
      return { known, lines: plainLines(e) };
  }
}

/** Events that need nothing from earlier ones. */
function plainLines(
  e: Exclude<
    SessionEvent,
    {
      type:
        | "TurnStarted"
        | "StepCompleted"
        | "StepBroken"
        | "ToolStarted"
        | "PermissionAsked"
        | "ToolFinished"
        | "TurnEnded"
        | "SessionAdopted";
    }
  >,
): Line[] {
  switch (e.type) {
    case "SessionStarted":
      return [note(`began in ${e.location.path} with ${e.model}, mode ${e.mode}`)];
    case "SessionRenamed":
      return [note(`renamed to "${e.title}"`)];
    case "SessionErased":
      return [note(`the content was erased: ${e.why}`)];
    case "ModelSwitched":
      return [note(`model: ${e.model}`)];
    case "ModeSwitched":
      return [note(`mode: ${e.mode}`)];
    case "ToolsChanged":
      return [note("the tools on offer changed")];
    case "ContextAdded":
      return [note(e.path ? `the model was given ${e.path}` : first(e.text))];
    case "PromptQueued":
      return [note(`queued: ${first(e.text)}`)];
    case "PromptUnqueued":
      return [note("a queued prompt was taken back")];
    case "Steered":
      return [said("prompt", e.text, e.attachments)];
    case "CancelRequested":
      return [note(`called off: ${e.why}`)];
    case "StepStarted":
      return [];
    case "PermissionAnswered":
      return [{ kind: "ask", text: answerText(e) }];
    case "HookRan":
      return [note(`hook ${e.hook}: ${first(e.say)}`)];
    case "Compacted":
      return [note(`${count(e.droppedMessages, "old message")} shortened (${e.why})`)];
    default:
      return unreachable(e);
  }
}

const note = (text: string): Line => ({ kind: "note", text: screen(text) });

/** The first line of a text, on one line, cut. */
export function first(text: string): string {
  const [line = "", ...rest] = reveal(text.trim()).split("\n");
  const more = rest.length > 0 ? " …" : "";
  return line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX - 1)}…` : line + more;
}

/** A title with its tool's name first; most tools begin their titles with it themselves. */
export const titleOf = ({ tool, title }: { tool: string; title: string }): string =>
  title.startsWith(tool) ? title : `${tool} ${title}`;

function said(kind: "prompt", text: string, attachments: readonly { name?: string }[]): Line {
  const files = attachments.map(({ name }) => name ?? "a file");
  const more = files.length > 0 ? `\n(with ${files.join(", ")})` : "";
  return { kind, text: screen(text + more) };
}

function stepped(known: Known, e: EventOf<"StepCompleted">): Known {
  const named = e.parts.flatMap((part) =>
    part.type === "call" ? [[part.id, `${part.tool} ${part.input}`] as const] : [],
  );
  return {
    ...known,
    calls: { ...known.calls, ...Object.fromEntries(named) },
    steps: known.steps + 1,
    usage: addUsage(known.usage, e.usage),
  };
}

const stops: Partial<Record<EventOf<"StepCompleted">["stop"], string>> = {
  length: "the answer was cut by the model's output limit",
  paused: "the model paused",
  refused: "the model declined",
  filtered: "the provider withheld the answer",
  overflow: "the request did not fit the model's context",
  broken: "the answer ended before it was whole",
};

/** An answer's text, and what is to be said about how it stopped. */
function answerLines(e: EventOf<"StepCompleted">): Line[] {
  const text = screen(textOf(e.parts)).trim();
  return [...(text === "" ? [] : [{ kind: "answer", text } as const]), ...stopLines(e)];
}

export function stopLines({ stop }: EventOf<"StepCompleted">): Line[] {
  const why = stops[stop];
  return why ? [note(why)] : [];
}

/** A wait that nobody notices, in milliseconds: not worth a number. */
const SOON_MS = 100;

function brokenText({ failure, retryInMs }: EventOf<"StepBroken">): string {
  const why = screen(failure.say);
  if (retryInMs === null) return `the model gave no answer: ${why}`;
  const what = failure.code === "broken" ? "the answer broke off" : "no answer yet";
  const when = retryInMs < SOON_MS ? "" : ` in ${lasted(retryInMs)}`;
  return `${what}: ${why}; trying again${when}`;
}

const marks: Record<CallEnd, string> = {
  ok: "·",
  failed: "x",
  denied: "-",
  cancelled: "-",
  interrupted: "?",
};

/** One line for a tool call: what it was, and how it ended where that is not "well". */
function toolLine(known: Known, e: EventOf<"ToolFinished">): Line {
  const title = first(known.calls[e.callId] ?? e.callId);
  const detail = detailOf(e);
  const text = `${marks[e.end]} ${title}${detail ? `  ${detail}` : ""}`;
  return { kind: e.end === "ok" || e.end === "cancelled" ? "work" : "trouble", text };
}

function detailOf(e: EventOf<"ToolFinished">): string {
  const ran = e.facts.find((fact) => fact.type === "commandEnded");
  const moved = e.facts.find((fact) => fact.type === "quarantined");
  const parts: string[] = [];
  if (ran)
    parts.push(`${ran.code === null ? "stopped" : `exit ${ran.code}`}, ${lasted(ran.durationMs)}`);
  if (moved) parts.push(`moved to quarantine: ${moved.paths.map(reveal).join(", ")}`);
  if (e.end === "failed" && !ran) parts.push(first(textOf(e.parts)));
  if (e.end === "denied") parts.push(`not allowed: ${first(textOf(e.parts))}`);
  if (e.end === "cancelled") parts.push("called off");
  if (e.end === "interrupted") parts.push("interrupted; how far it came is not known");
  return parts.filter((part) => part !== "").join("; ");
}

function withChanged(known: Known, e: EventOf<"ToolFinished">): Known {
  const paths = e.facts.flatMap((fact) =>
    fact.type === "fileChanged" || fact.type === "fileGone" ? [fact.path] : [],
  );
  return { ...known, changed: [...new Set([...known.changed, ...paths])] };
}

const reach: Record<EventOf<"PermissionAnswered">["scope"], string> = {
  once: "once",
  session: "for this session",
  workspace: "in this folder",
  always: "always",
};

function answerText({ answer, scope, say }: EventOf<"PermissionAnswered">): string {
  if (answer === "allow") return `allowed ${reach[scope]}`;
  return say ? `not allowed: ${first(say)}` : "not allowed";
}

const ends: Record<EventOf<"TurnEnded">["end"], string> = {
  done: "done",
  cancelled: "cancelled",
  failed: "failed",
  refused: "the model refused",
  filtered: "the provider withheld the answer",
  limit: "stopped at a limit",
};

/** How a turn ended, what it changed, and what it took. */
function endLines(known: Known, { end, failure }: EventOf<"TurnEnded">, at: number): Line[] {
  const lines: Line[] = [];
  if (known.changed.length > 0) lines.push(note(`changed ${files(known.changed)}`));
  const fault = failure ? failureText(failure, known.fault) : "";
  if (fault !== "") lines.push({ kind: "fault", text: screen(fault) });
  const took = known.beganAt > 0 ? [lasted(at - known.beganAt)] : [];
  const steps = known.steps > 0 ? [count(known.steps, "step"), tokens(known.usage)] : [];
  lines.push(note([ends[end], ...steps, ...took].join(" · ")));
  return lines;
}

/** A failure on one line, without what was said before. */
const failureText = ({ say, fix }: { say: string; fix?: string }, before: string): string =>
  [say === before ? "" : say, fix ?? ""].filter((part) => part !== "").join("; ");

function files(paths: readonly string[]): string {
  const named = paths.slice(0, FILES_MAX).map(reveal);
  const more = paths.length - named.length;
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}

/** Lines of a tool's result that are shown in full. */
const RESULT_LINES_MAX = 60;

/** What a tool answered, for those who want to see it. */
export function resultLines({ decoded }: Entry): Line[] {
  if (decoded.kind !== "event" || decoded.event.type !== "ToolFinished") return [];
  const lines = screen(textOf(decoded.event.parts)).trimEnd().split("\n");
  const shown = lines.slice(0, RESULT_LINES_MAX).map((line) => note(`  | ${line}`));
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, note(`  | (${count(left, "more line")})`)] : shown;
}
