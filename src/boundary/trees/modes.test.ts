// Folders that nobody may write in are filled, changed and emptied by a restore all the same, and end
// with the permissions they should have. As somebody whom permissions bind.
import { chmodSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Trees } from "#boundary/trees/port.ts";
import {
  folderWith,
  freshFolder,
  listing,
  never,
  put,
  treesOf,
  unprivileged,
  valued,
} from "#boundary/trees/samples.ts";

type Given = { root: string; trees: Trees; close: (path: string, mode?: number) => void };

async function given(work: (given: Given) => Promise<void>): Promise<void> {
  const root = folderWith({ "closed/a.txt": "a", "closed/deep/b.txt": "b", "open/c.txt": "c" });
  const store = freshFolder();
  await unprivileged([root, store], async () => {
    const trees = await treesOf(root, join(store, "store"));
    const close = (path: string, mode = 0o555) => chmodSync(join(root, path), mode);
    await work({ root, trees, close });
  });
}

/** Brings a workspace back to what it was before a change; answers what was left. */
async function back({ root, trees }: Given, change: () => void) {
  const before = valued(await trees.record(never));
  const was = listing(root);
  change();
  const after = valued(await trees.record(never));
  const applied = await trees.apply(valued(await trees.changes(after, before)), never);
  expect(listing(root)).toEqual(was);
  return valued(applied).left;
}

const permissions = (root: string, path: string) => statSync(join(root, path)).mode & 0o777;

describe("a folder that nobody may write in", () => {
  it("comes back with what was in it, the folders in it too", async () => {
    await given(async (here) => {
      const { root, close } = here;
      for (const path of ["closed/deep", "closed"]) close(path);
      const left = await back(here, () => {
        for (const path of ["closed", "closed/deep"]) close(path, 0o755);
        rmSync(join(root, "closed"), { recursive: true });
      });
      expect(left).toEqual([]);
      expect(["closed", "closed/deep"].map((path) => permissions(root, path))).toEqual([
        0o555, 0o555,
      ]);
    });
  });

  it("has its files brought back, and stays closed", async () => {
    await given(async (here) => {
      const { root, close } = here;
      close("closed");
      const left = await back(here, () => {
        close("closed", 0o755);
        put(root, "closed/a.txt", "changed");
        put(root, "closed/new.txt", "new");
        rmSync(join(root, "closed/deep"), { recursive: true });
        close("closed");
      });
      expect(left).toEqual([]);
      expect(permissions(root, "closed")).toBe(0o555);
    });
  });

  it("is emptied and removed where it should go", async () => {
    await given(async (here) => {
      const { root, close } = here;
      const left = await back(here, () => {
        put(root, "made/in/it.txt", "x");
        for (const path of ["made/in", "made"]) close(path);
      });
      expect(left).toEqual([]);
    });
  });

  it("is closed, and opened, where only that changed, and where it was changed within too", async () => {
    await given(async (here) => {
      const { root, close } = here;
      close("closed");
      expect(
        await back(here, () => {
          close("closed", 0o755);
          close("open", 0o500);
        }),
      ).toEqual([]);
      expect([permissions(root, "closed"), permissions(root, "open")]).toEqual([0o555, 0o755]);
    });
  });

  it("is closed by whoever goes on after a crash that left it open", async () => {
    await given(async ({ root, trees, close }) => {
      for (const path of ["closed/deep", "closed"]) close(path);
      const before = valued(await trees.record(never));
      for (const path of ["closed", "closed/deep"]) close(path, 0o755);
      rmSync(join(root, "closed"), { recursive: true });
      const changes = valued(await trees.changes(valued(await trees.record(never)), before));
      // As a process leaves it that died before it was done.
      put(root, "closed/a.txt", "a");
      expect(valued(await trees.apply(changes, never)).left).toEqual([]);
      expect(valued(await trees.record(never))).toBe(before);
      // And one that died while it changed something in a folder.
      close("closed", 0o755);
      const opened = valued(await trees.changes(before, null));
      expect(valued(await trees.apply(opened, never)).left).toEqual([]);
      expect(listing(root)).toEqual([]);
    });
  });
});
