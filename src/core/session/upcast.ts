// From a kept record to the event it means today. Old shapes are raised step by step; a type from
// a newer version decodes as `unknown`, as does a body that is not JSON, and an erased one as
// `erased`: nothing throws, so a session always lists and reads.
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { Usage } from "#core/model/message.ts";
import type { LogRecord } from "#core/record.ts";
import {
  type EventOf,
  type EventType,
  eventBodies,
  type SessionEvent,
} from "#core/session/events.ts";

export type Decoded =
  | { kind: "event"; event: SessionEvent }
  /** The body is longer than an event's may be and lies in this blob. */
  | { kind: "far"; type: string; blob: string; settled?: Settled }
  | { kind: "erased"; type: string }
  | { kind: "unknown"; type: string };

/** What the end of a model call says for the ledger; it stands also beside the name of a blob. */
export type Settled = { model: string; usage: Usage };

/** Turns the body of shape N into shape N + 1. */
type Upcaster = (body: Record<string, unknown>) => Record<string, unknown>;

/** By type, the upcasters from shape 1 on, and with them the present shape: one more than they are. */
export type Upcasters = Partial<Record<EventType, readonly Upcaster[]>>;

/** Empty as long as no shape has changed. */
const upcasters: Upcasters = {};

/** The present shape of a type. */
export const schemaOf = (type: EventType, table: Upcasters = upcasters): number =>
  1 + (table[type]?.length ?? 0);

const isEventType = (type: string): type is EventType => Object.hasOwn(eventBodies, type);

export function decode(
  record: Pick<LogRecord, "type" | "schema" | "body">,
  table: Upcasters = upcasters,
): Decoded {
  const { type, schema, body } = record;
  if (body === null) return { kind: "erased", type };
  if (!isEventType(type) || schema > schemaOf(type, table)) return { kind: "unknown", type };
  const written = parsed(body);
  if (typeof written !== "object" || written === null) return { kind: "unknown", type };
  const shape = written as Record<string, unknown>;
  if (typeof shape.$blob === "string") {
    const settled = shape.settled as Settled | undefined;
    return { kind: "far", type, blob: shape.$blob, ...(settled ? { settled } : {}) };
  }
  const steps = (table[type] ?? []).slice(schema - 1);
  const value = steps.reduce((raised, step) => step(raised), shape);
  return { kind: "event", event: { ...value, type } as SessionEvent };
}

/** The JSON text of an event's body, without its type, which the envelope has. */
export function encodeBody(event: SessionEvent): string {
  const { type: _, ...body } = event;
  return JSON.stringify(body);
}

/** The body of an event that lies in a blob: its name, and what views need that wait for no blob. */
export function encodeFar(event: SessionEvent, blob: string): string {
  const settled = isSettled(event) ? { model: event.model, usage: event.usage } : undefined;
  return JSON.stringify({ $blob: blob, ...(settled ? { settled } : {}) });
}

/** The blob that a body lies in; null where it lies in its record. */
export function farOf(body: string): string | null {
  if (!body.includes('"$blob"')) return null;
  const { $blob } = fieldsOf(parsed(body));
  return typeof $blob === "string" && /^[0-9a-f]{64}$/.test($blob) ? $blob : null;
}

/** What settles a call of a model. */
export const SETTLING = ["StepCompleted", "StepBroken", "ModelProbed", "SummaryEnded"] as const;
export type Settling = EventOf<(typeof SETTLING)[number]>;

/** Whether an event settles a call of a model. */
export const isSettled = (e: SessionEvent): e is Settling =>
  SETTLING.some((type) => type === e.type);
