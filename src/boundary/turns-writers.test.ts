// A call that never acts is no writer: it would stand beside every later run, and nothing could be
// proven any more until its process ends.
import { describe, expect, it } from "vitest";
import { folderWith, treesOf, valued } from "#boundary/trees/samples.ts";
import { begin, call, newWorld, partsOver } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import { ok } from "#core/failure.ts";

const never = new AbortController().signal;

describe("a call that is called off while the files before it are recorded", () => {
  it("is beside no later run", async () => {
    const trees = await treesOf(folderWith({ "a.js": "1" }));
    const world = newWorld();
    const before: typeof trees.before = async (...asked) => {
      const recorded = await trees.before(...asked);
      await parts.sessions.command("s", { type: "Cancel", why: "enough" });
      return recorded;
    };
    const place = { trees: async () => ok({ ...trees, before }) };
    const parts = partsOver(world, () => ({ parts: [call("c1", "note")] }), { place });
    await begin(parts);
    expect(await drive(parts, "s", never)).toEqual(ok("rest"));
    expect(world.witness).toEqual([]);
    const run = valued(await trees.before({ title: "npm test", paths: null }, never));
    const wrote = { before: run.tree, from: 0, to: Number.MAX_SAFE_INTEGER };
    expect(valued(await trees.after(run.writer, wrote, never)).besides).toEqual([]);
  });
});
