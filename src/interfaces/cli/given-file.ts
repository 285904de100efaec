// Reading a file that the user named on the command line, whatever it turns out to be: a limit on
// its bytes, no waiting for a pipe that nobody writes to, no devices.
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";

/** How long a pipe may say nothing before it is given up, in milliseconds: a build may take that. */
const SILENCE_MS = 60_000;
/** What is read of a pipe before it is known that somebody writes, in bytes. */
const PIECE_BYTES = 65_536;
const WRITER_FIX = "start its writer first, or name a file";

/** How a file is named in what is said, the most bytes it may have, and what to do beyond them. */
export type Given = { name: string; bytesMax: number; tooLargeFix: string; silenceMs?: number };

export async function readGiven(path: string, given: Given): Promise<Result<Buffer>> {
  const { name } = given;
  try {
    // Opened without waiting: the opening of a pipe would else wait for its writer, in a thread
    // that cannot be called back.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (stat.isFile()) return await fromFile(fd, given);
    if (stat.isFIFO()) {
      const first = firstOf(fd);
      if (first) return await fromPipe(fd, first, given);
    }
    closeSync(fd);
    if (stat.isFIFO()) return deserted(name);
    const what = stat.isDirectory() ? "a folder" : "a device or a socket";
    return fail("bad_input", `${name} is ${what}, not a file`, { fix: "name a file" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const say = code === "ENOENT" ? `there is no file ${name}` : `${name}: ${message}`;
    return fail("bad_input", say, { fix: "check the path" });
  }
}

/** A file may grow while it is read. */
async function fromFile(fd: number, given: Given): Promise<Result<Buffer>> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of createReadStream("", { fd })) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > given.bytesMax) return tooLarge(given);
  }
  return ok(Buffer.concat(chunks));
}

/** What is in a pipe already; nothing yet where a writer has it open; null where none has. */
function firstOf(fd: number): Buffer | null {
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    const bytes = readSync(fd, piece, 0, piece.length, null);
    return bytes === 0 ? null : piece.subarray(0, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return Buffer.alloc(0);
    throw error;
  }
}

/** The socket closes the descriptor, however it ends. */
async function fromPipe(fd: number, first: Buffer, given: Given): Promise<Result<Buffer>> {
  const { name, bytesMax, silenceMs = SILENCE_MS } = given;
  const { Socket } = await import("node:net");
  const pipe = new Socket({ fd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  let total = 0;
  let silent = false;
  pipe.setTimeout(silenceMs, () => {
    silent = true;
    pipe.destroy();
  });
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    total += chunk.length;
    if (total > bytesMax) pipe.destroy();
  };
  take(first);
  pipe.on("data", (chunk) => take(chunk as Buffer));
  const failed = await new Promise<Error | null>((resolve) => {
    pipe.on("error", resolve);
    pipe.on("close", () => resolve(null));
  });
  if (total > bytesMax) return tooLarge(given);
  if (failed) return fail("bad_input", `${name}: ${failed.message}`, { fix: WRITER_FIX });
  if (!silent) return total > 0 ? ok(Buffer.concat(chunks)) : deserted(name);
  const say = `${name} is a pipe that gave nothing for ${silenceMs / 1_000} s`;
  return fail("bad_input", say, { fix: WRITER_FIX });
}

const deserted = (name: string): Failed =>
  fail("bad_input", `${name} is a pipe that nobody writes to`, { fix: WRITER_FIX });

const tooLarge = ({ name, bytesMax, tooLargeFix }: Given): Failed =>
  fail("too_large", `${name} has more than ${bytesMax} bytes`, { fix: tooLargeFix });
