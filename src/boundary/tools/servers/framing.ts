// The frames of the Language Server Protocol: a head that says how many bytes follow, then JSON.
// What comes in is bounded, and anything that is no frame ends the talk.
import { fail, ok, type Result } from "#core/failure.ts";

/** Bytes of one message. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of a head; a real one has about 25. */
const HEAD_BYTES_MAX = 4_096;
const HEAD_END = Buffer.from("\r\n\r\n");

/** One message as the bytes of its frame. */
export function framed(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

/** Takes bytes as they come and answers the messages that are whole; a failure is final. */
export function frameReader(): (chunk: Uint8Array) => Result<unknown[]> {
  let head: Buffer = Buffer.alloc(0);
  let body: Uint8Array[] = [];
  let wanted: number | null = null;
  let have = 0;

  /** The rest behind a whole head, or null where more has to come. */
  const headTaken = (chunk: Buffer): Result<Buffer | null> => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      return head.length > HEAD_BYTES_MAX || !maybeHead(head) ? noFrame(head) : ok(null);
    }
    const length = /^Content-Length: *(\d{1,15})\r?$/im.exec(head.toString("latin1", 0, end))?.[1];
    if (length === undefined || end > HEAD_BYTES_MAX) return noFrame(head);
    if (Number(length) > MESSAGE_BYTES_MAX) {
      const say = `it sent a message of ${length} bytes, more than ${MESSAGE_BYTES_MAX}`;
      return fail("too_large", say);
    }
    wanted = Number(length);
    const rest = head.subarray(end + HEAD_END.length);
    head = Buffer.alloc(0);
    return ok(rest);
  };

  return (chunk) => {
    const messages: unknown[] = [];
    let rest: Buffer = Buffer.from(chunk);
    while (rest.length > 0 || wanted === 0) {
      if (wanted === null) {
        const behind = headTaken(rest);
        if (!behind.ok) return behind;
        if (behind.value === null) break;
        rest = behind.value;
        continue;
      }
      const part = rest.subarray(0, wanted - have);
      body.push(part);
      have += part.length;
      rest = rest.subarray(part.length);
      if (have < wanted) break;
      const message = parsed(Buffer.concat(body));
      if (!message.ok) return message;
      messages.push(message.value);
      body = [];
      wanted = null;
      have = 0;
    }
    return ok(messages);
  };
}

/** Both fields of a head begin so; whatever else comes is told at once, not after a wait. */
const maybeHead = (head: Buffer): boolean =>
  "content-".startsWith(head.toString("latin1", 0, 8).toLowerCase());

const noFrame = (bytes: Buffer) =>
  fail("broken", `it sent what is no message: ${JSON.stringify(bytes.toString("utf8", 0, 80))}`);

function parsed(bytes: Buffer): Result<unknown> {
  try {
    return ok(JSON.parse(bytes.toString("utf8")));
  } catch {
    return noFrame(bytes);
  }
}
