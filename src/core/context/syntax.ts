// Syntax as core sees it: named nodes with their places, as deep as somebody asked for. Which parser
// made them is no business of core.

/** A named node of a syntax tree. Places are UTF-16 offsets into the text. */
export type SyntaxNode = {
  type: string;
  /** What the node is to its parent, where the grammar says so: `name`, `body`. */
  field: string | null;
  start: number;
  end: number;
  /** Named children, in order; empty, too, where nobody asked to look inside. */
  children: SyntaxNode[];
};

/** How many named children of a node are worth a look: 0, or `Infinity` for all. */
export type Opening = (node: SyntaxNode, parent: SyntaxNode | null) => number;

/** A syntax tree that has been opened as far as asked. */
export type Outline = { root: SyntaxNode; hasError: boolean };

/** The child that is this to its parent. */
export const childAt = (node: SyntaxNode, field: string): SyntaxNode | undefined =>
  node.children.find((child) => child.field === field);
