// The bytes of trees and the ids of objects, as git defines them (git-scm.com, "gitformat-pack" and
// "hash-function-transition"; object format sha256).
import type { ObjectType, StoredObject } from "#boundary/trees/port.ts";
import { assert } from "#core/assert.ts";
import { type Entry, kindOf } from "#core/tree/entry.ts";

const crypto = () => process.getBuiltinModule("node:crypto");

const ID_BYTES = 32;

export function objectOf(type: ObjectType, bytes: Uint8Array): StoredObject {
  return { id: idOf(type, bytes), type, bytes };
}

/** Its SHA-256, over a header and the bytes. */
export function idOf(type: ObjectType, bytes: Uint8Array): string {
  const hash = crypto().createHash("sha256");
  hash.update(`${type} ${bytes.length}\0`);
  return hash.update(bytes).digest("hex");
}

/** A folder as an object. Git sorts names by their bytes, a folder as if it ended in a slash. */
export function treeOf(entries: ReadonlyMap<string, Entry>): StoredObject {
  const rows = [...entries].map(([name, entry]) => {
    const key = Buffer.from(kindOf(entry) === "folder" ? `${name}/` : name);
    return { name, entry, key };
  });
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  const parts = rows.flatMap(({ name, entry }) => [
    Buffer.from(`${entry.mode.toString(8)} ${name}\0`),
    Buffer.from(entry.id, "hex"),
  ]);
  return objectOf("tree", Buffer.concat(parts));
}

/** The entries of a tree's bytes. */
export function entriesIn(bytes: Uint8Array): Map<string, Entry> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, Entry>();
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(0x20, at);
    const end = text.indexOf(0, space);
    assert(space > at && end > space && end + ID_BYTES < text.length, "a tree has whole entries");
    const mode = Number.parseInt(text.toString("latin1", at, space), 8);
    const id = text.toString("hex", end + 1, end + 1 + ID_BYTES);
    entries.set(text.toString("utf8", space + 1, end), { mode, id });
    at = end + 1 + ID_BYTES;
  }
  return entries;
}
