// What the tools over the code index have in common: the index brought up to date for a while, and
// only lines that the workspace itself reads, in files that the session may read unasked.
import type { CodeIndex, RefreshProgress } from "#boundary/index/port.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** How long an answer waits for the index, in milliseconds; it goes on beside it. */
const WAIT_MS = 10_000;
/** Bytes of a file that is in the index. */
const FILE_BYTES_MAX = 1_000_000;
/** UTF-8 bytes of one answer. */
const OUTPUT_BYTES_MAX = 30 * 1024;
/** Bytes of an answer that are notes. */
const NOTES_BYTES = 300;

/** An index to ask; `note` says what of the files it does not have yet. */
export type Fresh = { index: CodeIndex; note: string };

/** The index of the workspace, as far as it could be brought up to date in time. */
export async function freshIndex(
  context: ToolContext,
  signal: AbortSignal,
): Promise<Result<Fresh>> {
  const opened = await context.index?.();
  if (!opened) {
    return fail("not_supported", "there is no code index here", {
      fix: `search the text with \`${context.words("search")}\``,
    });
  }
  if (!opened.ok) return opened;
  const index = opened.value;
  const note = await Promise.race([refreshed(index), off(signal)]);
  return note.ok ? ok({ index, note: note.value }) : note;
}

async function refreshed(index: CodeIndex): Promise<Result<string>> {
  let last: RefreshProgress | null = null;
  const never = new AbortController().signal;
  const refreshing = index.refresh(never, (progress) => {
    last = progress;
  });
  // It goes on where this answer does not wait for it any longer.
  const done = await Promise.race([refreshing, late()]);
  if (done?.ok) return ok("");
  if (done && done.error.code !== "cancelled") return done;
  const { files, of } = last ?? { files: 0, of: 0 };
  const left =
    of > 0 ? `${of - files} of ${of} files are not in it yet` : "not all files are in it";
  return ok(`(The index is still being built: ${left}. Ask again to go on, or search the text.)`);
}

function late(): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(resolve, WAIT_MS, null).unref();
  });
}

function off(signal: AbortSignal): Promise<Result<string>> {
  const cancelled = fail("cancelled", "the question to the index was called off");
  return new Promise((resolve) => {
    if (signal.aborted) resolve(cancelled);
    else signal.addEventListener("abort", () => resolve(cancelled), { once: true });
  });
}

export type Present = {
  mayRead(path: string): boolean;
  /** The lines of a file as the workspace reads it; null where it does not, or may not be read. */
  lines(path: string): Promise<readonly string[] | null>;
};

/** The files as they may be shown. */
export async function presentIn({ workspace, readable }: ToolContext): Promise<Present> {
  const mayRead = await readable();
  const known = new Map<string, Promise<readonly string[] | null>>();
  const read = async (path: string) => {
    if (!mayRead(path)) return null;
    const bytes = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
    return bytes.ok ? new TextDecoder().decode(bytes.value).split(/\r?\n/) : null;
  };
  return {
    mayRead,
    lines(path) {
      const lines = known.get(path) ?? read(path);
      known.set(path, lines);
      return lines;
    },
  };
}

/** The pieces that fit in an answer, in their order, and what is left out in a line. */
export function fittingPieces(
  pieces: readonly string[],
  { resultBytesMax }: Pick<ToolContext, "resultBytesMax">,
): string[] {
  let room = Math.min(OUTPUT_BYTES_MAX, resultBytesMax) - NOTES_BYTES;
  const shown: string[] = [];
  for (const piece of pieces) {
    room -= Buffer.byteLength(piece) + 1;
    if (room < 0) break;
    shown.push(piece);
  }
  const left = pieces.length - shown.length;
  return left > 0 ? [...shown, `(${left} more: ask for less, or more exactly)`] : shown;
}
