// What the user who runs Aiex cannot read is named in a tree as left out, never taken for nothing:
// so no undo and no restore touches it.
import { chmodSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Trees } from "#boundary/trees/port.ts";
import {
  folderWith,
  freshFolder,
  never,
  put,
  treesOf,
  unprivileged,
  valued,
} from "#boundary/trees/samples.ts";
import { leftEntry, stateOf } from "#core/tree/entry.ts";
import { planRestore } from "#core/tree/undo.ts";

const unreadable = stateOf(leftEntry("not readable"));

/** The folder `dir` of a workspace, as somebody whom permissions bind. */
async function given(work: (at: { root: string; dir: string; trees: Trees }) => Promise<void>) {
  const root = folderWith({ "a.txt": "a", "dir/b.txt": "b", "dir/sub/c.txt": "c", "only/d/": "" });
  symlinkSync("b.txt", join(root, "dir/link"));
  const store = freshFolder();
  await unprivileged([root, store], async () => {
    const trees = await treesOf(root, join(store, "store"));
    await work({ root, dir: join(root, "dir"), trees });
    chmodSync(join(root, "dir"), 0o755);
  });
}

describe("a folder that cannot be read", () => {
  it.each([
    ["neither listed nor entered", 0o000],
    ["listed and not entered", 0o444],
    ["entered and not listed", 0o311],
  ])("is left out with its reason where it can be %s", async (_, mode) => {
    await given(async ({ dir, trees }) => {
      valued(await trees.record(never));
      chmodSync(dir, mode);
      const tree = valued(await trees.record(never));
      const all = valued(await trees.changes(null, tree));
      expect(all.find(({ path }) => path === "dir")?.after).toBe(unreadable);
      expect(all.filter(({ path }) => path.startsWith("dir/"))).toEqual([]);
      expect(trees.leftOut()).toEqual([{ path: "dir", why: "not readable" }]);
      expect(valued(await trees.record(never))).toBe(tree);
      expect(valued(await trees.check(never))).toEqual([]);
    });
  });

  it("is the same where only folders are in it", async () => {
    await given(async ({ root, trees }) => {
      chmodSync(join(root, "only"), 0o444);
      const all = valued(await trees.changes(null, valued(await trees.record(never))));
      expect(all.find(({ path }) => path === "only/d")?.after).toBe(unreadable);
      chmodSync(join(root, "only"), 0o755);
    });
  });

  it("is not emptied by a restore to when it could not be read", async () => {
    await given(async ({ root, dir, trees }) => {
      chmodSync(dir, 0o000);
      const before = valued(await trees.record(never));
      chmodSync(dir, 0o755);
      put(root, "a.txt", "changed");
      const now = valued(await trees.record(never));
      const plan = planRestore(valued(await trees.changes(now, before)));
      expect(plan.changes.map(({ path }) => path)).toEqual(["a.txt"]);
      expect(plan.left).toEqual([{ path: "dir", why: "its content was not kept (not readable)" }]);
      expect(valued(await trees.apply(plan.changes, never)).left).toEqual([]);
      expect(readFileSync(join(dir, "sub/c.txt"), "utf8")).toBe("c");
    });
  });

  it("keeps what is in it where a restore would change it, and is named", async () => {
    await given(async ({ root, dir, trees }) => {
      const before = valued(await trees.record(never));
      put(root, "dir/b.txt", "changed");
      put(root, "dir/new.txt", "new");
      chmodSync(dir, 0o000);
      const now = valued(await trees.record(never));
      const plan = planRestore(valued(await trees.changes(now, before)));
      expect(plan).toEqual({
        changes: [],
        left: [{ path: "dir", why: "it cannot be compared (not readable)" }],
      });
      const states = valued(await trees.states(now, ["dir", "dir/b.txt", "dir/sub/c.txt", "a"]));
      expect([...states.values()]).toEqual([unreadable, unreadable, unreadable, "absent"]);
    });
  });

  it("is read as ever once it can be", async () => {
    await given(async ({ root, dir, trees }) => {
      const before = valued(await trees.record(never));
      chmodSync(dir, 0o000);
      valued(await trees.record(never));
      chmodSync(dir, 0o755);
      expect(valued(await trees.record(never))).toBe(before);
      chmodSync(join(root, "dir/b.txt"), 0o000);
      const closed = valued(await trees.record(never));
      expect(valued(await trees.states(closed, ["dir/b.txt"])).get("dir/b.txt")).toBe(unreadable);
      chmodSync(join(root, "dir/b.txt"), 0o644);
      expect(valued(await trees.record(never))).toBe(before);
    });
  });

  it("as the whole workspace is recorded as nothing at all", async () => {
    await given(async ({ root, trees }) => {
      chmodSync(root, 0o000);
      expect(await trees.record(never)).toMatchObject({ error: { code: "denied" } });
      chmodSync(root, 0o755);
    });
  });
});
