// Gives the model a window of a text file or of a kept tool output, with line numbers; images and
// PDFs as they are. What it read is the state that an edit may change.

import * as z from "zod/mini";
import { sha256 } from "#boundary/digest.ts";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { FILE_BYTES_MAX, isBinary } from "#boundary/tools/text-file.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import { linesOf, sourceText } from "#core/code/lines.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";
import type { Mask } from "#core/security/mask.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Lines of one window. */
const LINES_MAX = 2_000;
/** UTF-16 units of a line that are shown. */
const LINE_CHARACTERS_MAX = 2_000;
/** Of the bytes there are, the share of one line's characters: each has three bytes at most. */
const LINE_SHARE = 1 / 4;
/** UTF-8 bytes of one window; in a small window of the model less. */
const WINDOW_BYTES_MAX = 50 * 1024;
/** Bytes of an image: what the providers take (5 MB at the strictest). */
const IMAGE_BYTES_MAX = 5_000_000;
/** Names offered where a file is not found. */
const NAMES_MAX = 5;

const OUTPUT = "output:";

export const read = defineTool({
  name: "read",
  effect: "pure",
  about: [
    "Read a file of the workspace, or a kept tool output (`output:HASH`), with line numbers",
    "(number, tab, line). Read a file before you edit it. Images (png, jpg, gif, webp) and PDFs are",
    "shown to you as they are. Not for folders (`list`) or for finding text (`search`).",
    `At most ${LINES_MAX} lines or ${WINDOW_BYTES_MAX / 1024} KB at once; the end of the answer says`,
    `how to go on. Lines are cut after ${LINE_CHARACTERS_MAX} characters.`,
  ].join(" "),
  input: z.strictObject({
    path: z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(4_096),
        z.describe("Path in the workspace, or output:HASH."),
      ),
    from: z.optional(z.int().check(z.gte(1), z.describe("First line, counted from 1. Default 1."))),
    lines: z.optional(
      z
        .int()
        .check(z.gte(1), z.lte(LINES_MAX), z.describe(`How many lines. Default ${LINES_MAX}.`)),
    ),
  }),
  example: { path: "src/main.ts", from: 1, lines: 200 },
  async prepare({ path, from = 1, lines = LINES_MAX }, context) {
    const window = { from, lines };
    if (path.startsWith(OUTPUT)) {
      return ok({
        access: [],
        effect: "pure" as const,
        intent: {},
        title: `read ${path.slice(0, OUTPUT.length + 12)} from line ${from}`,
        run: ({ mask }) => readOutput(path.slice(OUTPUT.length), { ...window, mask }, context),
      });
    }
    const name = context.workspace.relative(path);
    if (!name.ok) return name;
    return ok({
      access: [{ kind: "read" as const, path: name.value }],
      effect: "pure" as const,
      intent: {},
      title: from === 1 ? `read ${name.value}` : `read ${name.value} from line ${from}`,
      run: ({ mask }) => readFile(name.value, { ...window, mask }, context),
    });
  },
});

type Window = { from: number; lines: number; mask: Mask };

async function readOutput(hash: string, window: Window, context: ToolContext) {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    const failed = fail("bad_input", "`output:` is followed by the 64 characters of a hash", {
      fix: "copy the whole name from the result that mentions it",
    });
    return refusal(failed.error);
  }
  const kept = await context.blobs.get(hash, { from: 0, bytes: FILE_BYTES_MAX });
  if (!kept.ok) return refusal({ ...kept.error, fix: "run the tool again to have its output" });
  return readText(`${OUTPUT}${hash}`, kept.value, window, { facts: [], context });
}

async function readFile(path: string, window: Window, context: ToolContext): Promise<ToolOutcome> {
  const file = await context.workspace.read(path, { bytesMax: FILE_BYTES_MAX });
  if (!file.ok) return refusal(await unreadable(path, file.error, context));
  const bytes = file.value;
  const facts: Fact[] = [{ type: "fileSeen", path, hash: sha256(bytes) }];
  const media = mediaOf(bytes);
  if (media) return readMedia(path, bytes, media, facts, context);
  return readText(path, bytes, window, { facts, context });
}

async function readMedia(
  path: string,
  bytes: Uint8Array,
  media: string,
  facts: Fact[],
  { blobs }: ToolContext,
): Promise<ToolOutcome> {
  if (media !== "application/pdf" && bytes.length > IMAGE_BYTES_MAX) {
    const say = `\`${path}\` has ${bytes.length} bytes, more than the ${IMAGE_BYTES_MAX} of an image`;
    return refusal(fail("too_large", say, { fix: "make it smaller with a command first" }).error);
  }
  const put = await blobs.put(bytes);
  if (!put.ok) return refusal(put.error);
  const name = path.split("/").at(-1) ?? path;
  const blob = { hash: put.value, bytes: bytes.length, media, name };
  const text = `${path} (${media}, ${bytes.length} bytes)`;
  return outcome(
    [
      { type: "text", text },
      { type: "blob", blob },
    ],
    { facts },
  );
}

