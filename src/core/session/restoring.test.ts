// Taking a turn back and bringing it back, told as events: what the model sees afterwards.
import { describe, expect, it } from "vitest";
import { decide } from "#core/session/decide.ts";
import type { EventOf } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { answered, given, prompted } from "#core/session/samples.ts";
import type { Session } from "#core/session/state.ts";

const ended = (turn: string): EventOf<"TurnEnded"> => ({ type: "TurnEnded", turn, end: "done" });
const restoring = (
  cause: EventOf<"RestoreStarted">["cause"],
  turn: string,
): EventOf<"RestoreStarted"> => ({
  type: "RestoreStarted",
  cause,
  turn,
  present: "p",
  changes: [{ path: "a", before: "1", after: "0" }],
  left: [],
});
const restored: EventOf<"RestoreFinished"> = { type: "RestoreFinished", tree: "t", left: [] };
const then = (s: Session, ...events: Parameters<typeof evolve>[1][]) => events.reduce(evolve, s);

const two = given(
  prompted("first", "t1"),
  answered("one"),
  ended("t1"),
  prompted("second", "t2"),
  answered("two"),
  ended("t2"),
);

describe("a turn that was undone", () => {
  it("is gone from what the model sees, and the turn before it can be undone next", () => {
    const s = then(two, restoring("undo", "t2"), restored);
    expect(s.messages).toEqual(
      given(prompted("first", "t1"), answered("one"), ended("t1")).messages,
    );
    expect(s.turns.map(({ turn }) => turn)).toEqual(["t1"]);
  });

  it("is there again word for word after a redo", () => {
    const s = then(two, restoring("undo", "t2"), restored, restoring("redo", "t2"), restored);
    expect(s.messages).toEqual(two.messages);
    expect(s.turns.map(({ turn }) => turn)).toEqual(["t1", "t2"]);
    expect(s.undone).toEqual([]);
  });

  it("can be brought back only until the next prompt", () => {
    const s = then(two, restoring("undo", "t2"), restored, prompted("other", "t3"));
    expect(s.undone).toEqual([]);
  });

  it("comes back in order after several undos", () => {
    const s = then(
      two,
      restoring("undo", "t2"),
      restored,
      restoring("undo", "t1"),
      restored,
      restoring("redo", "t1"),
      restored,
      restoring("redo", "t2"),
      restored,
    );
    expect(s.messages).toEqual(two.messages);
  });

  it("is told to the model where its messages were compacted since", () => {
    const compacted = {
      type: "Compacted",
      text: "digest",
      keep: 0,
      droppedMessages: 4,
      why: "full",
    };
    const s = then(two, compacted as EventOf<"Compacted">, restoring("undo", "t2"), restored);
    expect(s.messages.map((message) => message.role === "user" && message.origin)).toEqual([
      "compaction",
      "notice",
    ]);
  });

  it("leaves no file counted as read that is another now", () => {
    const seen = {
      ...two,
      seen: [
        { path: "a", hash: "1" },
        { path: "b", hash: "2" },
      ],
    };
    const s = then(seen, restoring("undo", "t2"), restored);
    expect(s.seen).toEqual([{ path: "b", hash: "2" }]);
  });

  it("takes no prompt while its files are being brought back", () => {
    const s = then(two, restoring("undo", "t2"));
    const prompt = { type: "SubmitPrompt", turn: "t3", text: "go", attachments: [] } as const;
    expect(decide(prompt, s)).toMatchObject({ error: { code: "conflict" } });
  });
});
