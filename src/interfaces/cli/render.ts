// What a transcript's items look like to a person: items in, lines out. The same code tells a
// running turn and a finished session. Pure; colour and width are the terminal's business.
import { unreachable } from "#core/assert.ts";
import { listed } from "#core/evidence/standing.ts";
import { textOf } from "#core/model/message.ts";
import { reveal, screen } from "#core/security/screen.ts";
import type { CallEnd, EventBody } from "#core/session/events.ts";
import type {
  AnswerItem,
  BrokenItem,
  EndItem,
  GapItem,
  Item,
  NoteItem,
  PromptItem,
  ToolItem,
} from "#core/session/transcript.ts";
import { DIFF_LINES, diffLines } from "#interfaces/cli/changes.ts";
import { count, lasted, moneyText, short, tokens } from "#interfaces/cli/figures.ts";

/**
 * `prompt` the user's words · `answer` the model's · `work` what a tool did · `trouble` what a tool
 * could not do · `output` of a tool · `added`, `removed` lines of a file · `fault` a failure in
 * full · `ask` a question to the user and its answer · `note` anything else.
 */
export type Line = {
  kind:
    | "prompt"
    | "answer"
    | "work"
    | "trouble"
    | "output"
    | "added"
    | "removed"
    | "fault"
    | "ask"
    | "note";
  text: string;
  /** What stays readable where the line is cut. */
  end?: string;
};

/** Characters of a title or of a result's first line. */
const LINE_CHARS_MAX = 160;
/** Files named when a turn ends. */
const FILES_MAX = 8;
/** Lines of a failed command's output: its last ones, where errors and counts stand. */
const FAILED_LINES = 8;
/** Lines of a tool's result that are shown in full. */
const RESULT_LINES_MAX = 60;

/** How much is told of what tools did: a glance, or their results too. */
export type Detail = "glance" | "full";

