// Compaction: what is dropped is named, results stay with their calls, and the digest has a bound
// however often it is made.
import fc from "fast-check";
import { expect, it } from "vitest";
import { paired } from "#core/model/pairing.ts";
import { canCompact, compact } from "#core/session/compact.ts";
import { evolve } from "#core/session/evolve.ts";
import { next } from "#core/session/next.ts";
import { answered, finished, given, prompted, stepStarted } from "#core/session/samples.ts";
import { messagesOf, type Session } from "#core/session/state.ts";

const steps = (from: number, count: number, size = 10) =>
  Array.from({ length: count }, (_, i) => from + i).flatMap((n) => [
    stepStarted(n),
    answered([{ id: `c${n}`, tool: "read", input: `{"path":"${"p".repeat(size)}"}` }]),
    finished(`c${n}`),
  ]);

function compacted(s: Session): Session {
  const made = compact(s, "full");
  if (!made) throw new Error("nothing to compact");
  return evolve(s, { type: "Compacted", ...made });
}

it("has nothing to drop in a short conversation", () => {
  const s = given(prompted(), stepStarted(), answered("hello"));
  expect(canCompact(s)).toBe(false);
  expect(compact(s, "full")).toBeNull();
});

it("a short conversation that nearly fills the context goes on: the provider has the last word", () => {
  const usage = { input: 9_900, cached: 0, output: 1, reasoning: 0, exact: true };
  const s = given(
    prompted(),
    stepStarted(),
    answered([{ id: "c1", tool: "read" }], { usage }),
    finished("c1"),
  );
  expect(next(s).do).toBe("callModel");
});

it("keeps what the user asked, word for word, and names what was called", () => {
  const s = given(prompted("please fix the parser"), ...steps(1, 10));
  const text = compact(s, "full")?.text ?? "";
  expect(text).toContain("prompt: please fix the parser");
  expect(text).toContain("called read");
});

it("keeps results with their calls, the open ones too, wherever it cuts", () => {
  const counts = fc.tuple(fc.integer({ min: 4, max: 12 }), fc.boolean());
  fc.assert(
    fc.property(counts, ([count, isOpen]) => {
      const before = given(prompted(), ...steps(1, count));
      const s = isOpen ? before : evolve(before, stepStarted(count + 1));
      const after = compacted(s);
      expect(paired(messagesOf(after))).toEqual(messagesOf(after));
      expect(messagesOf(after).at(-1)).toEqual(messagesOf(s).at(-1));
    }),
  );
});

it("stays within its bound when it is made again and again, and still has the newest", () => {
  let s = given(prompted("the first wish"));
  const sizes: number[] = [];
  for (let round = 0; round < 30; round += 1) {
    for (const event of [prompted(`wish ${round} ${"w".repeat(5_000)}`), ...steps(1, 8, 500)]) {
      s = evolve(s, event);
    }
    s = compacted(s);
    sizes.push(JSON.stringify(s.messages[0]).length);
  }
  expect(Math.max(...sizes)).toBeLessThan(60_000);
  const digest = JSON.stringify(s.messages[0]);
  expect(digest).toContain("wish 29");
  expect(digest.split("What was asked and done").length).toBe(2);
});
