// The code that a prompt is about, as pieces for a window: the files in which places are found for
// it, each compressed to its share of the room, the best place of each kept whole.
import type { ToCompress } from "#boundary/compressed.ts";
import type { CodeHit, CodeIndex } from "#boundary/index/port.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { Piece } from "#core/context/assemble.ts";
import type { Compressed } from "#core/context/compress.ts";
import { ok, type Result } from "#core/failure.ts";
import type { Counting } from "#core/model/count.ts";

/** Places in the code that are looked at, the best first, and files that they may be in. */
const HITS = 16;
const FILES = 6;
/** Tokens of a file below which it says too little. */
const FILE_TOKENS_MIN = 60;
/** Tokens of a map below which it says too little. */
const MAP_TOKENS_MIN = 150;
/** Tokens of a piece's heading. */
const HEADING_TOKENS = 12;
/** Bytes of a file that is read for it: those of a file in the index. */
const FILE_BYTES_MAX = 1_000_000;

export type CodeParts = {
  index: CodeIndex;
  workspace: Workspace;
  compress(asked: ToCompress): Promise<Compressed>;
  counting: Counting;
  /** Whether a file may be shown without a question. */
  readable(path: string): boolean;
};

/** Pieces for a prompt, the best first, together of at most so many tokens; what is left maps. */
export async function codePieces(
  parts: CodeParts,
  prompt: string,
  tokens: number,
): Promise<Result<readonly Piece[]>> {
  const hits = await parts.index.search(prompt, HITS);
  if (!hits.ok) return hits;
  const shown = hits.value.filter(({ path }) => parts.readable(path));
  const files = [...Map.groupBy(shown, ({ path }) => path)].slice(0, FILES);
  const pieces: Piece[] = [];
  let left = tokens;
  for (const [i, [path, places]] of files.entries()) {
    // What a file leaves of its share is for those after it.
    const share = Math.floor(left / Math.min(2, files.length - i)) - HEADING_TOKENS;
    if (share < FILE_TOKENS_MIN) break;
    const piece = await pieceOf(parts, { path, places, prompt, share });
    if (!piece || piece.tokens > left) continue;
    pieces.push(piece);
    left -= piece.tokens;
  }
  const map = pieces.length > 0 ? await mapOf(parts, prompt, left) : null;
  return ok(map ? [...pieces, map] : pieces);
}

/** What is around the code that was found, in the room that it left. */
async function mapOf(parts: CodeParts, prompt: string, left: number): Promise<Piece | null> {
  const { index, counting, readable } = parts;
  if (left < MAP_TOKENS_MIN) return null;
  const made = await index.map({ tokens: left - HEADING_TOKENS, focus: prompt, only: readable });
  if (!made.ok || made.value.symbols === 0) return null;
  const text = `Map of the code around it:\n${made.value.text.trimEnd()}\n`;
  const tokens = counting.count(text);
  const why = `the code around it: ${made.value.symbols} symbols of ${made.value.files} files`;
  return tokens <= left ? { kind: "map", name: "map", text, tokens, why } : null;
}

type Asked = { path: string; places: readonly CodeHit[]; prompt: string; share: number };

async function pieceOf(
  { workspace, compress, counting }: CodeParts,
  { path, places, prompt, share }: Asked,
): Promise<Piece | null> {
  const bytes = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
  const [best] = places;
  if (!bytes.ok || !best) return null;
  const text = Buffer.from(bytes.value).toString("utf8");
  const keep = counting.count(best.text) <= share ? [spanOf(text, best)] : [];
  const asked = { path, text, question: prompt, tokensMax: share, keep };
  const made = await compress(asked);
  if (made.text.trim() === "") return null;
  const cut = made.strategy === "whole" ? "" : `; ${Math.round(made.ratio * 100)} % of the file`;
  const shown = `${path}\n${made.text.trimEnd()}\n`;
  const tokens = counting.count(shown);
  return { kind: "code", name: path, text: shown, tokens, why: `${best.why.join(", ")}${cut}` };
}

/** The offsets of a place in a text. */
function spanOf(text: string, { line, endLine }: CodeHit): { start: number; end: number } {
  let start = 0;
  for (let i = 1; i < line; i += 1) start = text.indexOf("\n", start) + 1;
  let end = start;
  for (let i = line; i <= endLine && end < text.length; i += 1) {
    const next = text.indexOf("\n", end);
    end = next < 0 ? text.length : next + 1;
  }
  return { start, end };
}
