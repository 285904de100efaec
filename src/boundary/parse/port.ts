// A parser of many languages. Promises: a grammar is loaded once; whatever a text is, an outline of it
// has its places in order and inside of each other; nothing of a tree is kept after its outline. A
// text that takes too long, or that the parser itself breaks on, fails; after a break nothing is
// parsed any more in that thread, whose memory nobody can trust.
import type { Opening, Outline } from "#core/context/syntax.ts";
import type { Result } from "#core/failure.ts";

export type SyntaxParser = {
  /** Loads a grammar; false where there is none of that name. */
  load(grammar: string): Promise<boolean>;
  /** The tree of a text, opened as far as asked. The grammar has been loaded. */
  outline(grammar: string, text: string, opening: Opening): Result<Outline>;
  /** Whether it broke: only another thread can parse then. */
  isBroken(): boolean;
  close(): void;
};
