// Reverting a compaction over a real log: the model sees exactly what it would see had there been
// none, turns can be taken back and brought back as before, and what does not fit is said.
import { describe, expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { compactions, revertCompaction } from "#boundary/door/compactions.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { withoutPlace } from "#core/model/message.ts";
import { compact } from "#core/session/compact.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, finished, prompted, started, stepStarted } from "#core/session/samples.ts";
import type { Session } from "#core/session/state.ts";

const signal = new AbortController().signal;

/** `null` stands for a compaction of what is there then. */
async function sessionOf(events: readonly (SessionEvent | null)[], contextTokens = 100_000) {
  const log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 });
  const sessions = sessionsOver({ log, blobs: memoryBlobs(), fingerprint: "test" });
  const state = async () => {
    const folded = await sessions.fold("s");
    if (!folded.ok) throw new Error(folded.error.say);
    return folded.value;
  };
  const add = async (...more: readonly (SessionEvent | null)[]) => {
    for (const event of more) {
      const s = await state();
      const body = event === null ? compact(s, "asked") : null;
      const added = event ?? (body && ({ type: "Compacted", ...body } as const));
      if (added === null) throw new Error("nothing to compact");
      await sessions.append("s", s, [added], { actor: "user", epoch: 0 });
    }
  };
  await add({ ...started, limits: { contextTokens, stepsPerTurn: 20 } }, ...events);
  return {
    state,
    add,
    revert: (n: number) => revertCompaction({ sessions }, { session: "s", n }),
    async views() {
      const found = await compactions({ sessions }, "s", signal);
      if (!found.ok) throw new Error(found.error.say);
      return found.value;
    },
  };
}

const turn = (n: number): SessionEvent[] => [
  prompted(`wish ${n}`, `t${n}`),
  stepStarted(),
  answered([{ id: `c${n}`, tool: "read" }]),
  finished(`c${n}`),
  stepStarted(2),
  answered(`done ${n} ${"w".repeat(200)}`),
  { type: "TurnEnded", turn: `t${n}`, end: "done" },
];
const back = (cause: "undo" | "redo", n: number): SessionEvent[] => [
  { type: "RestoreStarted", cause, turn: `t${n}`, present: "p", changes: [], left: [] },
  { type: "RestoreFinished", tree: "p", left: [] },
];
const seen = ({ messages }: Session) => messages.map(withoutPlace);
const plain = (events: (SessionEvent | null)[]) => events.filter((event) => event !== null);

const long = [...turn(1), ...turn(2), null, ...turn(3), ...turn(4), null, ...turn(5)];

describe("a compaction that is reverted", () => {
  it("is as if neither it nor those after it had been, and earlier ones stay", async () => {
    const whole = await (await sessionOf(plain(long))).state();
    const session = await sessionOf(long);
    expect(seen(await session.state())).not.toEqual(seen(whole));
    expect(await session.revert(2)).toMatchObject({ ok: true });
    const first = await await sessionOf([...turn(1), ...turn(2), null, ...plain(long.slice(15))]);
    expect(seen(await session.state())).toEqual(seen(await first.state()));
    expect(await session.revert(1)).toMatchObject({ ok: true });
    const after = await session.state();
    expect(seen(after)).toEqual(seen(whole));
    expect([after.pins, after.trail]).toEqual([[], []]);
    expect((await session.views()).map(({ reverted }) => reverted !== null)).toEqual([true, true]);
  });

  it("leaves every turn to be undone and redone as if there had been none", async () => {
    const undo = [5, 4, 3, 2, 1].flatMap((n) => back("undo", n));
    const redo = [1, 2, 3].flatMap((n) => back("redo", n));
    for (const after of [undo.slice(0, 4), undo, [...undo, ...redo]]) {
      const never = await sessionOf([...plain(long), ...after]);
      const session = await sessionOf(long);
      await session.revert(1);
      await session.add(...after);
      expect(seen(await session.state())).toEqual(seen(await never.state()));
    }
  });

  it("brings no turn back that was taken back meanwhile, and that one can be redone", async () => {
    const undone = [...long, ...back("undo", 5), ...back("undo", 4)];
    const session = await sessionOf(undone);
    await session.revert(1);
    const never = await sessionOf(plain(undone));
    expect(seen(await session.state())).toEqual(seen(await never.state()));
    await session.add(...back("redo", 4));
    await never.add(...back("redo", 4));
    expect(seen(await session.state())).toEqual(seen(await never.state()));
  });

  it("may be followed by others, and those reverted alone", async () => {
    const session = await sessionOf(long);
    await session.revert(1);
    const whole = await session.state();
    await session.add(null);
    expect(seen(await session.state())).not.toEqual(seen(whole));
    expect(await session.revert(3)).toMatchObject({ ok: true });
    expect(seen(await session.state())).toEqual(seen(whole));
  });
});

describe("a revert is refused", () => {
  it("where the older messages do not fit the window, which is said", async () => {
    const session = await sessionOf(long, 300);
    expect(await session.revert(1)).toMatchObject({
      error: {
        code: "too_large",
        say: expect.stringMatching(/about \d+ tokens, and scripted\/test takes 255/),
        fix: expect.stringContaining("a larger window; reverting a later compaction"),
      },
    });
  });

  it("twice, of one that is not there, and while a turn runs", async () => {
    const session = await sessionOf(long);
    await session.revert(2);
    expect(await session.revert(2)).toMatchObject({ error: { code: "conflict" } });
    expect(await session.revert(3)).toMatchObject({ error: { code: "not_found" } });
    await session.add(prompted("go", "t6"));
    expect(await session.revert(1)).toMatchObject({ error: { code: "conflict" } });
  });
});

it("each compaction is told: what it left out, by event, and what stayed", async () => {
  const session = await sessionOf(long);
  const [first, second] = await session.views();
  expect(first).toMatchObject({ n: 1, version: 16, why: "asked", by: null, reverted: null });
  expect(first?.messages.before).toBe(8);
  expect(first?.tokens.before).toBeGreaterThan(0);
  expect(first?.leftOut[0]).toEqual({ event: 2, line: "prompt: wish 1" });
  expect(second?.pinned).toContainEqual({ event: 9, line: "prompt: wish 2" });
  const kept = new Set(first?.kept.map(({ event }) => event));
  expect(first?.leftOut.some(({ event }) => kept.has(event))).toBe(false);
});
