// Progress is what came of the calls: files, outcomes, answers that were not there before. The same
// error again is none, however it was come by; honest repetition is.
import { describe, expect, it } from "vitest";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import {
  IDLE_MAX,
  IDLE_WAITING_MAX,
  idleMax,
  noProgress,
  progressAfter,
} from "#core/session/progress.ts";
import { answered, finished, stepStarted } from "#core/session/samples.ts";
import type { Fact } from "#core/session/tool-facts.ts";

type Did = {
  call?: string;
  says: string;
  end?: EventOf<"ToolFinished">["end"];
  facts?: Fact[];
  tree?: string;
};

/** How many steps in a row brought nothing, after steps with one call each. */
function idleAfter(steps: readonly Did[]): number {
  const events = steps.flatMap(
    ({ call = "same", says, end = "ok", facts = [], tree }, i): SessionEvent[] => [
      stepStarted(i + 1),
      answered([{ id: `c${i}`, tool: "run", input: call }]),
      finished(`c${i}`, {
        end,
        facts,
        parts: [{ type: "text", text: says }],
        ...(tree ? { tree } : {}),
      }),
    ],
  );
  const all = [...events, stepStarted(steps.length + 1)];
  return all.reduce((p, event) => progressAfter(p, event, (text) => text), noProgress).idle;
}

const times = (count: number, did: (i: number) => Did): Did[] =>
  Array.from({ length: count }, (_, i) => did(i));
const ran = (code: number, passed?: number): Fact => ({
  type: "commandEnded",
  command: "npm test",
  code,
  durationMs: 10,
  ...(passed === undefined ? {} : { tests: { passed, failed: 1, skipped: 0 } }),
});

describe("steps of a child", () => {
  it("bring nothing where the same call is answered the same again", () => {
    expect(idleAfter(times(6, () => ({ says: "one.ts\ntwo.ts" })))).toBe(5);
  });

  it("bring nothing where the error is the same, whatever the call was", () => {
    const failing = times(6, (i) => ({
      call: `try ${i}`,
      says: "no such file",
      end: "failed" as const,
    }));
    expect(idleAfter(failing)).toBe(5);
    const exits = times(6, (i) => ({ call: `try ${i}`, says: "exit 1", facts: [ran(1)] }));
    expect(idleAfter(exits)).toBe(5);
  });

  it("are the same whatever the time, the process or the address in the answer", () => {
    const noisy = times(6, (i) => ({
      says: `failed after ${i * 13} ms at 0x7ffe12a${i}, pid ${4_000 + i}, id 3f9a8b7${i}`,
      end: "failed" as const,
    }));
    expect(idleAfter(noisy)).toBe(5);
  });

  it("bring something with each other question that is answered", () => {
    expect(idleAfter(times(20, (i) => ({ call: `grep word${i}`, says: "nothing found" })))).toBe(0);
  });

  it("bring something with each other state of the files, also where each test run fails alike", () => {
    const honest = times(30, (i) => {
      const change = { path: "a.ts", before: `h${i}`, after: `h${i + 1}` };
      return i % 2 === 0
        ? { call: "edit", says: "done", facts: [{ type: "fileChanged" as const, ...change }] }
        : { call: "npm test", says: "1 failed", facts: [ran(1, 4)] };
    });
    expect(idleAfter(honest)).toBeLessThanOrEqual(1);
  });

  it("bring something where a command leaves the files in a state that was not there yet", () => {
    const files = [{ path: "log", before: "absent", after: "100644 1" }];
    const append = (tree: string): Did => ({
      says: "",
      end: "failed",
      facts: [{ type: "filesChanged", files, more: 0 }],
      tree,
    });
    expect(idleAfter(times(20, (i) => append(`tree ${i}`)))).toBe(0);
    // There and back again is no state that was not there.
    expect(idleAfter(times(20, (i) => append(`tree ${i % 2}`)))).toBeGreaterThan(IDLE_MAX);
  });

  it("bring something where other tests pass than before", () => {
    const better = times(10, (i) => ({ says: "some failed", facts: [ran(1, i)] }));
    expect(idleAfter(better)).toBe(0);
  });

  it("may be idle for longer while a job of the child runs", () => {
    const started: Fact = { type: "jobStarted", job: "j", command: "npm run dev" };
    const wait = [finished("c", { facts: [started] })];
    const waiting = wait.reduce((p, e) => progressAfter(p, e, (text) => text), noProgress);
    expect([idleMax(noProgress), idleMax(waiting)]).toEqual([IDLE_MAX, IDLE_WAITING_MAX]);
    const ended: Fact = { type: "jobEnded", job: "j", code: 0 };
    const over = progressAfter(waiting, finished("d", { facts: [ended] }), (text) => text);
    expect(idleMax(over)).toBe(IDLE_MAX);
  });
});
