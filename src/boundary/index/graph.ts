// What hangs together in a folder: the graph of its files, what breaks if something becomes another,
// and the map of the whole. Made when first asked for, once for each state of the index.
import type { StoredDetail } from "#boundary/index/detail.ts";
import type { Impact, MapOptions, RepoMap, User } from "#boundary/index/port.ts";
import type { Loaded } from "#boundary/index/reader.ts";
import { eachFile, hitsOf, mentionsOf, pathOf, textAt } from "#boundary/index/symbols.ts";
import { type CodeGraph, graphOf } from "#core/context/graph.ts";
import { languageOf, type SymbolKind } from "#core/context/languages.ts";
import { isAside, laidOut, type MapItem, mapItems, signatureLine } from "#core/context/map.ts";
import { packageEnding, roleOf } from "#core/context/paths.ts";
import { questionOf } from "#core/context/question.ts";
import {
  type PlacedSymbol,
  type SymbolWanted,
  symbolsNamed,
  wholeName,
} from "#core/context/symbols.ts";
import { tokensLikely } from "#core/model/tokens.ts";

/** Files that a map can be about. */
const FOCUS_MAX = 100;
/** Symbols of a map, for each token that it may have: a line has some ten. */
const SYMBOLS_PER_TOKEN = 0.2;
const SYMBOLS_MAX = 4_000;
/** Definitions of a name whose users are looked for. */
const DEFINITIONS_MAX = 20;
/** Symbols of a file whose users are looked for. */
const OWN_MAX = 40;
const IMPORTERS_MAX = 2_000;

const graphs = new WeakMap<Loaded, CodeGraph>();

/** The graph of a folder's files; `details` are those of all, where they are at hand. */
export function graphAt(loaded: Loaded, details?: readonly StoredDetail[]): CodeGraph {
  const known = graphs.get(loaded);
  if (known) return known;
  const files = loaded.corpus.files.map(({ paths }, file) => {
    const detail = details?.[file] ?? loaded.detail(file);
    const isNamed = languageOf(paths[0] ?? "")?.name === "elixir";
    const modules = isNamed ? detail.symbolsOf((_, kind) => MODULES.has(kind)) : [];
    return { paths, imports: detail.imports, modules: modules.map(wholeName) };
  });
  const graph = graphOf(files, loaded.paths.roles);
  graphs.set(loaded, graph);
  return graph;
}

/** What a module can be brought by the name of. */
const MODULES: ReadonlySet<SymbolKind> = new Set(["module", "interface"]);

export async function mapOf(
  root: string,
  loaded: Loaded,
  { tokens, focus, only = () => true }: MapOptions,
): Promise<RepoMap> {
  const { corpus, paths } = loaded;
  const shown = corpus.files.map((_, file) => only(pathOf(loaded, file)));
  const details = corpus.files.map((_, file) => loaded.detail(file));
  const parts = {
    corpus,
    roles: paths.roles,
    symbols: (file: number, wanted: SymbolWanted) =>
      shown[file] ? (details[file]?.symbolsOf(wanted) ?? []) : [],
    graph: graphAt(loaded, details),
    listed: listedIn(details),
    ...(focus === undefined || focus.trim() === "" ? {} : { focus: focusOf(loaded, focus) }),
  };
  const limit = Math.min(SYMBOLS_MAX, Math.ceil(tokens * SYMBOLS_PER_TOKEN));
  const items = mapItems(parts, limit);
  const lines = await signaturesOf(root, loaded, items);
  const known = items.filter((item) => (lines.get(item.symbol) ?? "") !== "");
  return laidOut(known, tokens, {
    fileOf({ file }) {
      const path = pathOf(loaded, file);
      return { path, isAside: isAside(path, paths.roles[file] ?? "code") };
    },
    lineOf: ({ symbol }) => lines.get(symbol) ?? symbol.name,
    tokensOf: tokensLikely,
  });
}

