// Bringing files back: what would happen (a plan), and making it happen. The plan is made durable
// before the first file is touched, so that a crash in the middle is finished by whoever comes next.
import type { Answers } from "#app";
import { claimsOf, undoneChanges } from "#boundary/door/claims.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { treeAt } from "#boundary/door/tree-at.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { EventBody, SessionEvent } from "#core/session/events.ts";
import type { PastTurn, Restoring, Session } from "#core/session/state.ts";
import { contentOf, type PathChange, type PathState } from "#core/tree/entry.ts";
import {
  type LeftPath,
  planRestore,
  planUndo,
  type UndoPlan,
  withoutLost,
} from "#core/tree/undo.ts";

export type Wanted =
  /** `doubtful`: also what somebody else may have changed while a command ran. */
  | { cause: "undo"; doubtful?: boolean }
  | { cause: "redo" }
  /** `at`: a version of the session, or the id of a tree. */
  | { cause: "restore"; at: number | string; to?: string };

type Plan = EventBody<"RestoreStarted">;

type Sent = Result<{ stream: string; version: number }>;

/** Times that an ending is decided again because others appended meanwhile. */
const CONFLICTS_MAX = 50;

/** What would be done now, and what would stay as it is. Changes nothing. */
export async function planOf(
  parts: DoorParts,
  stream: string,
  wanted: Wanted,
): Promise<Result<Answers["RestorePlan"]>> {
  const session = await parts.sessions.fold(stream);
  if (!session.ok) return session;
  // Whoever asks ends that one first, whatever became of the trees it was made from.
  const { restoring } = session.value;
  if (restoring) return ok(answerOf(restoring, { begun: true }));
  const place = await parts.placeOf(session.value);
  if (!place.ok) return place;
  const trees = await place.value.trees();
  if (!trees.ok) return trees;
  const plan = await made(parts, stream, { s: session.value, trees: trees.value }, wanted);
  return plan.ok ? ok(answerOf(plan.value, { begun: false })) : plan;
}

const answerOf = (
  { cause, turn, changes, left, to }: Omit<Restoring, "version">,
  { begun }: { begun: boolean },
): Answers["RestorePlan"] => ({ cause, begun, turn: turn ?? null, changes, left, to: to ?? null });

/** Does it, alone: no turn of the session can run meanwhile. */
export async function restore(parts: DoorParts, stream: string, wanted: Wanted): Promise<Sent> {
  return await alone(parts, stream, async (s, trees) => {
    const plan = await made(parts, stream, { s, trees }, wanted);
    if (!plan.ok) return plan;
    const event: SessionEvent = { type: "RestoreStarted", ...plan.value };
    const started = await parts.sessions.append(stream, s, [event], by);
    if (!started.ok) return started;
    return await finish(parts, stream, started.value, trees);
  });
}

/** Finishes what a process that is gone had begun to bring back; nothing where nothing is open. */
export async function finishRestore(parts: DoorParts, stream: string): Promise<Sent> {
  return await alone(parts, stream, async (s, trees) =>
    s.restoring ? await finish(parts, stream, s, trees) : ok({ stream, version: s.version }),
  );
}

const by = { actor: "user", epoch: 0 };

async function alone(
  parts: DoorParts,
  stream: string,
  work: (s: Session, trees: Trees) => Promise<Sent>,
): Promise<Sent> {
  const lease = parts.leases.take(stream);
  if (!lease.ok) return lease.error.code === "busy" ? running : lease;
  try {
    const session = await parts.sessions.fold(stream);
    if (!session.ok) return session;
    if (session.value.turn) return running;
    const place = await parts.placeOf(session.value);
    if (!place.ok) return place;
    const trees = await place.value.trees();
    return trees.ok ? await work(session.value, trees.value) : trees;
  } finally {
    lease.value.release();
  }
}

const running = fail("conflict", "a turn is running, or waits for an answer", {
  fix: "cancel it first, or wait for its end",
});

type At = { s: Session; trees: Trees };

async function made(
  parts: DoorParts,
  stream: string,
  at: At,
  wanted: Wanted,
): Promise<Result<Plan>> {
  if (at.s.erased || !at.s.start) return fail("not_found", "there is nothing to bring back");
  if (at.s.unknown) return fail("not_supported", "a newer version of Aiex wrote into this session");
  const signal = new AbortController().signal;
  const present = await at.trees.record(signal);
  if (!present.ok) return present;
  switch (wanted.cause) {
    case "undo":
      return await undoing(
        parts,
        stream,
        { ...at, present: present.value, signal },
        { all: wanted.doubtful ?? false },
      );
    case "redo":
      return await redoing(parts, stream, { ...at, present: present.value, signal });
    case "restore":
      return await goingTo(parts, stream, { ...at, present: present.value, signal }, wanted);
  }
}

