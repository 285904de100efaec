// Forking: a new session that begins with what another one was up to a moment. Its events are copied,
// so that it needs nothing of the other one, which may be erased; what they cost is not counted again.
// With a folder it begins with the files of that moment, too.
import { newId } from "#boundary/digest.ts";
import { closing, closingDraft } from "#boundary/door/closing.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { treeAt } from "#boundary/door/tree-at.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Draft, LogRecord } from "#core/record.ts";
import { asCopy } from "#core/session/child.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { evolveDecoded } from "#core/session/evolve.ts";
import { emptySession, type Session } from "#core/session/state.ts";
import { type Decoded, encodeBody } from "#core/session/upcast.ts";
import { FORKED } from "#core/views/view.ts";

type Sent = Result<{ stream: string; version: number }>;
type Asked = { session: string; at?: number; into?: string };
type Here = { location: { node: string; path: string }; workspace: string };
/** A record that is copied; `begun` is what the copy begins with instead of it. */
type Copied = { record: LogRecord; begun: EventOf<"SessionStarted"> | null };

export async function fork(parts: DoorParts, { session, at, into }: Asked): Promise<Sent> {
  const signal = new AbortController().signal;
  const parent = await parts.sessions.fold(session);
  if (!parent.ok) return parent;
  const refused = refusal(parent.value, at);
  if (refused) return refused;
  const until = at ?? parent.value.version;
  const moved = into === undefined ? ok(null) : await filesInto(parts, { session, until, into });
  if (!moved.ok) return moved;
  const copied = await copy(parts, { session, until, here: moved.value }, signal);
  if (!copied.ok) return copied;
  const { copies, state } = copied.value;
  const forked: SessionEvent = { type: "SessionForked", from: session, version: until };
  const ends = [...closing(state, "the session was forked before this ended"), forked];
  const was = state.start?.elsewhere ?? 0;
  // In another folder, or before its own past ended, all that was copied is of other files.
  const elsewhere = moved.value || until < was ? copies.length + ends.length : was;
  const drafts = [
    ...copies.map(({ record, begun }) => draftOf(record, begun && { ...begun, elsewhere })),
    ...ends.map((event) => ({ ...closingDraft(event), actor: FORKED })),
  ];
  const stream = newId();
  const added = await parts.log.append(stream, 0, drafts);
  return added.ok ? ok({ stream, version: drafts.length }) : added;
}

function refusal(s: Session, at: number | undefined): ReturnType<typeof fail> | null {
  if (s.erased) return fail("not_found", "this session was erased");
  if (s.unknown) return fail("not_supported", "a newer version of Aiex wrote into this session");
  if (at === undefined || at <= s.version) return null;
  return fail("bad_input", `the session has ${s.version} events, so none is number ${at}`, {
    fix: "`aiex session show` names the moments",
  });
}

async function copy(
  parts: DoorParts,
  { session, until, here }: { session: string; until: number; here: Here | null },
  signal: AbortSignal,
): Promise<Result<{ copies: Copied[]; state: Session }>> {
  const copies: Copied[] = [];
  let state = emptySession;
  for await (const page of parts.sessions.read(session, { after: 0, until }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      const begun = beginning(decoded, { session, here });
      const meant: Decoded = begun ? { kind: "event", event: begun } : decoded;
      state = evolveDecoded(state, meant, record.version);
      copies.push({ record, begun });
    }
  }
  return ok({ copies, state });
}

/** The first event, with the fork's own parent and place; null for any other. */
function beginning(
  decoded: Decoded,
  { session, here }: { session: string; here: Here | null },
): EventOf<"SessionStarted"> | null {
  if (decoded.kind !== "event" || decoded.event.type !== "SessionStarted") return null;
  return { ...asCopy(decoded.event), ...(here ?? {}), parent: session };
}

function draftOf(record: LogRecord, begun: EventOf<"SessionStarted"> | null): Draft {
  const { type, schema, body, epoch, cause, correlation } = record;
  return {
    type,
    schema,
    body: begun ? encodeBody(begun) : body,
    actor: FORKED,
    epoch,
    ...(cause === null ? {} : { cause }),
    ...(correlation === null ? {} : { correlation }),
  };
}

/** The files of that moment in a new folder, and the place of the session that goes on there. */
async function filesInto(
  parts: DoorParts,
  { session, until, into }: { session: string; until: number; into: string },
): Promise<Result<Here>> {
  const signal = new AbortController().signal;
  const tree = await treeAt(parts.sessions, session, until, signal);
  if (!tree.ok) return tree;
  const parent = await parts.sessions.fold(session);
  if (!parent.ok) return parent;
  const place = await parts.placeOf(parent.value);
  if (!place.ok) return place;
  const trees = await place.value.trees();
  if (!trees.ok) return trees;
  const written = await trees.value.copyTo(tree.value, into, signal);
  if (!written.ok) return written;
  const located = await parts.locations.open(into);
  if (!located.ok) return located;
  const { path, workspace } = located.value;
  return ok({ location: { node: parts.node, path }, workspace });
}
