// How large what is said may be, so that a request fits the window of the model that is asked. Each
// kind of text gets a share of the room that system prompt and tools leave. Sizes are characters or
// bytes and tokens are guessed from them, so the shares leave a good part of it for the next answer.
import type { Message } from "#core/model/message.ts";
import { contextLimit, type Session } from "#core/session/state.ts";

/** Characters of a token, rather too few: code and prose have three to four. */
const TOKEN_CHARS = 3;
/** Share of the limit that counts as room however large prompt and tools are. */
const ROOM_SHARE_MIN = 1 / 8;
/** Share of a request that was refused as too large: the next one is below it by the shares too. */
const REFUSED_SHARE = 3 / 4;
/** An attachment counts as so many characters. */
const ATTACHMENT_CHARS = 4_800;
/** Share of the room for all results of one answer: what a compaction still keeps in part. */
const RESULTS_SHARE = 1 / 2;
/** The least that a result may have, in bytes: less tells nothing. */
const RESULT_BYTES_MIN = 512;

/**
 * `result` is one tool result · `kept` the messages that a compaction keeps, one result with its
 * call among them · `digest` what it writes instead of the others · `told` instructions.
 */
const shares = { result: 3 / 16, kept: 1 / 4, digest: 3 / 16, told: 1 / 4 };

/** Characters that this kind of text may have. */
export const shareOf = (s: Session, kind: keyof typeof shares): number =>
  Math.floor(roomOf(s) * shares[kind]);

/** UTF-8 bytes that each result of the present step may have. */
export function resultBytes(s: Session): number {
  const each = (roomOf(s) * RESULTS_SHARE) / Math.max(1, s.calls.length);
  return Math.max(RESULT_BYTES_MIN, Math.min(shareOf(s, "result"), Math.floor(each)));
}

/** About how many characters a message has on the wire. */
export const charsOf = (message: Message): number =>
  JSON.stringify(message).length +
  message.parts.filter(({ type }) => type === "blob").length * ATTACHMENT_CHARS;

/**
 * Characters that all messages of a request may have: by the window, and below what was refused,
 * since a server need not say its window and a token of some texts has fewer characters.
 */
function roomOf(s: Session): number {
  const limit = contextLimit(s) * TOKEN_CHARS;
  const fixed = (s.start?.system.bytes ?? 0) + (s.tools?.tools.bytes ?? 0);
  const room = Math.max(limit - fixed, limit * ROOM_SHARE_MIN);
  return s.refused ? Math.min(room, s.refused.chars * REFUSED_SHARE) : room;
}
