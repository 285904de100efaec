// Children: sessions that another one begins to have a piece of work done. A child has one turn, a
// moment by which it is over, and ends with exactly one `ChildEnded`; what comes after is refused.
import * as z from "zod/mini";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import type { Mode } from "#core/session/tool-facts.ts";

/**
 * How a child ended: as its turn did, or `deadline` its time was over · `stuck` its last steps
 * changed nothing · `lost` nobody ran it any more.
 */
export const childEnds = [
  "done",
  "unproven",
  "cancelled",
  "failed",
  "refused",
  "filtered",
  "limit",
  "deadline",
  "stuck",
  "lost",
] as const;
export type ChildEnd = (typeof childEnds)[number];

const text = z.string();

/** What `SessionStarted` says of a child, besides its parent and all that are above. */
export const childBegun = z.object({
  /** The call of the parent whose result it becomes. */
  call: text,
  role: text,
  /** When it is over at the latest, in milliseconds since 1970. */
  deadlineAt: z.number(),
  /** The tools it has, by our own names; absent: all of them. */
  tools: z.optional(z.readonly(z.array(text))),
  /** Keys of what the user allowed its parent for the session. */
  grants: z.readonly(z.array(text)),
});
export type ChildBegun = z.infer<typeof childBegun>;

/** The one end of a child: `text` is its last answer, which its parent gets. */
export const childEnded = z.object({
  end: z.enum(childEnds),
  text,
  failure: z.optional(z.object({ code: text, say: text, fix: z.optional(text) })),
});

/** Reasons of `CancelRequested` that are the end of a child in a word. */
const callingOff = ["deadline", "stuck", "lost"] as const satisfies readonly ChildEnd[];
export type CallingOff = (typeof callingOff)[number];

/** Generations of children below a session, at most. */
export const DEPTH_MAX = 2;

/** A mode in which nothing is changed. */
export const isReading = (mode: Mode): boolean => mode === "read-only" || mode === "plan";

/** The mode of a child: its role's, and never wider than its parent's. */
export function narrower(parent: Mode, role: Mode | undefined): Mode {
  if (role === undefined || isReading(parent)) return parent;
  if (isReading(role)) return role;
  return parent === "yes" ? role : parent;
}

/** The beginning of a copy, which is a session of its own: it may be spoken to, and has no leave. */
export function asCopy({
  child: _,
  ancestors: __,
  ...started
}: EventOf<"SessionStarted">): EventOf<"SessionStarted"> {
  return started;
}

/** What ends a child where its turn ends so: one event, and none for any other session. */
export function endOfChild(
  s: Session,
  how: { end: ChildEnd; failure?: { code: string; say: string; fix?: string } | undefined },
): SessionEvent[] {
  if (!s.start?.child || s.over !== null) return [];
  const why = callingOff.find((reason) => reason === s.turn?.cancelled);
  const end = how.end === "cancelled" && why ? why : how.end;
  return [{ type: "ChildEnded", ...how, end, text: lastSaid(s) }];
}

/** The text of its last answer that has one. */
function lastSaid(s: Session): string {
  for (const message of s.messages.toReversed()) {
    if (message.role !== "assistant") continue;
    const said = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
    const whole = said.join("\n").trim();
    if (whole !== "") return whole;
  }
  return "";
}
