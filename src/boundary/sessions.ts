// Sessions over the log: fold a stream, decide a command, append what follows. A body too long for
// an event goes to a blob first; whoever reads gets it back without noticing.
import type { Blobs } from "#boundary/blobs/port.ts";
import { sha256 } from "#boundary/digest.ts";
import type { EventLog, Guard, Pages, Window } from "#boundary/log/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { BODY_BYTES_MAX, type Draft, faultOf, type LogRecord } from "#core/record.ts";
import type { SessionCommand } from "#core/session/commands.ts";
import { decide } from "#core/session/decide.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolveDecoded } from "#core/session/evolve.ts";
import { emptySession, type Session } from "#core/session/state.ts";
import { type Decoded, decode, encodeBody, encodeFar, schemaOf } from "#core/session/upcast.ts";

/** Who appends, and on behalf of what. */
export type By = { actor: string; epoch: number; cause?: string; correlation?: string };

/** How often a command is decided again when others append at the same time. */
const CONFLICTS_MAX = 50;
/** Sessions whose fold is kept in memory. */
const FOLDS_MAX = 32;
/** Events after which a fold is worth keeping as a snapshot. */
const SNAPSHOT_EVENTS = 200;

/** Events folded at once that make even a reader keep the fold. */
const LONG_FOLD_EVENTS = 1_000;

export type Sessions = {
  /** The present state. An unknown stream is the empty session. */
  fold(stream: string): Promise<Result<Session>>;
  /** Decides at the present version and appends; on a conflict folds and decides again. */
  command(stream: string, command: SessionCommand): Promise<Result<Session>>;
  /**
   * Appends at exactly `session.version`; `conflict` when somebody else was first, and what the guard
   * says where it refuses.
   */
  append(
    stream: string,
    session: Session,
    events: readonly SessionEvent[],
    by: By,
    guard?: Guard,
  ): Promise<Result<Session>>;
  /** Records with what they mean, in pages. */
  read(
    stream: string,
    window: Window,
    signal: AbortSignal,
  ): AsyncIterable<Result<{ record: LogRecord; decoded: Decoded }[]>>;
  decode(record: LogRecord): Promise<Result<Decoded>>;
  /** Keeps the fold, if enough happened since the last time. */
  keep(stream: string): Promise<void>;
};

const tooLongToBegin = fail("too_large", "what this session would begin with is too long", {
  fix: "shorten what the project says of itself: its verify commands, its roles",
});

