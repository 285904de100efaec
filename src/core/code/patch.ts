// The patch format of `apply_patch`: a text between `*** Begin Patch` and `*** End Patch` that
// adds, deletes, updates and moves files. A patch is read whole or refused with its bad line.
import { fail, ok, type Result } from "#core/failure.ts";

/** A line of an update as it was written: context, taken out, or put in. */
export type ChunkLine = { op: " " | "-" | "+"; text: string };

/**
 * One region of an update. It lies after its `headings`, each of which is a line of the file;
 * `endOfFile` says that it is the file's end. `patchLine` counts from 1.
 */
export type Chunk = {
  headings: string[];
  lines: ChunkLine[];
  endOfFile: boolean;
  patchLine: number;
};

export type PatchOperation =
  | { do: "add"; path: string; text: string }
  | { do: "delete"; path: string }
  | { do: "update"; path: string; moveTo?: string; chunks: Chunk[] };

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const ADD = "*** Add File: ";
const DELETE = "*** Delete File: ";
const UPDATE = "*** Update File: ";
const MOVE = "*** Move to: ";
const END_OF_FILE = "*** End of File";

const EXAMPLE = `${BEGIN}\n${UPDATE}a.txt\n@@\n unchanged line\n-old line\n+new line\n${END}`;

/**
 * Reads a patch. Markers may be padded with white space, and the whole may be wrapped as a shell
 * would (`<<'EOF'` … `EOF`); everything else that is not in the format fails as `bad_input`.
 * A line that begins with a space inside an update is always context, whatever follows.
 */
export function parsePatch(text: string): Result<PatchOperation[]> {
  const body = patchBody(text);
  if (!body.ok) return body;
  const reading: Reading = { ...body.value, at: 0, operations: [] };
  while (reading.at < reading.lines.length) {
    const read = readOperation(reading);
    if (!read.ok) return read;
  }
  if (reading.operations.length === 0) {
    return fail("bad_input", "the patch changes no file", { fix: `write it like\n${EXAMPLE}` });
  }
  return ok(reading.operations);
}

