// What of a real log may be read again: what its model does not see any more, kept outputs with what
// was left out of them, and never what only repeats something else.
import { expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { historyOf } from "#boundary/turn/history.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, finished, prompted, started, stepStarted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";

const signal = new AbortController().signal;

async function logOf(...events: SessionEvent[]) {
  const log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 });
  const blobs = memoryBlobs();
  const sessions = sessionsOver({ log, blobs, fingerprint: "test" });
  const by = { actor: "user", epoch: 0 };
  const added = await sessions.append("s", emptySession, [started, ...events], by);
  if (!added.ok) throw new Error(added.error.say);
  return {
    blobs,
    async history(at?: number) {
      const found = await historyOf(
        { sessions, blobs },
        { stream: "s", session: added.value, at },
        signal,
      );
      if (!found.ok) throw new Error(found.error.say);
      return found.value.map(({ at: version, text, undone }) => ({ at: version, text, undone }));
    },
  };
}

const ended: SessionEvent = { type: "TurnEnded", turn: "t1", end: "done" };
const compacted = (keep: number): SessionEvent => ({
  type: "Compacted",
  text: "an invented digest",
  keep,
  droppedMessages: 2,
  why: "full",
});
const said = (text: string): SessionEvent => ({ type: "Steered", text, attachments: [] });

it("what the model sees is not in it, what was dropped is, and a digest never", async () => {
  const { history } = await logOf(
    prompted("the first wish"),
    stepStarted(),
    answered("the first answer"),
    ended,
    compacted(1),
  );
  expect(await history()).toEqual([{ at: 2, text: "the first wish", undone: false }]);
  expect(await history(4)).toEqual([{ at: 4, text: "the first answer", undone: false }]);
  expect(await history(6)).toEqual([]);
});

it("calls and their results are in it, but not what was recalled", async () => {
  const { history } = await logOf(
    prompted(),
    stepStarted(),
    answered([
      { id: "c1", tool: "run", input: '{"command":"make"}' },
      { id: "c2", tool: "functions.recall", input: '{"words":"make"}' },
    ]),
    finished("c1"),
    finished("c2"),
    said("go on"),
    ended,
    compacted(0),
  );
  expect((await history()).map(({ text }) => text)).toEqual([
    "do it",
    'called run {"command":"make"}',
    "result of c1",
    "go on",
  ]);
});

it("a kept output is in it with what was left out of it and what its tool said of it", async () => {
  const output = Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n");
  const blobs = memoryBlobs();
  const kept = await blobs.put(Buffer.from(output));
  const hash = kept.ok ? kept.value : "";
  const shown = `line 0\n(48 lines left out: read \`output:${hash}\` from 2)\nline 49\n(exit 1)`;
  const parts = [{ type: "text" as const, text: shown }];
  const log = await logOf(
    prompted(),
    stepStarted(),
    answered([{ id: "c1", tool: "run" }]),
    finished("c1", { parts }),
    ended,
    compacted(0),
  );
  const result = async () => (await log.history()).find(({ at }) => at === 5)?.text;
  // One that is gone leaves what was shown.
  expect(await result()).toBe(shown);
  await log.blobs.put(Buffer.from(output));
  expect(await result()).toBe(`${output}\n(exit 1)`);
});

it("a turn that was taken back is marked, until it is brought back", async () => {
  const restore = (cause: "undo" | "redo"): SessionEvent[] => [
    { type: "RestoreStarted", cause, turn: "t1", present: "p", changes: [], left: [] },
    { type: "RestoreFinished", tree: "p", left: [] },
  ];
  const turn = [prompted("wish"), stepStarted(), answered("answer"), ended, compacted(0)];
  const marks = async (...more: SessionEvent[]) =>
    (await (await logOf(...turn, ...more)).history()).map(({ undone }) => undone);
  expect(await marks()).toEqual([false, false]);
  expect(await marks(...restore("undo"))).toEqual([true, true]);
  expect(await marks(...restore("undo"), ...restore("redo"))).toEqual([false, false]);
});
