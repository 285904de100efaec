// Trees around the calls that can write: the workspace before and after each, so that whatever a
// command did can be seen and taken back. A call is never held up by what cannot be recorded; the
// log then says that nobody can take back what it changed.

import type { Prepared } from "#boundary/tools/port.ts";
import type { Trees, Written } from "#boundary/trees/port.ts";
import type { Landing, Place, TurnParts } from "#boundary/turn/parts.ts";
import { byWeight } from "#core/evidence/checks.ts";
import { matched } from "#core/evidence/verify.ts";
import { sentenceOf } from "#core/failure.ts";
import type { Access } from "#core/security/access.ts";
import type { EventBody, EventOf, SessionEvent } from "#core/session/events.ts";
import type { OpenCall, Session } from "#core/session/state.ts";
import { briefly, type Fact, type Intent } from "#core/session/tool-facts.ts";
import type { PathChange } from "#core/tree/entry.ts";

/** Changes named in the log; all of them follow from the trees. */
const NAMED_MAX = 200;
/** A recording that takes longer than this is told of, in milliseconds. */
const TOLD_AFTER_MS = 1_000;

type Recording = {
  parts: Pick<TurnParts, "channel">;
  stream: string;
  place: Pick<Place, "trees">;
  open: OpenCall;
  signal: AbortSignal;
};

/** What `ToolStarted` says of the workspace; `writer` is to be ended by `recordAfter`. */
export type Before = Pick<EventBody<"ToolStarted">, "tree" | "untracked" | "installed"> & {
  writer?: string;
  /** To be told before it. */
  found?: SessionEvent;
};

export async function recordBefore(
  { parts, stream, place, session, open, signal }: Recording & { session: Session },
  prepared: Pick<Prepared, "access" | "effect" | "intent" | "title" | "harmless">,
): Promise<Before> {
  const { effect, intent, title, harmless } = prepared;
  if (effect === "pure" || harmless) return {};
  const trees = await place.trees();
  if (!trees.ok) return { untracked: sentenceOf(trees.error) };
  if (intent.child) return await recordAround(trees.value, signal);
  const began = performance.now();
  let seq = 0;
  const progress = (done: number, of: number) => {
    if (performance.now() - began < TOLD_AFTER_MS || done % 500 !== 0) return;
    seq += 1;
    const text = `recording the files so that they can be brought back: ${done} of ${of}\n`;
    parts.channel.publish(stream, { type: "output", callId: open.call.id, seq, text });
  };
  const writing = { title, paths: pathsOf(intent), call: open.call.id };
  const before = await trees.value.before(writing, signal, progress);
  if (!before.ok) return { untracked: sentenceOf(before.error) };
  const found = await foundBehindJobs(trees.value, session, before.value.tree);
  const isWanted = wantsInstalled(session, prepared.access);
  const installed = isWanted ? await trees.value.installed(signal) : null;
  return {
    ...before.value,
    ...(installed?.ok ? { installed: installed.value } : {}),
    ...(found ? { found } : {}),
  };
}

/** Of the first command of a session, and of each that can prove something. */
function wantsInstalled({ evidence, start }: Session, access: readonly Access[]): boolean {
  const root = start?.location.path ?? "/";
  return access.some((one) => {
    if (one.kind !== "run") return false;
    if (evidence.installed === null) return true;
    const { command, cwd } = one;
    const text = typeof command === "string" ? command : command.join(" ");
    return matched({ text, cwd, root }, evidence.commands).is === "verify";
  });
}

/** A child is no writer itself: what it does is recorded around its own calls. */
async function recordAround(trees: Trees, signal: AbortSignal): Promise<Before> {
  const tree = await trees.record(signal);
  return tree.ok ? { tree: tree.value } : { untracked: sentenceOf(tree.error) };
}

/**
 * What is another than at the last look, where a job of the session ran since: `tree` is the
 * workspace now. Null where nothing is, or nobody could tell.
 */
async function foundBehindJobs(
  trees: Trees,
  { evidence }: Pick<Session, "evidence">,
  tree: string,
): Promise<SessionEvent | null> {
  const { looked } = evidence;
  if (!looked?.jobs || looked.tree === tree) return null;
  const changes = await trees.changes(looked.tree, tree);
  if (!changes.ok || changes.value.length === 0) return null;
  const { files, more } = factOf(changes.value);
  return { type: "FilesFound", tree, files, more };
}

/** The same by a look now, as a turn ends. */
export async function lookBehindJobs(
  parts: Pick<TurnParts, "placeOf">,
  s: Session,
  signal: AbortSignal,
): Promise<SessionEvent | null> {
  if (!s.evidence.looked?.jobs) return null;
  const place = await parts.placeOf(s);
  const trees = place.ok ? await place.value.trees() : place;
  const tree = trees.ok ? await trees.value.record(signal) : trees;
  return trees.ok && tree.ok ? await foundBehindJobs(trees.value, s, tree.value) : null;
}