function readText(
  path: string,
  bytes: Uint8Array,
  window: Window,
  { facts, context }: { facts: Fact[]; context: ToolContext },
): ToolOutcome {
  const { words, resultBytesMax } = context;
  if (isBinary(bytes)) {
    const failed = fail("bad_input", `\`${path}\` is binary (${bytes.length} bytes)`, {
      fix: "look at it with a command such as `file`, `xxd` or `iconv`",
    });
    return refusal(failed.error);
  }
  // Before lines are chosen: a key is known by its first line. Masks keep the lines where they are.
  const text = window.mask(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  const source = sourceText(text);
  const lines = linesOf(source);
  if (lines.length === 0) return outcome(`(\`${path}\` is empty)`, { facts });
  if (window.from > lines.length) {
    const say = `\`${path}\` has ${lines.length} lines, so there is no line ${window.from}`;
    return refusal(fail("bad_input", say, { fix: "read it from an earlier line" }).error);
  }
  const bytesMax = Math.min(WINDOW_BYTES_MAX, resultBytesMax);
  const { shown, next, isCut } = windowOf(lines, { ...window, bytesMax });
  const notes = [
    ...(isCut ? ["(long lines are cut: show a part of one with a command such as `cut -c`)"] : []),
    ...(next <= lines.length
      ? [`(${lines.length - next + 1} more lines: read on with ${words("read.from")}: ${next})`]
      : []),
    ...(source.ends.includes("\r\n") ? ["(line endings: CRLF)"] : []),
    ...(text.includes("\uFFFD") && !isUtf8(bytes)
      ? [
          `(not UTF-8: what could not be decoded is shown as \uFFFD; \`${words("edit")}\` will refuse it)`,
        ]
      : []),
  ];
  return outcome([...shown, ...notes].join("\n"), { facts });
}

/** The numbered lines that fit, and the number of the line after them. */
function windowOf(
  lines: readonly string[],
  { from, lines: count, bytesMax }: Window & { bytesMax: number },
) {
  const charactersMax = Math.min(LINE_CHARACTERS_MAX, Math.floor(bytesMax * LINE_SHARE));
  const shown: string[] = [];
  let isCut = false;
  let bytes = 0;
  let next = from;
  for (const line of lines.slice(from - 1, from - 1 + count)) {
    const over = line.length - charactersMax;
    const cut = over > 0 ? `${line.slice(0, charactersMax)}… (${over} more characters)` : line;
    const text = `${next}\t${cut}`;
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > bytesMax) break;
    shown.push(text);
    isCut ||= over > 0;
    next += 1;
  }
  return { shown, next, isCut };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** By the first bytes, since a name can say anything. */
function mediaOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString("latin1");
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8) === "WEBP") return "image/webp";
  return head.startsWith("%PDF-") ? "application/pdf" : undefined;
}

/** The failure, with what to do instead: similar names, the right tool, a smaller part. */
async function unreadable(
  path: string,
  failure: Failure,
  { workspace, words }: ToolContext,
): Promise<Failure> {
  if (failure.code === "too_large") {
    const fix = `find the place with \`${words("search")}\`, or cut out a part with a command such as \`sed -n\``;
    return { ...failure, fix };
  }
  const found = await workspace.stat(path);
  if (found.ok && found.value.kind === "folder") {
    return {
      ...failure,
      say: `\`${path}\` is a folder`,
      fix: `use \`${words("list")}\` for folders`,
    };
  }
  if (failure.code !== "not_found") return failure;
  const near = await namesLike(path, workspace.list);
  const fix =
    near.length > 0 ? `did you mean ${near.join(", ")}?` : `look for it with \`${words("glob")}\``;
  return { ...failure, fix };
}

async function namesLike(
  path: string,
  list: (folder: string) => Promise<Result<{ name: string }[]>>,
): Promise<string[]> {
  const cut = path.lastIndexOf("/");
  const folder = cut === -1 ? "." : path.slice(0, cut);
  const stem = (name: string) => name.toLowerCase().replace(/\.[^.]*$/, "");
  const wanted = stem(path.slice(cut + 1));
  const entries = await list(folder);
  if (!entries.ok || wanted === "") return [];
  return entries.value
    .filter(
      ({ name }) => stem(name).includes(wanted) || (stem(name) && wanted.includes(stem(name))),
    )
    .slice(0, NAMES_MAX)
    .map(({ name }) => (folder === "." ? name : `${folder}/${name}`));
}
