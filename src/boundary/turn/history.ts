// What a session's log holds that its model does not see any more, for the tool that searches it:
// read from the log each time, and kept outputs from their blobs, within bounds.
import type { TurnParts } from "#boundary/turn/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { type Piece, piecesOfSession } from "#core/session/recall.ts";
import { messagesOf, type Session } from "#core/session/state.ts";

/** Bytes of one kept output that are searched, and of one that is asked for. */
const SEARCHED_BYTES_MAX = 1_048_576;
const WHOLE_BYTES_MAX = 16_777_216;
/** Characters that are searched; of outputs beyond it only what was shown is, the oldest first. */
const HISTORY_CHARS_MAX = 16_777_216;

/** How a result says where the whole of it is (tools/output.ts). */
const KEPT = /^\(\d+ lines left out: read `output:([0-9a-f]{64})` from \d+\)$/m;

export async function historyOf(
  { sessions, blobs }: Pick<TurnParts, "sessions" | "blobs">,
  { stream, session, at }: { stream: string; session: Session; at: number | undefined },
  signal: AbortSignal,
): Promise<Result<readonly Piece[]>> {
  const pieces = piecesOfSession();
  for await (const page of sessions.read(stream, { after: 0 }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      if (decoded.kind === "event") pieces.add(record.version, decoded.event);
    }
  }
  const seen = new Set(messagesOf(session).map((message) => message.at));
  const wanted = pieces.all.filter((piece) =>
    at === undefined ? !seen.has(piece.at) : piece.at === at,
  );
  const bytes = at === undefined ? SEARCHED_BYTES_MAX : WHOLE_BYTES_MAX;
  const whole: Piece[] = [];
  let room = HISTORY_CHARS_MAX;
  for (const piece of wanted.toReversed()) {
    const hash = room > 0 && piece.kind === "result" ? KEPT.exec(piece.text)?.[1] : undefined;
    const kept = hash === undefined ? null : await blobs.get(hash, { from: 0, bytes });
    // Its age may have taken the output: what was shown of it is still there.
    const text = kept?.ok ? withNotes(Buffer.from(kept.value).toString(), piece.text) : piece.text;
    room -= text.length;
    whole.push(text === piece.text ? piece : { ...piece, text });
  }
  return ok(whole.reverse());
}

/** The whole output, and what the tool itself said at its end. */
function withNotes(output: string, shown: string): string {
  const notes = shown.split("\n").filter((line) => /^\(.*\)$/.test(line) && !KEPT.test(line));
  const own = notes.filter((note) => !output.includes(note));
  return [output, ...own].join("\n");
}
