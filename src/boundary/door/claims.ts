// What a turn changed, read from its events: the changes that are provably its own, those that
// somebody else may have made while a command ran, and the calls of which nobody knows.
import type { Sessions } from "#boundary/sessions.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { ok, type Result } from "#core/failure.ts";
import type { EventOf } from "#core/session/events.ts";
import type { PastTurn, UndoneTurn } from "#core/session/state.ts";
import { ABSENT, type PathChange } from "#core/tree/entry.ts";
import { isWithin } from "#core/tree/paths.ts";
import { type LeftPath, seenChanges } from "#core/tree/undo.ts";

export type Claims = {
  /** Oldest first. */
  changes: PathChange[];
  /** Paths that others may have changed, with what else ran then. */
  doubtful: Map<string, string>;
  /** The paths that each command changed, by the position at which it began. */
  ofCommand: Map<number, string[]>;
  /** Calls whose changes were not recorded, as paths that cannot be taken back. */
  unknown: LeftPath[];
};

/** A call with the positions of its events in the log. */
type Call = {
  started: EventOf<"ToolStarted">;
  finished: EventOf<"ToolFinished"> | null;
  began: number;
  ended: number;
  /** Why nobody can say what it did. */
  lost?: string;
};

export async function claimsOf(
  parts: { sessions: Sessions; trees: Trees },
  { stream, past }: { stream: string; past: PastTurn },
  signal: AbortSignal,
): Promise<Result<Claims>> {
  const calls = await callsOf(parts.sessions, { stream, past }, signal);
  if (!calls.ok) return calls;
  const claims: Claims = { changes: [], doubtful: new Map(), ofCommand: new Map(), unknown: [] };
  for (const call of calls.value) {
    const added = await addCall(parts.trees, call, claims);
    if (!added.ok) return added;
  }
  addOthers(calls.value, claims);
  return ok(claims);
}

/**
 * Somebody else changed files right before or after a command of the turn: they may have while it
 * ran, too, and then its word for what it changed does not count. An edit's does, since it names
 * its files.
 */
function addOthers(calls: readonly Call[], { doubtful, ofCommand }: Claims): void {
  for (const call of calls) {
    const earlier = calls.filter(({ ended }) => ended < call.began);
    const last = earlier.reduce<Call | null>((a, b) => (a && a.ended > b.ended ? a : b), null);
    const before = last?.finished?.tree;
    if (!last || before === undefined || call.started.tree === undefined) continue;
    // Calls of several children overlap: what one does in between is the turn's own work.
    if (calls.some(({ began, ended }) => began < call.began && ended > call.began)) continue;
    if (before === call.started.tree) continue;
    for (const { started, began } of [last, call]) {
      if (started.intent.files) continue;
      for (const path of ofCommand.get(began) ?? []) doubtful.set(path, disturbed);
    }
  }
}

const disturbed = "somebody else was changing files at the same time";

/**
 * The calls of a turn that could write, in the order of their beginning: in the place of one that
 * began a child stand the calls of that child.
 */
async function callsOf(
  sessions: Sessions,
  { stream, past }: { stream: string; past: PastTurn },
  signal: AbortSignal,
): Promise<Result<Call[]>> {
  const own = await callsIn(sessions, { stream, from: past.from, turn: past.turn }, signal);
  if (!own.ok) return own;
  // Each session is read once, whatever a log says of whose child it is.
  const read = new Set([stream]);
  const open = [...own.value.calls];
  const all: Call[] = [];
  for (let call = open.shift(); call !== undefined; call = open.shift()) {
    const { child } = call.started.intent;
    if (child === undefined) all.push(call);
    if (child === undefined || read.has(child)) continue;
    read.add(child);
    const more = await callsIn(sessions, { stream: child, from: 1 }, signal);
    if (!more.ok) return more;
    // Of a child that was erased by itself nobody can say what it did.
    if (more.value.erased) all.push({ ...call, finished: null, lost: "its child was erased" });
    open.push(...more.value.calls);
  }
  return ok(all.toSorted((a, b) => a.began - b.began));
}

/** Those of one session, from a version on, up to the end of a turn where it is named. */
async function callsIn(
  sessions: Sessions,
  { stream, from, turn }: { stream: string; from: number; turn?: string },
  signal: AbortSignal,
): Promise<Result<{ calls: Call[]; erased: boolean }>> {
  const calls: Call[] = [];
  let erased = false;
  for await (const page of sessions.read(stream, { after: from - 1 }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      erased ||= decoded.kind === "erased";
      if (decoded.kind !== "event") continue;
      const { event } = decoded;
      const { position } = record;
      if (event.type === "ToolStarted" && couldWrite(event)) {
        calls.push({ started: event, finished: null, began: position, ended: Infinity });
      } else if (event.type === "ToolFinished") {
        const open = calls.findLast(({ started }) => started.callId === event.callId);
        if (open && open.finished === null)
          Object.assign(open, { finished: event, ended: position });
      } else if (event.type === "TurnEnded" && event.turn === turn) return ok({ calls, erased });
    }
  }
  return ok({ calls, erased });
}

/** A call that may be repeated is recorded only where it could change files. */
const couldWrite = ({ effect, tree, untracked }: EventOf<"ToolStarted">): boolean =>
  effect !== "pure" && (effect !== "keyed" || tree !== undefined || untracked !== undefined);

async function addCall(
  trees: Trees,
  { started, finished, began, lost }: Call,
  claims: Claims,
): Promise<Result<void>> {
  const before = started.tree;
  const after = finished?.tree;
  if (before === undefined || after === undefined) {
    const why = lost ?? started.untracked ?? "its end was not recorded";
    claims.unknown.push({ path: started.title, why: `what it changed is not known: ${why}` });
    return ok();
  }
  const all = await trees.changes(before, after);
  if (!all.ok) return all;
  const changes = seenChanges(all.value);
  const named = started.intent.files?.map(({ path }) => path);
  const fact = finished?.facts.find((one) => one.type === "filesChanged");
  if (!named)
    claims.ofCommand.set(
      began,
      changes.map(({ path }) => path),
    );
  for (const change of changes) {
    if (named && !isNamed(named, change)) continue;
    if (fact?.theirs?.includes(change.path)) continue;
    claims.changes.push(change);
    if (fact?.besides) {
      claims.doubtful.set(change.path, `${fact.besides.join(", ")} ran at the same time`);
    }
  }
  return ok();
}

/** A path that an edit names, or a folder that was made for it. */
const isNamed = (named: readonly string[], { path, before }: PathChange): boolean =>
  named.includes(path) || (before === ABSENT && named.some((name) => isWithin(path, name)));

/** What an undoing did: its changes, without what it had to leave. */
export async function undoneChanges(
  sessions: Sessions,
  { stream, undone }: { stream: string; undone: UndoneTurn },
  signal: AbortSignal,
): Promise<Result<PathChange[]>> {
  let changes: readonly PathChange[] = [];
  for await (const page of sessions.read(stream, { after: undone.undoneAt - 1 }, signal)) {
    if (!page.ok) return page;
    for (const { decoded } of page.value) {
      if (decoded.kind !== "event") continue;
      if (decoded.event.type === "RestoreStarted") changes = decoded.event.changes;
      if (decoded.event.type !== "RestoreFinished") continue;
      const left = new Set(decoded.event.left.map(({ path }) => path));
      return ok(changes.filter(({ path }) => !left.has(path)));
    }
  }
  return ok([]);
}
