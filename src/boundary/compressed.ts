// Compresses files for a model, and remembers what came of it: a file that has not changed is not
// cut and counted again for the same question.
import { cutText } from "#boundary/cut.ts";
import { sha256 } from "#boundary/digest.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import type { Span } from "#core/context/chunk.ts";
import { type Compressed, type CompressStrategy, compress } from "#core/context/compress.ts";
import { languageOf, plainText } from "#core/context/languages.ts";
import type { Counting } from "#core/model/count.ts";

export type ToCompress = {
  /** Its name tells the language. */
  path: string;
  text: string;
  question: string;
  tokensMax: number;
  keep?: readonly Span[];
  strategy?: CompressStrategy | "auto";
};

/** UTF-16 units of results that are remembered, and how many of them. */
const UNITS_MAX = 8_000_000;
const RESULTS_MAX = 500;

/** Compresses with one parser, for one way to count. */
export function compressor(
  parser: SyntaxParser,
  { count }: Counting,
  { unitsMax = UNITS_MAX, resultsMax = RESULTS_MAX } = {},
): (asked: ToCompress) => Promise<Compressed> {
  // In the order of their last use.
  const known = new Map<string, Compressed>();
  let units = 0;
  const forget = (key: string) => {
    units -= known.get(key)?.text.length ?? 0;
    known.delete(key);
  };
  const remember = (key: string, made: Compressed) => {
    forget(key);
    known.set(key, made);
    units += made.text.length;
    for (const oldest of known.keys()) {
      if (units <= unitsMax && known.size <= resultsMax) break;
      forget(oldest);
    }
  };
  return async (asked) => {
    const { path, text, ...settings } = asked;
    const language = languageOf(path) ?? plainText;
    const key = sha256(JSON.stringify([language.name, settings, text]));
    const found = known.get(key);
    const made =
      found ??
      compress(text, {
        ...settings,
        language,
        count,
        chunks: await cutText(parser, language, text),
      });
    remember(key, made);
    return made;
  };
}
