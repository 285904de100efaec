// A file's chunks: parsed where its language has a grammar, else by its lines.
import type { SyntaxParser } from "#boundary/parse/port.ts";
import { type Chunk, chunksOf, opening } from "#core/context/chunk.ts";
import type { Language } from "#core/context/languages.ts";
import { lineChunks } from "#core/context/line-chunks.ts";

/**
 * UTF-16 units of a text that is parsed: a tree takes some thirty times as much, and what takes
 * memory there keeps it. A longer text is made by a program more often than by a person.
 */
const PARSED_UNITS_MAX = 400_000;

/** Cuts a text into chunks; whatever it is, joined again they are the text. */
export async function cutText(
  parser: SyntaxParser,
  language: Language,
  text: string,
): Promise<readonly Chunk[]> {
  const { grammar } = language;
  if (!grammar || text.length > PARSED_UNITS_MAX || !(await parser.load(grammar))) {
    return lineChunks(text, language);
  }
  const outline = parser.outline(grammar, text, opening(language, text));
  return outline.ok ? chunksOf(text, language, outline.value.root) : lineChunks(text, language);
}
