// What the verbs of the door work with.

import type { Answers, Check, Probe } from "#app";
import type { Blobs } from "#boundary/blobs/port.ts";
import type { CodeParts } from "#boundary/code-pieces.ts";
import type { CodeIndex } from "#boundary/index/port.ts";
import type { Keys } from "#boundary/keys.ts";
import type { Leases } from "#boundary/lease/port.ts";
import type { Locations } from "#boundary/locations.ts";
import type { SealParts } from "#boundary/seals.ts";
import type { Sessions } from "#boundary/sessions.ts";
import type { Offer } from "#boundary/surfaces.ts";
import type { Trees } from "#boundary/trees/port.ts";
import type { Place, TurnParts } from "#boundary/turn/parts.ts";
import type { Verify } from "#boundary/verify.ts";
import type { Views } from "#boundary/views.ts";
import type { Result } from "#core/failure.ts";
import type { Family } from "#core/model/catalog.ts";
import type { Counting } from "#core/model/count.ts";
import type { Environment } from "#core/prompt/system.ts";
import type { Mode } from "#core/session/tool-facts.ts";

export type DoorParts = TurnParts & {
  blobs: Blobs;
  leases: Leases;
  locations: Locations;
  verify: Verify;
  sessions: Sessions;
  views: Views;
  /** The place of a folder on this node, with or without a session. */
  placeAt(path: string): Promise<Result<Place>>;
  /** The code index of a folder, opened when first asked for. */
  indexAt(path: string): Promise<Result<CodeIndex>>;
  /** What finds and compresses code there, its tokens counted like this. */
  codeAt(path: string, counting: Counting): Promise<Result<Omit<CodeParts, "readable">>>;
  /** The trees that this process has opened. */
  treesInUse(): Promise<readonly { path: string; trees: Trees }[]>;
  /** For how long, and in how many bytes of a folder, the trees of its sessions are kept. */
  trees: { keepDays: number; bytesMax: number };
  version: string;
  home: string;
  /** The time of a child, at most, in milliseconds. */
  childDeadlineMs: number;
  defaults: { mode: Mode; contextTokens: number; stepsPerTurn: number; codeTokens: number };
  /** The model of a session that names none: the configured one, or what is in reach. */
  defaultModel(): Promise<Result<string>>;
  /** The tools a session with a model of this family is begun with, as the model sees them. */
  toolsNow(family: Family, path: string): Promise<Result<Offer>>;
  environmentOf(path: string, mode: string): Promise<Environment>;
  checks(): Promise<Check[]>;
  keys: Keys;
  /** Where the seals' key and anchors lie; an ephemeral log has neither. */
  sealing: Pick<SealParts, "folder" | "anchors">;
  /** The providers that there are, built in and configured. */
  providerNames(): Promise<Result<readonly string[]>>;
  models(signal: AbortSignal): Promise<Result<Answers["Models"]>>;
  probe(model: string, signal: AbortSignal): Promise<Result<Probe>>;
};
