// Cuts a text without a grammar: by the lines that begin a definition where its language knows
// them, else at paragraphs, never in the middle of a line unless one is longer than a chunk.
import {
  type Chunk,
  type ChunkSizes,
  type CodeSymbol,
  lineCuts,
  usualSizes,
} from "#core/context/chunk.ts";
import type { Language } from "#core/context/languages.ts";

/** The chunks of a text by its lines; joined again they are the text. */
export function lineChunks(
  text: string,
  { heads }: Language,
  sizes: ChunkSizes = usualSizes,
): Chunk[] {
  const starts = [0];
  const symbols: CodeSymbol[] = [];
  let wasEmpty = false;
  let last = "";
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf("\n", at) + 1 || text.length;
    const line = text.slice(at, Math.min(next, at + 200));
    const name = heads?.exec(line)?.[1];
    const from = starts.at(-1) ?? 0;
    const isHead = name !== undefined && name !== last;
    const size = next - from;
    const isBreak = isHead ? at - from >= sizes.alone : wasEmpty && at - from >= sizes.max / 2;
    if (at > from && (isBreak || size > sizes.max)) starts.push(at);
    if (isHead) {
      const end = at + line.trimEnd().length;
      symbols.push({ name, kind: "function", path: [], start: at, end, signature: end });
      last = name;
    }
    wasEmpty = line.trim() === "";
    if (next - at > sizes.max) starts.push(...lineCuts(text, { start: at, end: next }, sizes.max));
    at = next;
  }
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? text.length;
    const inside = symbols.filter((symbol) => symbol.start >= start && symbol.start < end);
    return { start, end, path: [], symbols: inside, docs: [], imports: [] };
  });
}
