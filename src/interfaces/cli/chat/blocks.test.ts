// Blocks of an answer: nothing of it is lost or moved, however it comes in pieces.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finishedBlocks } from "#interfaces/cli/chat/blocks.ts";

function split(pieces: readonly string[]): { blocks: string[]; rest: string } {
  let rest = "";
  const blocks: string[] = [];
  for (const piece of pieces) {
    const next = finishedBlocks(rest, piece);
    blocks.push(...next.blocks);
    rest = next.rest;
  }
  return { blocks, rest };
}

const text = fc
  .array(
    fc.constantFrom("word", "\n", "\n\n", "- a", "1. b", "```", "```ts\n", "\n```\n", "  x", "| c"),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

describe("the blocks of an answer", () => {
  it("end at an empty line outside of code, lists, quotes and tables", () => {
    expect(split(["One.\n\nTwo.\n\n"])).toEqual({ blocks: ["One.\n\n"], rest: "Two.\n\n" });
    expect(split(["- a\n\n- b\n\nEnd"]).blocks).toEqual(["- a\n\n- b\n\n"]);
    expect(split(["```\na\n\nb\n```\n\nEnd"]).blocks).toEqual(["```\na\n\nb\n```\n\n"]);
    expect(split(["a\n\n-"]).blocks).toEqual([]);
    expect(split(["a\n\n-", "x"]).blocks).toEqual(["a\n\n"]);
  });

  it("make up the whole text, and are the same for any pieces of it", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (whole, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length];
        const ends = at.toSorted((a, b) => a - b);
        const pieces = ends.slice(1).map((end, i) => whole.slice(ends[i], end));
        const { blocks, rest } = split(pieces);
        expect(blocks.join("") + rest).toBe(whole);
        expect({ blocks, rest }).toEqual(split([whole]));
      }),
      { numRuns: 2_000 },
    );
  });
});
