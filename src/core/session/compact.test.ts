// Compaction: what is dropped is named, results stay with their calls, the digest has a bound however
// often it is made, and what stays fits the window.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOf } from "#core/model/message.ts";
import { paired } from "#core/model/pairing.ts";
import { canCompact, compact } from "#core/session/compact.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { next } from "#core/session/next.ts";
import { resultBytes } from "#core/session/room.ts";
import {
  answered,
  finished,
  given,
  prompted,
  started,
  stepStarted,
} from "#core/session/samples.ts";
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

it("keeps word for word what the user said when they refused a call", () => {
  const said =
    "The user did not allow this and said: deploy only on Mondays. Do not try another way.";
  const refused = finished("c1", { end: "denied", parts: [{ type: "text", text: said }] });
  const call = answered([{ id: "c1", tool: "run" }]);
  const s = given(prompted(), stepStarted(), call, refused, ...steps(2, 8));
  expect(compact(s, "full")?.text).toContain(`steer: ${said}`);
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
  expect(digest.split("What was done, oldest first").length).toBe(2);
});

describe("in a window of 8,192 tokens", () => {
  const small: SessionEvent = {
    type: "ModelDescribed",
    model: "scripted/test",
    windowTokens: 8_192,
  };
  const large = (n: number) => [
    stepStarted(n),
    answered([{ id: `c${n}`, tool: "read" }]),
    finished(`c${n}`, {
      parts: [{ type: "text", text: `${n} begins ${"x".repeat(16_000)} ends` }],
    }),
  ];
  const over = answered("", { stop: "overflow" });
  const charsIn = (s: Session) => JSON.stringify(messagesOf(s)).length;

  it("six results of 16 kB leave a conversation that fits, with the prompt in it", () => {
    const steps = [1, 2, 3, 4, 5, 6].flatMap(large);
    const s = compacted(given(small, prompted("fix it all"), ...steps, stepStarted(7), over));
    expect(charsIn(s)).toBeLessThan((8_192 / 2) * 3);
    const digest = textOf(s.messages[0]?.parts ?? []);
    expect(digest).toContain("prompt: fix it all");
    expect(digest).toContain("that returned: 6 begins xxx");
    expect(digest).toMatch(/characters left out here to save room: `recall` event 1\)/);
    expect(digest).toMatch(/xxx ends/);
    expect(digest).not.toContain("5 begins");
  });

  it("the next compaction without an answer keeps less, and one that gains nothing is none", () => {
    let s = given(small, prompted("fix it"), ...large(1), stepStarted(2), over);
    const sizes = [charsIn(s)];
    for (let step = 3; next(s).do === "compact"; step += 1) {
      s = [stepStarted(step), over].reduce(evolve, compacted(s));
      sizes.push(charsIn(s));
    }
    expect(next(s)).toMatchObject({ do: "endTurn", end: "failed", failure: { code: "overflow" } });
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.toSorted((a, b) => b - a)).toEqual(sizes);
    expect(new Set(sizes).size).toBe(sizes.length);
    expect(textOf(s.messages[0]?.parts ?? [])).toContain("prompt: fix it");
  });

  it("a prompt of now stays whole beside what is dropped before it", () => {
    const wish = `do this: ${"w".repeat(9_000)}`;
    const s = compacted(
      given(small, prompted(), ...large(1), answered("so"), prompted(wish, "t2")),
    );
    expect(s.messages.at(-1)).toMatchObject({ origin: "prompt", parts: [{ text: wish }] });
    expect(canCompact(given(small, prompted(wish)))).toBe(false);
  });

  it("names what was attached to a prompt that is dropped", () => {
    const blob = { hash: "0".repeat(64), bytes: 9, media: "image/png", name: "shot.png" };
    const asked = { ...prompted("look"), attachments: [blob] };
    const steps = [1, 2, 3].flatMap(large);
    const s = compacted(given(small, asked, ...steps));
    expect(textOf(s.messages[0]?.parts ?? [])).toContain("prompt: look (attached: shot.png)");
  });

  it("leaves no half of a character", () => {
    const smiles = (n: number) => given(small, prompted(`${"x".repeat(n)}${"😀".repeat(9_000)}`));
    for (const n of [0, 1]) {
      const s = compacted(
        [...large(1), answered("so"), prompted("on", "t2")].reduce(evolve, smiles(n)),
      );
      expect(textOf(s.messages[0]?.parts ?? [])).toMatch(/[😀\uFFFD]… \(/u);
      expect(textOf(s.messages[0]?.parts ?? []).isWellFormed()).toBe(true);
    }
  });

  it("a result may take less than in a large one, and less with others beside it", () => {
    const calls = [1, 2, 3, 4].map((n) => ({ id: `c${n}`, tool: "read" }));
    const one = resultBytes(given(small, prompted(), stepStarted(), answered(calls.slice(1, 2))));
    const four = resultBytes(given(small, prompted(), stepStarted(), answered(calls)));
    const limits = { contextTokens: 128_000, stepsPerTurn: 20 };
    const wide = resultBytes([{ ...started, limits }].reduce(evolve, given()));
    expect(one).toBeLessThan(8_192);
    expect(four * 4).toBeLessThan(one * 4);
    expect(wide).toBeGreaterThan(50 * 1_024);
  });
});
