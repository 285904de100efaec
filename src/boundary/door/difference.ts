// What is another in a session's workspace between two of its moments, with the diffs of texts.
import type { PathDifference } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { treeAt } from "#boundary/door/tree-at.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { unifiedDiff } from "#core/code/diff.ts";
import { ok, type Result } from "#core/failure.ts";
import { batches } from "#core/tree/batches.ts";
import { contentOf, type PathChange } from "#core/tree/entry.ts";
import { seenChanges } from "#core/tree/undo.ts";

/** Files whose diff is told; the others are only named. */
const DIFFS_MAX = 300;
/** Characters of one diff. */
const DIFF_CHARS_MAX = 20_000;
/** Bytes of a file that is compared line by line. */
const TEXT_BYTES_MAX = 1 << 20;
/** Bytes of contents that are in memory together. */
const CONTENTS_BYTES_MAX = 16 << 20;

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
  const sizes = await trees.sizes(told.flatMap(contentsOf));
  if (!sizes.ok) return sizes;
  const texts = (change: PathChange) =>
    contentsOf(change).filter((id) => (sizes.value.get(id) ?? Infinity) <= TEXT_BYTES_MAX);
  const bytesOf = (change: PathChange) =>
    texts(change).reduce((sum, id) => sum + (sizes.value.get(id) ?? 0), 0);
  const bounds = { bytesMax: CONTENTS_BYTES_MAX, countMax: DIFFS_MAX };
  const diffs: PathDifference[] = [];
  for (const some of batches(told, bytesOf, bounds)) {
    const contents = await trees.contents(some.flatMap(texts));
    if (!contents.ok) return contents;
    diffs.push(...some.map((change) => withDiff(change, contents.value)));
  }
  return ok([...diffs, ...changes.slice(DIFFS_MAX)]);
}

function withDiff(change: PathChange, contents: ReadonlyMap<string, Uint8Array>): PathDifference {
  const [before, after] = [change.before, change.after].map((state) => {
    const id = contentOf(state);
    if (id === null) return null;
    const bytes = contents.get(id);
    return bytes && !bytes.includes(0) ? Buffer.from(bytes).toString() : undefined;
  });
  if (before === undefined || after === undefined || before === after) return change;
  return { ...change, diff: unifiedDiff(before, after, { charactersMax: DIFF_CHARS_MAX }).text };
}

const contentsOf = ({ before, after }: PathChange): string[] =>
  [contentOf(before), contentOf(after)].filter((id) => id !== null);
