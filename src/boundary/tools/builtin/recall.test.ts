// Recall over pieces of a session: hits that name their event, a piece in parts that make the whole,
// always within the room there is, and an answer to act on where there is nothing.
import { describe, expect, it } from "vitest";
import { recall } from "#boundary/tools/builtin/recall.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import { ok } from "#core/failure.ts";
import type { Piece } from "#core/session/recall.ts";

const piece = (at: number, text: string, more: Partial<Piece> = {}): Piece => ({
  ...{ at, kind: "answer", name: "answer", text, turn: "t1", undone: false },
  ...more,
});

function asking(pieces: readonly Piece[], resultBytesMax = 20_000) {
  const context = contextOf(folderWith({}), {
    resultBytesMax,
    history: async (at) => ok(pieces.filter((one) => at === undefined || one.at === at)),
  });
  return async (input: object) => await called(recall, input, context);
}

const noise = Array.from({ length: 30 }, (_, i) =>
  piece(100 + i, `In step ${i} the parser of module ${i} was read and nothing was wrong with it.`),
);

describe("recall by words", () => {
  it("names the event of each hit, the best first, and how to get more", async () => {
    const ask = asking([...noise, piece(7, "The staging database listens on port 6432.")]);
    const { text, outcome } = await ask({ words: "which port has the database of staging?" });
    expect(text).toMatch(/^#7 you said\nThe staging database listens on port 6432\./);
    expect(outcome?.facts).toEqual([]);
    const many = (await ask({ words: "parser module" })).text;
    expect(many.match(/^#\d+ /gm)).toHaveLength(5);
    expect(many).toContain("(25 more: again with skip: 5)");
    const next = (await ask({ words: "parser module", skip: 5 })).text;
    const numbers = (said: string): string[] => said.match(/^#\d+/gm) ?? [];
    expect(numbers(next)).toHaveLength(5);
    expect(numbers(next).filter((at) => numbers(many).includes(at))).toEqual([]);
  });

  it("shows the place in a long result, and its hits stay within a small window", async () => {
    const log = Array.from({ length: 900 }, (_, i) => `step ${i} of the build is fine`);
    const text = log.with(700, "the linker wants flag -lzeta here").join("\n");
    const ask = asking([...noise, piece(9, text, { kind: "result", name: "run make" })], 700);
    const hit = (await ask({ words: "linker flag" })).text;
    expect(hit).toMatch(/^#9 result of run make \(from character \d+\)\n/);
    expect(hit).toContain("flag -lzeta");
    expect(Buffer.byteLength((await ask({ words: "step module" })).text)).toBeLessThan(1_000);
  });

  it("says of a turn that was taken back that it was", async () => {
    const ask = asking([piece(4, "The secret of the cache is xyzzy.", { undone: true })]);
    expect((await ask({ words: "cache secret" })).text).toContain("a turn that the user took back");
  });

  it("says what to do where nothing is found", async () => {
    expect((await asking(noise)({ words: "zebra" })).text).toMatch(
      /30 earlier pieces.*other words/,
    );
    expect((await asking(noise)({ words: "parser", skip: 90 })).text).toContain("only 30 hits");
  });
});

describe("recall of an event", () => {
  it("brings it back whole, in parts where it is long", async () => {
    const text = Array.from({ length: 400 }, (_, i) => `${i} Größe und Länge der Zeile`).join("\n");
    const ask = asking([piece(12, text, { kind: "result", name: "read a.txt" })], 2_000);
    let got = "";
    for (let from = 0; from < text.length; from = got.length) {
      const { text: said } = await ask({ event: 12, from });
      expect(Buffer.byteLength(said)).toBeLessThan(2_100);
      const more = /\n\((\d+) more characters: again with from: (\d+)\)$/.exec(said);
      got += said.slice(said.indexOf("\n") + 1, more?.index);
      if (more) expect(Number(more[2])).toBe(got.length);
    }
    expect(got).toBe(text);
  });

  it("refuses an event that said nothing, a place behind its end, and both ways at once", async () => {
    const ask = asking([piece(12, "short")]);
    expect((await ask({ event: 13 })).text).toMatch(/event 13 .*said nothing.*find it by `words`/);
    expect((await ask({ event: 12, from: 5 })).text).toContain("has 5 characters");
    expect((await ask({ event: 12, words: "short" })).code).toBe("bad_input");
    expect((await ask({})).refused).toContain("either `words` or `event`");
  });
});
