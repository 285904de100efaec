// The order of a route: each strategy, and what holds for all of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, type Choice, routeOrder, strategies } from "#core/model/route.ts";

const candidate = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  name,
  isLocal: false,
  waitMs: 0,
  open: 0,
  ...more,
});

const order = (candidates: Candidate[], strategy: string, more: Partial<Choice> = {}) =>
  routeOrder(candidates, { strategy, round: 0, random: () => 0, ...more }).map(({ name }) => name);

const [a, b, c] = [candidate("x/a"), candidate("x/b"), candidate("x/c")];

describe("a route", () => {
  it("asks the model on this machine first, or the least busy, or the one that is named", () => {
    expect(order([a, b, { ...c, isLocal: true }], "local_affinity")).toEqual(["x/c", "x/a", "x/b"]);
    expect(order([{ ...a, open: 2 }, { ...b, open: 1 }, c], "load_balanced")).toEqual([
      "x/c",
      "x/b",
      "x/a",
    ]);
    expect(order([a, b, c], "x/b")).toEqual(["x/b", "x/a", "x/c"]);
  });

  it("goes round, one further each time", () => {
    const firsts = [0, 1, 2, 3].map((round) => order([a, b, c], "round_robin", { round })[0]);
    expect(firsts).toEqual(["x/a", "x/b", "x/c", "x/a"]);
  });

  it("by random asks each first about equally often", () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const firsts = Array.from({ length: 3_000 }, () => order([a, b, c], "random", { random })[0]);
    for (const name of ["x/a", "x/b", "x/c"]) {
      const share = firsts.filter((first) => first === name).length / firsts.length;
      expect(share).toBeGreaterThan(0.28);
      expect(share).toBeLessThan(0.39);
    }
  });

  it("leaves nobody out, and asks nobody who must be waited for before one who can answer", () => {
    const some = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-e]\/[a-e]$/),
        isLocal: fc.boolean(),
        waitMs: fc.oneof(fc.constant(0), fc.nat(100_000)),
        open: fc.nat(5),
      }),
      { selector: ({ name }) => name, maxLength: 8 },
    );
    const rolls = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(some, fc.constantFrom(...strategies, "a/a"), fc.nat(), rolls, (...given) => {
        const [candidates, strategy, round, dice] = given;
        let roll = 0;
        const random = () => dice[roll++ % dice.length] ?? 0;
        const ordered = routeOrder(candidates, { strategy, round, random });
        expect(ordered.map(({ name }) => name).sort()).toEqual(
          candidates.map(({ name }) => name).sort(),
        );
        const waits = ordered.map(({ waitMs }) => waitMs);
        expect(waits).toEqual(waits.toSorted((x, y) => x - y));
      }),
    );
  });
});
