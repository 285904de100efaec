// The compactions of a session, and reverting one. Nothing of the log is rewritten: a new event holds
// what the model sees from then on, which is what the log would have come to without that compaction
// and those after it.
import type { DoorParts } from "#boundary/door/parts.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { type CompactionView, compactionView, tokensIn } from "#core/session/compactions.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolveDecoded } from "#core/session/evolve.ts";
import { CONTEXT_FULL } from "#core/session/next.ts";
import { charsOf } from "#core/session/room.ts";
import { contextLimit, emptySession, type Session } from "#core/session/state.ts";

type Sent = Result<{ stream: string; version: number }>;

/** Times that a revert is decided again because others appended meanwhile. */
const CONFLICTS_MAX = 50;
/** Bytes of system prompt and tools for a token, rather too few. */
const TOKEN_BYTES = 3;

export async function compactions(
  { sessions }: Pick<DoorParts, "sessions">,
  session: string,
  signal: AbortSignal,
): Promise<Result<CompactionView[]>> {
  const views: CompactionView[] = [];
  let state = emptySession;
  for await (const page of sessions.read(session, { after: 0 }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      const before = state;
      state = evolveDecoded(state, decoded, record.version);
      if (decoded.kind !== "event") continue;
      const { event } = decoded;
      const { version, at } = record;
      if (event.type === "Compacted") {
        const place = { n: views.length + 1, version, at };
        views.push(compactionView(event, { before, after: state }, place));
      }
      if (event.type === "CompactionReverted") {
        for (const view of views) {
          if (view.version >= event.compaction) view.reverted ??= version;
        }
      }
    }
  }
  return ok(views);
}

/** Reverts the compaction with this number, and all after it. */
export async function revertCompaction(
  parts: Pick<DoorParts, "sessions">,
  { session, n }: { session: string; n: number },
): Promise<Sent> {
  const signal = new AbortController().signal;
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const state = await parts.sessions.fold(session);
    if (!state.ok) return state;
    const event = await revertingOf(parts, { session, n, state: state.value }, signal);
    if (!event.ok) return event;
    const by = { actor: "user", epoch: 0 };
    const added = await parts.sessions.append(session, state.value, [event.value], by);
    if (added.ok) return ok({ stream: session, version: added.value.version });
    if (added.error.code !== "conflict") return added;
  }
  return fail("busy", "the session kept changing", { fix: "try again" });
}

async function revertingOf(
  parts: Pick<DoorParts, "sessions">,
  { session, n, state: s }: { session: string; n: number; state: Session },
  signal: AbortSignal,
): Promise<Result<SessionEvent>> {
  const refused = refusal(s);
  if (refused) return refused;
  const views = await compactions(parts, session, signal);
  if (!views.ok) return views;
  const view = views.value[n - 1];
  if (!view) {
    return fail("not_found", `there is no compaction ${n}: the session has ${views.value.length}`, {
      fix: "`aiex session compactions` shows them",
    });
  }
  if (view.reverted !== null) {
    return fail("conflict", `event ${view.reverted} reverted this compaction already`);
  }
  const without = await foldWithout(parts, { session, from: view.version }, signal);
  if (!without.ok) return without;
  const { messages, turns, undone, instructions } = without.value;
  const large = tooLarge(s, messages, views.value.length - n);
  if (large) return large;
  const compaction = view.version;
  return ok({ type: "CompactionReverted", compaction, messages, turns, undone, instructions });
}

function refusal(s: Session): ReturnType<typeof fail> | null {
  if (s.erased || !s.start) return fail("not_found", "there is nothing to revert");
  if (s.unknown) return fail("not_supported", "a newer version of Aiex wrote into this session");
  if (!s.turn && !s.restoring) return null;
  return fail("conflict", "a turn is running, or waits for an answer", {
    fix: "wait for its end, or cancel it first",
  });
}

/** The session as if no message had been replaced, or brought back, from this version on. */
async function foldWithout(
  { sessions }: Pick<DoorParts, "sessions">,
  { session, from }: { session: string; from: number },
  signal: AbortSignal,
): Promise<Result<Session>> {
  let state = emptySession;
  for await (const page of sessions.read(session, { after: 0 }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      const { version } = record;
      const type = decoded.kind === "event" ? decoded.event.type : "";
      const isSkipped = version >= from && (type === "Compacted" || type === "CompactionReverted");
      state = isSkipped ? { ...state, version } : evolveDecoded(state, decoded, version);
    }
  }
  return ok(state);
}

/** Why the older messages cannot be seen again by the model that is asked now. */
function tooLarge(
  s: Session,
  messages: Session["messages"],
  later: number,
): ReturnType<typeof fail> | null {
  const bytes = (s.start?.system.bytes ?? 0) + (s.tools?.tools.bytes ?? 0);
  const tokens = tokensIn(messages) + Math.ceil(bytes / TOKEN_BYTES);
  const tokensMax = Math.floor(contextLimit(s) * CONTEXT_FULL);
  const chars = messages.reduce((sum, message) => sum + charsOf(message), 0);
  const wasRefused = s.refused !== null && chars >= s.refused.chars;
  if (tokens <= tokensMax && !wasRefused) return null;
  const say = wasRefused
    ? `${s.refused?.model} refused messages of that size as too large for its window`
    : `with the older messages a request has about ${tokens} tokens, and ${s.model} takes ${tokensMax} before they are shortened again`;
  const other = later > 0 ? "; reverting a later compaction brings back less" : "";
  return fail("too_large", say, { fix: `switch to a model with a larger window${other}` });
}
