// What a tool puts out as a model sees it: head and tail within a limit, and where the rest is.
import { stripVTControlCharacters } from "node:util";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { textOf } from "#core/model/message.ts";
import type { Mask } from "#core/security/mask.ts";
import { maskStream } from "#core/security/mask-stream.ts";

/** Bytes of output in one result; in a small window less. */
const SHOWN_BYTES_MAX = 30_000;
/** Share of them that shows the beginning; errors and summaries stand at the end. */
const HEAD_SHARE = 1 / 3;
/** Bytes of one command's output that are kept to be read later; what follows is only counted. */
export const KEPT_BYTES_MAX = 16_777_216;

/** Collects output up to a bound; afterwards the newest bytes are kept, so the end is never lost. */
export type Collected = {
  add(chunk: Uint8Array): void;
  /** All bytes so far, and how many were dropped between the kept beginning and the kept end. */
  bytes(): { begin: Buffer; dropped: number; end: Buffer };
  readonly length: number;
};

export function collected(): Collected {
  const begin: Uint8Array[] = [];
  let beginBytes = 0;
  let end: Buffer = Buffer.alloc(0);
  let dropped = 0;
  return {
    get length() {
      return beginBytes + dropped + end.length;
    },
    add(chunk) {
      const room = KEPT_BYTES_MAX - beginBytes;
      const first = chunk.subarray(0, room);
      if (first.length > 0) begin.push(Uint8Array.from(first));
      beginBytes += first.length;
      if (first.length === chunk.length) return;
      const joined = Buffer.concat([end, chunk.subarray(first.length)]);
      const over = Math.max(0, joined.length - SHOWN_BYTES_MAX);
      dropped += over;
      end = joined.subarray(over);
    },
    bytes: () => ({ begin: Buffer.concat(begin), dropped, end }),
  };
}

/** The chunks of an output as they may be kept and shown: whole lines, their secrets masked. */
export async function* masked(
  output: AsyncIterable<Uint8Array>,
  mask: Mask,
): AsyncGenerator<Uint8Array, void, void> {
  const stream = maskStream(mask);
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    const text = stream.push(decoder.decode(chunk, { stream: true }));
    if (text !== "") yield Buffer.from(text);
  }
  const rest = stream.push(decoder.decode()) + stream.end();
  if (rest !== "") yield Buffer.from(rest);
}

/** Output as text for a model: no colours, no cursor movement, line ends as \n. */
export function plainText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return stripVTControlCharacters(text)
    .replaceAll("\r\n", "\n")
    .replaceAll(/[^\n]*\r(?!\n)/g, "")
    .replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
}

type Room = Pick<ToolContext, "blobs" | "resultBytesMax">;

/** Head and tail of an output; where lines are left out, the whole is kept and named. */
export async function shown(output: Collected, room: Room & { mask: Mask }): Promise<string> {
  const { begin, dropped, end } = output.bytes();
  const lost = dropped > 0 ? `\n(${dropped} bytes were dropped here)\n` : "";
  return await shownText(room.mask(plainText(begin) + lost + plainText(end)), room);
}

/** Bytes that a tool may add to what it shows, such as how a command ended. */
const NOTES_BYTES = 1_024;

/** The outcome of any tool, its text within the room for it; nothing of it is lost. */
export async function fitted(
  outcome: ToolOutcome,
  room: Room & { mask: Mask },
): Promise<ToolOutcome> {
  const text = textOf(outcome.parts);
  if (Buffer.byteLength(text) <= room.resultBytesMax + NOTES_BYTES) return outcome;
  const others = outcome.parts.filter(({ type }) => type !== "text");
  return {
    ...outcome,
    parts: [{ type: "text", text: await shownText(room.mask(text), room) }, ...others],
  };
}

async function shownText(text: string, { blobs, resultBytesMax }: Room): Promise<string> {
  const bytesMax = Math.min(SHOWN_BYTES_MAX, resultBytesMax);
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const lines = text.split("\n");
  const head = fitting(lines, bytesMax * HEAD_SHARE);
  const tail = fitting(lines.slice(head.length).reverse(), bytesMax * (1 - HEAD_SHARE));
  const left = lines.length - head.length - tail.length;
  const kept = await blobs.put(Buffer.from(text));
  const where = kept.ok
    ? `${left} lines left out: read \`output:${kept.value}\` from ${head.length + 1}`
    : `${left} lines left out, and they could not be kept: ${kept.error.say}`;
  return [...head, `(${where})`, ...tail.reverse()].join("\n");
}

/** Lines from the front that fit; at least a piece of the first. */
function fitting(lines: readonly string[], bytesMax: number): string[] {
  const taken: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > bytesMax) {
      return taken.length > 0 ? taken : [`${line.slice(0, Math.floor(bytesMax / 4))}…`];
    }
    taken.push(line);
  }
  return taken;
}
