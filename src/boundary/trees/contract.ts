// Every store of objects passes this suite; an adapter's test file is one call to it.
import { describe, expect, it } from "vitest";
import { objectOf, treeOf } from "#boundary/trees/objects.ts";
import type { Objects } from "#boundary/trees/port.ts";
import { fileMode, folderMode, leftEntry, linkMode } from "#core/tree/entry.ts";

export function objectsContract(name: string, open: () => Promise<Objects> | Objects): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const signal = new AbortController().signal;
  const blob = (text: string) => objectOf("blob", bytes(text));
  const textIn = async (objects: Objects, id: string) => {
    const got = await objects.get([id]);
    return got.ok ? Buffer.from(got.value.get(id) ?? []).toString() : got.error.code;
  };

  describe(`objects: ${name}`, () => {
    it("gives back exactly what was put, by id, whatever bytes it has", async () => {
      const objects = await open();
      const given = [blob(""), blob("a\0b\r\n\n"), blob("ü".repeat(70_000)), blob("a\0b\r\n\n")];
      expect(await objects.put(given)).toMatchObject({ ok: true });
      const got = await objects.get(given.map(({ id }) => id));
      expect(got.ok && given.every(({ id, bytes }) => sameBytes(got.value.get(id), bytes))).toBe(
        true,
      );
    });

    it("fails for an object that was never put, and answers nothing then", async () => {
      const objects = await open();
      const there = blob("there");
      await objects.put([there]);
      expect(await objects.get([there.id, blob("nothing").id])).toMatchObject({
        error: { code: "not_found" },
      });
    });

    it("tells the sizes of what is there, and nothing of what is not", async () => {
      const objects = await open();
      const given = [blob(""), blob("four"), blob("ü")];
      await objects.put(given);
      const ids = [...given, blob("never put")].map(({ id }) => id);
      const sizes = await objects.sizes(ids);
      expect(sizes.ok && [...sizes.value]).toEqual(given.map(({ id }, i) => [id, [0, 4, 2][i]]));
      expect(await objects.sizes([])).toEqual({ ok: true, value: new Map() });
    });

    it("keeps trees with every mode, empty folders and what was left out", async () => {
      const objects = await open();
      const content = blob("x");
      const empty = treeOf(new Map());
      const root = treeOf(
        new Map([
          ["a", { mode: fileMode(0o600, { ignored: true }), id: content.id }],
          ["b", { mode: folderMode(0o700), id: empty.id }],
          ["b0", { mode: folderMode(0), id: empty.id }],
          ["c", { mode: linkMode, id: content.id }],
          ["d", leftEntry("dependencies")],
        ]),
      );
      expect(await objects.put([content, empty, root])).toMatchObject({ ok: true });
      const got = await objects.get([root.id]);
      expect(got.ok && sameBytes(got.value.get(root.id), root.bytes)).toBe(true);
      expect(await objects.check(signal)).toEqual({ ok: true, value: [] });
    });

    it("sweeps what no root names, and keeps all that one does, be it a tree or a content", async () => {
      const objects = await open();
      const live = blob("live");
      const below = treeOf(
        new Map([["f", { mode: fileMode(0o640, { ignored: false }), id: live.id }]]),
      );
      const root = treeOf(
        new Map([
          ["below", { mode: folderMode(0o755), id: below.id }],
          ["left", leftEntry("build output")],
        ]),
      );
      const dead = blob("dead");
      const alone = blob("alone");
      await objects.put([live, below, root, alone]);
      await objects.put([dead]);
      const unknown = blob("never put").id;
      const roots = [root.id, unknown, alone.id];
      expect(await objects.sweep(roots, signal)).toMatchObject({ ok: true });
      expect(await textIn(objects, live.id)).toBe("live");
      expect(await textIn(objects, alone.id)).toBe("alone");
      expect(await textIn(objects, dead.id)).toBe("not_found");
      expect(await objects.check(signal)).toEqual({ ok: true, value: [] });
    });

    it("takes what was swept again", async () => {
      const objects = await open();
      const again = blob("again");
      await objects.put([again]);
      await objects.sweep([], signal);
      await objects.put([again]);
      expect(await textIn(objects, again.id)).toBe("again");
    });
  });
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;
