// Parses text with tree-sitter, and opens the trees as far as somebody asks. Grammars are loaded
// when a file first needs them and stay loaded; trees live in the memory of the parser only while
// one is looked at.
import { readFile } from "node:fs/promises";
import { type Language as Grammar, Parser, type Tree, type TreeCursor } from "web-tree-sitter";
import { grammarUrl, runtimeUrl } from "#boundary/parse/grammars.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import type { Opening, Outline, SyntaxNode } from "#core/context/syntax.ts";
import { fail, ok } from "#core/failure.ts";

/** How deep a tree is looked into: what is nested deeper is data, or written to break parsers. */
const DEPTH_MAX = 150;

/** How long one text may take, in milliseconds: code takes a hundredth of it. */
const PARSE_MS_MAX = 1_500;

let starting: Promise<void> | null = null;
/** The memory of the parsers of this thread is shared: what breaks one breaks all. */
let isBroken = false;

/** A parser for one thread. */
export async function syntaxParser(): Promise<SyntaxParser> {
  starting ??= readFile(runtimeUrl()).then((wasmBinary) =>
    Parser.init({ wasmBinary: new Uint8Array(wasmBinary) } as object),
  );
  await starting;
  const { Language } = await import("web-tree-sitter");
  const parser = new Parser();
  const grammars = new Map<string, Promise<Grammar | null>>();
  const loaded = new Map<string, Grammar>();

  async function open(name: string): Promise<Grammar | null> {
    const url = grammarUrl(name);
    if (!url) return null;
    const grammar = await Language.load(new Uint8Array(await readFile(url)));
    loaded.set(name, grammar);
    return grammar;
  }

  return {
    async load(name) {
      const grammar = grammars.get(name) ?? open(name);
      grammars.set(name, grammar);
      return (await grammar) !== null;
    },
    outline(name, text, opening) {
      const grammar = loaded.get(name);
      if (!grammar) return fail("not_supported", `there is no grammar \`${name}\``);
      if (isBroken) return fail("bug", "the parser of this thread is broken");
      try {
        parser.setLanguage(grammar);
        const until = performance.now() + PARSE_MS_MAX;
        const tree = parser.parse(text, null, {
          progressCallback: () => performance.now() > until,
        });
        if (!tree) {
          parser.reset();
          return fail("too_large", `the text takes too long to parse as ${name}`);
        }
        const outline = opened(tree, grammar, opening);
        tree.delete();
        return ok(outline);
      } catch (error) {
        isBroken = true;
        return fail("bug", `the parser of ${name} broke: ${String(error)}`);
      }
    },
    isBroken: () => isBroken,
    close() {
      if (!isBroken) parser.delete();
    },
  };
}

function opened(tree: Tree, grammar: Grammar, opening: Opening): Outline {
  const cursor = tree.walk();
  try {
    const root = nodeAt(cursor, grammar);
    fill(cursor, grammar, { node: root, parent: null, opening, depth: 0 });
    return { root, hasError: tree.rootNode.hasError };
  } finally {
    cursor.delete();
  }
}

const nodeAt = (cursor: TreeCursor, grammar: Grammar): SyntaxNode => ({
  type: grammar.types[cursor.nodeTypeId] ?? cursor.nodeType,
  field: grammar.fields[cursor.currentFieldId] ?? null,
  start: cursor.startIndex,
  end: cursor.endIndex,
  children: [],
});

type Filling = { node: SyntaxNode; parent: SyntaxNode | null; opening: Opening; depth: number };

/** Gives a node its named children, and those theirs, as far as `opening` says. */
function fill(cursor: TreeCursor, grammar: Grammar, filling: Filling): void {
  const { node, parent, opening, depth } = filling;
  let left = depth < DEPTH_MAX ? opening(node, parent) : 0;
  if (left === 0 || !cursor.gotoFirstChild()) return;
  do {
    if (!cursor.nodeIsNamed) continue;
    const child = nodeAt(cursor, grammar);
    node.children.push(child);
    fill(cursor, grammar, { node: child, parent: node, opening, depth: depth + 1 });
    left -= 1;
  } while (left > 0 && cursor.gotoNextSibling());
  cursor.gotoParent();
}
