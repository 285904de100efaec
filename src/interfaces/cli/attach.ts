// What goes with a prompt: files named with `-i`, and what was piped in. Images and PDFs go as they
// are, text is put into the prompt with its path, anything else is refused.
import { realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { masker } from "#core/security/mask.ts";
import { secrecyOf, valuesIn } from "#core/security/secret-files.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

export type Attachment = { name: string; media: string; base64: string };
export type Spoken = { text: string; attachments: Attachment[] };

/** Bytes of a file that is attached. */
const FILE_BYTES_MAX = 20_971_520;
/** Characters of a prompt, with everything that was put into it. */
const PROMPT_CHARS_MAX = 1_000_000;
/** Bytes of piped input: in UTF-8 a character has at most four. */
const PIPED_BYTES_MAX = 4 * PROMPT_CHARS_MAX;
/** After this long without an end of the piped input, it is said what is waited for, in ms. */
const PATIENCE_MS = 1_000;

/** The prompt of a command line: its words, then what was piped in, then the files. */
export async function spoken(
  given: { words: readonly string[]; files: readonly string[]; folder: string },
  terminal: Terminal,
): Promise<Result<Spoken>> {
  const texts = [given.words.join(" ").trim()];
  if (terminal.piped) {
    const piped = await pipedText(terminal);
    if (!piped.ok) return piped;
    texts.push(maskedFor(piped.value.trim(), "what was piped in", null, terminal));
  }
  const attachments: Attachment[] = [];
  for (const name of given.files) {
    const file = await attached(name, given.folder, terminal);
    if (!file.ok) return file;
    if (typeof file.value === "string") texts.push(file.value);
    else attachments.push(file.value);
  }
  const text = texts.filter((part) => part !== "").join("\n\n");
  if (text.length > PROMPT_CHARS_MAX) return tooLong(text.length);
  return ok({ text, attachments });
}

const tooLong = (chars: number): Failed =>
  fail("too_large", `the prompt has ${chars} characters, more than ${PROMPT_CHARS_MAX}`, {
    fix: "save the long part as a file in the folder and let the model read it",
  });

async function pipedText(terminal: Terminal): Promise<Result<string>> {
  const waiting = setTimeout(() => {
    terminal.err("aiex: reading standard input until it ends; `</dev/null` says there is none\n");
  }, PATIENCE_MS);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of terminal.input()) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > PIPED_BYTES_MAX) return tooLong(bytes);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A terminal-less parent may leave a standard input that cannot be read at all: nothing piped.
    if (code === "EISDIR" || code === "EAGAIN" || code === "EIO" || code === "EBADF") return ok("");
    return fail("bad_input", `standard input cannot be read: ${message}`);
  } finally {
    clearTimeout(waiting);
  }
  const text = textOf(Buffer.concat(chunks));
  return text === null
    ? fail("bad_input", "what was piped in is not UTF-8 text", { fix: "attach it with -i" })
    : ok(text);
}

async function attached(
  name: string,
  folder: string,
  terminal: Pick<Terminal, "err">,
): Promise<Result<Attachment | string>> {
  const path = resolve(folder, name);
  const tooLargeFix = "let the model read the part that matters";
  const read = await readGiven(path, { name, bytesMax: FILE_BYTES_MAX, tooLargeFix });
  if (!read.ok) return read;
  const bytes = read.value;
  const media = mediaOf(bytes);
  if (media) return ok({ name: basename(path), media, base64: bytes.toString("base64") });
  const text = textOf(bytes);
  if (text === null) return notUsable(name);
  return ok(`The file ${name}:\n${fenced(maskedFor(text, name, path, terminal))}`);
}

/** Without its secrets; of a secret file no value goes. What the user types, they mean to say. */
function maskedFor(
  text: string,
  name: string,
  path: string | null,
  terminal: Pick<Terminal, "err">,
): string {
  const plain = masker()(text);
  const secrecy = path === null ? null : (secrecyOf(path) ?? secrecyOf(realOf(path)));
  const isSecret = secrecy === "always" || (secrecy === "perhaps" && plain !== text);
  const masked = isSecret ? masker({ known: valuesIn(text) })(text) : plain;
  if (masked !== text) {
    terminal.err(`aiex: secrets in ${name} are masked; type one into the prompt to send it\n`);
  }
  return masked;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const notUsable = (name: string): Failed =>
  fail("bad_input", `${name} is neither text, an image (png, jpeg, gif, webp) nor a PDF`, {
    fix: "convert it, or let the model use a tool on it",
  });

/** A fence that is longer than any in the text, so that the text cannot end it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.replace(/\n?$/, "\n")}${fence}`;
}

/** UTF-8 text, or null where it is something else. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The kinds of files that models take, by how they begin. */
const beginnings: readonly { media: string; at: number; hex: string }[] = [
  { media: "image/png", at: 0, hex: "89504e470d0a1a0a" },
  { media: "image/jpeg", at: 0, hex: "ffd8ff" },
  { media: "image/gif", at: 0, hex: "47494638" },
  { media: "image/webp", at: 8, hex: "57454250" },
  { media: "application/pdf", at: 0, hex: "255044462d" },
];

export function mediaOf(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString("hex");
  return beginnings.find(({ at, hex }) => head.startsWith(hex, at * 2))?.media ?? null;
}
