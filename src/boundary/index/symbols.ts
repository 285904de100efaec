// Definitions and references by name, as the index of a folder knows them: the index says in which
// chunks to look, the files say what is there now.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { blobId, textOf } from "#boundary/index/adding.ts";
import type { Reference, References, SymbolHit } from "#boundary/index/port.ts";
import type { Loaded } from "#boundary/index/reader.ts";
import type { SymbolKind } from "#core/context/languages.ts";
import { signatureLine } from "#core/context/map.ts";
import { mentionsIn } from "#core/context/references.ts";
import {
  chunksWith,
  type FoundSymbol,
  lastWord,
  plainName,
  symbolsNamed,
  wholeTerm,
} from "#core/context/symbols.ts";

/** Files that are read for one question. */
const FILES_MAX = 600;
/** Files that are read at once. */
const AT_ONCE = 16;

export const pathOf = ({ corpus }: Loaded, file: number): string =>
  corpus.files[file]?.paths[0] ?? "";

/** The text of a file of the corpus; null where it is away, or was changed since it was read. */
export async function textAt(root: string, loaded: Loaded, file: number): Promise<string | null> {
  const path = pathOf(loaded, file);
  const bytes = path === "" ? null : await readFile(join(root, path)).catch(() => null);
  return bytes && blobId(bytes) === loaded.detail(file).hash ? textOf(bytes) : null;
}

/** Some work on each of these files, a few at once, in their order. */
export async function eachFile<T>(
  files: readonly number[],
  work: (file: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    done.push(...(await Promise.all(files.slice(at, at + AT_ONCE).map(work))));
  }
  return done;
}

export async function symbolsOf(
  root: string,
  loaded: Loaded,
  wanted: { name: string; kind?: SymbolKind; limit: number },
): Promise<SymbolHit[]> {
  const found = symbolsNamed(
    {
      corpus: loaded.corpus,
      roles: loaded.paths.roles,
      symbols: (file) => loaded.detail(file).symbols,
    },
    wanted,
  );
  return await hitsOf(root, loaded, found);
}

export async function hitsOf(
  root: string,
  loaded: Loaded,
  found: readonly FoundSymbol[],
): Promise<SymbolHit[]> {
  const files = [...new Set(found.map(({ file }) => file))];
  const read = await eachFile(files, async (file) => ({
    file,
    text: await textAt(root, loaded, file),
  }));
  const texts = new Map(read.map(({ file, text }) => [file, text]));
  return found.map(({ file, symbol, score }) => ({
    path: pathOf(loaded, file),
    name: symbol.name,
    kind: symbol.kind,
    inside: symbol.path,
    line: symbol.line,
    endLine: symbol.endLine,
    signature: signatureLine(texts.get(file)?.slice(symbol.start, symbol.signature) ?? ""),
    score,
  }));
}

/** Every line of the folder that has a name; `wanted` picks the files. */
export async function mentionsOf(
  root: string,
  loaded: Loaded,
  { name, wanted = () => true }: { name: string; wanted?: (file: number) => boolean },
): Promise<Reference[]> {
  const plain = plainName(name);
  const word = lastWord(plain);
  const term = wholeTerm(word);
  if (term === null) return [];
  const chunks = new Map<number, Set<number>>();
  chunksWith(loaded.corpus.segments, term, (file, chunk) => {
    if (!wanted(file)) return;
    const own = chunk - (loaded.corpus.files[file]?.first ?? 0);
    chunks.set(file, (chunks.get(file) ?? new Set()).add(own));
  });
  const { roles } = loaded.paths;
  const first = (file: number) => (roles[file] === "code" || roles[file] === "entry" ? 0 : 1);
  const files = [...chunks.keys()].sort((a, b) => first(a) - first(b) || a - b);
  const lines = await eachFile(files.slice(0, FILES_MAX), async (file) => {
    const text = await textAt(root, loaded, file);
    if (text === null || !text.includes(word)) return [];
    const { symbols, imports, chunks: all } = loaded.detail(file);
    const own = all.filter((_, i) => chunks.get(file)?.has(i));
    const found = mentionsIn(text, { name: word, symbols, imports, chunks: own });
    return found.map((mention) => ({ path: pathOf(loaded, file), ...mention }));
  });
  return lines.flat();
}

export async function referencesOf(
  root: string,
  loaded: Loaded,
  { name, limit }: { name: string; limit: number },
): Promise<References> {
  const all = await mentionsOf(root, loaded, { name });
  const isDefinition = ({ kind }: Reference) => kind === "definition";
  const sorted = [...all.filter(isDefinition), ...all.filter((one) => !isDefinition(one))];
  return { places: sorted.slice(0, limit), total: all.length };
}
