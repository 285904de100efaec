// A map of a repository: of its symbols those that the rest of the code refers to most, with their
// signatures, by file, within a number of tokens. Files stand in the order of their paths, so that
// the same code gives the same map, word for word.
import type { Corpus } from "#core/context/corpus.ts";
import type { CodeGraph } from "#core/context/graph.ts";
import type { SymbolKind } from "#core/context/languages.ts";
import { type FileRole, packageEnding } from "#core/context/paths.ts";
import {
  chunksWith,
  lastWord,
  type PlacedSymbol,
  type SymbolWanted,
  wholeTerm,
} from "#core/context/symbols.ts";
import { isCompound } from "#core/context/terms.ts";

/** A symbol in the map: where it is, and how much it is worth there. */
export type MapItem = { file: number; symbol: PlacedSymbol; score: number };

export type MapParts = {
  corpus: Corpus;
  roles: readonly FileRole[];
  symbols(file: number, wanted: SymbolWanted): readonly PlacedSymbol[];
  graph: Pick<CodeGraph, "users">;
  /** Identifiers that stand in the import statements of a file. */
  listed(file: number): ReadonlySet<string>;
  /** How much each file is what the map is to be about, at most 1; absent: all are alike. */
  focus?: ReadonlyMap<number, number>;
};

/** Kinds that a map shows. */
const SHOWN: ReadonlySet<SymbolKind> = new Set([
  ...(["function", "method", "class", "interface", "type"] as const),
  ...(["enum", "module", "constant", "macro", "section"] as const),
]);
/** What a symbol counts by the kind of its file, and by its own. */
const roleShares: Readonly<Record<FileRole, number>> = {
  ...{ code: 1, entry: 1, page: 0.02, test: 0.02, docs: 0.01, data: 0 },
};
const kindShares: Readonly<Partial<Record<SymbolKind, number>>> = {
  ...{ constant: 0.5, section: 0.2, module: 0.7 },
};
/** A mention in a file that imports the definition's and names it there counts 1; in one that only
 * imports it, in one of the same package, and anywhere, it may be another thing of this name. */
const IMPORTING_SHARE = 0.3;
const EXPORTED_SHARE = 0.8;
const PACKAGE_SHARE = 0.6;
const UNTOLD_SHARE = 0.02;
/** What is not mentioned at all can still be what a map is to be about. */
const UNMENTIONED = 0.05;
/** A mention in a test or a page. */
const ASIDE_MENTION = 0.3;
/** Names that are looked up: of more, those that may be mentioned most. */
const NAMES_MAX = 2_500;
/** Chunks of a corpus whose names are all looked at. */
const CHUNKS_MAX = 15_000;
/** Bytes of postings in one segment, below which a name is as good as not mentioned there. */
const BYTES_MIN = 12;
const MADE_SHARE = 0.05;
/** A name of one word is found as a part of others, too: its mentions are less than they seem, but
 * where an import has the very name. */
const ONE_WORD_SHARE = 0.15;
/** What a name that begins like a private one counts. */
const PRIVATE_SHARE = 0.3;
/** What a mention in a file in focus counts, and a symbol of such a file. */
const FOCUS_MENTION = 30;
const FOCUS_OWN = 40;
/** Symbols of one file after which a further one counts half. */
const HALF_AFTER = 12;
const MADE =
  /(?:^|\/)(?:vendor|third_party|node_modules|dist|build|generated|gen|migrations)\/|\.(?:pb|gen|generated|min|d)\.\w+$|(?:_pb2|_generated|zz_generated[^/]*)\.\w+$/i;

/** Whether a file stands after the others in a map: tests, documentation, and what programs made. */
export const isAside = (path: string, role: FileRole): boolean =>
  role === "test" || role === "docs" || role === "data" || MADE.test(path);

type Name = { bytes: number; all: { file: number; symbol: PlacedSymbol }[] };

/** The symbols of a corpus by how much of the rest refers to them, at most so many. */
export function mapItems(parts: MapParts, limit: number): MapItem[] {
  const { corpus, roles, focus } = parts;
  const names = likeliest(namesOf(parts, sizesIn(corpus)), parts);
  const weights = corpus.files.map((_, file) => {
    const role = roles[file] ?? "code";
    const share = role === "test" || role === "page" ? ASIDE_MENTION : roleShares[role];
    return share * (1 + FOCUS_MENTION * (focus?.get(file) ?? 0));
  });
  const refers = referring(parts, weights);
  const items: MapItem[] = [];
  for (const [term, { all }] of names) {
    const mentioned = refers(term, 1 / all.length ** 0.8);
    for (const { file, symbol } of all) {
      const score = mentioned(file, symbol) * worthOf(parts, file, symbol);
      items.push({ file, symbol, score });
    }
  }
  return bestOf(items, limit);
}

