// Code that goes with a prompt by itself: what the index finds for it, told once before the turn's
// first step and kept in the log, where the user gave room for that. A prompt waits for no index:
// one that is not up to date in time is asked as it is.
import { type CodeParts, codePieces } from "#boundary/code-pieces.ts";
import type { Hooks } from "#boundary/hooks/port.ts";
import type { Result } from "#core/failure.ts";

/** How long a prompt waits for the index to see the newest saves, in milliseconds. */
const WAIT_MS = 1_000;

export type FoundCodeParts = {
  tokens: number;
  /** What is needed to find and to show code; opened when a prompt first asks. */
  open(): Promise<Result<Omit<CodeParts, "readable">>>;
};

/** Tells before a prompt what the index finds for it. */
export function foundCode({ tokens, open }: FoundCodeParts): Hooks {
  return {
    name: "found code",
    async beforePrompt({ signal, prompt, readable }) {
      const opened = await open();
      if (!opened.ok || prompt.trim() === "") return null;
      // A first build goes on beside the turn.
      const late = new Promise((resolve) => setTimeout(resolve, WAIT_MS).unref());
      await Promise.race([opened.value.index.refresh(signal), late]);
      const parts = { ...opened.value, readable: (path: string) => readable(path) };
      const pieces = await codePieces(parts, prompt, tokens);
      if (!pieces.ok || pieces.value.length === 0) return null;
      const head = "Code that may matter for this, found by its words; what is left out is marked:";
      return [head, ...pieces.value.map(({ text }) => text)].join("\n\n");
    },
  };
}
