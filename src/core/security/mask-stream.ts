// The same masking for text that comes in pieces: only whole lines go on, so that no secret is cut in
// two, and a private key waits for its end.
import type { Mask } from "#core/security/mask.ts";

/** Characters of an unfinished line, or key, that are held back at most. */
const HELD_CHARS_MAX = 65_536;

export type MaskStream = {
  /** What can be shown now. */
  push(text: string): string;
  /** What was held back; nothing comes after it. */
  end(): string;
};

export function maskStream(mask: Mask): MaskStream {
  let held = "";
  const take = (until: number): string => {
    const text = held.slice(0, until);
    held = held.slice(until);
    return text === "" ? "" : mask(text);
  };
  return {
    push(text) {
      held += text;
      const line = Math.max(held.lastIndexOf("\n"), held.lastIndexOf("\r")) + 1;
      const key = openKey(held, line);
      const until = key === -1 ? line : key;
      if (until > 0 || held.length <= HELD_CHARS_MAX) return take(until);
      // A line without an end: at a space, for no secret but a key has one.
      const space = held.lastIndexOf(" ", HELD_CHARS_MAX);
      return take(space > 0 ? space : HELD_CHARS_MAX);
    },
    end: () => take(held.length),
  };
}

/** Where a private key begins whose end does not come before `until`; -1 where none does. */
function openKey(text: string, until: number): number {
  const begin = text.lastIndexOf("-----BEGIN ", until - 1);
  if (begin === -1) return -1;
  const end = text.indexOf("-----END ", begin);
  return end === -1 || end >= until ? begin : -1;
}
