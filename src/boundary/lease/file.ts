// Leases as locks of the operating system, freed by the kernel when their process ends. Node has
// no flock of its own; SQLite has, so each lease is an exclusive transaction on an empty database
// file: nothing is ever written to it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sha256 } from "#boundary/digest.ts";
import type { Lease, Leases } from "#boundary/lease/port.ts";
import { fail, ok } from "#core/failure.ts";

const SQLITE_BUSY = 5;

/** Every lock of this process: one that nobody refers to would be closed by the garbage collector. */
const locks = new Set<DatabaseSync>();

export function fileLeases(folder: string): Leases {
  const held = new Map<string, DatabaseSync>();
  const free = (name: string) => {
    const lock = held.get(name);
    lock?.close();
    if (lock) locks.delete(lock);
    held.delete(name);
  };
  return {
    take(name) {
      if (held.has(name)) return fail("busy", `${name} is being run by this process`);
      let db: DatabaseSync | undefined;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // Names may be any text; 20 hex digits of their hash are a file name anywhere.
        db = new DatabaseSync(join(folder, sha256(name).slice(0, 20)), { timeout: 0 });
        db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
        locks.add(db);
        held.set(name, db);
        const lease: Lease = { release: () => free(name) };
        return ok(lease);
      } catch (error) {
        if (db?.isOpen) db.close();
        const code = Number((error as { errcode?: number }).errcode ?? 0) & 0xff;
        if (code === SQLITE_BUSY) return fail("busy", `${name} is being run by another process`);
        return fail("storage", `no lock can be taken in ${folder}: ${(error as Error).message}`);
      }
    },
    close() {
      for (const name of [...held.keys()]) free(name);
    },
  };
}
