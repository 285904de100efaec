// Checkpoints of a folder: named trees that the user returns to, with or without a session.
import type { Answers, Command } from "#app";
import { newId } from "#boundary/digest.ts";
import { differenceOf } from "#boundary/door/difference.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { withContents } from "#boundary/door/restore.ts";
import type { Located } from "#boundary/locations.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Checkpoint, LocationEvent } from "#core/location.ts";
import { type LeftPath, planRestore, type UndoPlan } from "#core/tree/undo.ts";

type Sent = Result<{ stream: string; version: number }>;
type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

const never = new AbortController().signal;

async function treesOf(parts: DoorParts, path: string): Promise<Result<Trees>> {
  const place = await parts.placeAt(path);
  return place.ok ? await place.value.trees() : place;
}

const sent = (located: Result<Located>): Sent =>
  located.ok ? ok({ stream: located.value.stream, version: located.value.version }) : located;

export async function createCheckpoint(
  parts: DoorParts,
  { path, name, tags = [] }: Of<"CreateCheckpoint">,
): Promise<Sent> {
  const trees = await treesOf(parts, path);
  if (!trees.ok) return trees;
  const tree = await trees.value.record(never);
  if (!tree.ok) return tree;
  const created = { type: "CheckpointCreated", id: newId(), name, tree: tree.value, tags } as const;
  const at = Date.now();
  return sent(
    await parts.locations.change(path, ({ checkpoints }) =>
      checkpoints.some((other) => other.name === name)
        ? fail("conflict", `there is a checkpoint "${name}" already`, {
            fix: "use another name, or remove that one first",
          })
        : ok({ ...created, at }),
    ),
  );
}

/** The checkpoint with this name, or the only one whose id begins so. */
export function found(checkpoints: readonly Checkpoint[], named: string): Result<Checkpoint> {
  const exact = checkpoints.find(({ name, id }) => name === named || id === named);
  if (exact) return ok(exact);
  const [one, ...more] = checkpoints.filter(({ id }) => id.startsWith(named));
  if (one && more.length === 0) return ok(one);
  return one
    ? fail("ambiguous", `more than one checkpoint begins with ${named}`, { fix: "type more of it" })
    : fail("not_found", `there is no checkpoint "${named}"`, {
        fix: "`aiex checkpoint list` shows them",
      });
}

const changed = async (
  parts: DoorParts,
  path: string,
  named: string,
  event: (checkpoint: Checkpoint) => LocationEvent,
): Promise<Sent> =>
  sent(
    await parts.locations.change(path, ({ checkpoints }) => {
      const one = found(checkpoints, named);
      return one.ok ? ok(event(one.value)) : one;
    }),
  );

export const tagCheckpoint = (
  parts: DoorParts,
  { path, checkpoint, tags }: Of<"TagCheckpoint">,
): Promise<Sent> =>
  changed(parts, path, checkpoint, ({ id }) => ({ type: "CheckpointTagged", id, tags }));

export const removeCheckpoint = (
  parts: DoorParts,
  { path, checkpoint }: Of<"RemoveCheckpoint">,
): Promise<Sent> =>
  changed(parts, path, checkpoint, ({ id }) => ({ type: "CheckpointRemoved", id }));

/** Bytes of the paths that the event of a restore names. */
const NAMED_BYTES_MAX = 32_768;

/** The present becomes a checkpoint of its own first, so that a restore can be taken back. */
export async function restoreCheckpoint(
  parts: DoorParts,
  { path, checkpoint }: Of<"RestoreCheckpoint">,
): Promise<Sent> {
  const at = await opened(parts, path, checkpoint);
  if (!at.ok) return at;
  const { trees, target } = at.value;
  const planned = await planTo(trees, target);
  if (!planned.ok) return planned;
  const { present, plan } = planned.value;
  const kept = await parts.locations.change(path, () =>
    ok({
      type: "CheckpointCreated",
      id: newId(),
      name: `before ${target.name}, ${new Date().toISOString()}`,
      tree: present,
      at: Date.now(),
      tags: [],
      automatic: true,
    }),
  );
  if (!kept.ok) return kept;
  const paths = plan.changes.map((change) => change.path);
  const ended = trees.writing({ title: "a restore", paths });
  const applied = await trees.apply(plan.changes, never).finally(ended);
  if (!applied.ok) return applied;
  const { id } = target;
  const left = [...plan.left, ...applied.value.left];
  const restored = {
    type: "CheckpointRestored",
    id,
    left: left.length,
    paths: named(left),
  } as const;
  return sent(await parts.locations.change(path, () => ok(restored)));
}

/** As many as an event has room for. */
function named(left: readonly LeftPath[]): LeftPath[] {
  let bytes = 0;
  return left.filter((one) => {
    bytes += Buffer.byteLength(JSON.stringify(one));
    return bytes <= NAMED_BYTES_MAX;
  });
}

async function planTo(
  trees: Trees,
  target: Checkpoint,
): Promise<Result<{ present: string; plan: UndoPlan }>> {
  const present = await trees.record(never);
  if (!present.ok) return present;
  const changes = await trees.changes(present.value, target.tree);
  if (!changes.ok) return changes;
  const plan = await withContents(trees, planRestore(changes.value));
  return plan.ok ? ok({ present: present.value, plan: plan.value }) : plan;
}

export async function checkpointPlan(
  parts: DoorParts,
  { path, checkpoint }: { path: string; checkpoint: string },
): Promise<Result<Answers["CheckpointPlan"]>> {
  const at = await opened(parts, path, checkpoint);
  if (!at.ok) return at;
  const planned = await planTo(at.value.trees, at.value.target);
  return planned.ok ? ok(planned.value.plan) : planned;
}

export async function checkpointOutcome(
  parts: DoorParts,
  path: string,
): Promise<Result<Answers["CheckpointOutcome"]>> {
  const located = await parts.locations.find(path);
  return located.ok ? ok(located.value.restored) : located;
}

async function opened(
  parts: DoorParts,
  path: string,
  named: string,
): Promise<Result<{ trees: Trees; target: Checkpoint }>> {
  const trees = await treesOf(parts, path);
  if (!trees.ok) return trees;
  const located = await parts.locations.find(path);
  if (!located.ok) return located;
  const target = found(located.value.checkpoints, named);
  return target.ok ? ok({ trees: trees.value, target: target.value }) : target;
}

/** From one checkpoint to another, or to now. */
export async function checkpointDifference(
  parts: DoorParts,
  { path, from, to }: { path: string; from: string; to?: string },
): Promise<Result<Answers["CheckpointDifference"]>> {
  const first = await opened(parts, path, from);
  if (!first.ok) return first;
  const { trees, target } = first.value;
  const last = to === undefined ? null : await opened(parts, path, to);
  if (last && !last.ok) return last;
  const after = last ? ok(last.value.target.tree) : await trees.record(never);
  if (!after.ok) return after;
  return await differenceOf(trees, target.tree, after.value);
}

export async function checkpoints(
  parts: DoorParts,
  path: string,
): Promise<Result<Answers["Checkpoints"]>> {
  const located = await parts.locations.find(path);
  return located.ok ? ok(located.value.checkpoints) : located;
}

/** What is damaged in the store of a folder's trees. */
export async function treeFaults(parts: DoorParts, path: string): Promise<Result<string[]>> {
  const trees = await treesOf(parts, path);
  return trees.ok ? await trees.value.check(never) : trees;
}
