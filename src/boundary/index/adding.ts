// Adds files to an index, in the thread of a worker: reads each, looks whether its content is known,
// else cuts it into chunks and gathers their postings, and writes what it gathered as one segment
// with the files that need it, in one transaction. Killed before, nothing of it is there.
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { cutText } from "#boundary/cut.ts";
import { detailOf, detailText } from "#boundary/index/detail.ts";
import { addSegment, mergeSegments } from "#boundary/index/merge.ts";
import { transaction } from "#boundary/index/store.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import { type Language, languageOf, plainText } from "#core/context/languages.ts";
import { type Segment, type SegmentBuilder, segmentBuilder } from "#core/context/postings.ts";

/** Bytes of a file that is in the index; what is larger is data. */
export const FILE_BYTES_MAX = 1_000_000;
/** Bytes of a file whose name tells no language. */
const UNKNOWN_BYTES_MAX = 100_000;
/** Entries of a segment: about 7 MB of source, and 20 MiB of memory while it is made. */
const ENTRIES_MAX = 400_000;
/** A file changed so short before it was read may change again within the same tick of its clock. */
const SETTLED_MS = 2_000;

export type Added = {
  files: number;
  contents: number;
  bytes: number;
  /** What was not read, because the parser of this thread broke on the file before. */
  left: readonly string[];
};

type Pending = { path: string; mark: string; key: string };
type Content = { hash: string; language: string; first: number; count: number; detail: string };

export type Adding = {
  /** Reads and gathers these files; writes when enough is gathered. */
  add(paths: readonly string[]): Promise<Added>;
  /** Writes what is gathered. */
  flush(): void;
  /** Makes few segments of many. */
  merge(): void;
};

/** Adds files below `root` to an index. */
export function addingTo(db: DatabaseSync, parser: SyntaxParser, root: string): Adding {
  let builder: SegmentBuilder = segmentBuilder();
  let contents = new Map<string, Content>();
  let pending: Pending[] = [];
  const known = db.prepare("SELECT id FROM contents WHERE hash = ? AND language = ?");
  const write = writerOf(db, root);

  async function one(path: string, added: Omit<Added, "left">): Promise<void> {
    const read = readFileAt(join(root, path));
    added.files += 1;
    if (!read) {
      pending.push({ path, mark: "", key: "" });
      return;
    }
    const { bytes, mark } = read;
    added.bytes += bytes.length;
    const language = languageOf(path) ?? (bytes.length <= UNKNOWN_BYTES_MAX ? plainText : null);
    if (!language || isBinary(bytes)) {
      pending.push({ path, mark, key: "" });
      return;
    }
    const hash = blobId(bytes);
    const key = `${hash} ${language.name}`;
    if (!contents.has(key) && !known.get(hash, language.name)) {
      contents.set(key, await gathered(bytes, hash, language));
      added.contents += 1;
    }
    pending.push({ path, mark, key });
  }

  async function gathered(bytes: Buffer, hash: string, language: Language): Promise<Content> {
    const text = textOf(bytes);
    const chunks = await cutText(parser, language, text);
    const span = builder.addFile(text, chunks, language.comments);
    const detail = detailText(detailOf(text, chunks, language));
    return { hash, language: language.name, ...span, detail };
  }

  function flush(): void {
    if (pending.length === 0) return;
    const segment = contents.size > 0 ? builder.build() : null;
    write(segment, [...contents.values()], pending);
    builder = segmentBuilder();
    contents = new Map();
    pending = [];
  }

  return {
    async add(paths) {
      const added = { files: 0, contents: 0, bytes: 0 };
      for (const [i, path] of paths.entries()) {
        await one(path, added);
        if (builder.size() > ENTRIES_MAX * 3) flush();
        if (!parser.isBroken()) continue;
        flush();
        return { ...added, left: paths.slice(i + 1) };
      }
      return { ...added, left: [] };
    },
    flush,
    merge: () => mergeSegments(db),
  };
}

/** Writes a segment with its contents, and the files that have them. */
function writerOf(db: DatabaseSync, root: string) {
  const insertContent = db.prepare(
    `INSERT OR IGNORE INTO contents (hash, language, segment, first, count, detail)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const idOf = db.prepare("SELECT id FROM contents WHERE hash = ? AND language = ?");
  const insertFile = db.prepare(
    "INSERT OR REPLACE INTO files (root, path, mark, content) VALUES (?, ?, ?, ?)",
  );
  return (segment: Segment | null, contents: readonly Content[], files: readonly Pending[]) =>
    transaction(db, () => {
      const id = segment ? insertSegment(db, "code", segment) : 0;
      for (const { hash, language, first, count, detail } of contents) {
        insertContent.run(hash, language, id, first, count, detail);
      }
      for (const { path, mark, key } of files) {
        const [hash = "", language = ""] = key.split(/ (.*)/s);
        const content = key === "" ? null : (idOf.get(hash, language)?.id ?? null);
        // Known a moment ago, and dropped by somebody since: it is read again at the next look.
        const isLost = key !== "" && content === null;
        insertFile.run(root, path, isLost ? "" : mark, content as number | null);
      }
    });
}

/** Writes a segment, inside of a transaction; answers its number. */
export function insertSegment(
  db: DatabaseSync,
  kind: "code" | "commits",
  segment: Segment,
): number {
  const id = addSegment(db, kind, segment);
  const insert = db.prepare("INSERT INTO postings (segment, term, entries) VALUES (?, ?, ?)");
  for (const [i, term] of segment.terms.entries()) {
    insert.run(id, term, segment.postings[i] ?? new Uint8Array());
  }
  return id;
}

/** The id that git gives to a file's content: a branch's files are known before they are read. */
export function blobId(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** UTF-8 where it is that, else a character for each byte: offsets then are those of the bytes. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? bytes.toString("latin1") : text;
}

/** A zero byte in the beginning, as git and grep tell it. */
const isBinary = (bytes: Buffer): boolean => bytes.subarray(0, 8_000).includes(0);

/** What tells whether a file is still the one that was read; empty where it may yet change. */
export function markOf(stat: { mtimeMs: number; size: number; ino: number }, now: number): string {
  return now - stat.mtimeMs < SETTLED_MS ? "" : `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
}

/** The bytes of a regular file and its mark; null where it is none, too large, or away. */
function readFileAt(path: string): { bytes: Buffer; mark: string } | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > FILE_BYTES_MAX) return null;
    const bytes = Buffer.allocUnsafe(stat.size);
    let used = 0;
    while (used < stat.size) {
      const read = readSync(file, bytes, used, stat.size - used, used);
      if (read === 0) break;
      used += read;
    }
    return { bytes: bytes.subarray(0, used), mark: markOf(stat, Date.now()) };
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}