/** How much the other files that have a name refer to the symbol that a file defines by it; where
 * that is not told, `share` of it: others may define the same name. */
function referring({ corpus, graph, listed }: MapParts, weights: readonly number[]) {
  const seen = new Int32Array(corpus.files.length);
  const packages = packagesOf(corpus);
  let round = 0;
  return (term: string, share: number) => {
    round += 1;
    const files: number[] = [];
    let total = 0;
    chunksWith(corpus.segments, term, (file, _, counts) => {
      // Words of comments are no references.
      if ((counts & 0xff00ff00) === 0 || seen[file] === round) return;
      seen[file] = round;
      files.push(file);
      total += weights[file] ?? 0;
    });
    return (own: number, { name, path }: PlacedSymbol): number => {
      const users = graph.users(own);
      const less = share * (isCompound(name) ? 1 : ONE_WORD_SHARE);
      const outside = path.length === 0 ? visibleOf(corpus.files[own]?.paths[0] ?? "", name) : null;
      const shareOf = (file: number) =>
        path.length === 0 && listed(file).has(name) ? 1 : (outside ?? IMPORTING_SHARE * less);
      const others = users.size < files.length ? users : files.filter((file) => users.has(file));
      const near = packages(own).filter((file) => !users.has(file));
      const untold = outside === 0 ? 0 : UNTOLD_SHARE * less;
      let score = UNMENTIONED + untold * Math.max(0, total - (weights[own] ?? 0));
      const add = (file: number, share: number) => {
        if (file !== own && seen[file] === round) score += (weights[file] ?? 0) * share;
      };
      for (const file of others) add(file, shareOf(file));
      for (const file of near) add(file, PACKAGE_SHARE * less);
      return score;
    };
  };
}

/** What a mention outside of its package counts where the name itself says whether it is seen there. */
function visibleOf(path: string, name: string): number | null {
  if (!path.endsWith(".go")) return null;
  return /^\p{Lu}/u.test(name) ? EXPORTED_SHARE * (isCompound(name) ? 1 : ONE_WORD_SHARE) : 0;
}

/** The files that see each other without an import: in some languages those of a folder. */
function packagesOf(corpus: Corpus): (file: number) => readonly number[] {
  const folders = new Map<string, number[]>();
  const keys = corpus.files.map(({ paths: [path = ""] }, file) => {
    const ending = packageEnding(path);
    if (ending === null) return null;
    const key = path.slice(0, Math.max(0, path.lastIndexOf("/"))) + ending;
    const known = folders.get(key);
    if (known) known.push(file);
    else folders.set(key, [file]);
    return key;
  });
  return (file) => folders.get(keys[file] ?? "") ?? [];
}

/** What a symbol counts for what it is and where. */
function worthOf({ corpus, roles, focus }: MapParts, file: number, symbol: PlacedSymbol): number {
  return (
    (kindShares[symbol.kind] ?? 1) *
    (roleShares[roles[file] ?? "code"] ?? 1) *
    (/^_|^\W/.test(symbol.name) ? PRIVATE_SHARE : 1) *
    (MADE.test(corpus.files[file]?.paths[0] ?? "") ? MADE_SHARE : 1) *
    (1 + FOCUS_OWN * (focus?.get(file) ?? 0))
  );
}

/** Of a large corpus the terms that many chunks have, with the bytes of their postings. */
function sizesIn({ segments, chunks }: Corpus): Map<string, number> | null {
  if (chunks <= CHUNKS_MAX) return null;
  const sizes = new Map<string, number>();
  for (const segment of segments) {
    segment.sizes(BYTES_MIN, (term, bytes) => sizes.set(term, (sizes.get(term) ?? 0) + bytes));
  }
  return sizes;
}

/** What may be shown, by the term that its mentions are found by. */
function namesOf(
  { corpus, roles, symbols, focus }: MapParts,
  sizes: ReadonlyMap<string, number> | null,
): Map<string, Name> {
  const names = new Map<string, Name>();
  const terms = new Map<string, string | null>();
  const termOf = (name: string): string | null => {
    const known = terms.get(name);
    if (known !== undefined) return known;
    const term = wholeTerm(lastWord(name));
    terms.set(name, term);
    return term;
  };
  for (let file = 0; file < corpus.files.length; file += 1) {
    const role = roles[file] ?? "code";
    // Of a test nothing is referred to but by tests: only where the map is about it.
    if (role === "data" || (role === "test" && !focus?.has(file))) continue;
    const isNear = focus?.has(file) ?? false;
    const wanted = (name: string, kind: SymbolKind): boolean => {
      if (!SHOWN.has(kind)) return false;
      const term = termOf(name);
      return term !== null && (isNear || !sizes || sizes.has(term));
    };
    for (const symbol of symbols(file, wanted)) {
      const term = termOf(symbol.name) ?? "";
      const name = names.get(term) ?? { bytes: sizes?.get(term) ?? 0, all: [] };
      name.all.push({ file, symbol });
      names.set(term, name);
    }
  }
  return names;
}

