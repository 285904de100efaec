// Names for things, made from random bytes that the caller brings. Crockford's base32 (no i, l, o,
// u), lower case, so that an id can be read aloud, typed, and used as a file name anywhere.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Bytes of randomness in an id: 80 bits, so 10⁹ ids collide with a chance below one in a million. */
export const ID_BYTES = 10;

/** Turns `ID_BYTES` random bytes into 16 characters. */
export function idFrom(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return out;
}
