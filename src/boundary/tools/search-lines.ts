// Reads what ripgrep reports as JSON, one message a line, and keeps a bounded number of lines; and
// compares them with the files as the workspace reads them, for only that may be shown.

/** One line; `at` is where its first match begins, in UTF-8 bytes. `number` 0 has no text. */
export type FoundLine = { number: number; text: string; isMatch: boolean; at: number };

/** `matches` counts all matching lines seen, those of `files` and those not kept. */
export type Found = { matches: number; files: { name: string; lines: FoundLine[] }[] };

/** What is done with a file's lines: shown, taken for not there, or only counted. */
export type Wanted = "shown" | "passed over" | "withheld";

/** UTF-16 units of a line that are shown. */
const LINE_CHARACTERS_MAX = 300;
/** Of them, those before the match. */
const BEFORE_MATCH_CHARACTERS = 80;

type Text = { text: string } | { bytes: string };
type Message = {
  type: "match" | "context";
  data: {
    path: Text;
    lines: Text;
    line_number: number;
    submatches: { start: number; end: number }[];
  };
};

export function searchLines({
  matchesMax,
  countedMax,
}: {
  matchesMax: number;
  countedMax: number;
}) {
  const files = new Map<string, FoundLine[]>();
  const withheld = new Set<string>();
  let withheldMatches = 0;
  let matches = 0;
  const keep = (name: string, line: FoundLine) => {
    const lines = files.get(name);
    if (lines) lines.push(line);
    else files.set(name, [line]);
  };
  const isKept = (name: string, isMatch: boolean, wanted: Wanted): boolean => {
    if (wanted === "withheld" && isMatch) {
      withheld.add(name);
      withheldMatches += 1;
    }
    return wanted === "shown";
  };
  const add = ({ type, data }: Message, wantedOf: (file: string) => Wanted) => {
    const name = textOf(data.path);
    const isMatch = type === "match";
    if (!isKept(name, isMatch, wantedOf(name))) return;
    if (isMatch) matches += 1;
    if (matches > matchesMax || (!isMatch && matches === matchesMax)) return;
    const text = textOf(data.lines).replace(/\r?\n$/, "");
    const at = data.submatches[0]?.start ?? 0;
    keep(name, { number: data.line_number, text, isMatch, at });
  };
  return {
    /** Takes ripgrep's messages; true when enough was counted. */
    taker: (wantedOf: (file: string) => Wanted) => (record: string, whole: boolean) => {
      if (whole) {
        const message = messageFrom(record);
        if (message) add(message, wantedOf);
      } else if (record.startsWith('{"type":"match"')) {
        const name = nameInPart(record);
        if (name === undefined || !isKept(name, true, wantedOf(name))) return false;
        matches += 1;
        if (matches <= matchesMax) {
          keep(name, { number: 0, text: "", isMatch: true, at: 0 });
        }
      }
      return matches + withheldMatches >= countedMax;
    },
    withheld: () => ({ files: withheld.size, matches: withheldMatches }),
    found: (): Found => ({
      matches,
      files: [...files].map(([name, lines]) => ({ name, lines })),
    }),
  };
}

function messageFrom(record: string): Message | undefined {
  if (!record.startsWith('{"type":"match"') && !record.startsWith('{"type":"context"')) {
    return undefined;
  }
  // Our own child's output in its documented form; what is not JSON would be a bug and throws.
  return JSON.parse(record);
}

/** The file's name from the beginning of a message that was too long to be kept. */
function nameInPart(record: string): string | undefined {
  const text = /^\{"type":"match","data":\{"path":\{"text":("(?:[^"\\]|\\.)*")/.exec(record)?.[1];
  return text === undefined ? undefined : JSON.parse(text);
}

function textOf(text: Text): string {
  return "text" in text ? text.text : Buffer.from(text.bytes, "base64").toString("utf8");
}

/**
 * Only the lines that a file of the workspace really has: a folder that is swapped for a link while
 * ripgrep walks can lead ripgrep out, but not the workspace. `read` answers nothing for a file that
 * it refuses or cannot find.
 */
export async function confirmed(
  found: Found,
  read: (file: string) => Promise<Uint8Array | undefined>,
): Promise<Found> {
  const files: Found["files"] = [];
  let dropped = 0;
  for (const { name, lines } of found.files) {
    const bytes = await read(name);
    const present = bytes ? decoded(bytes).split("\n") : undefined;
    const kept = lines.filter(({ number, text }) => {
      if (!present || number === 0) return present !== undefined;
      const line = present[number - 1];
      return line === text || line === `${text}\r`;
    });
    const matches = (some: readonly FoundLine[]) => some.filter(({ isMatch }) => isMatch).length;
    dropped += matches(lines) - matches(kept);
    if (kept.length > 0) files.push({ name, lines: kept });
  }
  return { matches: found.matches - dropped, files };
}

/** As ripgrep decodes: UTF-16 where the byte order mark says so, which is left out; else UTF-8. */
function decoded(bytes: Uint8Array): string {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString("hex");
  const encoding = mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** A line as it is shown: `12: text` for a match, `12- text` for one beside it. */
export function shownLine({ number, text, isMatch, at }: FoundLine): string {
  if (number === 0) return "(a match in a line too long to show)";
  return `${number}${isMatch ? ":" : "-"} ${cut(text, at)}`;
}

/** The part of a line around its match, which begins at a UTF-8 offset. */
function cut(line: string, atBytes: number): string {
  if (line.length <= LINE_CHARACTERS_MAX) return line;
  const at = Buffer.from(line).subarray(0, atBytes).toString("utf8").length;
  const from = Math.max(
    0,
    Math.min(at - BEFORE_MATCH_CHARACTERS, line.length - LINE_CHARACTERS_MAX),
  );
  const to = from + LINE_CHARACTERS_MAX;
  return `${from > 0 ? "…" : ""}${line.slice(from, to)}${to < line.length ? "…" : ""}`;
}
