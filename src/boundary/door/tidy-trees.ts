// Which trees of a folder are kept: those of its checkpoints for good, those of its sessions for so
// many days, fewer where they would take more room than they may. What no tree needs is dropped.
import { wholeBody } from "#boundary/door/bodies.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { ok, type Result } from "#core/failure.ts";

const DAY_MS = 86_400_000;

type Sent = Result<{ stream: string; version: number }>;

export async function tidyTrees(
  parts: DoorParts,
  path: string,
  signal: AbortSignal,
): Promise<Sent> {
  const place = await parts.placeAt(path);
  if (!place.ok) return place;
  const trees = await place.value.trees();
  if (!trees.ok) return trees;
  const located = await parts.locations.find(path);
  if (!located.ok) return located;
  const named = await treesNamed(parts, located.value.path, signal);
  if (!named.ok) return named;
  const checkpoints = located.value.checkpoints.map(({ tree }) => tree);
  const swept = await sweptTo(parts, trees.value, { named: named.value, checkpoints, signal });
  const { stream, version } = located.value;
  return swept.ok ? ok({ stream, version }) : swept;
}

/** A tree, or a content of an open restore, and when it was named. */
type Named = { id: string; at: number };

/** Halves the time that sessions' trees are kept for until they take no more room than they may. */
async function sweptTo(
  { trees: { keepDays, bytesMax } }: DoorParts,
  trees: Trees,
  kept: { named: readonly Named[]; checkpoints: readonly string[]; signal: AbortSignal },
): Promise<Result<void>> {
  for (let days = keepDays; ; days /= 2) {
    const since = Date.now() - days * DAY_MS;
    const recent = kept.named.filter(({ at }) => at >= since).map(({ id }) => id);
    const swept = await trees.sweep([...new Set([...kept.checkpoints, ...recent])], kept.signal);
    if (!swept.ok) return swept;
    if (swept.value.after <= bytesMax || days < 1) return ok();
  }
}

/** What a restore goes from and to. While it is open, somebody will finish it, however late. */
const RESTORED = /"(?:present|before|after)":"(?:[0-7]+ )?([0-9a-f]{64})"/g;

const idsIn = (text: string, named: RegExp, at: number): Named[] =>
  [...text.matchAll(named)].map(([, id = ""]) => ({ id, at }));

/** Every tree that an event of this folder's sessions names, with when. */
async function treesNamed(
  parts: DoorParts,
  path: string,
  signal: AbortSignal,
): Promise<Result<Named[]>> {
  const named: Named[] = [];
  const sessions = await sessionsAt(parts, path);
  if (!sessions.ok) return sessions;
  for (const session of sessions.value) {
    let open: Named[] = [];
    for await (const page of parts.log.read(session, { after: 0 }, signal)) {
      if (!page.ok) return page;
      for (const { at, type, body } of page.value) {
        const text = await wholeBody(parts, body ?? "");
        if (!text.ok) return text;
        named.push(...idsIn(text.value, /"(?:tree|present)":"([0-9a-f]{64})"/g, at));
        if (type === "RestoreStarted") open = idsIn(text.value, RESTORED, Number.POSITIVE_INFINITY);
        if (type === "RestoreFinished") open = [];
      }
    }
    named.push(...open);
  }
  return ok(named);
}

/** Rows of the view of sessions in one page. */
const PAGE = 1_000;

async function sessionsAt(parts: DoorParts, path: string): Promise<Result<string[]>> {
  const found: string[] = [];
  for (;;) {
    const page = { where: { path }, limit: PAGE, offset: found.length };
    const rows = await parts.log.tables.rows("sessions", page);
    if (!rows.ok) return rows;
    found.push(...rows.value.map(({ session }) => String(session)));
    if (rows.value.length < PAGE) return ok(found);
  }
}

/** Behind a turn that ended: the stores this process wrote to, where they have become many packs. */
export async function tidyCluttered(parts: DoorParts, signal: AbortSignal): Promise<void> {
  for (const { path, trees } of await parts.treesInUse()) {
    if (await trees.isCluttered()) await tidyTrees(parts, path, signal);
  }
}