/** What a job changed whose end is seen now: it came with it, as what a command changed does. */
export async function recordJobEnd(
  { place, session }: Pick<Recording, "place"> & { session: Session },
  finished: EventOf<"ToolFinished">,
): Promise<EventOf<"ToolFinished">> {
  const { looked } = session.evidence;
  if (!looked || !finished.facts.some(({ type }) => type === "jobEnded")) return finished;
  const trees = await place.trees();
  const tree = trees.ok ? await trees.value.record(new AbortController().signal) : trees;
  if (!trees.ok || !tree.ok) return finished;
  const changes = await trees.value.changes(looked.tree, tree.value);
  if (!changes.ok) return finished;
  const fact = changes.value.length > 0 ? [factOf(changes.value)] : [];
  return { ...finished, facts: [...finished.facts, ...fact], tree: tree.value };
}

/** What a call changed, added to its `ToolFinished`. */
export async function recordAfter(
  { place }: Pick<Recording, "place">,
  { tree, writer }: Before,
  finished: EventOf<"ToolFinished">,
  ran: { intent: Intent; changed?: readonly string[]; from: number; to: number },
): Promise<SessionEvent> {
  if (tree === undefined) return finished;
  const trees = await place.trees();
  if (!trees.ok) return finished;
  const { intent, from, to, changed = [] } = ran;
  if (intent.child) return await withChanges(trees.value, { tree, changed }, finished);
  if (writer === undefined) return finished;
  // Also of a call that was cancelled: what it changed until then is what will be asked about.
  const never = new AbortController().signal;
  const after = await trees.value.after(writer, { before: tree, from, to }, never);
  if (!after.ok) return finished;
  const facts = [...finished.facts, ...changedBy(after.value, intent)];
  return { ...finished, facts, tree: after.value.tree };
}

/** Of all that is another than before a child, what the child says it changed. */
async function withChanges(
  trees: Trees,
  { tree, changed }: { tree: string; changed: readonly string[] },
  finished: EventOf<"ToolFinished">,
): Promise<SessionEvent> {
  const never = new AbortController().signal;
  const after = await trees.record(never);
  if (!after.ok) return finished;
  const all = await trees.changes(tree, after.value);
  if (!all.ok) return finished;
  const own = new Set(changed);
  const changes = all.value.filter(({ path }) => own.has(path));
  const fact = changes.length > 0 ? [factOf(changes)] : [];
  return { ...finished, facts: [...finished.facts, ...fact], tree: after.value };
}

const factOf = (changes: readonly PathChange[]): Fact & { type: "filesChanged" } => ({
  type: "filesChanged",
  files: byWeight(changes).slice(0, NAMED_MAX),
  more: Math.max(0, changes.length - NAMED_MAX),
});

/** Of a call that names its files, their hashes tell all; of a command, the trees do. */
function changedBy({ changes, theirs, besides }: Written, intent: Intent): Fact[] {
  // Also where nothing is another: whoever runs beside a test can put back what it changed.
  const own = changes.map(({ path }) => path);
  const back = theirs.filter((path) => !own.includes(path)).map((path) => `an edit of ${path}`);
  const ran = briefly([...besides, ...back]);
  if (pathsOf(intent) !== null || changes.length + ran.length === 0) return [];
  const others = theirs.filter((path) => own.includes(path));
  return [
    {
      ...factOf(changes),
      ...(others.length > 0 ? { theirs: others } : {}),
      ...(ran.length > 0 ? { besides: ran } : {}),
    },
  ];
}

/** Says that a call begins to act; without that it is beside nobody. */
export async function recordBegin(
  { place }: Pick<Recording, "place">,
  { writer }: Before,
): Promise<void> {
  if (writer === undefined) return;
  const trees = await place.trees();
  if (trees.ok) trees.value.began(writer);
}

/** Ends the writer of a call whose end nobody records. */
export async function recordLost(
  { place }: Pick<Recording, "place">,
  { writer }: Before,
): Promise<void> {
  if (writer === undefined) return;
  const trees = await place.trees();
  if (trees.ok) trees.value.dropped(writer);
}

const pathsOf = ({ files }: Intent): string[] | null => files?.map(({ path }) => path) ?? null;

/** The same for a call that a runner which is gone had begun: what it left is what is there now. */
export async function recordLeft(
  { place, open, signal }: Pick<Recording, "place" | "open" | "signal">,
  landing: Landing,
): Promise<Landing> {
  const { started } = open;
  if (!started?.tree) return landing;
  const trees = await place.trees();
  if (!trees.ok) return landing;
  const writing = { title: started.title, paths: pathsOf(started.intent) };
  const now = await trees.value.before(writing, signal);
  if (!now.ok) return landing;
  const before = { tree: started.tree, writer: now.value.writer };
  // When it ran is not known any more.
  const ran = { intent: started.intent, from: 0, to: Date.now() };
  const events = await Promise.all(
    landing.events.map((event) =>
      event.type === "ToolFinished" ? recordAfter({ place }, before, event, ran) : event,
    ),
  );
  return { ...landing, events };
}