/** True for text that means to be a patch, which need not be in JSON then. */
export function isPatch(text: string): boolean {
  return /^\s*(<<-?\s*['"]?EOF['"]?\s*\n\s*)?\*\*\* Begin Patch\s/.test(text.slice(0, 1_000));
}

/** The lines between the first and the last marker; `before` is how many lines precede them. */
type Body = { lines: string[]; before: number };
type Reading = Body & { at: number; operations: PatchOperation[] };

function patchBody(text: string): Result<Body> {
  // A byte order mark counts as white space here.
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  let from = 0;
  let to = lines.length - 1;
  const skipBlank = () => {
    while (from <= to && lines[from]?.trim() === "") from += 1;
    while (to >= from && lines[to]?.trim() === "") to -= 1;
  };
  skipBlank();
  const wrapped = /^<<-?\s*(['"]?)EOF\1$/.test(lines[from]?.trim() ?? "");
  if (wrapped && lines[to]?.trim() === "EOF") {
    from += 1;
    to -= 1;
    skipBlank();
  }
  if (lines[from]?.trim() !== BEGIN) {
    return bad(from, `a patch begins with \`${BEGIN}\`, this one with \`${short(lines[from])}\``);
  }
  if (to <= from || lines[to]?.trim() !== END) {
    return bad(to, `a patch ends with \`${END}\`; without it something may be missing`);
  }
  return ok({ lines: lines.slice(from + 1, to), before: from + 1 });
}

function readOperation(reading: Reading): Result<void> {
  const line = (reading.lines[reading.at] ?? "").trim();
  const number = reading.before + reading.at;
  reading.at += 1;
  if (line === "") return ok();
  const path = [ADD, DELETE, UPDATE]
    .filter((marker) => line.startsWith(marker))
    .map((marker) => line.slice(marker.length).trim())[0];
  if (path === undefined) {
    const known = [ADD, DELETE, UPDATE].map((marker) => `\`${marker}PATH\``).join(", ");
    return bad(number, `\`${short(line)}\` is none of ${known}`);
  }
  if (path === "") return bad(number, "the path is missing");
  if (line.startsWith(ADD)) return readAdd(reading, path);
  if (line.startsWith(UPDATE)) return readUpdate(reading, path);
  reading.operations.push({ do: "delete", path });
  return ok();
}

function readAdd(reading: Reading, path: string): Result<void> {
  const lines: string[] = [];
  while (reading.at < reading.lines.length && !isHeader(reading.lines[reading.at] ?? "")) {
    const line = reading.lines[reading.at] ?? "";
    if (line.startsWith("+")) {
      lines.push(`${line.slice(1)}\n`);
      reading.at += 1;
      continue;
    }
    // Blank lines between operations are nobody's; in the middle of a file they would be lost.
    const next = nextFilled(reading);
    if (next > reading.at && endsHere(reading.lines[next])) {
      reading.at = next;
      continue;
    }
    const number = reading.before + reading.at;
    return bad(number, `a line of a new file begins with \`+\`, this one is \`${short(line)}\``);
  }
  reading.operations.push({ do: "add", path, text: lines.join("") });
  return ok();
}

function readUpdate(reading: Reading, path: string): Result<void> {
  const header = reading.before + reading.at - 1;
  const move = readMove(reading);
  if (move === "") return bad(header + 1, "the path to move to is missing");
  const chunks: Chunk[] = [];
  while (reading.at < reading.lines.length && !isMarker(reading.lines[reading.at] ?? "")) {
    const line = reading.lines[reading.at] ?? "";
    const next = line === "" ? nextFilled(reading) : reading.at;
    if (next > reading.at && endsPart(reading.lines[next])) {
      // Empty lines before the next marker separate; they are no context.
      reading.at = next;
      continue;
    }
    const read = readUpdateLine(chunks, line, reading.before + reading.at);
    if (!read.ok) return read;
    reading.at += 1;
  }
  const empty = chunks.find((chunk) => chunk.lines.length === 0);
  if (empty) return bad(empty.patchLine - 1, "no lines follow");
  const changes = chunks.some((chunk) => chunk.lines.some((line) => line.op !== " "));
  if (!changes && (chunks.length > 0 || move === undefined)) {
    return bad(header, `the update of \`${short(path)}\` changes nothing`);
  }
  const update = { do: "update" as const, path, chunks };
  reading.operations.push(move === undefined ? update : { ...update, moveTo: move });
  return ok();
}

function readMove(reading: Reading): string | undefined {
  const line = reading.lines[reading.at] ?? "";
  if (!line.startsWith(MOVE.trimEnd())) return undefined;
  reading.at += 1;
  return line.slice(MOVE.length).trim();
}

function readUpdateLine(chunks: Chunk[], line: string, number: number): Result<void> {
  const chunk = chunks.at(-1);
  const heading = headingOf(line);
  if (heading !== undefined) {
    // `@@ class A` followed by `@@ def f`, or by a bare `@@`, is one chunk.
    const named = heading === "" ? [] : [heading];
    if (chunk && chunk.lines.length === 0) chunk.headings.push(...named);
    else chunks.push({ headings: named, lines: [], endOfFile: false, patchLine: number + 1 });
    return ok();
  }
  if (line.trimEnd() === END_OF_FILE) {
    if (!chunk || chunk.lines.length === 0) return bad(number, "there is nothing before the end");
    chunk.endOfFile = true;
    return ok();
  }
  if (chunk?.endOfFile) return bad(number, `after \`${END_OF_FILE}\` comes \`@@\` or another file`);
  const op = line === "" ? " " : line[0];
  if (op !== " " && op !== "-" && op !== "+") {
    const marks = "a space (context), `-` (taken out) or `+` (put in)";
    return bad(number, `a line of an update begins with ${marks}, this one is \`${short(line)}\``);
  }
  const open = chunk ?? { headings: [], lines: [], endOfFile: false, patchLine: number + 1 };
  if (!chunk) chunks.push(open);
  open.lines.push({ op, text: line.slice(1) });
  return ok();
}

/** The next line that is not blank, or one past the last. */
function nextFilled({ lines, at }: Reading): number {
  let next = at;
  while (next < lines.length && (lines[next] ?? "").trim() === "") next += 1;
  return next;
}

/** What follows `@@`, less the line numbers of a unified diff, which models add by habit. */
function headingOf(line: string): string | undefined {
  const trimmed = line.trimEnd();
  if (trimmed === "@@") return "";
  if (!trimmed.startsWith("@@ ")) return undefined;
  const numbered = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$/.exec(trimmed);
  return numbered ? (numbered[1] ?? "") : trimmed.slice(3);
}

const isHeader = (line: string): boolean =>
  [ADD, DELETE, UPDATE].some((marker) => line.trim().startsWith(marker));

/** A header inside an update: a leading space would make it a line of the file. */
const isMarker = (line: string): boolean => !line.startsWith(" ") && isHeader(line);

const endsHere = (line: string | undefined): boolean => line === undefined || isHeader(line);

const endsPart = (line: string | undefined): boolean =>
  line === undefined || isMarker(line) || headingOf(line) !== undefined;

function bad(lineIndex: number, say: string) {
  return fail("bad_input", `line ${lineIndex + 1} of the patch: ${say}`, {
    fix: `nothing was changed; write it like\n${EXAMPLE}`,
    detail: { line: lineIndex + 1 },
  });
}

function short(line: string | undefined): string {
  const text = line ?? "";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
