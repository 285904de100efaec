// An index as one folder sees it: the corpus of its files, what their paths say, and the commits
// that the checked-out one stands on. Loaded when first asked and again when the index changed.
import type { DatabaseSync } from "node:sqlite";
import { detailFrom, type StoredDetail } from "#boundary/index/detail.ts";
import { ancestorsOf, commonFolderOf } from "#boundary/index/repository.ts";
import { type Corpus, type CorpusFile, corpusOf } from "#core/context/corpus.ts";
import { type Finder, finderOf } from "#core/context/find.ts";
import { type History, type PathIndex, pathIndexOf } from "#core/context/locate.ts";

export type Loaded = {
  corpus: Corpus;
  paths: PathIndex;
  /** Chunks, symbols and imports of a file of the corpus, and git's id of the text they are of. */
  detail(file: number): StoredDetail & { hash: string };
  finder: Finder;
};

export type IndexReader = {
  load(signal: AbortSignal): Promise<Loaded>;
};

/** Reads the index of `root`. */
export function indexReader(db: DatabaseSync, root: string): IndexReader {
  const version = db.prepare("PRAGMA data_version");
  const changes = db.prepare("SELECT total_changes() AS n");
  const segments = segmentsOf(db);
  let seen = "";
  let loaded: Loaded | null = null;
  let past: { head: string; commits: number; found: Past | null } | null = null;

  async function history(corpus: Corpus, signal: AbortSignal): Promise<History | null> {
    const head = String(db.prepare("SELECT head FROM looks WHERE root = ?").get(root)?.head ?? "");
    const commits = Number(
      db.prepare("SELECT coalesce(max(number), 0) AS n FROM commits").get()?.n ?? 0,
    );
    if (past?.head !== head || past.commits !== commits) {
      const found = head === "" ? null : await pastAt(db, segments, { root, head }, signal);
      past = { head, commits, found };
    }
    if (!past.found) return null;
    return { corpus: past.found.corpus, changed: changedOf(past.found, corpus, root) };
  }

  return {
    async load(signal) {
      const now = `${version.get()?.data_version} ${changes.get()?.n}`;
      if (loaded && seen === now) return loaded;
      const { files, contents } = filesOf(db, root, segments.places("code"));
      const corpus = corpusOf(segments.of("code"), files);
      const detail = db.prepare("SELECT hash, detail FROM contents WHERE id = ?");
      const paths = loaded && samePaths(loaded.corpus, corpus) ? loaded.paths : pathIndexOf(corpus);
      loaded = {
        corpus,
        paths,
        finder: finderOf(corpus, paths, await history(corpus, signal)),
        detail(file) {
          const row = detail.get(contents[file] ?? 0);
          const made = detailFrom(String(row?.detail ?? "[[],[],[]]"));
          return Object.assign(made, { hash: String(row?.hash) });
        },
      };
      seen = now;
      return loaded;
    },
  };
}

/** An edit changes no path: what paths say need not be made anew. */
function samePaths(before: Corpus, now: Corpus): boolean {
  if (before.files.length !== now.files.length) return false;
  return now.files.every(({ paths }, i) => paths[0] === before.files[i]?.paths[0]);
}

/** Terms of one beginning that are looked at. */
const TERMS_LIKE_MAX = 1_000;

type SegmentRow = { id: number; chunks: number; lengths: Uint16Array };

