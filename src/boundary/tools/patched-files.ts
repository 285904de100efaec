// The files of a patch as its operations leave them, before anything is written: each operation
// sees what the ones before it did, and one that fails leaves no trace.
import { sha256 } from "#boundary/digest.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import { bytesOf, checkSeen, maskedText, presentFile, textIn } from "#boundary/tools/text-file.ts";
import { applyChunks } from "#core/code/chunks.ts";
import { countsOf, unifiedDiff } from "#core/code/diff.ts";
import type { PatchOperation } from "#core/code/patch.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { FileChange } from "#core/session/tool-facts.ts";

/** `mode` is there where the file gets one: that of the file it was moved from. */
type Content = { bytes: Uint8Array; hash: string; mode?: number };

/** `null` stands for no file. `movedTo` is where its content went, which must be written first. */
export type FileState = {
  path: string;
  before: Content | null;
  now: Content | null;
  movedTo?: string;
};

/**
 * One file to write or to remove; only if `after`, another path, could be written. `unread`: the
 * session does not know what else is in it.
 */
export type PatchStep = {
  change: FileChange;
  now: Content | null;
  diff: string;
  after?: string;
  unread?: true;
};

export type PatchReport = { say: string; paths: readonly string[] };

/** Characters of the present content that a refusal shows. */
const PRESENT_CHARACTERS_MAX = 4_000;
/** UTF-16 units of all files that one patch updates: each is looked through several times. */
const UPDATED_CHARACTERS_MAX = 10_000_000;
/** Line numbers told of one update. */
const LINES_SAID_MAX = 20;

export type PatchedFiles = {
  /** What the operation does in one line, and to which files; or why it cannot be done. */
  apply(operation: PatchOperation): Promise<Result<PatchReport>>;
  /** Writes in the order of the patch, then removals. Files that end as they began are left out. */
  steps(): PatchStep[];
};

export function patchedFiles(context: ToolContext): PatchedFiles {
  const states = new Map<string, FileState>();
  let updated = 0;
  const put = (state: FileState, bytes: Uint8Array, mode?: number) => {
    const { movedTo: _, ...kept } = state;
    const now = { bytes, hash: sha256(bytes), ...(mode === undefined ? {} : { mode }) };
    states.set(state.path, { ...kept, now });
  };
  const stateOf = async (path: string): Promise<Result<FileState>> => {
    const name = context.workspace.relative(path);
    if (!name.ok) return name;
    const known = states.get(name.value);
    return known ? ok(known) : presentState(context, name.value);
  };
  const update = async (
    { chunks, moveTo }: PatchOperation & { do: "update" },
    state: FileState,
    now: Content,
  ): Promise<Result<PatchReport>> => {
    const { path } = state;
    const text = textIn({ path, bytes: now.bytes });
    if (!text.ok) return text;
    updated += text.value.length;
    if (updated > UPDATED_CHARACTERS_MAX) {
      const say = `the patch updates more than ${UPDATED_CHARACTERS_MAX} characters of files`;
      return fail("too_large", say, { fix: "send it as several patches" });
    }
    const masked = maskedText([JSON.stringify(chunks)], text.value);
    if (masked) return masked;
    const patched = applyChunks(text.value, chunks);
    if (!patched.ok) return patched;
    const bytes = bytesOf(patched.value.text);
    if (!bytes.ok) return bytes;
    const target = moveTo === undefined ? ok(state) : await stateOf(moveTo);
    if (!target.ok) return target;
    const movedTo = target.value.path;
    const mode = now.mode ?? (movedTo === path ? undefined : await modeOf(context, state));
    put(target.value, bytes.value, mode);
    const counts = countsOf(unifiedDiff(text.value, patched.value.text));
    if (movedTo === path) {
      return ok({
        say: `updated ${path} (${counts})${atLines(patched.value.lines)}`,
        paths: [path],
      });
    }
    states.set(path, { ...state, now: null, movedTo });
    return ok({ say: `moved ${path} to ${movedTo} (${counts})`, paths: [path, movedTo] });
  };
  return {
    async apply(operation) {
      const state = await stateOf(operation.path);
      if (!state.ok) return state;
      const { path, now } = state.value;
      if (operation.do === "add") {
        const masked = maskedText([operation.text], "");
        if (masked) return masked;
        const bytes = bytesOf(operation.text);
        if (!bytes.ok) return bytes;
        put(state.value, bytes.value);
        return ok({ say: `${now ? "replaced" : "added"} ${path}`, paths: [path] });
      }
      if (!now) {
        return fail("not_found", `\`${path}\` does not exist`, {
          fix: operation.do === "update" ? "add it instead, or correct the path" : "leave it out",
        });
      }
      if (operation.do === "update") return update(operation, state.value, now);
      states.set(path, { ...state.value, now: null });
      return ok({ say: `deleted ${path}`, paths: [path] });
    },
    steps() {
      const steps = [...states.values()].flatMap(stepOf);
      return [
        ...steps.filter(({ now }) => now !== null),
        ...steps.filter(({ now }) => now === null),
      ];
    },
  };
}

/** The file as it is now; a refusal if that is not what the session has seen. */
async function presentState(context: ToolContext, path: string): Promise<Result<FileState>> {
  const present = await presentFile(context.workspace, path);
  if (!present.ok) return present;
  const { hash, bytes } = present.value;
  const unseen = checkSeen(context, present.value, () => {
    const text = textIn(present.value);
    const held = text.ok ? text.value.slice(0, PRESENT_CHARACTERS_MAX) : text.error.say;
    return `It begins like this now:\n${held}\n`;
  });
  if (unseen) return unseen;
  const before = hash === "absent" ? null : { bytes, hash };
  return ok({ path, before, now: before });
}

function stepOf({ path, before, now, movedTo }: FileState): PatchStep[] {
  if (before?.hash === now?.hash) return [];
  const change = { path, before: before?.hash ?? "absent", after: now?.hash ?? "absent" };
  const { text: diff } = unifiedDiff(shown(path, before), shown(path, now), { path });
  return [{ change, now, diff, after: now ? undefined : movedTo }];
}

/** The permission bits of a file that is there; a file that this patch adds has none yet. */
async function modeOf(context: ToolContext, state: FileState): Promise<number | undefined> {
  if (state.before === null) return undefined;
  const found = await context.workspace.stat(state.path);
  return found.ok && found.value.kind === "file" ? found.value.mode & 0o777 : undefined;
}

function atLines(lines: readonly number[]): string {
  const shownLines = lines.slice(0, LINES_SAID_MAX).join(", ");
  return lines.length > 0
    ? ` at line ${shownLines}${lines.length > LINES_SAID_MAX ? ", …" : ""}`
    : "";
}

function shown(path: string, content: Content | null): string | null {
  if (!content) return null;
  const text = textIn({ path, bytes: content.bytes });
  return text.ok ? text.value : `(${content.bytes.length} bytes that are not text)\n`;
}
