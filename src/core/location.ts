// What is known of a folder on a node: its workspace's id, whether the user trusts it, what the user
// allowed there for good, and its checkpoints. A stream of its own beside the sessions, with the
// same three parts.
import * as z from "zod/mini";
import { unreachable } from "#core/assert.ts";
import type { LeftPath } from "#core/tree/undo.ts";

export const locationBodies = {
  /** The folder was seen for the first time; `workspace` is a random id. */
  LocationSeen: z.object({ workspace: z.string(), path: z.string() }),
  /** The user trusts the folder with exactly this project configuration. */
  LocationTrusted: z.object({ config: z.string() }),
  /** The user confirmed a verify command, by the hash of what it was then. */
  VerifyConfirmed: z.object({ key: z.string(), title: z.string() }),
  LocationDistrusted: z.object({ why: z.optional(z.string()) }),
  /** The user allowed this, by its key, in every session here; in the user's own stream: anywhere. */
  PermissionGranted: z.object({ key: z.string(), title: z.string() }),
  /** The files as they were, under a name. `automatic`: before another one was restored. */
  CheckpointCreated: z.object({
    id: z.string(),
    name: z.string(),
    tree: z.string(),
    at: z.number(),
    tags: z.readonly(z.array(z.string())),
    automatic: z.optional(z.boolean()),
  }),
  CheckpointTagged: z.object({ id: z.string(), tags: z.readonly(z.array(z.string())) }),
  CheckpointRemoved: z.object({ id: z.string() }),
  /**
   * The files were brought back to it; so many paths stayed as they were. `paths` are the first of
   * them, as many as an event has room for.
   */
  CheckpointRestored: z.object({
    id: z.string(),
    left: z.number(),
    paths: z.optional(z.readonly(z.array(z.object({ path: z.string(), why: z.string() })))),
  }),
};

export type LocationEventType = keyof typeof locationBodies;
export type LocationEvent = {
  [T in LocationEventType]: { type: T } & z.infer<(typeof locationBodies)[T]>;
}[LocationEventType];

/** A point that the user can return to: a tree under a name. */
export type Checkpoint = Omit<
  z.infer<(typeof locationBodies)["CheckpointCreated"]>,
  "automatic"
> & {
  automatic: boolean;
};

export type Location = {
  version: number;
  workspace: string;
  /** Hash of the project configuration that was trusted; null where the folder is not. */
  trusted: string | null;
  grants: readonly string[];
  /** Oldest first. */
  checkpoints: readonly Checkpoint[];
  /** Keys of the verify commands that were confirmed. */
  verify: readonly string[];
  /** What the newest restore of a checkpoint left as it was. */
  restored: { left: number; paths: readonly LeftPath[] } | null;
};

export const emptyLocation: Location = {
  version: 0,
  workspace: "",
  trusted: null,
  grants: [],
  checkpoints: [],
  verify: [],
  restored: null,
};

/** Stands for the configuration of a folder that has none. */
export const NO_CONFIG = "none";

/** Checkpoints of one location; the oldest automatic ones make room first. */
export const CHECKPOINTS_MAX = 1_000;
/** Permissions remembered for one location. */
const GRANTS_MAX = 500;
/** Verify commands remembered as confirmed. */
const VERIFY_MAX = 200;

export function evolveLocation(l: Location, e: LocationEvent): Location {
  switch (e.type) {
    case "LocationSeen":
      return { ...l, workspace: e.workspace };
    case "LocationTrusted":
      return { ...l, trusted: e.config };
    case "LocationDistrusted":
      return { ...l, trusted: null, grants: [], verify: [] };
    case "VerifyConfirmed":
      return { ...l, verify: [...l.verify, e.key].slice(-VERIFY_MAX) };
    case "PermissionGranted":
      return { ...l, grants: [...l.grants, e.key].slice(-GRANTS_MAX) };
    case "CheckpointCreated": {
      const { type: _, automatic = false, ...checkpoint } = e;
      const all = [...l.checkpoints, { ...checkpoint, automatic }];
      return { ...l, checkpoints: all.length > CHECKPOINTS_MAX ? withRoom(all) : all };
    }
    case "CheckpointTagged":
      return {
        ...l,
        checkpoints: l.checkpoints.map((one) => (one.id === e.id ? { ...one, tags: e.tags } : one)),
      };
    case "CheckpointRemoved":
      return { ...l, checkpoints: l.checkpoints.filter(({ id }) => id !== e.id) };
    case "CheckpointRestored":
      return { ...l, restored: { left: e.left, paths: e.paths ?? [] } };
    default:
      return unreachable(e);
  }
}

function withRoom(all: readonly Checkpoint[]): Checkpoint[] {
  const oldest = Math.max(
    0,
    all.findIndex(({ automatic }) => automatic),
  );
  return all.filter((_, i) => i !== oldest);
}

export const isLocationEvent = (type: string): type is LocationEventType =>
  Object.hasOwn(locationBodies, type);