export function sessionsOver(parts: {
  log: EventLog;
  blobs: Blobs;
  /** Names the code that folds: a snapshot made by other code is not used. */
  fingerprint: string;
}): Sessions {
  const { log, blobs, fingerprint } = parts;
  const folds = new Map<string, { session: Session; kept: number }>();
  const never = new AbortController().signal;

  async function draftOf(event: SessionEvent, by: By): Promise<Result<Draft>> {
    const body = encodeBody(event);
    const envelope = { type: event.type, schema: schemaOf(event.type), ...by };
    if (Buffer.byteLength(body) <= BODY_BYTES_MAX) return ok({ ...envelope, body });
    // What lists, budgets and sweeps go by is read with the log, and not from a blob.
    if (event.type === "SessionStarted") return tooLongToBegin;
    const kept = await blobs.put(Buffer.from(body));
    return kept.ok ? ok({ ...envelope, body: encodeFar(event, kept.value) }) : kept;
  }

  /** What a disk changed since is not what anybody wrote, and is not read as if it were. */
  async function decodeRecord(record: LogRecord): Promise<Result<Decoded>> {
    const before = { version: record.version - 1, hash: record.prev };
    if (faultOf(record, before, sha256)) return ok({ kind: "unknown", type: record.type });
    const decoded = decode(record);
    if (decoded.kind !== "far") return ok(decoded);
    const bytes = await blobs.get(decoded.blob);
    if (!bytes.ok) return bytes;
    return ok(decode({ ...record, body: Buffer.from(bytes.value).toString() }));
  }

  function remember(stream: string, session: Session, kept: number): void {
    folds.delete(stream);
    folds.set(stream, { session, kept });
    const oldest = folds.keys().next().value;
    if (folds.size > FOLDS_MAX && oldest !== undefined) folds.delete(oldest);
  }

  async function begin(stream: string): Promise<Result<{ session: Session; kept: number }>> {
    const known = folds.get(stream);
    if (known) return ok(known);
    const kept = await log.snapshot(stream, fingerprint);
    if (!kept.ok) return kept;
    const body = kept.value ? unsummed(kept.value.body) : null;
    if (body === null) return ok({ session: emptySession, kept: 0 });
    const session = JSON.parse(body) as Session;
    return ok({ session, kept: session.version });
  }

  const sessions: Sessions = {
    decode: decodeRecord,
    async fold(stream) {
      const begun = await begin(stream);
      if (!begun.ok) return begun;
      let { session } = begun.value;
      for await (const page of whole(log, stream, { after: session.version }, never)) {
        if (!page.ok) return page;
        for (const record of page.value) {
          const decoded = await decodeRecord(record);
          if (!decoded.ok) return decoded;
          session = evolveDecoded(session, decoded.value, record.version);
        }
      }
      remember(stream, session, begun.value.kept);
      // A long way to fold was not kept yet, or by other code: the next process has it short.
      if (session.version - begun.value.session.version > LONG_FOLD_EVENTS) {
        await sessions.keep(stream);
      }
      return ok(session);
    },
    async command(stream, command) {
      for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
        const session = await sessions.fold(stream);
        if (!session.ok) return session;
        const events = decide(command, session.value);
        if (!events.ok) return events;
        if (events.value.length === 0) return session;
        const by = { actor: "user", epoch: 0, correlation: session.value.turn?.id };
        const added = await sessions.append(stream, session.value, events.value, by);
        if (added.ok || added.error.code !== "conflict") return added;
      }
      return fail("busy", `others kept changing the session during ${CONFLICTS_MAX} tries`, {
        fix: "try again",
      });
    },
    async append(stream, session, events, by, guard) {
      const drafts: Draft[] = [];
      for (const event of events) {
        const draft = await draftOf(event, by);
        if (!draft.ok) return draft;
        drafts.push(draft.value);
      }
      const added = await log.append(stream, session.version, drafts, guard);
      if (!added.ok) return added;
      const after = events.reduce(
        (s, event, i) => evolveDecoded(s, { kind: "event", event }, session.version + i + 1),
        session,
      );
      remember(stream, after, folds.get(stream)?.kept ?? 0);
      return ok(after);
    },
    async *read(stream, window, signal) {
      for await (const page of whole(log, stream, window, signal)) {
        if (!page.ok) return yield page;
        const rows: { record: LogRecord; decoded: Decoded }[] = [];
        for (const record of page.value) {
          const decoded = await decodeRecord(record);
          if (!decoded.ok) return yield decoded;
          rows.push({ record, decoded: decoded.value });
        }
        yield ok(rows);
      }
    },
    async keep(stream) {
      const known = folds.get(stream);
      if (!known || known.session.version - known.kept < SNAPSHOT_EVENTS) return;
      const { version } = known.session;
      const body = summed(JSON.stringify(known.session));
      const kept = await log.keepSnapshot(stream, { version, fingerprint, body });
      if (kept.ok) known.kept = version;
    },
  };
  return sessions;
}

/** A snapshot's text with its hash before it, so that one that a disk changed is none. */
const summed = (text: string): string => `${sha256(text)} ${text}`;

function unsummed(body: unknown): string | null {
  // A damaged table gives other types than were put in.
  if (typeof body !== "string") return null;
  const text = body.slice(body.indexOf(" ") + 1);
  return summed(text) === body ? text : null;
}

/** Every record of a window: pages that a damaged index skips, or ends too early, are a failure. */
async function* whole(log: EventLog, stream: string, window: Window, signal: AbortSignal): Pages {
  const head = await log.head(stream);
  if (!head.ok) return yield head;
  let at = window.after;
  for await (const page of log.read(stream, window, signal)) {
    if (!page.ok) return yield page;
    for (const { version } of page.value) {
      at += 1;
      if (version !== at) return yield hole(stream, at);
    }
    yield page;
  }
  const end = Math.min(window.until ?? head.value.version, head.value.version);
  if (at < end && !signal.aborted) yield hole(stream, at + 1);
}

const hole = (stream: string, version: number) =>
  fail("corrupt", `the log is damaged: record ${version} of ${stream} is not where it belongs`, {
    fix: "restore log.db from a backup; `aiex audit verify` says what else is damaged",
  });
