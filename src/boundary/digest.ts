// The hash and the randomness that core is given.
import { ID_BYTES, idFrom } from "#core/ids.ts";

/** Loaded when it is first used: it takes as long as all else that listing sessions loads. */
const crypto = () => process.getBuiltinModule("node:crypto");

/** Lower-case hex SHA-256 of a text's UTF-8 bytes, or of bytes. */
export const sha256 = (data: string | Uint8Array): string => crypto().hash("sha256", data, "hex");

/** Random bytes are drawn in bulk: asking the system for each id costs more than all else of it. */
const pool = new Uint8Array(4_096);
let used = pool.length;

function randomBytes(count: number): Uint8Array {
  if (used + count > pool.length) {
    crypto().randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.slice(used - count, used);
}

/** A fresh id: 80 random bits. */
export const newId = (): string => idFrom(randomBytes(ID_BYTES));

/** A fresh salt for a body: 128 random bits, so that an erased body cannot be guessed. */
export const newSalt = (): string => randomBytes(16).toHex();
