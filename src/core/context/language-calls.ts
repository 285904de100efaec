// Languages in which a definition is a call like any other: told by the word that is called.
import type { Definition, SymbolKind } from "#core/context/languages.ts";
import type { SyntaxNode } from "#core/context/syntax.ts";

const elixirWords: Readonly<Record<string, SymbolKind>> = {
  defmodule: "module",
  defprotocol: "interface",
  defimpl: "module",
  def: "function",
  defp: "function",
  defmacro: "macro",
  defmacrop: "macro",
  defguard: "macro",
  defguardp: "macro",
  defdelegate: "function",
  defexception: "class",
  describe: "section",
  test: "test",
  property: "test",
};

/** Calls in whose block definitions stand. */
const elixirHolders = /^(?:defmodule|defprotocol|defimpl|describe|quote|if|unless|for)\b/;

/** `def name(…)`, `defmodule A.B do`, `test "name"`. */
export function elixirDefinition(node: SyntaxNode, text: string): Definition | null {
  if (node.type !== "call") return null;
  const line = text.slice(node.start, Math.min(node.end, node.start + 300));
  const found = /^(\w+)[ (]+(?:"((?:[^"\\]|\\.)*)"|([\w.!?]+)|)/.exec(line);
  const kind = Object.hasOwn(elixirWords, found?.[1] ?? "") ? elixirWords[found?.[1] ?? ""] : null;
  const name = found?.[2] ?? found?.[3];
  return kind && name ? { kind, name } : null;
}

export function opensElixir(node: SyntaxNode, parent: SyntaxNode, text: string): boolean {
  if (node.type !== "do_block") return false;
  return elixirHolders.test(text.slice(parent.start, parent.start + 20));
}

/** `describe "x" do`, `it "y" do`, `CONST = 1`, `attr_reader :name`. */
export function rubyDefinition(node: SyntaxNode, text: string): Definition | null {
  if (node.type === "assignment") {
    const left = /^[A-Z]\w*(?=\s*=)/.exec(text.slice(node.start, node.start + 100))?.[0];
    return left ? { name: left, kind: "constant" } : null;
  }
  if (node.type !== "call") return null;
  const line = text.slice(node.start, Math.min(node.end, node.start + 200));
  const found = /^(describe|context|it|test) ["']([^"'\n]+)/.exec(line);
  return found?.[2] ? { name: found[2], kind: "test" } : null;
}