/** The identifiers of each file's import statements, made when first asked for. */
function listedIn(details: readonly StoredDetail[]): (file: number) => ReadonlySet<string> {
  const known = new Map<number, ReadonlySet<string>>();
  return (file) => {
    const listed = known.get(file) ?? new Set((details[file]?.imports ?? []).flatMap(words));
    known.set(file, listed);
    return listed;
  };
}

const words = (text: string): string[] => text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];

/** Paths that a text names, and UTF-16 units of one. */
const NAMED_MAX = 200;
const NAMED_UNITS_MAX = 300;

/** Which files a text is about; those that it names are so wholly, and what is below a folder, too. */
function focusOf(loaded: Loaded, text: string): Map<number, number> {
  const found = loaded.finder.files(questionOf(text), FOCUS_MAX);
  const focus = new Map(found.map(({ file, score }) => [file, score ** 2]));
  const words = text.split(/[\s,`"']+/).filter((word) => word.includes("/") || word.includes("."));
  const named = [...new Set(words)]
    .filter((word) => word.length <= NAMED_UNITS_MAX)
    .slice(0, NAMED_MAX)
    .map((word) => word.replace(/^\.?\/+|[/:.]+$/g, ""));
  for (const [file, { paths }] of loaded.corpus.files.entries()) {
    const isNamed = ([path = ""]: readonly string[]) =>
      named.some((name) => name.length > 1 && (path === name || path.startsWith(`${name}/`)));
    if (isNamed(paths)) focus.set(file, 1);
  }
  return focus;
}

async function signaturesOf(
  root: string,
  loaded: Loaded,
  items: readonly MapItem[],
): Promise<Map<PlacedSymbol, string>> {
  const byFile = Map.groupBy(items, ({ file }) => file);
  const lines = await eachFile([...byFile.keys()], async (file) => {
    const text = await textAt(root, loaded, file);
    return (byFile.get(file) ?? []).map(({ symbol }) => {
      const words = text?.slice(symbol.start, symbol.signature) ?? "";
      // A file that is another by now has something else there.
      const line = words.includes(symbol.name) ? signatureLine(words) : "";
      return [symbol, line] as const;
    });
  });
  return new Map(lines.flat());
}

/** What breaks if a symbol, or a file, becomes another. */
export async function impactOf(
  root: string,
  loaded: Loaded,
  { wanted, limit }: { wanted: string; limit: number },
): Promise<Impact> {
  const graph = graphAt(loaded);
  const file = fileNamed(loaded, wanted);
  const found = file === null ? definitionsOf(loaded, wanted) : publicOf(loaded, file);
  const files = new Set(file === null ? found.map((one) => one.file) : [file]);
  const names = new Set(found.map(({ symbol }) => symbol.name));
  const importers = importersOf(graph, files);
  const users = await usersOf(root, loaded, { names, files, importers, isFile: file !== null });
  const isTest = (path: string) => roleOf(path) === "test";
  const tests = new Map<string, number>();
  // Those that use the very thing come before those that only reach it.
  const note = (path: string, place: number) => {
    if (isTest(path)) tests.set(path, Math.min(place, tests.get(path) ?? place));
  };
  for (const { path, certain } of users) note(path, certain ? 0 : 2);
  for (const one of files) for (const test of graph.tests(one)) note(pathOf(loaded, test), 1);
  for (const [one, depth] of importers) note(pathOf(loaded, one), depth + 1);
  const code = users.filter(({ path }) => !isTest(path));
  return {
    definitions: await hitsOf(root, loaded, found.slice(0, limit)),
    users: code.slice(0, limit),
    importers: [...importers]
      .map(([one, depth]) => ({ path: pathOf(loaded, one), depth }))
      .filter(({ path }) => !isTest(path))
      .sort((a, b) => a.depth - b.depth || (a.path < b.path ? -1 : 1))
      .slice(0, limit),
    tests: [...tests]
      .sort(([a, first], [b, second]) => first - second || (a < b ? -1 : 1))
      .map(([path]) => path)
      .slice(0, limit),
  };
}

/** A file by its path, or by the end of one that only it has. */
function fileNamed({ corpus }: Loaded, wanted: string): number | null {
  const path = wanted.replace(/^\.\//, "");
  const exact = corpus.files.findIndex(({ paths }) => paths.includes(path));
  if (exact >= 0) return exact;
  if (!/\.\w+$/.test(path)) return null;
  const alike = [...corpus.files.keys()].filter((file) =>
    corpus.files[file]?.paths.some((own) => own.endsWith(`/${path}`)),
  );
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

/** Exact ones only, the best kind of them: what is alike would not break. */
function definitionsOf(loaded: Loaded, name: string) {
  const found = symbolsNamed(
    {
      corpus: loaded.corpus,
      roles: loaded.paths.roles,
      symbols: (file) => loaded.detail(file).symbols,
    },
    { name, limit: DEFINITIONS_MAX },
  );
  return found.filter(({ score }) => score > 0.81);
}

/** What a file defines for others: what stands in nothing, or in a module. */
function publicOf(loaded: Loaded, file: number) {
  const { symbols } = loaded.detail(file);
  const outer = new Set(symbols.filter(({ kind }) => kind === "module").map(wholeName));
  return symbols
    .filter(({ path, kind }) => {
      const isPublic = path.length === 0 || outer.has(path.join("."));
      return isPublic && kind !== "test" && kind !== "section";
    })
    .slice(0, OWN_MAX)
    .map((symbol) => ({ file, symbol, score: 1 }));
}

function importersOf(graph: CodeGraph, files: ReadonlySet<number>): Map<number, 1 | 2> {
  const found = new Map<number, 1 | 2>();
  const add = (of: Iterable<number>, depth: 1 | 2) => {
    for (const file of of) {
      for (const one of graph.importers(file)) {
        if (files.has(one) || found.has(one) || found.size >= IMPORTERS_MAX) continue;
        found.set(one, depth);
      }
    }
  };
  add(files, 1);
  add([...found.keys()], 2);
  return found;
}

type Using = {
  names: ReadonlySet<string>;
  files: ReadonlySet<number>;
  importers: ReadonlyMap<number, 1 | 2>;
  /** It is asked for a file: then only its importers use it. */
  isFile: boolean;
};

/** Where the names are used, by the definition that does; those that import them first. */
async function usersOf(root: string, loaded: Loaded, using: Using): Promise<User[]> {
  const { names, files, importers, isFile } = using;
  const folders = new Set([...files].map((file) => folderOf(pathOf(loaded, file))));
  // In many languages what stands in the same folder needs no import.
  const isNear = (path: string) => folders.has(folderOf(path));
  const byPlace = new Map<string, User>();
  const numbers = new Map(
    loaded.corpus.files.flatMap(({ paths }, file) => paths.map((path) => [path, file] as const)),
  );
  for (const name of names) {
    const wanted = (file: number) =>
      !isFile || (!files.has(file) && (importers.get(file) === 1 || isNear(pathOf(loaded, file))));
    for (const mention of await mentionsOf(root, loaded, { name, wanted })) {
      const { path, line, inside, kind } = mention;
      if (kind === "definition" || kind === "import") continue;
      const file = numbers.get(path) ?? -1;
      const key = `${path}\0${inside.join(".")}`;
      const known = byPlace.get(key);
      const isOfPackage = isNear(path) && packageEnding(path) !== null;
      const isCertain = files.has(file) || importers.get(file) === 1 || isOfPackage;
      byPlace.set(key, {
        ...{ path, inside, line: Math.min(line, known?.line ?? line) },
        times: (known?.times ?? 0) + 1,
        calls: kind === "call" || (known?.calls ?? false),
        certain: isCertain,
      });
    }
  }
  const worth = ({ certain, calls, path }: User) =>
    (certain ? 4 : 0) + (calls ? 2 : 0) + (isNear(path) ? 1 : 0);
  return [...byPlace.values()].sort(
    (a, b) =>
      worth(b) - worth(a) || (a.path < b.path ? -1 : Number(a.path > b.path)) || a.line - b.line,
  );
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
