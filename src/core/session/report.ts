// What happened, for somebody who was not there: the records of a log as entries of few kinds, each
// with who and when. A fold of the same events that everything else is one of.
import { parsed } from "#core/model/json.ts";
import type { LogRecord } from "#core/record.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import type { Fact } from "#core/session/tool-facts.ts";
import type { Decoded } from "#core/session/upcast.ts";

/** The kinds of entries, in the order in which they are told, each with what it is. */
export const entryKinds = {
  session: "sessions",
  trust: "trust and lasting leave",
  prompt: "prompts",
  asked: "permissions asked",
  answered: "permissions answered",
  denied: "refused by policy, user or hook",
  command: "commands run",
  changed: "files changed",
  reached: "hosts reached",
  refused: "hosts refused",
  quarantined: "protected paths quarantined",
  erased: "erased",
} as const;

export type EntryKind = keyof typeof entryKinds;

export type ReportEntry = {
  kind: EntryKind;
  at: number;
  /** The session, or the stream of a location. */
  stream: string;
  /** Who did it: `user`, `runner` … */
  actor: string;
  /** One line: the command, the path, the host, the beginning of the prompt. */
  what: string;
  /** Exit code, answer and scope, why it was refused … */
  outcome?: string;
};

export type Reporter = {
  /** The entries that a record makes; records come in order of position. */
  take(record: LogRecord, decoded: Decoded): ReportEntry[];
};

/** Calls whose title is remembered, of all sessions together. */
const TITLES_MAX = 10_000;
/** Characters of a call that stand for a title. */
const TITLE_CHARS_MAX = 300;

export function reporter(): Reporter {
  const titles = new Map<string, string>();
  const remember = (stream: string, callId: string, title: string): void => {
    titles.set(`${stream} ${callId}`, title);
    const oldest = titles.keys().next().value;
    if (titles.size > TITLES_MAX && oldest !== undefined) titles.delete(oldest);
  };

  return {
    take(record, decoded) {
      const { at, stream, actor } = record;
      const entry = (kind: EntryKind, what: string, outcome?: string): ReportEntry => {
        return { kind, at, stream, actor, what, ...(outcome === undefined ? {} : { outcome }) };
      };
      if (decoded.kind !== "event") return besides(record, entry);
      const { event } = decoded;
      if (event.type === "StepCompleted") {
        // What is refused before it starts has no other title than the call itself.
        for (const part of event.parts) {
          if (part.type !== "call") continue;
          remember(stream, part.id, `${part.tool} ${part.input}`.slice(0, TITLE_CHARS_MAX));
        }
      }
      if (event.type === "ToolStarted" || event.type === "PermissionAsked") {
        remember(stream, event.callId, event.title);
      }
      const titleOf = (callId: string) => titles.get(`${stream} ${callId}`) ?? callId;
      return entriesOf(event, entry, titleOf);
    },
  };
}

type Entry = (kind: EntryKind, what: string, outcome?: string) => ReportEntry;

function entriesOf(
  event: SessionEvent,
  entry: Entry,
  titleOf: (callId: string) => string,
): ReportEntry[] {
  switch (event.type) {
    case "SessionStarted":
      return [entry("session", event.location.path, `${event.model}, mode ${event.mode}`)];
    case "ModeSwitched":
      return [entry("session", `mode ${event.mode}`)];
    case "TurnStarted":
    case "Steered":
      return [entry("prompt", event.text)];
    case "PermissionAsked":
      return [entry("asked", event.title, event.why)];
    case "PermissionAnswered": {
      const said = event.say ? `: ${event.say}` : "";
      return [entry("answered", titleOf(event.callId), `${event.answer}, ${event.scope}${said}`)];
    }
    case "SessionErased":
      return [entry("erased", event.why)];
    case "ToolFinished":
      return finished(event, entry, titleOf);
    default:
      return [];
  }
}

function finished(
  event: EventOf<"ToolFinished">,
  entry: Entry,
  titleOf: (callId: string) => string,
): ReportEntry[] {
  const facts = event.facts.flatMap((fact) => factEntries(fact, entry));
  const title = titleOf(event.callId);
  const fetched = /^fetch (https?:\/\/\S+)$/.exec(title)?.[1];
  if (fetched && event.end !== "denied") facts.push(entry("reached", fetched, event.end));
  if (event.end !== "denied") return facts;
  const said = event.parts.map((part) => (part.type === "text" ? part.text : "")).join(" ");
  return [entry("denied", title, said), ...facts];
}

function factEntries(fact: Fact, entry: Entry): ReportEntry[] {
  switch (fact.type) {
    case "commandEnded": {
      const exit = fact.code === null ? "ended by a signal" : `exit ${fact.code}`;
      return [entry("command", fact.command, exit)];
    }
    case "jobStarted":
      return [entry("command", fact.command, `job ${fact.job} started`)];
    case "fileChanged": {
      const done = fact.before === "absent" ? "created" : "changed";
      return [entry("changed", fact.path, fact.after === "absent" ? "removed" : done)];
    }
    case "hostsTried":
      return [
        ...fact.reached.map((host) => entry("reached", host)),
        ...fact.refused.map((host) => entry("refused", host)),
      ];
    case "quarantined":
      return fact.paths.map((path) => entry("quarantined", path));
    default:
      return [];
  }
}

/** What is in no session's event: the trust of locations, what was given for good, erased bodies. */
function besides({ type, body }: LogRecord, entry: Entry): ReportEntry[] {
  if (type === "LocationTrusted") return [entry("trust", "trusted")];
  if (type === "LocationDistrusted") return [entry("trust", "not trusted any more")];
  if (type === "PermissionGranted" && body !== null) {
    const { title } = (parsed(body) ?? {}) as { title?: unknown };
    return [entry("trust", typeof title === "string" ? title : "a lasting leave")];
  }
  return [];
}
