// Makes few segments of many: each question has to look into all of them. Contents that no folder has
// any more are kept for the branch that comes back, as long as they are not most of the index.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "#boundary/index/store.ts";
import { postingsWriter, readPostings } from "#core/context/postings.ts";
import { FIELDS } from "#core/context/terms.ts";

/** Segments of a kind that a question may have to look into. */
const SEGMENTS_MAX = 16;
/** Chunks that nobody has any more, for each that somebody has, before they are dropped. */
const DEAD_SHARE_MAX = 2;

type Kind = "code" | "commits";
type Part = { id: number; chunks: number; lengths: Uint16Array; from: number };
type Live = { id: number; segment: number; first: number; count: number };

/** Whether there are more segments than a question should look into. */
export const isMergeDue = (db: DatabaseSync): boolean =>
  (["code", "commits"] as const).some((kind) => idsOf(db, kind).length > SEGMENTS_MAX);

/** Merges the segments of each kind that has too many of them, in one transaction each. */
export function mergeSegments(db: DatabaseSync): void {
  for (const kind of ["code", "commits"] as const) {
    transaction(db, () => {
      const ids = idsOf(db, kind);
      if (ids.length > SEGMENTS_MAX) merge(db, kind, ids);
    });
  }
}

const idsOf = (db: DatabaseSync, kind: Kind): number[] =>
  db
    .prepare("SELECT id FROM segments WHERE kind = ? ORDER BY id")
    .all(kind)
    .map(({ id }) => Number(id));

function merge(db: DatabaseSync, kind: Kind, ids: readonly number[]): void {
  if (kind === "code") dropDead(db);
  const parts = partsOf(db, ids);
  const rows = kind === "code" ? contentsOf(db) : commitsOf(db);
  // Where each chunk that is kept goes; -1 where nobody knows it any more.
  const places = parts.map(({ chunks }) => new Int32Array(chunks).fill(-1));
  const at = new Map(parts.map(({ id }, i) => [id, i]));
  let next = 0;
  const moved = rows.map((row) => {
    const place = places[at.get(row.segment) ?? -1];
    const first = next;
    for (let i = 0; i < row.count; i += 1, next += 1) if (place) place[row.first + i] = next;
    return { ...row, first };
  });
  const segment = addSegment(db, kind, { chunks: next, lengths: lengthsOf(parts, places, next) });
  addPostings(db, { parts, places, segment });
  const move =
    kind === "code"
      ? db.prepare("UPDATE contents SET segment = ?, first = ? WHERE id = ?")
      : db.prepare("UPDATE commits SET segment = ?, chunk = ? WHERE number = ?");
  for (const { id, first } of moved) move.run(segment, first, id);
  for (const id of ids) {
    db.prepare("DELETE FROM postings WHERE segment = ?").run(id);
    db.prepare("DELETE FROM segments WHERE id = ?").run(id);
  }
}

/** Contents without a file, once they are most of what there is. */
function dropDead(db: DatabaseSync): void {
  const used = "id IN (SELECT content FROM files WHERE content IS NOT NULL)";
  const sum = (where: string): number =>
    Number(
      db.prepare(`SELECT coalesce(sum(count), 0) AS n FROM contents WHERE ${where}`).get()?.n ?? 0,
    );
  if (sum(`NOT ${used}`) > DEAD_SHARE_MAX * sum(used)) {
    db.exec(`DELETE FROM contents WHERE NOT ${used}`);
  }
}

function partsOf(db: DatabaseSync, ids: readonly number[]): Part[] {
  const one = db.prepare("SELECT chunks, lengths FROM segments WHERE id = ?");
  let from = 0;
  return ids.map((id) => {
    const { chunks, lengths } = one.get(id) ?? {};
    const bytes = lengths instanceof Uint8Array ? lengths.slice() : new Uint8Array();
    const part = { id, chunks: Number(chunks ?? 0), lengths: new Uint16Array(bytes.buffer), from };
    from += part.chunks;
    return part;
  });
}

/** In the order in which their chunks lie, so that postings stay in order when they are moved. */
function contentsOf(db: DatabaseSync): Live[] {
  return rowsOf(
    db.prepare("SELECT id, segment, first, count FROM contents ORDER BY segment, first"),
  );
}

function commitsOf(db: DatabaseSync): Live[] {
  return rowsOf(
    db.prepare(
      "SELECT number AS id, segment, chunk AS first, 1 AS count FROM commits ORDER BY segment, chunk",
    ),
  );
}

const rowsOf = (statement: StatementSync): Live[] =>
  statement.all().map(({ id, segment, first, count }) => ({
    ...{ id: Number(id), segment: Number(segment), first: Number(first), count: Number(count) },
  }));

function lengthsOf(
  parts: readonly Part[],
  places: readonly Int32Array[],
  chunks: number,
): Uint16Array {
  const lengths = new Uint16Array(chunks * FIELDS);
  for (const [i, part] of parts.entries()) {
    for (const [chunk, to] of places[i]?.entries() ?? []) {
      if (to < 0) continue;
      lengths.set(part.lengths.subarray(chunk * FIELDS, (chunk + 1) * FIELDS), to * FIELDS);
    }
  }
  return lengths;
}

/** Writes the row of a segment; answers its number. */
export function addSegment(
  db: DatabaseSync,
  kind: Kind,
  { chunks, lengths }: { chunks: number; lengths: Uint16Array },
): number {
  const bytes = new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength);
  const insert = db.prepare("INSERT INTO segments (kind, chunks, lengths) VALUES (?, ?, ?)");
  return Number(insert.run(kind, chunks, bytes).lastInsertRowid);
}

type Merging = { parts: readonly Part[]; places: readonly Int32Array[]; segment: number };

/** Goes through the terms of all parts at once, in their order: no more than a term is held. */
function addPostings(db: DatabaseSync, { parts, places, segment }: Merging): void {
  const insert = db.prepare("INSERT INTO postings (segment, term, entries) VALUES (?, ?, ?)");
  const heads = parts.map(({ id }, i) => {
    // A statement of its own for each: they are gone through side by side.
    const rows = db
      .prepare("SELECT term, entries FROM postings WHERE segment = ? ORDER BY term")
      .iterate(id);
    return { rows, place: places[i] ?? new Int32Array(), row: rows.next() };
  });
  const writer = postingsWriter();
  for (;;) {
    let term: string | null = null;
    for (const { row } of heads) {
      const own = row.done ? null : String(row.value.term);
      if (own !== null && (term === null || isBefore(own, term))) term = own;
    }
    if (term === null) return;
    for (const head of heads) {
      if (head.row.done || String(head.row.value.term) !== term) continue;
      readPostings(head.row.value.entries as Uint8Array, (chunk, counts) => {
        const to = head.place[chunk] ?? -1;
        if (to >= 0) writer.add(to, counts);
      });
      head.row = head.rows.next();
    }
    const entries = writer.take();
    if (entries.length > 0) insert.run(segment, term, entries);
  }
}

/** As SQLite orders text: by its UTF-8 bytes. */
function isBefore(a: string, b: string): boolean {
  return a !== b && Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
