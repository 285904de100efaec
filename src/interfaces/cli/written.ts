// Lines that go to standard output, or into a new file that is the user's alone and is there whole or
// not at all.
import { type FileHandle, open, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { fail, type Result } from "#core/failure.ts";
import type { Cli } from "#interfaces/cli/cli.ts";

export type Write = (line: string) => Promise<void>;

/** Has `lines` written to a file, by its name, or else to standard output. */
export async function written<T>(
  name: string | undefined,
  cli: Cli,
  lines: (write: Write) => Promise<Result<T>>,
): Promise<Result<T>> {
  if (name === undefined) return await lines(async (line) => cli.terminal.out(line));
  const path = resolve(cli.folder, name);
  let file: FileHandle;
  try {
    file = await open(path, "wx", 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const say = code === "EEXIST" ? `${path} is there already` : message;
    return fail("bad_input", say, { fix: "name another file after -o" });
  }
  const done = await intoFile(file, lines).catch((error: Error) =>
    fail("storage", `${path} cannot be written: ${error.message}`, {
      fix: "free disk space, or name a file elsewhere after -o",
    }),
  );
  await file.close();
  // A part of an export would only be mistaken for the whole.
  if (!done.ok) await unlink(path).catch(() => {});
  return done;
}

async function intoFile<T>(
  file: FileHandle,
  lines: (write: Write) => Promise<Result<T>>,
): Promise<Result<T>> {
  const done = await lines(async (line) => void (await file.write(line)));
  await file.sync();
  return done;
}
