// A store of which a part is missing or damaged: a restore ends all the same, leaves what it has no
// content for as it is, and never writes other bytes than were put there. No restore takes more
// memory than its bound.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryLeases } from "#boundary/lease/memory.ts";
import { applyChanges } from "#boundary/trees/apply.ts";
import { gitObjects } from "#boundary/trees/git.ts";
import { memoryObjects } from "#boundary/trees/memory.ts";
import type { Objects } from "#boundary/trees/port.ts";
import { folderWith, listing, never, put, treesOf, valued } from "#boundary/trees/samples.ts";
import { treesAt } from "#boundary/trees/trees.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import { LOST, planRestore, withoutLost } from "#core/tree/undo.ts";

const fresh = () => mkdtempSync(join(tmpdir(), "aiex-lost-"));

describe("a content that is missing", () => {
  it("leaves its path as it is, names it, and keeps nothing else from going back", async () => {
    const root = folderWith({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
    const trees = await treesOf(root);
    const tree = valued(await trees.record(never));
    for (const name of ["a.txt", "b.txt", "c.txt"]) put(root, name, "now");
    unlinkSync(join(root, "b.txt"));
    const present = valued(await trees.record(never));
    const changes = valued(await trees.changes(present, tree)).map((change) =>
      change.path === "c.txt" ? change : { ...change, after: `100644 ${"1".repeat(64)}` },
    );
    const plan = withoutLost({ changes, left: [] }, valued(await trees.sizes([])));
    expect(plan.changes).toEqual([]);
    const { left } = valued(await trees.apply(changes, never));
    expect(left).toEqual(["a.txt", "b.txt"].map((path) => ({ path, why: LOST })));
    expect(listing(root)).toEqual(["a.txt 644 now", "c.txt 644 c"]);
  });

  it("takes the place of nothing: a link or a folder stays where it would have come", async () => {
    const root = folderWith({ "x/": "" });
    symlinkSync("nowhere", join(root, "y"));
    const trees = await treesOf(root);
    const now = valued(await trees.changes(null, valued(await trees.record(never))));
    const after = `100644 ${"1".repeat(64)}`;
    const changes = now.map(({ path, after: before }) => ({ path, before, after }));
    expect(valued(await trees.apply(changes, never)).done).toEqual([]);
    expect(listing(root)).toEqual(["x/ 755", "y -> nowhere"]);
  });
});

describe("a store with one damaged byte", () => {
  it("ends a restore, in which every path is what it was or what it should be", async () => {
    const names = ["a", "b", "c", "d"];
    const root = folderWith(Object.fromEntries(names.map((name) => [name, name.repeat(40)])));
    const store = join(fresh(), "store");
    const trees = await treesOf(root, store);
    const before = valued(await trees.record(never));
    for (const name of names) put(root, name, "now");
    const plan = planRestore(
      valued(await trees.changes(valued(await trees.record(never)), before)),
    );
    const objects = valued(await gitObjects(store));
    const workspace = valued(localWorkspace(root));
    const packs = join(store, "objects", "pack");
    const files = readdirSync(packs).filter((name) => /\.(pack|idx)$/.test(name));
    let lost = 0;
    for (const file of files) {
      const whole = readFileSync(join(packs, file));
      chmodSync(join(packs, file), 0o600);
      for (let at = 0; at < whole.length; at += 23) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
        writeFileSync(join(packs, file), damaged);
        for (const name of names) put(root, name, "now");
        const applied = await applyChanges(workspace, objects, {
          changes: plan.changes,
          signal: never,
        });
        const { done, left } = valued(applied);
        expect([...done, ...left].map(({ path }) => path).sort()).toEqual(names);
        for (const { path } of left) expect(readFileSync(join(root, path), "utf8")).toBe("now");
        for (const { path } of done) {
          expect(readFileSync(join(root, path), "utf8")).toBe(path.repeat(40));
        }
        lost += left.length;
      }
      writeFileSync(join(packs, file), whole);
    }
    expect(lost).toBeGreaterThan(0);
  });
});

describe("the memory of a restore", () => {
  /** Bytes that were answered by one call at most. */
  function counted(objects: Objects): { objects: Objects; most: () => number } {
    let most = 0;
    return {
      most: () => most,
      objects: {
        ...objects,
        async get(ids) {
          const got = await objects.get(ids);
          const all = got.ok ? [...got.value.values()] : [];
          most = Math.max(
            most,
            all.reduce((sum, bytes) => sum + bytes.length, 0),
          );
          return got;
        },
      },
    };
  }

  it("holds contents up to its bound at a time, however many there are", async () => {
    const MEBIBYTE = 1 << 20;
    const root = folderWith({});
    for (let n = 0; n < 12; n += 1) {
      writeFileSync(join(root, `f${n}`), Buffer.alloc(10 * MEBIBYTE, n));
    }
    const { objects, most } = counted(memoryObjects());
    const trees = treesAt({
      workspace: valued(localWorkspace(root)),
      objects,
      leases: memoryLeases(),
      folder: null,
      open: localWorkspace,
    });
    const tree = valued(await trees.record(never));
    for (let n = 0; n < 12; n += 1) writeFileSync(join(root, `f${n}`), "");
    const changes = valued(await trees.changes(valued(await trees.record(never)), tree));
    expect(valued(await trees.apply(changes, never)).done).toHaveLength(12);
    expect(readFileSync(join(root, "f7"))).toEqual(Buffer.alloc(10 * MEBIBYTE, 7));
    expect(most()).toBe(30 * MEBIBYTE);
  });
});
