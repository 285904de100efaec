// Objects of trees in a map: for tests, and for `aiex --ephemeral`.
import { entriesIn } from "#boundary/trees/objects.ts";
import type { Objects, StoredObject } from "#boundary/trees/port.ts";
import { fail, ok } from "#core/failure.ts";
import { kindOf } from "#core/tree/entry.ts";

export function memoryObjects(): Objects {
  const kept = new Map<string, StoredObject>();
  const size = () => [...kept.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  return {
    async put(objects) {
      for (const object of objects) {
        kept.set(object.id, { ...object, bytes: Uint8Array.from(object.bytes) });
      }
      return ok();
    },
    async get(ids) {
      const found = new Map<string, Uint8Array>();
      for (const id of ids) {
        const object = kept.get(id);
        if (!object) return fail("not_found", `there is no object ${id}`);
        found.set(id, object.bytes);
      }
      return ok(found);
    },
    async sizes(ids) {
      const there = ids.flatMap((id) => kept.get(id) ?? []);
      return ok(new Map(there.map(({ id, bytes }) => [id, bytes.length])));
    },
    async sweep(roots) {
      const before = size();
      const live = new Set<string>();
      const todo = [...roots];
      for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
        const object = kept.get(id);
        if (!object || live.has(id)) continue;
        live.add(id);
        if (object.type !== "tree") continue;
        for (const entry of entriesIn(object.bytes).values()) {
          if (kindOf(entry) !== "left") todo.push(entry.id);
        }
      }
      for (const id of [...kept.keys()]) if (!live.has(id)) kept.delete(id);
      return ok({ before, after: size() });
    },
    async check() {
      return ok([]);
    },
    async isCluttered() {
      return false;
    },
  };
}