/** Of very many names those that may be mentioned most, and those of files in focus. */
function likeliest(names: Map<string, Name>, { focus }: MapParts): Map<string, Name> {
  if (names.size <= NAMES_MAX) return names;
  const worth = ({ bytes, all }: Name) => {
    const near = focus ? Math.max(...all.map(({ file }) => focus.get(file) ?? 0)) : 0;
    return ((bytes + 1) / all.length) * (1 + FOCUS_OWN * near);
  };
  const sorted = [...names].map(([term, name]) => ({ term, name, worth: worth(name) }));
  sorted.sort((a, b) => b.worth - a.worth);
  return new Map(sorted.slice(0, NAMES_MAX).map(({ term, name }) => [term, name]));
}

function bestOf(items: MapItem[], limit: number): MapItem[] {
  const order = (a: MapItem, b: MapItem) =>
    b.score - a.score || a.file - b.file || a.symbol.start - b.symbol.start;
  items.sort(order);
  const counts = new Map<number | string, number>();
  const before = (key: number | string) => {
    const known = counts.get(key) ?? 0;
    counts.set(key, known + 1);
    return known;
  };
  const some = items.slice(0, limit * 4).map((item) => {
    const { file, symbol, score } = item;
    const again = before([...symbol.path, symbol.name].join("."));
    return { ...item, score: score / (1 + before(file) / HALF_AFTER) / (1 + again) };
  });
  return some.sort(order).slice(0, limit);
}

export type MapFile = { path: string; isAside: boolean };

export type MapLayout = {
  /** The file of an item, and its signature in one line. */
  fileOf(item: MapItem): MapFile;
  lineOf(item: MapItem): string;
  /** How many tokens a text has, about. */
  tokensOf(text: string): number;
};

export type LaidOut = { text: string; symbols: number; files: number; tokens: number };

/** As many items as fit, from the front, laid out by file. */
export function laidOut(items: readonly MapItem[], tokens: number, layout: MapLayout): LaidOut {
  let low = 0;
  let high = items.length;
  let best: LaidOut = { text: "", symbols: 0, files: 0, tokens: 0 };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const tried = drawn(items.slice(0, middle), layout);
    if (tried.tokens <= tokens) {
      best = tried;
      low = middle;
    } else high = middle - 1;
  }
  return best;
}

function drawn(items: readonly MapItem[], layout: MapLayout): LaidOut {
  const byFile = new Map<number, MapItem[]>();
  for (const item of items) {
    const known = byFile.get(item.file);
    if (known) known.push(item);
    else byFile.set(item.file, [item]);
  }
  const files = [...byFile.values()].flatMap((own) => {
    const [first] = own;
    return first ? [{ ...layout.fileOf(first), own }] : [];
  });
  files.sort(
    (a, b) =>
      Number(a.isAside) - Number(b.isAside) || (a.path < b.path ? -1 : Number(a.path > b.path)),
  );
  const text = files.map(({ path, own }) => [path, ...linesOf(own, layout)].join("\n")).join("\n");
  return { text, symbols: items.length, files: files.length, tokens: layout.tokensOf(text) };
}

/** Signatures in the order of the file, below the names of what they stand in. */
function linesOf(items: readonly MapItem[], { lineOf }: MapLayout): string[] {
  const sorted = items.toSorted((a, b) => a.symbol.start - b.symbol.start);
  const lines: string[] = [];
  let above: readonly string[] = [];
  for (const item of sorted) {
    const { path, name } = item.symbol;
    let same = 0;
    while (same < path.length && same < above.length && path[same] === above[same]) same += 1;
    for (let at = same; at < path.length; at += 1) {
      lines.push(`${"  ".repeat(at + 1)}${path[at]}:`);
    }
    const line = `${"  ".repeat(path.length + 1)}${lineOf(item)}`;
    if (lines.at(-1) !== line) lines.push(line);
    above = [...path, name];
  }
  return lines;
}

/** UTF-16 units of a signature in one line. */
const SIGNATURE_MAX = 140;

/** The first words of a definition, in one line and without what begins its body. */
export function signatureLine(text: string): string {
  const words = text
    .replace(/^(?:\s*(?:@[\w.]+(?:\([^)]*\))?|#\[[^\]]*\]))+\s*/, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/([([]) | (?=[)\]])/g, "$1")
    .replaceAll(/,(?=[)\]])/g, "")
    .replace(/(?:\s*(?:=>|=|\{|\(|,|;|[&|]|\bdo))+$|,? do: .*$/, "")
    .replace(/:$/, "")
    .trim();
  return words.length > SIGNATURE_MAX ? `${words.slice(0, SIGNATURE_MAX).toWellFormed()}…` : words;
}
