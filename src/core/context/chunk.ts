// Cuts a file into chunks: at declarations, small ones merged, large ones split inside. Every
// boundary is the start of a named syntax node, unless a single leaf is larger than a chunk may be;
// joined again the chunks are the file. Malformed input is cut like any other: a parser that found
// errors still has nodes, and a file without a grammar is cut by its lines.
import { DEFINING_CALL, definitionOf, isComment, signatureEnd } from "#core/context/definitions.ts";
import type { Definition, Language, SymbolKind } from "#core/context/languages.ts";
import type { Opening, SyntaxNode } from "#core/context/syntax.ts";

/** A place in a text, as UTF-16 offsets. */
export type Span = { start: number; end: number };

/** What a file defines: where it is, and where its first words end. */
export type CodeSymbol = Span & {
  name: string;
  kind: SymbolKind;
  /** Names of what it stands in, outermost first. */
  path: readonly string[];
  /** End of the signature, which begins with the symbol. */
  signature: number;
};

export type Chunk = Span & {
  /** Names of what it stands in, outermost first. */
  path: readonly string[];
  /** What is defined in it. */
  symbols: readonly CodeSymbol[];
  /** Comments and documentation before or at the head of its definitions. */
  docs: readonly Span[];
  /** It brings names from elsewhere. */
  imports: readonly Span[];
};

/** How files are cut, in UTF-16 units: about a quarter as many tokens. */
export type ChunkSizes = {
  /** A chunk's size, at most, unless a line alone is longer. */
  max: number;
  /** A definition of this size is a chunk of its own. */
  alone: number;
  /** Less than this never stands alone where it can go with its neighbour. */
  min: number;
};

export const usualSizes: ChunkSizes = { max: 2_000, alone: 300, min: 150 };

/** `semantic` cuts at declarations only, `size` wherever the room ends, `hybrid` does both. */
export const chunkStrategies = ["semantic", "size", "hybrid"] as const;
export type ChunkStrategy = (typeof chunkStrategies)[number];

/** What has to be looked into for cutting a text in this language. */
export function opening(language: Language, text: string, sizes = usualSizes): Opening {
  const defines = new Set(Object.keys(language.defines ?? {}));
  const contains = new Set(language.contains);
  const wraps = new Set(language.wraps);
  return (node, parent) => {
    if (!parent) return Number.POSITIVE_INFINITY;
    if (node.end - node.start > sizes.max) return Number.POSITIVE_INFINITY;
    if (defines.has(node.type) || wraps.has(node.type)) return Number.POSITIVE_INFINITY;
    if (node.field === "body" && contains.has(parent.type)) return Number.POSITIVE_INFINITY;
    if (language.opens?.(node, parent, text)) return Number.POSITIVE_INFINITY;
    if (language.define && DEFINING_CALL.test(node.type)) return 3;
    if (node.type.endsWith("declarator")) return Number.POSITIVE_INFINITY;
    if (!language.docstrings) return 0;
    return (node.field === "body" && defines.has(parent.type)) || parent.field === "body" ? 1 : 0;
  };
}

/** The chunks of a text whose outline was opened by `opening`. */
export function chunksOf(
  text: string,
  language: Language,
  root: SyntaxNode,
  {
    strategy = "hybrid",
    sizes = usualSizes,
  }: { strategy?: ChunkStrategy; sizes?: ChunkSizes } = {},
): Chunk[] {
  const cutter = cutterOf(text, language, { strategy, sizes });
  cutter.visit(root, []);
  return cutter.chunks();
}

type Draft = {
  start: number;
  path: readonly string[];
  symbols: CodeSymbol[];
  docs: Span[];
  imports: Span[];
};

const draftAt = (start: number, path: readonly string[]): Draft => ({
  start,
  path,
  symbols: [],
  docs: [],
  imports: [],
});

type CutOptions = { strategy: ChunkStrategy; sizes: ChunkSizes };

/** What is of its function alone where it stands in one. */
const LOCAL: ReadonlySet<SymbolKind> = new Set(["variable", "constant", "field"]);
const FUNCTIONS: ReadonlySet<SymbolKind> = new Set(["function", "method", "macro", "test"]);

