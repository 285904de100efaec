// What differs between two trees, within the memory that it may take.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { differenceOf } from "#boundary/door/difference.ts";
import type { Trees } from "#boundary/trees/port.ts";
import { folderWith, never, treesOf, valued } from "#boundary/trees/samples.ts";

const MEBIBYTE = 1 << 20;

describe("a difference", () => {
  it("reads no large file, and of small ones no more at a time than its bound", async () => {
    const root = folderWith({ "note.txt": "one\n" });
    const trees = await treesOf(root);
    const before = valued(await trees.record(never));
    writeFileSync(join(root, "note.txt"), "two\n");
    writeFileSync(join(root, "large"), Buffer.alloc(20 * MEBIBYTE, "x"));
    for (let n = 0; n < 40; n += 1) {
      writeFileSync(join(root, `n${n}`), Buffer.alloc(MEBIBYTE, `${n}\0`));
    }
    const after = valued(await trees.record(never));
    const fetched: number[] = [];
    const counted: Trees = {
      ...trees,
      async contents(ids) {
        const got = await trees.contents(ids);
        const all = got.ok ? [...got.value.values()] : [];
        fetched.push(all.reduce((sum, bytes) => sum + bytes.length, 0));
        return got;
      },
    };
    const found = valued(await differenceOf(counted, before, after));
    expect(found.find(({ path }) => path === "note.txt")?.diff).toContain("-one\n+two");
    expect(found.find(({ path }) => path === "large")?.diff).toBeUndefined();
    expect(found).toHaveLength(42);
    expect(Math.max(...fetched)).toBeLessThanOrEqual(16 * MEBIBYTE);
  });

  it("names a file whose content is not there any more, without its lines", async () => {
    const root = folderWith({ "a.txt": "a\n" });
    const trees = await treesOf(root);
    const before = valued(await trees.record(never));
    writeFileSync(join(root, "a.txt"), "b\n");
    const after = valued(await trees.record(never));
    const without: Trees = {
      ...trees,
      contents: async (ids) => trees.contents(ids.slice(1)),
    };
    const [change] = valued(await differenceOf(without, before, after));
    expect(change).toMatchObject({ path: "a.txt" });
    expect(change?.diff).toBeUndefined();
  });
});
