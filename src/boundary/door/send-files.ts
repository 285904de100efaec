// The commands that bring files back to another time: undo, restore, fork, checkpoints.
import type { Command } from "#app";
import {
  createCheckpoint,
  removeCheckpoint,
  restoreCheckpoint,
  tagCheckpoint,
} from "#boundary/door/checkpoints.ts";
import { fork } from "#boundary/door/fork.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { finishRestore, restore, type Wanted } from "#boundary/door/restore.ts";
import { tidyTrees } from "#boundary/door/tidy-trees.ts";
import { unreachable } from "#core/assert.ts";
import type { Result } from "#core/failure.ts";

type Sent = Result<{ stream: string; version: number }>;

type FileCommand = Extract<
  Command,
  {
    type:
      | "Undo"
      | "Redo"
      | "Restore"
      | "Fork"
      | "CreateCheckpoint"
      | "TagCheckpoint"
      | "RemoveCheckpoint"
      | "RestoreCheckpoint"
      | "TidyTrees";
  }
>;

export async function sendAboutFiles(parts: DoorParts, command: FileCommand): Promise<Sent> {
  switch (command.type) {
    case "Undo":
      return await bringBack(parts, command.session, {
        cause: "undo",
        doubtful: command.doubtful ?? false,
      });
    case "Redo":
      return await bringBack(parts, command.session, { cause: "redo" });
    case "Restore": {
      const { session, at, to } = command;
      return await bringBack(parts, session, { cause: "restore", at, ...(to ? { to } : {}) });
    }
    case "Fork":
      return await fork(parts, command);
    case "CreateCheckpoint":
      return await createCheckpoint(parts, command);
    case "TagCheckpoint":
      return await tagCheckpoint(parts, command);
    case "RemoveCheckpoint":
      return await removeCheckpoint(parts, command);
    case "RestoreCheckpoint":
      return await restoreCheckpoint(parts, command);
    case "TidyTrees":
      return await tidyTrees(parts, command.path, new AbortController().signal);
    default:
      return unreachable(command);
  }
}

/** What was begun by a process that is gone is finished instead: whoever asks again means that. */
async function bringBack(parts: DoorParts, session: string, wanted: Wanted): Promise<Sent> {
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  return state.value.restoring
    ? await finishRestore(parts, session)
    : await restore(parts, session, wanted);
}