/** The segments, each read once: they never change. */
function segmentsOf(db: DatabaseSync) {
  const known = new Map<number, SegmentRow>();
  const list = db.prepare("SELECT id FROM segments WHERE kind = ? ORDER BY id");
  const one = db.prepare("SELECT chunks, lengths FROM segments WHERE id = ?");
  const entries = db.prepare("SELECT entries FROM postings WHERE segment = ? AND term = ?");
  const alike = db.prepare(
    "SELECT term FROM postings WHERE segment = ? AND term > ? AND term < ? LIMIT ?",
  );
  const sizes = db.prepare(
    "SELECT term, length(entries) FROM postings WHERE segment = ? AND length(entries) >= ?",
  );
  sizes.setReturnArrays(true);
  const row = (id: number): SegmentRow => {
    const found = known.get(id) ?? read(id);
    known.set(id, found);
    return found;
  };
  const read = (id: number): SegmentRow => {
    const { chunks, lengths } = one.get(id) ?? {};
    const bytes = lengths instanceof Uint8Array ? lengths.slice() : new Uint8Array();
    return { id, chunks: Number(chunks ?? 0), lengths: new Uint16Array(bytes.buffer) };
  };
  const rows = (kind: string) => list.all(kind).map(({ id }) => row(Number(id)));
  return {
    of: (kind: "code" | "commits") =>
      rows(kind).map(({ id, chunks, lengths }) => ({
        chunks,
        lengths,
        postings: (term: string) => entries.get(id, term)?.entries as Uint8Array | undefined,
        termsLike: (beginning: string) =>
          alike.all(id, beginning, `${beginning}~`, TERMS_LIKE_MAX).map(({ term }) => String(term)),
        sizes(bytesMin: number, take: (term: string, bytes: number) => void) {
          for (const row of sizes.iterate(id, bytesMin)) {
            const [term, bytes] = row as unknown as [string, number];
            take(term, bytes);
          }
        },
      })),
    /** Of each segment's id its place in `of`. */
    places: (kind: "code" | "commits") => new Map(rows(kind).map(({ id }, i) => [id, i])),
  };
}

/** The files of a folder; those of one content are one. In the order of their paths. */
function filesOf(db: DatabaseSync, root: string, places: ReadonlyMap<number, number>) {
  const rows = db
    .prepare(
      `SELECT f.path AS path, c.id AS id, c.segment AS segment, c.first AS first, c.count AS count
       FROM files f JOIN contents c ON c.id = f.content WHERE f.root = ? ORDER BY f.path`,
    )
    .all(root);
  const byContent = new Map<number, CorpusFile & { paths: string[] }>();
  for (const { path, id, segment, first, count } of rows) {
    const known = byContent.get(Number(id));
    if (known) {
      known.paths.push(String(path));
      continue;
    }
    byContent.set(Number(id), {
      paths: [String(path)],
      segment: places.get(Number(segment)) ?? -1,
      first: Number(first),
      count: Number(count),
    });
  }
  return { files: [...byContent.values()], contents: [...byContent.keys()] };
}

type Segments = ReturnType<typeof segmentsOf>;

/** The commits that one stands on, and what each changed, as JSON. */
type Past = { corpus: Corpus; files: readonly string[] };

async function pastAt(
  db: DatabaseSync,
  segments: Segments,
  { root, head }: { root: string; head: string },
  signal: AbortSignal,
): Promise<Past | null> {
  const ancestors = new Set(await ancestorsOf(root, head, signal));
  const places = segments.places("commits");
  const commits: CorpusFile[] = [];
  const files: string[] = [];
  const rows = db.prepare("SELECT id, segment, chunk, files FROM commits").all();
  for (const { id, segment, chunk, files: changed } of rows) {
    if (!ancestors.has(String(id))) continue;
    const at = { segment: places.get(Number(segment)) ?? -1, first: Number(chunk), count: 1 };
    commits.push({ paths: [String(id)], ...at });
    files.push(String(changed));
  }
  if (commits.length === 0) return null;
  return { corpus: corpusOf(segments.of("commits"), commits), files };
}

/** What a commit changed, as files of the corpus: paths of a commit begin at the top. */
function changedOf({ files }: Past, corpus: Corpus, root: string): History["changed"] {
  const top = commonFolderOf(root)?.top ?? root;
  const below = root === top ? "" : `${root.slice(top.length + 1)}/`;
  const byPath = new Map(corpus.files.flatMap(({ paths }, i) => paths.map((path) => [path, i])));
  return (commit) =>
    (JSON.parse(files[commit] ?? "[]") as string[]).flatMap((path) => {
      const file = path.startsWith(below) ? byPath.get(path.slice(below.length)) : undefined;
      return file === undefined ? [] : [file];
    });
}