/** One item as lines. */
export function linesOf(item: Item, detail: Detail): Line[] {
  switch (item.type) {
    case "prompt":
      return promptLines(item);
    case "answer":
      return [...answerLines(item), ...stopLines(item)];
    case "tool":
      return [...askLines(item), ...toolLines(item, detail)];
    case "broken":
      // Of a turn that was cancelled, its end says it.
      return item.cancelled ? [] : [{ kind: "fault", text: brokenText(item) }];
    case "end":
      return endLines(item);
    case "note":
      return [note(noteText(item.event))];
    case "gap":
      return [note(gapText(item))];
    default:
      return unreachable(item);
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

function promptLines({ text, attachments }: PromptItem): Line[] {
  const files = attachments.map(({ name }) => name ?? "a file");
  const more = files.length > 0 ? `\n(with ${files.join(", ")})` : "";
  return [{ kind: "prompt", text: screen(text + more) }];
}

const stops: Partial<Record<AnswerItem["stop"], string>> = {
  length: "the answer was cut by the model's output limit",
  paused: "the model paused",
  refused: "the model declined",
  filtered: "the provider withheld the answer",
  overflow: "the request did not fit the model's context",
  broken: "the answer ended before it was whole",
};

function answerLines(item: AnswerItem): Line[] {
  const text = screen(item.text).trim();
  return text === "" ? [] : [{ kind: "answer", text }];
}

/** What is to be said about how an answer stopped. */
export function stopLines({ stop }: AnswerItem): Line[] {
  const why = stops[stop];
  return why ? [note(why)] : [];
}

/** A wait that nobody notices, in milliseconds: not worth a number. */
const SOON_MS = 100;

function brokenText({ failure, retryInMs, next }: BrokenItem): string {
  const why = screen(failure.say);
  if (next !== undefined) return `no answer: ${why}; ${reveal(next)} is asked instead`;
  if (retryInMs === null) return `the model gave no answer: ${why}`;
  const what = failure.code === "broken" ? "the answer broke off" : "no answer yet";
  const when = retryInMs < SOON_MS ? "" : ` in ${lasted(retryInMs)}`;
  return `${what}: ${why}; trying again${when}`;
}

const reach: Record<NonNullable<ToolItem["answer"]>["scope"], string> = {
  once: "once",
  session: "for this session",
  workspace: "in this folder",
  always: "always",
};

/** The question about a call, and what the user said. */
function askLines({ ask, answer }: ToolItem): Line[] {
  const lines: Line[] = [];
  if (ask) lines.push({ kind: "ask", text: `asked: ${first(ask.what)} (${first(ask.why)})` });
  if (answer?.answer === "allow") {
    lines.push({ kind: "ask", text: `allowed ${reach[answer.scope]}` });
  } else if (answer) {
    lines.push({ kind: "ask", text: `not allowed${answer.say ? `: ${first(answer.say)}` : ""}` });
  }
  return lines;
}

const marks: Record<CallEnd, string> = {
  ok: "·",
  failed: "x",
  denied: "-",
  cancelled: "-",
  interrupted: "?",
};

/** What a call was, how it ended where that is not "well", and what is worth seeing of it. */
function toolLines(item: ToolItem, detail: Detail): Line[] {
  const { state } = item;
  if (state === "wanted" || state === "asked" || state === "started") {
    return [{ kind: "work", text: `… ${first(titleOf(item))}` }];
  }
  const how = howIt(item);
  const text = `${marks[state]} ${first(titleOf(item))}`;
  const kind = state === "ok" || state === "cancelled" ? "work" : "trouble";
  return [
    { kind, text, ...(how ? { end: `  ${how}` } : {}) },
    ...(detail === "full" ? resultLines(item) : glanceLines(item)),
  ];
}

function howIt({ facts, state, result }: ToolItem): string {
  const ran = facts.find((fact) => fact.type === "commandEnded");
  const moved = facts.find((fact) => fact.type === "quarantined");
  const tried = facts.find((fact) => fact.type === "hostsTried");
  const parts: string[] = [];
  if (ran) {
    const code = ran.code === null ? "stopped" : `exit ${ran.code}`;
    parts.push(`${code}, ${lasted(ran.durationMs)}`);
  }
  const child = facts.find((fact) => fact.type === "childEnded");
  if (child) {
    const took = `${count(child.steps, "step")}, ${short(child.tokens)} tokens`;
    parts.push(`${childEndText(child.end)}, ${took}, session ${child.child.slice(0, 8)}`);
  }
  if (tried?.refused.length) parts.push(`not reached: ${tried.refused.map(reveal).join(", ")}`);
  if (moved) parts.push(`moved to quarantine: ${moved.paths.map(reveal).join(", ")}`);
  if (state === "failed" && !ran && !child) parts.push(first(textOf(result)));
  if (state === "denied") parts.push(`not allowed: ${first(textOf(result))}`);
  if (state === "cancelled") parts.push("called off");
  if (state === "interrupted") parts.push("interrupted; how far it came is not known");
  return parts.filter((part) => part !== "").join("; ");
}

/** The beginning of what was changed, or the end of what a failed command said. */
function glanceLines({ facts, state, result }: ToolItem): Line[] {
  const changes = facts.flatMap((fact) => (fact.type === "fileChanged" && fact.diff ? [fact] : []));
  const most = Math.max(2, Math.floor(DIFF_LINES / Math.max(1, changes.length)));
  const shown = changes.slice(0, DIFF_LINES / 2).flatMap(({ path, diff = "" }) => {
    const lines = diffLines(screen(diff), most).map(drawnChange);
    return changes.length > 1 ? [output(reveal(path)), ...lines] : lines;
  });
  const ran = facts.some((fact) => fact.type === "commandEnded");
  return ran && state === "failed" ? lastLines(textOf(result)) : shown;
}

const drawnChange = ({ kind, text }: ReturnType<typeof diffLines>[number]): Line =>
  kind === "context" ? output(text) : { kind, text: `    ${text}` };

const output = (text: string): Line => ({ kind: "output", text: `    ${text}` });

/** The end of an output, without the tool's own words about how the command ended. */
function lastLines(text: string): Line[] {
  const lines = screen(text)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const end = lines.findLastIndex((line) => /^\((exit|stopped|killed)\b/.test(line));
  const said = end === -1 ? lines : lines.slice(0, end);
  return said.slice(-FAILED_LINES).map(output);
}

/** What a tool answered, for those who want to see it. */
function resultLines({ result }: ToolItem): Line[] {
  const lines = screen(textOf(result)).trimEnd().split("\n");
  const shown = lines.slice(0, RESULT_LINES_MAX).map((line) => output(`| ${line}`));
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, output(`| (${count(left, "more line")})`)] : shown;
}

function noteText(e: NoteItem["event"]): string {
  switch (e.type) {
    case "SessionStarted":
      return `began${asChild(e)} in ${e.location.path} with ${e.model}, mode ${e.mode}`;
    case "SessionForked":
      return `forked from ${e.from} at its event ${e.version}`;
    case "SessionRenamed":
      return `renamed to "${e.title}"`;
    case "SessionErased":
      return `the content was erased: ${e.why}`;
    case "SessionAdopted":
      return "(another process took over)";
    case "ModelSwitched":
      return `model: ${e.model}`;
    case "ModelDescribed":
      return describedText(e);
    case "ModeSwitched":
      return `mode: ${e.mode}`;
    case "EffortSwitched":
      return `effort: ${e.effort ?? "as the provider has it"}`;
    case "ToolsChanged":
      return "the tools on offer changed";
    case "VerifyDescribed":
      return e.commands.length === 0
        ? "no command counts as evidence here"
        : `evidence here: ${e.commands.map(verifyText).join(", ")}`;
    case "EvidenceAsked":
      return first(e.say);
    case "ContextAdded":
      return e.path ? `the model was given ${e.path}` : first(e.text);
    case "PromptQueued":
      return `queued: ${first(e.text)}`;
    case "PromptUnqueued":
      return "a queued prompt was taken back";
    case "CancelRequested":
      return `called off: ${e.why}`;
    case "HookRan":
      return `hook ${e.hook}: ${first(e.say)}`;
    case "BudgetSet":
      return `budget: ${e.say}`;
    case "BudgetNeared":
      return e.say;
    case "FilesFound":
      return `changed while a job ran: ${files(e.files.map(({ path }) => path))}`;
    case "ChildEnded":
      return `the child is over: ${childEndText(e.end)}`;
    case "RestoreStarted":
      return restoreText(e);
    case "RestoreFinished":
      return leftText(e);
    case "SummaryStarted":
      return `${e.model} is asked for a summary of old messages`;
    case "SummaryEnded":
      return e.failure
        ? `no summary by ${e.model}: ${first(e.failure.say)}`
        : `summary by ${e.model} · ${tokens(e.usage)}`;
    case "Compacted":
      return `${count(e.droppedMessages, "old message")} shortened (${e.why})`;
    case "CompactionReverted":
      return `the messages of before the compaction at event ${e.compaction} are seen again`;
    default:
      return unreachable(e);
  }
}

const asChild = ({ child, parent }: EventBody<"SessionStarted">): string =>
  child ? ` as ${child.role}, a child of ${parent},` : "";

function restoreText({ cause, changes, to }: EventBody<"RestoreStarted">): string {
  const paths = count(changes.length, "path");
  if (cause === "restore") return `brought ${paths} back to ${to ?? "an earlier state"}`;
  return cause === "undo" ? `undid the turn: ${paths}` : `redid the turn: ${paths}`;
}

function leftText({ left }: EventBody<"RestoreFinished">): string {
  if (left.length === 0) return "nothing was left over";
  const named = left.slice(0, FILES_MAX).map(({ path, why }) => `${reveal(path)} (${why})`);
  const more = left.length - named.length;
  return `left as they are: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function describedText({ model, windowTokens, say }: EventBody<"ModelDescribed">): string {
  const window =
    windowTokens === null
      ? `the window of ${model} is no limit here`
      : `the window of ${model} is ${short(windowTokens)} tokens`;
  return say === undefined ? window : windowTokens === null ? say : `${say}; ${window}`;
}

const gaps: Record<GapItem["why"], string> = {
  erased: "erased",
  unknown: "written by a newer version of Aiex, or damaged",
  far: "too long to show",
};

const gapText = ({ of, why }: GapItem): string => `(${of}: ${gaps[why]})`;

/** How a child ended, in words. */
export const childEndText = (end: EventBody<"ChildEnded">["end"]): string =>
  end === "deadline" || end === "stuck" || end === "lost" ? childStops[end] : ends[end];

const childStops = {
  deadline: "its time was over",
  stuck: "its last steps changed nothing",
  lost: "nobody ran it any more",
};

const ends: Record<EndItem["end"], string> = {
  done: "done",
  unproven: "ended unproven",
  cancelled: "cancelled",
  failed: "failed",
  refused: "the model refused",
  filtered: "the provider withheld the answer",
  limit: "stopped at a limit",
};

/** How a turn ended, what it changed, and what it took. */
function endLines(item: EndItem): Line[] {
  const { end, failure, changed, fault, steps, usage, partial, tookMs, evidence } = item;
  const lines: Line[] = [];
  if (changed.length > 0) lines.push(note(`changed ${files(changed)}`));
  if (evidence) lines.push(...standingLines(evidence));
  // That it is unproven stands in the line before.
  const said = end === "unproven" ? (failure?.say ?? null) : fault;
  const why = failure ? failureText(failure, said) : "";
  if (why !== "") lines.push({ kind: "fault", text: screen(why) });
  const made = steps > 0 ? [count(steps, "step"), tokens(usage), moneyText(usage)] : [];
  const took = partial ? [] : [lasted(tookMs)];
  lines.push(note([ends[end], ...made, ...took].filter((part) => part !== "").join(" · ")));
  return lines;
}

/** Whether what the session changed is proven, and by what. */
export function standingLines(standing: NonNullable<EndItem["evidence"]>): Line[] {
  const { state, by, checks, checksChanged, unproven, unprovenFiles, why } = standing;
  const runs = by.map(proofText).join(", ");
  switch (state) {
    case "nothing":
      return [];
    case "proven":
      return [note(`proven by ${runs}`)];
    case "doubted": {
      const but = `but these tests or their configuration changed in this session: ${listed(checks, checksChanged)}`;
      return [{ kind: "trouble", text: reveal(`proven by ${runs}, ${but}`) }];
    }
    case "unproven": {
      const files = unprovenFiles > 0 ? listed(unproven.slice(-FILES_MAX), unprovenFiles) : "";
      const text = [files, why ?? ""].filter((part) => part !== "").join("; ");
      return [{ kind: "trouble", text: reveal(`unproven: ${text}`) }];
    }
    default:
      return unreachable(state);
  }
}

const verifyText = ({ command, folder }: { command: string; folder: string }): string =>
  folder === "." ? command : `${command} (in ${folder})`;

function proofText({ tests, ...one }: NonNullable<EndItem["evidence"]>["by"][number]): string {
  if (!tests) return verifyText(one);
  const counts = [`${tests.passed} passed`, tests.skipped > 0 ? `${tests.skipped} skipped` : ""];
  return `${verifyText(one)} (${counts.filter((part) => part !== "").join(", ")})`;
}

/** A failure on one line, without what was said before. */
const failureText = (
  { say, fix }: NonNullable<EndItem["failure"]>,
  before: string | null,
): string => [say === before ? "" : say, fix ?? ""].filter((part) => part !== "").join("; ");

function files(paths: readonly string[]): string {
  const named = paths.slice(0, FILES_MAX).map(reveal);
  const more = paths.length - named.length;
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}
