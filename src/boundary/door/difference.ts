// What is another in a session's workspace between two of its moments, with the diffs of texts.
import type { PathDifference } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { treeAt } from "#boundary/door/tree-at.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { unifiedDiff } from "#core/code/diff.ts";
import { ok, type Result } from "#core/failure.ts";
import { entryOf, kindOf, type PathChange } from "#core/tree/entry.ts";
import { seenChanges } from "#core/tree/undo.ts";

/** Files whose diff is told; the others are only named. */
const DIFFS_MAX = 300;
/** Characters of one diff. */
const DIFF_CHARS_MAX = 20_000;
/** Bytes of a file that is compared line by line. */
const TEXT_BYTES_MAX = 1 << 20;

type Asked = { session: string; from: number | string; to?: number | string };

export async function difference(
  parts: DoorParts,
  { session, from, to }: Asked,
  signal: AbortSignal,
): Promise<Result<PathDifference[]>> {
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  const place = await parts.placeOf(state.value);
  if (!place.ok) return place;
  const opened = await place.value.trees();
  if (!opened.ok) return opened;
  const trees = opened.value;
  const before = await treeAt(parts.sessions, session, from, signal);
  if (!before.ok) return before;
  const after =
    to === undefined
      ? await trees.record(signal)
      : await treeAt(parts.sessions, session, to, signal);
  if (!after.ok) return after;
  return await differenceOf(trees, before.value, after.value);
}

/** What differs between two trees. */
export async function differenceOf(
  trees: Trees,
  before: string,
  after: string,
): Promise<Result<PathDifference[]>> {
  const changes = await trees.changes(before, after);
  return changes.ok ? await withDiffs(trees, seenChanges(changes.value)) : changes;
}

async function withDiffs(
  trees: Trees,
  changes: readonly PathChange[],
): Promise<Result<PathDifference[]>> {
  const told = changes.slice(0, DIFFS_MAX);
  const ids = told.flatMap(({ before, after }) => [...idOf(before), ...idOf(after)]);
  const contents = await trees.contents(ids);
  if (!contents.ok) return contents;
  const textOf = (state: string): string | null | undefined => {
    const [id] = idOf(state);
    if (id === undefined) return null;
    const bytes = contents.value.get(id);
    const isText = bytes && bytes.length <= TEXT_BYTES_MAX && !bytes.includes(0);
    return isText ? Buffer.from(bytes).toString() : undefined;
  };
  const diffs = told.map((change): PathDifference => {
    const [before, after] = [textOf(change.before), textOf(change.after)];
    if (before === undefined || after === undefined || before === after) return change;
    return { ...change, diff: unifiedDiff(before, after, { charactersMax: DIFF_CHARS_MAX }).text };
  });
  return ok([...diffs, ...changes.slice(DIFFS_MAX)]);
}

/** The content that a state names; of a folder, and of what was left out, none. */
function idOf(state: string): string[] {
  const entry = entryOf(state);
  return entry && ["file", "link"].includes(kindOf(entry)) ? [entry.id] : [];
}
