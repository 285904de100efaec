// Text files as the file tools see them: read and written as UTF-8 and nothing else, named by the
// hash of their bytes, and changed only in the state in which the session has seen them.
import { sha256 } from "#boundary/digest.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import type { Expected, Workspace } from "#boundary/workspace/port.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { MASKED } from "#core/security/mask.ts";
import { maskIds } from "#core/security/secret-rules.ts";

/** Bytes of a file that a tool reads whole. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;

/** Bytes at a file's beginning in which a NUL says that it is no text; as git and grep look. */
const BINARY_LOOK_BYTES = 8_000;

/** A file as it is now: `absent`, or its bytes and their hash. */
export type Present = { path: string; hash: Expected; bytes: Uint8Array };

/** The file's state now; `absent` where there is none. A folder fails. */
export async function presentFile(workspace: Workspace, path: string): Promise<Result<Present>> {
  const name = workspace.relative(path);
  if (!name.ok) return name;
  const read = await workspace.read(name.value, { bytesMax: FILE_BYTES_MAX });
  if (read.ok) return ok({ path: name.value, hash: sha256(read.value), bytes: read.value });
  if (read.error.code !== "not_found") return read;
  return ok({ path: name.value, hash: "absent", bytes: new Uint8Array() });
}

/** The text of a file's bytes, byte order mark included; other bytes than UTF-8 text fail. */
export function textIn({ path, bytes }: { path: string; bytes: Uint8Array }): Result<string> {
  if (isBinary(bytes)) {
    return fail("bad_input", `\`${path}\` is not a text file`, {
      fix: "change it with a command that knows its format",
    });
  }
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fail("bad_input", `\`${path}\` is not UTF-8 text`, {
      fix: "convert it with a command such as `iconv` first",
    });
  }
}

export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_LOOK_BYTES).includes(0);
}

/** The bytes of a text; half a surrogate pair has none and fails, instead of becoming `U+FFFD`. */
export function bytesOf(text: string): Result<Uint8Array> {
  if (text.isWellFormed()) return ok(new TextEncoder().encode(text));
  return fail("bad_input", "the text has half of a surrogate pair, which no file can hold", {
    fix: "write the whole character, or the escape as the file's own language has it",
  });
}

/**
 * Fails as `stale` unless the session has read, or written, exactly what the file holds now. What
 * it holds is told only to a session that has read the file before: it may not be allowed to.
 */
export function checkSeen(
  { seen, words }: ToolContext,
  { path, hash }: { path: string; hash: Expected },
  present: () => string,
): Failed | undefined {
  if (hash === "absent" || seen.get(path) === hash) return undefined;
  if (!seen.has(path)) {
    return fail("stale", `\`${path}\` exists and this session has not read it`, {
      fix: `nothing was changed; \`${words("read")}\` it first, then do this again`,
    });
  }
  return fail("stale", `\`${path}\` was changed since this session read it. ${present()}`, {
    fix: `nothing was changed; \`${words("read")}\` it again, then make the change to what it holds now`,
  });
}

/**
 * Fails where a text has a mask in it: it stands for a secret that the model was not shown, and
 * written down it would destroy it. A file that holds the very words may be changed in them.
 */
export function maskedText(texts: readonly string[], held: string): Failed | undefined {
  for (const text of texts) {
    for (const [mask, id = ""] of text.matchAll(MASKED)) {
      if (maskIds.has(id) && !held.includes(mask)) return standsForSecret(mask);
    }
  }
  return undefined;
}

export const maskInCommand = (command: string): Failed | undefined => maskedText([command], "");

const standsForSecret = (mask: string): Failed =>
  fail("no_match", `\`${mask}\` stands for a secret that you are not shown`, {
    fix:
      "nothing was changed; leave its line out and change the lines beside it: the secret stays as " +
      "it is. If the task needs the secret itself, run a command with escalate of kind secret and " +
      "the file's path: the user is asked",
  });

/** Lines with their numbers, as `read` shows them: the number, a tab, the line. */
export function numbered(lines: readonly string[], from: number): string {
  return lines.map((line, i) => `${from + i}\t${line}`).join("\n");
}
