// Code that goes with a prompt by itself: places that the index finds for it, told once before the
// turn's first step and kept in the log, where the user gave room for that. A prompt waits for no
// index: what is not up to date yet is brought up to date beside it.
import type { Hooks } from "#boundary/hooks/port.ts";
import type { CodeHit, CodeIndex } from "#boundary/index/port.ts";
import { assemble, type Piece } from "#core/context/assemble.ts";
import type { Result } from "#core/failure.ts";
import { tokensLikely } from "#core/model/tokens.ts";

/** Places in the code that are looked at, the best first. */
const HITS = 12;
/** How long a prompt waits for the index to see the newest saves, in milliseconds. */
const WAIT_MS = 1_000;

export type FoundCodeParts = {
  tokens: number;
  index(): Promise<Result<CodeIndex>>;
};

/** A place in the code as a model reads it. */
export const shownCode = (hit: CodeHit): string =>
  `${placeOf(hit)}${hit.inside.length > 0 ? ` (in ${hit.inside.join(".")})` : ""}\n${hit.text}\n`;

export const placeOf = ({ path, line, endLine }: CodeHit): string => `${path}:${line}-${endLine}`;

/** Tells before a prompt what the index finds for it. */
export function foundCode({ tokens, index }: FoundCodeParts): Hooks {
  return {
    name: "found code",
    async beforePrompt({ signal, prompt, readable }) {
      const opened = await index();
      if (!opened.ok || prompt.trim() === "") return null;
      const waited = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
      await opened.value.refresh(waited);
      const hits = await opened.value.search(prompt, HITS);
      if (!hits.ok) return null;
      const pieces = hits.value
        .filter(({ path }) => readable(path))
        .map((hit): Piece => {
          const text = shownCode(hit);
          const why = hit.why.join(", ");
          return { kind: "code", name: placeOf(hit), text, why, tokens: tokensLikely(text) };
        });
      const { pieces: kept } = assemble(pieces, { tokensMax: tokens, answer: 0 });
      if (kept.length === 0) return null;
      const head = "Places in the code that may matter for this, found by its words:";
      return [head, ...kept.map(({ text }) => text)].join("\n\n");
    },
  };
}
