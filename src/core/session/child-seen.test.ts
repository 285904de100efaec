// The clock of a child: its time is its own, not that of the user whom it waits for.
import { describe, expect, it } from "vitest";
import { type ChildSeen, childSeen, dueAt, lateAt, unseenChild } from "#core/session/child-seen.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { asked, finished, started } from "#core/session/samples.ts";

const begun: SessionEvent = {
  ...started,
  parent: "p",
  child: { call: "c", role: "explore", deadlineAt: 1_000, grants: [] },
};
const answer = (callId: string): SessionEvent => ({
  type: "PermissionAnswered",
  callId,
  answer: "allow",
  scope: "once",
  hash: "h",
});

/** Each event with the moment at which it was. */
const seenAfter = (...told: [number, SessionEvent][]): ChildSeen =>
  told.reduce(
    (seen, [at, event], i) => childSeen(seen, { version: i + 1, at }, event, (text) => text),
    unseenChild,
  );

describe("the time of a child", () => {
  it("is over at its deadline, and most of it before that", () => {
    const seen = seenAfter([0, begun]);
    expect([dueAt(seen), lateAt(seen)]).toEqual([1_000, 800]);
  });

  it("stands still while it waits for the user, and goes on once it does not", () => {
    const waits = seenAfter([0, begun], [500, asked("a", "h")]);
    expect(dueAt(waits)).toBe(Number.POSITIVE_INFINITY);
    const goesOn = seenAfter([0, begun], [500, asked("a", "h")], [60_500, answer("a")]);
    expect(dueAt(goesOn)).toBe(61_000);
  });

  it("counts a wait for several answers once, up to the last of them", () => {
    const both: [number, SessionEvent][] = [
      [0, begun],
      [100, asked("a", "h")],
      [200, asked("b", "h")],
      [300, answer("a")],
    ];
    expect(dueAt(seenAfter(...both))).toBe(Number.POSITIVE_INFINITY);
    // Also one that ended without an answer, as its turn was called off.
    expect(dueAt(seenAfter(...both, [500, finished("b", { end: "cancelled" })]))).toBe(1_400);
  });
});