type Now = At & { present: string; signal: AbortSignal };

async function undoing(
  parts: DoorParts,
  stream: string,
  now: Now,
  { all }: { all: boolean },
): Promise<Result<Plan>> {
  const past = now.s.turns.at(-1);
  if (!past) return noneToUndo(now.s);
  const { sessions } = parts;
  const claims = await claimsOf({ sessions, trees: now.trees }, { stream, past }, now.signal);
  if (!claims.ok) return claims;
  const { changes, doubtful, unknown } = claims.value;
  const plan = await planned(now, changes, all ? new Map() : doubtful);
  if (!plan.ok) return plan;
  return ok({ ...planFor("undo", now, past, plan.value), left: [...plan.value.left, ...unknown] });
}

const noneToUndo = ({ start }: Session) =>
  start?.elsewhere
    ? fail("not_found", "there is no turn to undo: its past was in another folder", {
        fix: "what it does from here on can be undone",
      })
    : fail("not_found", "there is no turn to undo", {
        fix: "`aiex session restore` goes back to any moment that was recorded",
      });

async function redoing(parts: DoorParts, stream: string, now: Now): Promise<Result<Plan>> {
  const undone = now.s.undone.at(-1);
  if (!undone) return fail("not_found", "there is no undone turn to bring back");
  const changes = await undoneChanges(parts.sessions, { stream, undone }, now.signal);
  if (!changes.ok) return changes;
  const plan = await planned(now, changes.value);
  return plan.ok ? ok(planFor("redo", now, undone, plan.value)) : plan;
}

const planFor = (
  cause: "undo" | "redo",
  { present }: Now,
  { turn }: PastTurn,
  { changes, left }: { changes: PathChange[]; left: LeftPath[] },
): Plan => ({ cause, turn, present, changes, left });

/** The states of now are those of the present tree, at the paths that are claimed. */
async function planned(now: Now, claims: readonly PathChange[], doubtful?: Map<string, string>) {
  const paths = [...new Set(claims.map(({ path }) => path))];
  const states = await now.trees.states(now.present, paths);
  if (!states.ok) return states;
  const stateAt = (path: string): PathState => states.value.get(path) ?? "absent";
  return await withContents(now.trees, planUndo(claims, stateAt, doubtful));
}

/** The plan, without what the store has no content for: known before anything is touched. */
export async function withContents(trees: Trees, plan: UndoPlan): Promise<Result<UndoPlan>> {
  const sizes = await trees.sizes(plan.changes.flatMap(({ after }) => contentOf(after) ?? []));
  return sizes.ok ? ok(withoutLost(plan, sizes.value)) : sizes;
}

async function goingTo(
  parts: DoorParts,
  stream: string,
  { trees, present, signal }: Now,
  { at, to }: Extract<Wanted, { cause: "restore" }>,
): Promise<Result<Plan>> {
  const target = await treeAt(parts.sessions, stream, at, signal);
  if (!target.ok) return target;
  const changes = await trees.changes(present, target.value);
  if (!changes.ok) return changes;
  const plan = await withContents(trees, planRestore(changes.value));
  if (!plan.ok) return plan;
  return ok({
    cause: "restore",
    present,
    ...plan.value,
    to: to ?? (typeof at === "number" ? `event ${at}` : `tree ${at.slice(0, 12)}`),
  });
}

/** Makes the changes that `RestoreStarted` names, and says how it went. */
async function finish(parts: DoorParts, stream: string, s: Session, trees: Trees): Promise<Sent> {
  const { changes, left, cause } = s.restoring as Restoring;
  const signal = new AbortController().signal;
  const ended = trees.writing({ title: cause, paths: changes.map(({ path }) => path) });
  const applied = await trees.apply(changes, signal).finally(ended);
  if (!applied.ok) return applied;
  const tree = await trees.record(signal);
  const all = [...left, ...applied.value.left];
  // The files are back, whether or not that can be recorded: a store that cannot take more of them
  // is no reason to keep the session from going on.
  const event: SessionEvent = {
    type: "RestoreFinished",
    tree: tree.ok ? tree.value : "",
    left: all,
  };
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const now = await parts.sessions.fold(stream);
    if (!now.ok) return now;
    const done = await parts.sessions.append(stream, now.value, [event], by);
    if (done.ok) return ok({ stream, version: done.value.version });
    if (done.error.code !== "conflict") return done;
  }
  return fail("busy", "the session kept changing while files were brought back", {
    fix: "the next prompt ends it, or the same command again",
  });
}
