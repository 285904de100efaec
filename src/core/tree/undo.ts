// How far a turn's changes can be taken back without touching what anybody else did. A path goes
// back only where it is now exactly what the turn left there, and only as far as the turn's own
// changes follow one on the other; everything else stays as it is and is named.
import {
  ABSENT,
  contentOf,
  type Entry,
  entryOf,
  kindOf,
  type LeftReason,
  type PathChange,
  type PathState,
  reasonOf,
} from "#core/tree/entry.ts";

/** A path that stays as it is, and why. */
export type LeftPath = { path: string; why: string };

export type UndoPlan = { changes: PathChange[]; left: LeftPath[] };

/**
 * `claims` are the changes of a turn, oldest first; `present` tells what a path is now. `doubtful`
 * holds paths that somebody else may have changed while the turn's command ran.
 */
export function planUndo(
  claims: readonly PathChange[],
  present: (path: string) => PathState,
  doubtful: ReadonlyMap<string, string> = new Map(),
): UndoPlan {
  const plan: UndoPlan = { changes: [], left: [] };
  const byPath = Map.groupBy(claims, ({ path }) => path);
  for (const [path, own] of [...byPath].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const now = present(path);
    const doubt = doubtful.get(path);
    const target = wayBack(own, now);
    if (target === now) {
      if (own.at(-1)?.after !== now && own[0]?.before !== now)
        plan.left.push({ path, why: unseen(now) ?? changedSince });
      continue;
    }
    const why = doubt ?? whyLeft(now, target);
    if (why) plan.left.push({ path, why });
    else plan.changes.push({ path, before: now, after: target });
  }
  return plan;
}

const changedSince = "changed since";

/** The state before the newest of the changes that follow one on the other up to now. */
function wayBack(own: readonly PathChange[], now: PathState): PathState {
  let state = now;
  for (const { before, after } of own.toReversed()) {
    if (after !== state) return state;
    state = before;
  }
  return state;
}

/**
 * Why a path stays as it is: what was left out of a tree has no content to go back to, or to be
 * compared with. Null where neither was.
 */
export function whyLeft(now: PathState, target: PathState): string | null {
  const lost = leftIn(target);
  return lost ? `its content was not kept (${reasonOf(lost)})` : unseen(now);
}

function unseen(now: PathState): string | null {
  const held = leftIn(now);
  return held ? `it cannot be compared (${reasonOf(held)})` : null;
}

/** Why a path stays whose content the store does not have, or not as it was put there. */
export const LOST = "its content is missing or damaged in the store";

/** A plan without the changes whose content is not there; `sizes` has those that are. */
export function withoutLost(plan: UndoPlan, sizes: ReadonlyMap<string, number>): UndoPlan {
  const isLost = ({ after }: PathChange) => {
    const id = contentOf(after);
    return id !== null && !sizes.has(id);
  };
  const lost = plan.changes.filter(isLost).map(({ path }) => ({ path, why: LOST }));
  return {
    changes: plan.changes.filter((change) => !isLost(change)),
    left: [...plan.left, ...lost],
  };
}

/** The entry of a state that was left out; null where it was not. */
export function leftIn(state: PathState): Entry | null {
  const entry = entryOf(state);
  return entry !== null && kindOf(entry) === "left" ? entry : null;
}

/**
 * How far a restore to a tree goes. What was left out of one tree and is not in the other is only
 * named where no tool could make it again.
 */
export function planRestore(changes: readonly PathChange[]): UndoPlan {
  const left = seenChanges(changes).flatMap(({ path, before, after }) => {
    const why = whyLeft(before, after);
    const isInBoth = before !== ABSENT && after !== ABSENT;
    return why !== null && (isInBoth || isOnlyOne(before) || isOnlyOne(after))
      ? [{ path, why }]
      : [];
  });
  return { changes: heldChanges(changes), left };
}

function isOnlyOne(state: PathState): boolean {
  const entry = leftIn(state);
  return entry !== null && ONLY_ONE.has(reasonOf(entry));
}

/** What nobody makes again. */
const ONLY_ONE = new Set<LeftReason>([
  "ignored and large",
  "large",
  "not readable",
  "a name that is not UTF-8",
]);

/**
 * The changes that a restore may make: none at a path that either tree left out, and none below
 * one, where nobody knows what the other held.
 */
export const heldChanges = <T extends PathChange>(changes: readonly T[]): T[] =>
  seenChanges(changes).filter(({ before, after }) => !leftIn(before) && !leftIn(after));

/**
 * Without those below a path that either tree left out: that it was looked into once, and once was
 * not, does not say that anything in it came or went.
 */
export function seenChanges<T extends PathChange>(changes: readonly T[]): T[] {
  const out = changes.filter(({ before, after }) => leftIn(before) || leftIn(after));
  const roots = new Set(out.map(({ path }) => path));
  return changes.filter(({ path }) => !foldersOf(path).some((above) => roots.has(above)));
}

/** The folders that a path is in. */
const foldersOf = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, i, names) => names.slice(0, i + 1).join("/"));

/**
 * The order in which changes can be made: what goes, deepest first, then what comes, from the top.
 * A file in the place of a folder, or the other way round, goes first.
 */
export function inOrder(changes: readonly PathChange[]): PathChange[] {
  const goes = changes.filter(({ after }) => after === ABSENT);
  const comes = changes.filter(({ after }) => after !== ABSENT);
  return [
    ...goes.toSorted((a, b) => (a.path < b.path ? 1 : -1)),
    ...comes.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  ];
}
