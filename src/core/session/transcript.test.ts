// The fold that screens use: what a window of events shows, and that it is the same as what the
// whole session shows there.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SessionEvent } from "#core/session/events.ts";
import {
  adopted,
  answered,
  asked,
  broke,
  finished,
  given,
  prompted,
  started,
  stepStarted,
  toolStarted,
} from "#core/session/samples.ts";
import {
  emptyTranscript,
  follow,
  type Item,
  settled,
  type Transcript,
  transcriptFrom,
} from "#core/session/transcript.ts";

const placed = (version: number) => ({ version, at: version * 1_000 });

/** The fold of the events that come after a version. */
function fold(events: readonly SessionEvent[], after = 0, t = emptyTranscript): Transcript {
  return events.reduce(
    (folded, event, i) =>
      i < after ? folded : follow(folded, placed(i + 1), { kind: "event", event }),
    t,
  );
}

const end = (turn = "t1"): SessionEvent => ({ type: "TurnEnded", turn, end: "done" });
const call = (id: string) => ({ id, tool: "run" });
const changedFile = { type: "fileChanged", path: "a.ts", before: "x", after: "y" } as const;

const typesOf = ({ items }: Transcript): string[] =>
  items.map((item) => (item.type === "tool" ? `tool ${item.state}` : item.type));

describe("a transcript", () => {
  it("makes an item of a call when the model asks for it, and follows it to its end", () => {
    const events = [prompted(), stepStarted(), answered([call("c1")]), asked("c1")];
    expect(typesOf(fold(events))).toEqual(["prompt", "answer", "tool asked"]);
    const more = [...events, toolStarted("c1"), finished("c1", { facts: [changedFile] }), end()];
    const [, , tool, last] = fold(more).items;
    expect(tool).toMatchObject({ state: "ok", from: 3, to: 6, startedAt: 5_000, endedAt: 6_000 });
    expect(last).toMatchObject({ steps: 1, changed: ["a.ts"], tookMs: 6_000, partial: false });
  });

  it("counts the usage of answers that broke, and forgets a fault that was got over", () => {
    const events = [prompted(), broke(10), answered("fine"), end()];
    expect(fold(events).items.at(-1)).toMatchObject({
      usage: { input: 20, output: 5, exact: false },
      fault: null,
    });
    expect(fold([prompted(), broke(null), end()]).items.at(-1)).toMatchObject({
      fault: "try later",
    });
  });

  it("says of an item that its beginning lies before the window", () => {
    const events = [prompted(), answered([call("c1")]), toolStarted("c1"), finished("c1"), end()];
    const { items } = fold(events, 3);
    expect(items.map(({ type, partial }) => [type, partial])).toEqual([
      ["tool", true],
      ["end", true],
    ]);
  });

  it("tells of a take-over only in the middle of a turn", () => {
    const turn = [prompted(), answered([call("c1")])];
    expect(typesOf(fold([started, adopted(1), ...turn, adopted(2)]))).toEqual([
      "note",
      "prompt",
      "answer",
      "tool wanted",
      "note",
    ]);
  });

  it("goes on from a session's state as from its events", () => {
    const before = [prompted(), answered([call("c1"), call("c2")]), asked("c1")];
    const t = transcriptFrom(given(...before));
    expect(typesOf(t)).toEqual(["tool asked", "tool wanted"]);
    const after = fold([finished("c1", { end: "denied" }), finished("c2"), end()], 0, t);
    expect(typesOf(after)).toEqual(["tool denied", "tool ok", "end"]);
    expect(transcriptFrom(given())).toEqual(emptyTranscript);
  });

  it("keeps a place for what cannot be shown", () => {
    const t = follow(emptyTranscript, placed(1), { kind: "erased", type: "TurnStarted" });
    expect(t.items).toMatchObject([{ type: "gap", of: "TurnStarted", why: "erased" }]);
  });
});

const ids = fc.constantFrom("c1", "c2", "c3");
const turns = fc.constantFrom("t1", "t2");
const anyEvent: fc.Arbitrary<SessionEvent> = fc.oneof(
  turns.map((turn) => prompted("do it", turn)),
  turns.map(end),
  fc.constantFrom<SessionEvent>(
    started,
    stepStarted(),
    answered("so"),
    broke(5),
    broke(null),
    { type: "Steered", text: "no", attachments: [] },
    { type: "CancelRequested", why: "enough" },
    { type: "SessionRenamed", title: "x" },
  ),
  fc.nat(5).map(adopted),
  fc.uniqueArray(ids, { minLength: 1 }).map((all) => answered(all.map(call))),
  ids.map((id) => asked(id)),
  ids.map((id) => toolStarted(id)),
  ids.map((id) => finished(id, { facts: [changedFile] })),
  ids.map(
    (callId): SessionEvent => ({
      type: "PermissionAnswered",
      callId,
      answer: "allow",
      scope: "once",
      hash: "h1",
    }),
  ),
);
const anyEvents = fc.array(anyEvent, { maxLength: 60 });

describe("whatever the events", () => {
  it("a window shows what the whole session shows there, apart from what began before", () => {
    fc.assert(
      fc.property(anyEvents, fc.nat(60), (events, cut) => {
        const after = Math.min(cut, events.length);
        const whole = (item: Item) => !item.partial && item.from > after;
        const ofWindow = fold(events, after).items.filter((item) => !item.partial);
        expect(ofWindow).toEqual(fold(events).items.filter(whole));
      }),
      { numRuns: 1_000 },
    );
  });

  it("items that are split off as settled are those of the whole, each once", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let t = emptyTranscript;
        const out: Item[] = [];
        const key = (item: Item) => JSON.stringify(item);
        const places = fold(events).items.map(key);
        for (const [i, event] of events.entries()) {
          const { items, rest } = settled(follow(t, placed(i + 1), { kind: "event", event }));
          out.push(...items);
          t = rest;
        }
        const inOrder = [...out, ...t.items].toSorted(
          (a, b) => places.indexOf(key(a)) - places.indexOf(key(b)),
        );
        expect(inOrder).toEqual(fold(events).items);
      }),
      { numRuns: 500 },
    );
  });
});
