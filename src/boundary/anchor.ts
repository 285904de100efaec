// The anchor: a file outside the database to which a line is added for each seal. Whoever cuts or
// rewrites the log must change it too, so a copy belongs where they cannot.
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "#boundary/durable.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { readAnchor } from "#core/seal.ts";

/** Bytes of an anchor that is read. */
const ANCHOR_BYTES_MAX = 512 * 1024 * 1024;
/** Bytes at an anchor's end that hold at least its last line. */
const LINE_BYTES_MAX = 4_096;

/** Adds lines, durably; a line that a crash tore is ended first. */
export function addToAnchor(file: string, lines: string): Result<void> {
  const { O_APPEND, O_CREAT, O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const fd = openSync(file, O_APPEND | O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return unusable(file, "it is no regular file");
      const text = isTorn(fd, stat.size) ? `\n${lines}` : lines;
      // One write: lines of several processes do not mix.
      writeSync(fd, text);
      fsyncSync(fd);
      if (stat.size === 0) syncFolder(dirname(file));
      return ok();
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return unusable(file, (error as Error).message);
  }
}

function isTorn(fd: number, size: number): boolean {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}

/** The number of the last seal in an anchor; 0 where there is none. */
export function lastInAnchor(file: string): Result<number> {
  const tail = read(file, { tail: LINE_BYTES_MAX });
  if (!tail.ok) return tail;
  return ok(readAnchor(tail.value ?? "").lines.at(-1)?.seal ?? 0);
}

/** The text of an anchor; null where there is none. */
export const anchorText = (file: string): Result<string | null> => read(file, {});

function read(file: string, { tail }: { tail?: number }): Result<string | null> {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return unusable(file, "it is no regular file");
      if (tail === undefined && stat.size > ANCHOR_BYTES_MAX) return unusable(file, "too long");
      const from = tail === undefined ? 0 : Math.max(0, stat.size - tail);
      const bytes = Buffer.alloc(stat.size - from);
      const count = readSync(fd, bytes, 0, bytes.length, from);
      return ok(bytes.subarray(0, count).toString());
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ok(null);
    return unusable(file, (error as Error).message);
  }
}

const unusable = (file: string, why: string) =>
  fail("storage", `the anchor ${file} cannot be used: ${why}`, {
    fix: "check the path, or set `audit.anchor` to another",
  });