function cutterOf(text: string, language: Language, { strategy, sizes }: CutOptions) {
  const done: Draft[] = [];
  let open = draftAt(0, []);
  /** The open chunk is one definition, and takes nothing more. */
  let isWhole = false;
  /** Paths that are inside of a function. */
  const functions = new Set<readonly string[]>();
  const leads = new Set(language.leads);
  const imports = new Set(language.imports);

  function cut(start: number, path: readonly string[]): void {
    isWhole = false;
    if (start === open.start) {
      open.path = path;
      return;
    }
    done.push(open);
    open = draftAt(start, path);
  }

  /** Whether a new chunk has to begin before something of this size. */
  function isDue(start: number, size: number, is: { definition: boolean; split: boolean }) {
    const before = start - open.start;
    if (strategy === "size") return before + size > sizes.max && before > 0 && !is.split;
    if (strategy === "semantic") return is.definition || isWhole;
    if (before < sizes.min) return before + size > sizes.max && !is.split;
    if (before + size > sizes.max) return !is.split || is.definition || isWhole;
    return isWhole || (is.definition && size >= sizes.alone);
  }

  function place(node: SyntaxNode, { from, docs, path }: Placing): void {
    const found = definedIn(node, path);
    const size = node.end - from;
    const isLarge = size > sizes.max && strategy !== "semantic";
    const whole = found?.node ?? node;
    const split = isLarge && whole.children.length > 0;
    if (isDue(from, size, { definition: found !== null, split })) cut(from, path);
    open.docs.push(...docs);
    if (imports.has(node.type)) open.imports.push({ start: node.start, end: node.end });
    if (found) note(found.node, found, { node, path });
    const inner = inside(path, found);
    if (split) visit(whole, inner);
    else if (isLarge) byLines(node, inner);
    else collect(whole, inner);
    isWhole = found !== null && size >= sizes.alone;
  }

  /** What a node defines for others: the variables of a function are its own. */
  function definedIn(node: SyntaxNode, path: readonly string[]) {
    const found = definitionOf(node, language, text);
    if (!found) return null;
    const isLocal = functions.has(path) && LOCAL.has(found.kind);
    return isLocal ? null : found;
  }

  /** The path inside of a definition. */
  function inside(path: readonly string[], found: ReturnType<typeof definedIn>): readonly string[] {
    if (!found) return path;
    const inner = [...path, ...(found.of === undefined ? [] : [found.of]), found.name];
    if (functions.has(path) || FUNCTIONS.has(found.kind)) functions.add(inner);
    return inner;
  }

  /** Remembers a definition in the open chunk. */
  function note(
    node: SyntaxNode,
    { name, kind, of }: Definition,
    { node: outer, path: around }: { node: SyntaxNode; path: readonly string[] },
  ): void {
    const signature = signatureEnd(node, text);
    const path = of === undefined ? around : [...around, of];
    open.symbols.push({ name, kind, path, start: outer.start, end: outer.end, signature });
    const doc = language.docstrings ? docstringOf(node) : null;
    if (doc) open.docs.push({ start: doc.start, end: paragraphEnd(text, doc) });
  }

  /** What is defined inside of what stays in one chunk. */
  function collect(node: SyntaxNode, path: readonly string[]): void {
    for (const child of node.children) {
      if (imports.has(child.type)) open.imports.push({ start: child.start, end: child.end });
      const found = definedIn(child, path);
      if (found) note(found.node, found, { node: child, path });
      else if (isComment(child)) open.docs.push({ start: child.start, end: child.end });
      collect(found?.node ?? child, inside(path, found));
    }
  }

  function byLines(node: SyntaxNode, path: readonly string[]): void {
    for (const at of lineCuts(text, node, sizes.max)) cut(at, path);
  }

  function visit(node: SyntaxNode, path: readonly string[]): void {
    let from = -1;
    let docs: Span[] = [];
    let last: SyntaxNode | null = null;
    for (const child of node.children) {
      const start = from < 0 ? child.start : from;
      if ((isComment(child) || leads.has(child.type)) && child.end - start <= sizes.max) {
        from = start;
        last = child;
        docs.push({ start: child.start, end: paragraphEnd(text, child) });
        continue;
      }
      place(child, { from: start, docs, path });
      from = -1;
      docs = [];
      last = null;
    }
    if (last) place({ ...last, children: [] }, { from, docs, path });
  }

  function chunks(): Chunk[] {
    const all = [...done, open];
    return all.map((draft, i) => ({ ...draft, end: all[i + 1]?.start ?? text.length }));
  }

  return { visit, chunks };
}

type Placing = { from: number; docs: readonly Span[]; path: readonly string[] };

/** The string that begins the body of a definition. */
function docstringOf(node: SyntaxNode): SyntaxNode | null {
  const first = node.children.find(({ field }) => field === "body")?.children[0];
  const string = first?.type === "expression_statement" ? first.children[0] : first;
  return string?.type === "string" ? string : null;
}

/** The end of a documentation's first paragraph: what follows are parameters and examples. */
function paragraphEnd(text: string, { start, end }: Span): number {
  const said = text.slice(start, end);
  const found =
    /\S[ \t]*\n(?:[ \t*#/!-]*\n|[ \t*#/!-]*(?:[@:]\w|(?:Args|Arguments|Parameters|Returns|Examples?)\b))/.exec(
      said.slice(3),
    );
  return found ? start + 3 + found.index + 1 : end;
}

/** Ends of lines in a leaf, so far apart that the room is used; in a long line wherever it ends. */
export function lineCuts(text: string, { start, end }: Span, room: number): number[] {
  const cuts: number[] = [];
  let from = start;
  while (end - from > room) {
    const line = text.lastIndexOf("\n", from + room - 1) + 1;
    const at = line > from ? line : betweenCharacters(text, from + room);
    cuts.push(at);
    from = at;
  }
  return cuts;
}

/** Never between the halves of one character. */
export function betweenCharacters(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
