// What a syntax node defines, where its signature ends, and what is a comment.
import type { Definition, Language } from "#core/context/languages.ts";
import { childAt, type SyntaxNode } from "#core/context/syntax.ts";

/** UTF-16 units of a name and of a signature; what is longer is none. */
const NAME_UNITS_MAX = 200;
const SIGNATURE_UNITS_MAX = 600;
/** How deep a definition may stand inside of what wraps it. */
const WRAPS_MAX = 4;

const COMMENT = /comment$/;
/** Types of nodes that may define something by what stands in them. */
export const DEFINING_CALL = /^(?:call|assignment_expression|assignment|declaration)$/;

export const isComment = ({ type }: SyntaxNode): boolean => COMMENT.test(type);

/** What a node defines, itself or inside of what only wraps it, and the node that does. */
export function definitionOf(
  node: SyntaxNode,
  language: Language,
  text: string,
): (Definition & { node: SyntaxNode }) | null {
  let inner = node;
  for (let depth = 0; depth < WRAPS_MAX; depth += 1) {
    const found = direct(inner, language, text);
    if (found) return { ...found, node: inner };
    if (!language.wraps?.includes(inner.type)) return null;
    const [wrapped, another] = inner.children.filter((child) => isPromising(child, language));
    // Several of them are each a definition of its own.
    if (!wrapped || another) return null;
    inner = wrapped;
  }
  return null;
}

function isPromising(
  { type }: SyntaxNode,
  { defines = {}, wraps = [], define }: Language,
): boolean {
  if (Object.hasOwn(defines, type) || wraps.includes(type)) return true;
  return define !== undefined && DEFINING_CALL.test(type);
}

function direct(node: SyntaxNode, language: Language, text: string): Definition | null {
  const kind = language.defines?.[node.type];
  const told = language.define?.(node, text) ?? null;
  if (kind === undefined || told) return told;
  const name = nameOf(node, text);
  if (name === null) return null;
  return { name, kind: kind === "constant" && isFunction(node) ? "function" : kind };
}

/** `const parse = (text) => …` is a function to whoever looks for it. */
const isFunction = (node: SyntaxNode): boolean =>
  /function/.test(childAt(node, "value")?.type ?? "");

function nameOf(node: SyntaxNode, text: string): string | null {
  const named = childAt(node, "name") ?? declared(node) ?? byType(node);
  if (!named) return null;
  const raw = text.slice(named.start, Math.min(named.end, named.start + NAME_UNITS_MAX));
  const name = raw
    .replace(/^#+\s*/, "")
    .split("\n", 1)[0]
    ?.trim();
  return name ? name : null;
}

/** `static int *f(int a)`: the innermost declarator; `A::d` keeps its scope. */
function declared(node: SyntaxNode): SyntaxNode | undefined {
  let inner = childAt(node, "declarator");
  while (inner) {
    const next = childAt(inner, "declarator") ?? childAt(inner, "name");
    if (!next || inner.type === "qualified_identifier") return inner;
    inner = next;
  }
  return undefined;
}

function byType(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type === "impl_item") return childAt(node, "type");
  if (node.type === "assignment") {
    const left = childAt(node, "left");
    return left?.type === "identifier" ? left : undefined;
  }
  return node.children.find(({ type }) => /(?:heading|_key|^identifier)$/.test(type));
}

/** The end of the first words of a definition: where its body begins, else its first line. */
export function signatureEnd(node: SyntaxNode, text: string): number {
  const body = node.children.find(
    ({ field, type }) => field === "body" || type === "do_block" || type === "block",
  );
  const most = Math.min(node.end, node.start + SIGNATURE_UNITS_MAX);
  const line = text.indexOf("\n", node.start);
  const end = body?.start ?? (line < 0 ? node.end : line);
  return Math.max(node.start, Math.min(end, most));
}
