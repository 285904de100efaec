// What an undo may touch, told as: these changes of a turn, this state now, then these paths go back.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABSENT, leftEntry, type PathChange, stateOf } from "#core/tree/entry.ts";
import { heldChanges, inOrder, planRestore, planUndo, seenChanges } from "#core/tree/undo.ts";

const change = (path: string, before: string, after: string): PathChange => ({
  path,
  before,
  after,
});
const now =
  (states: Record<string, string>) =>
  (path: string): string =>
    states[path] ?? ABSENT;

describe("an undo", () => {
  it("brings a path back over all of the turn's changes", () => {
    const claims = [change("a", "a0", "a1"), change("a", "a1", "a2")];
    expect(planUndo(claims, now({ a: "a2" }))).toEqual({
      changes: [change("a", "a2", "a0")],
      left: [],
    });
  });

  it("stops at what somebody else wrote between two changes of the turn", () => {
    const claims = [change("a", "a0", "a1"), change("a", "user", "a2")];
    expect(planUndo(claims, now({ a: "a2" })).changes).toEqual([change("a", "a2", "user")]);
  });

  it("leaves what was changed since, and names it", () => {
    expect(planUndo([change("a", "a0", "a1")], now({ a: "mine" }))).toEqual({
      changes: [],
      left: [{ path: "a", why: "changed since" }],
    });
  });

  it("has nothing to do, and nothing to say, where a path is back already", () => {
    expect(planUndo([change("a", "a0", "a1")], now({ a: "a0" }))).toEqual({
      changes: [],
      left: [],
    });
  });

  it("leaves what others may have changed while a command ran", () => {
    const doubt = new Map([["a", "npm run dev ran at the same time"]]);
    const plan = planUndo([change("a", "a0", "a1")], now({ a: "a1" }), doubt);
    expect(plan).toEqual({ changes: [], left: [{ path: "a", why: doubt.get("a") }] });
  });

  it("leaves what was too large to be kept", () => {
    const large = stateOf(leftEntry("large"));
    const plan = planUndo([change("a", large, ABSENT)], now({}));
    expect(plan).toEqual({
      changes: [],
      left: [{ path: "a", why: "its content was not kept (large)" }],
    });
  });

  it("leaves what is below a folder that cannot be looked into now, and says so", () => {
    const closed = stateOf(leftEntry("not readable"));
    const plan = planUndo([change("d/a", "a0", ABSENT)], now({ "d/a": closed }));
    expect(plan).toEqual({
      changes: [],
      left: [{ path: "d/a", why: "it cannot be compared (not readable)" }],
    });
  });

  it("never ends anywhere but in a state from before the turn's own changes", () => {
    const state = fc.constantFrom("s0", "s1", "s2", "s3", ABSENT);
    const step = fc.record({ path: fc.constantFrom("a", "b"), before: state, after: state });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), state, state, (claims, a, b) => {
        const present = now({ a, b });
        for (const { path, before, after } of planUndo(claims, present).changes) {
          const own = claims.filter((claim) => claim.path === path);
          expect(before).toBe(present(path));
          expect(own.at(-1)?.after).toBe(before);
          expect(own.some((claim) => claim.before === after)).toBe(true);
        }
      }),
    );
  });
});

describe("the order of changes", () => {
  it("takes files out of a folder before the folder, and makes it before they come", () => {
    const changes = [
      change("d", "040755", ABSENT),
      change("d/f", "f", ABSENT),
      change("e/f", ABSENT, "f"),
      change("e", ABSENT, "040755"),
    ];
    expect(inOrder(changes).map(({ path }) => path)).toEqual(["d/f", "d", "e", "e/f"]);
  });
});

describe("a restore", () => {
  it("leaves what is below a folder that either tree left out", () => {
    const left = stateOf(leftEntry("build output"));
    const file = stateOf({ mode: 0o100644, id: "a".repeat(64) });
    const changes = [
      { path: "dist", before: stateOf({ mode: 0o40755, id: "" }), after: left },
      { path: "dist/x", before: file, after: "absent" },
      { path: "distant", before: file, after: "absent" },
    ];
    expect(heldChanges(changes).map(({ path }) => path)).toEqual(["distant"]);
    expect(seenChanges(changes).map(({ path }) => path)).toEqual(["dist", "distant"]);
  });

  it("names what it leaves, but for what a tool can make again and only one tree has", () => {
    const folder = stateOf({ mode: 0o40755, id: "" });
    const large = stateOf(leftEntry("large"));
    const changes = [
      change("big", large, ABSENT),
      change("dist", folder, stateOf(leftEntry("build output"))),
      change("node_modules", stateOf(leftEntry("dependencies")), ABSENT),
      change("was-big", ABSENT, large),
    ];
    expect(planRestore(changes)).toEqual({
      changes: [],
      left: [
        { path: "big", why: "it cannot be compared (large)" },
        { path: "dist", why: "its content was not kept (build output)" },
        { path: "was-big", why: "its content was not kept (large)" },
      ],
    });
  });
});
