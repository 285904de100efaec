// What the index keeps of a content besides its postings: its chunks and symbols by place, and what
// it imports, as a compact text.
import type { Chunk, CodeSymbol } from "#core/context/chunk.ts";
import { statementsIn } from "#core/context/imports.ts";
import type { Language, SymbolKind } from "#core/context/languages.ts";
import type { PlacedSymbol, SymbolWanted } from "#core/context/symbols.ts";

/** A chunk as the index knows it: its text is in the file. */
export type ChunkPlace = { start: number; end: number; line: number; path: readonly string[] };

export type Detail = {
  chunks: readonly ChunkPlace[];
  symbols: readonly PlacedSymbol[];
  /** Statements that bring names from elsewhere, as they are written. */
  imports: readonly string[];
};

/** As it is read back: of very many symbols only those can be made that are wanted. */
export type StoredDetail = Detail & { symbolsOf(wanted: SymbolWanted): readonly PlacedSymbol[] };

/** Characters of one import statement that are kept. */
const IMPORT_MAX = 2_000;

/** Lines of a text by offset, for offsets that only grow. */
function lineCounter(text: string): (at: number) => number {
  let line = 1;
  let from = 0;
  return (at) => {
    for (;;) {
      const next = text.indexOf("\n", from);
      if (next < 0 || next >= at) return line;
      line += 1;
      from = next + 1;
    }
  };
}

/** What is kept of a text that was cut into chunks. */
export function detailOf(text: string, chunks: readonly Chunk[], { name }: Language): Detail {
  const starts = lineCounter(text);
  const places = chunks.map(({ start, end, path }) => ({ start, end, path, line: starts(start) }));
  const symbols = chunks.flatMap((chunk) => chunk.symbols);
  const ends = new Map<number, number>();
  const counter = lineCounter(text);
  const offsets = symbols.flatMap(({ start, end }) => [start, end]);
  for (const at of [...new Set(offsets)].sort((a, b) => a - b)) ends.set(at, counter(at));
  const placed = symbols.map((symbol: CodeSymbol) => ({
    ...symbol,
    line: ends.get(symbol.start) ?? 1,
    endLine: ends.get(symbol.end) ?? 1,
  }));
  const told = chunks.flatMap((chunk) =>
    chunk.imports.map(({ start, end }) => text.slice(start, Math.min(end, start + IMPORT_MAX))),
  );
  const imports = new Set([...told, ...statementsIn(name, text)]);
  return { chunks: places, symbols: placed, imports: [...imports] };
}

/** As text: numbers and names in rows, without their keys. */
export function detailText({ chunks, symbols, imports }: Detail): string {
  return JSON.stringify([
    chunks.map((c) => [c.start, c.end, c.line, c.path]),
    symbols.map((s) => [s.name, s.kind, s.path, s.start, s.end, s.signature, s.line, s.endLine]),
    imports,
  ]);
}

type ChunkRow = [number, number, number, string[]];
type SymbolRow = [string, SymbolKind, string[], number, number, number, number, number];

/** What is made of the rows is made when it is asked for: most questions ask for one part. */
export function detailFrom(text: string): StoredDetail {
  const [chunks, symbols, imports] = JSON.parse(text) as [ChunkRow[], SymbolRow[], string[]];
  return {
    get chunks() {
      return chunks.map(([start, end, line, path]) => ({ start, end, line, path }));
    },
    get symbols() {
      return symbols.map(placed);
    },
    symbolsOf: (wanted) =>
      symbols.filter(([name, kind]) => wanted(name, kind)).map((row) => placed(row)),
    imports,
  };
}

const placed = (row: SymbolRow): PlacedSymbol => {
  const [name, kind, path, start, end, signature, line, endLine] = row;
  return { name, kind, path, start, end, signature, line, endLine };
};
