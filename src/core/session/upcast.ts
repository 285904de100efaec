// From a kept record to the event it means today. Old shapes are raised step by step; a type from
// a newer version decodes as `unknown`, as does a body that is not JSON, and an erased one as
// `erased`: nothing throws, so a session always lists and reads.
import { parsed } from "#core/model/json.ts";
import type { LogRecord } from "#core/record.ts";
import { type EventType, eventBodies, type SessionEvent } from "#core/session/events.ts";

export type Decoded =
  | { kind: "event"; event: SessionEvent }
  /** The body is longer than an event's may be and lies in this blob. */
  | { kind: "far"; type: string; blob: string }
  | { kind: "erased"; type: string }
  | { kind: "unknown"; type: string };

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
  if (typeof shape.$blob === "string") return { kind: "far", type, blob: shape.$blob };
  const steps = (table[type] ?? []).slice(schema - 1);
  const value = steps.reduce((raised, step) => step(raised), shape);
  return { kind: "event", event: { ...value, type } as SessionEvent };
}

/** The JSON text of an event's body, without its type, which the envelope has. */
export function encodeBody(event: SessionEvent): string {
  const { type: _, ...body } = event;
  return JSON.stringify(body);
}
