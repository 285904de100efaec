// Files that are the user's alone: made whole, read only where nobody else could have touched them.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "#boundary/durable.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";

/** Whether a path is there and this user's alone. Links are not followed. */
export function alone(path: string, what: "file" | "folder"): Result<boolean> {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ok(false);
    return unusable(path, error);
  }
  if (what === "file" ? !stat.isFile() : !stat.isDirectory()) {
    return fail("denied", `${path} is no ${what} of its own`, { fix: "look at it, and remove it" });
  }
  if ((stat.mode & 0o077) !== 0 || stat.uid !== process.getuid?.()) {
    return fail("denied", `others could use ${path}, so it is not used`, {
      fix: `chmod go-rwx ${path}, and set new keys if somebody may have read them`,
    });
  }
  return ok(true);
}

/** Null where there is no such file. */
export function privateText(path: string): Result<string | null> {
  const safe = alone(path, "file");
  if (!safe.ok) return safe;
  if (!safe.value) return ok(null);
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return unusable(path, error);
  }
}

export function privateFolder(path: string): Result<void> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return ok();
  } catch (error) {
    return unusable(path, error);
  }
}

/**
 * A file that is whole and the user's alone from its first moment. `first` leaves one that is there
 * as it is: of several processes the first one's stays.
 */
export function writeWhole(
  path: string,
  text: string,
  { first = false }: { first?: boolean } = {},
): Result<void> {
  const scratch = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const open = openSync(scratch, "wx", 0o600);
    try {
      writeSync(open, text);
      fsyncSync(open);
    } finally {
      closeSync(open);
    }
    if (first) linkSync(scratch, path);
    else renameSync(scratch, path);
    syncFolder(dirname(path));
    return ok();
  } catch (error) {
    const isThere = first && (error as NodeJS.ErrnoException).code === "EEXIST";
    return isThere ? ok() : unusable(path, error);
  } finally {
    rmSync(scratch, { force: true });
  }
}

export const unusable = (path: string, error: unknown): Failed =>
  fail("storage", `${path} cannot be used: ${(error as Error).message}`, {
    fix: "check who owns it and its folder",
  });
