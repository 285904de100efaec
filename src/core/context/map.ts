// A map of a repository: of its symbols those that the rest of the code refers to most, with their
// signatures, by file, within a number of tokens. Files stand in the order of their paths, so that
// the same code gives the same map, word for word.
import type { Corpus } from "#core/context/corpus.ts";
import type { SymbolKind } from "#core/context/languages.ts";
import type { FileRole } from "#core/context/paths.ts";
import { chunksWith, type PlacedSymbol, wholeTerm } from "#core/context/symbols.ts";
import { isCompound } from "#core/context/terms.ts";

/** A symbol in the map: where it is, and how much it is worth there. */
export type MapItem = { file: number; symbol: PlacedSymbol; score: number };

export type MapParts = {
  corpus: Corpus;
  roles: readonly FileRole[];
  symbols(file: number): readonly PlacedSymbol[];
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
  ...{ code: 1, entry: 1, test: 0.02, docs: 0.01, data: 0 },
};
const kindShares: Readonly<Partial<Record<SymbolKind, number>>> = {
  ...{ constant: 0.5, section: 0.2, module: 0.7 },
};
/** A name of one word is found as a part of others, too: its mentions are less than they seem. */
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

type Name = { mentions: number; files: number; all: { file: number; symbol: PlacedSymbol }[] };

/** The symbols of a corpus by how much of the rest refers to them, at most so many. */
export function mapItems(parts: MapParts, limit: number): MapItem[] {
  const { corpus, roles, focus } = parts;
  const names = namesOf(parts);
  const seen = new Int32Array(corpus.files.length).fill(-1);
  const defined = new Int32Array(corpus.files.length).fill(-1);
  const weights = corpus.files.map((_, file) => {
    const share = roles[file] === "test" ? 0.3 : (roleShares[roles[file] ?? "code"] ?? 1);
    return share * (1 + FOCUS_MENTION * (focus?.get(file) ?? 0));
  });
  let round = 0;
  for (const [term, name] of names) {
    round += 1;
    chunksWith(corpus.segments, term, (file, _, counts) => {
      if ((counts & 255) > 0 && defined[file] !== round) {
        defined[file] = round;
        name.files += 1;
      }
      // Words of comments are no references.
      if ((counts & 0xff00ff00) === 0 || seen[file] === round) return;
      seen[file] = round;
      name.mentions += weights[file] ?? 0;
    });
  }
  return bestOf([...names.values()], parts, limit);
}

/** What may be shown, by the term that its mentions are found by. */
function namesOf({ corpus, roles, symbols, focus }: MapParts): Map<string, Name> {
  const names = new Map<string, Name>();
  const terms = new Map<string, string | null>();
  for (let file = 0; file < corpus.files.length; file += 1) {
    const role = roles[file] ?? "code";
    // Of a test nothing is referred to but by tests: only where the map is about it.
    if (role === "data" || (role === "test" && !focus?.has(file))) continue;
    for (const symbol of symbols(file)) {
      if (!SHOWN.has(symbol.kind)) continue;
      const word = symbol.name.slice(symbol.name.search(/[^.:]*$/));
      const known = terms.get(word);
      const term = known === undefined ? wholeTerm(word) : known;
      terms.set(word, term);
      if (term === null) continue;
      const name = names.get(term) ?? { mentions: 0, files: 0, all: [] };
      name.all.push({ file, symbol });
      names.set(term, name);
    }
  }
  return names;
}

function bestOf(names: readonly Name[], { corpus, roles, focus }: MapParts, limit: number) {
  const items: MapItem[] = [];
  for (const { mentions, files, all } of names) {
    // Each file that defines it mentions it, too.
    const others = Math.max(0.05, mentions - files) / Math.max(1, files);
    for (const { file, symbol } of all) {
      const path = corpus.files[file]?.paths[0] ?? "";
      const shares =
        (kindShares[symbol.kind] ?? 1) *
        (roleShares[roles[file] ?? "code"] ?? 1) *
        (isCompound(symbol.name) ? 1 : ONE_WORD_SHARE) *
        (/^_|^\W/.test(symbol.name) ? PRIVATE_SHARE : 1) *
        (MADE.test(path) ? 0.05 : 1);
      const own = 1 + FOCUS_OWN * (focus?.get(file) ?? 0);
      items.push({ file, symbol, score: others * shares * own });
    }
  }
  items.sort((a, b) => b.score - a.score || a.file - b.file || a.symbol.start - b.symbol.start);
  const counts = new Map<number, number>();
  const some = items.slice(0, limit * 4).map((item) => {
    const before = counts.get(item.file) ?? 0;
    counts.set(item.file, before + 1);
    return { ...item, score: item.score / (1 + before / HALF_AFTER) };
  });
  some.sort((a, b) => b.score - a.score || a.file - b.file || a.symbol.start - b.symbol.start);
  return some.slice(0, limit);
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
    .replace(/(?:\s*(?:=>|=|\{|\(|,|\bdo))+$|,? do: .*$/, "")
    .replace(/:$/, "")
    .trim();
  return words.length > SIGNATURE_MAX ? `${words.slice(0, SIGNATURE_MAX).toWellFormed()}…` : words;
}
