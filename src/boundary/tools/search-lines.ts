// Reads what ripgrep reports as JSON, one message a line, and keeps a bounded number of lines.

/** `text` is one line, cut around its match. */
export type FoundLine = { number: number; text: string; isMatch: boolean };

/** `matches` counts all matching lines seen, those of `files` and those not kept. */
export type Found = { matches: number; files: { name: string; lines: FoundLine[] }[] };

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
  let matches = 0;
  const keep = (name: string, line: FoundLine) => {
    const lines = files.get(name);
    if (lines) lines.push(line);
    else files.set(name, [line]);
  };
  const add = ({ type, data }: Message, isWanted: (file: string) => boolean) => {
    const name = textOf(data.path);
    const isMatch = type === "match";
    if (!isWanted(name)) return;
    if (isMatch) matches += 1;
    if (matches > matchesMax || (!isMatch && matches === matchesMax)) return;
    const text = textOf(data.lines).replace(/\r?\n$/, "");
    const at = data.submatches[0]?.start ?? 0;
    keep(name, { number: data.line_number, text: cut(text, at), isMatch });
  };
  return {
    /** Takes ripgrep's messages of the wanted files; true when enough was counted. */
    taker: (isWanted: (file: string) => boolean) => (record: string, whole: boolean) => {
      if (whole) {
        const message = messageFrom(record);
        if (message) add(message, isWanted);
      } else if (record.startsWith('{"type":"match"')) {
        const name = nameInPart(record);
        if (name === undefined || !isWanted(name)) return false;
        matches += 1;
        if (matches <= matchesMax) {
          keep(name, { number: 0, text: "(a line too long to show matches)", isMatch: true });
        }
      }
      return matches >= countedMax;
    },
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
