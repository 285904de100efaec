// What fills a window: the order of worth decides what is in it, the order of sending what is in
// front.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assemble, type Piece, type PieceKind, pieceKinds } from "#core/context/assemble.ts";

const piece = (kind: PieceKind, tokens: number, name = `${kind} ${tokens}`): Piece => ({
  ...{ kind, tokens, name, why: "asked for" },
  text: "x",
});
const kindsOf = (pieces: readonly Piece[]) => pieces.map(({ kind }) => kind);

describe("a window", () => {
  it("has what changes least in front, and the prompt at its end", () => {
    const given = ["prompt", "code", "map", "system", "instructions", "tools"] as const;
    const { pieces } = assemble(
      given.map((kind) => piece(kind, 10)),
      { tokensMax: 1_000, answer: 100 },
    );
    expect(kindsOf(pieces)).toEqual(["system", "tools", "instructions", "map", "code", "prompt"]);
  });

  it("takes what was asked for before what was found, and code before the map of it", () => {
    const given = (["map", "code", "instructions"] as const).map((kind) => piece(kind, 50));
    const { pieces, left } = assemble([piece("prompt", 10), ...given], {
      tokensMax: 125,
      answer: 10,
    });
    expect(kindsOf(pieces)).toEqual(["instructions", "code", "prompt"]);
    expect(left).toMatchObject([{ kind: "map", why: "no room left in the window" }]);
  });

  it("tries smaller pieces after one that does not fit", () => {
    const given = [piece("code", 90, "large"), piece("code", 20, "small")];
    const { pieces } = assemble(given, { tokensMax: 60, answer: 10 });
    expect(pieces.map(({ name }) => name)).toEqual(["small"]);
  });

  it("gives a kind no more than its share", () => {
    const given = [piece("code", 30), piece("code", 25), piece("map", 30)];
    const { pieces, left } = assemble(given, { tokensMax: 999, answer: 0, kinds: { code: 40 } });
    expect(kindsOf(pieces)).toEqual(["map", "code"]);
    expect(left).toMatchObject([{ kind: "code", tokens: 25, why: "no room left for code" }]);
  });

  it("never has more than its room, unless what no request can go without is more", () => {
    const kinds = fc.constantFrom(...pieceKinds);
    const pieces = fc.array(fc.record({ kind: kinds, tokens: fc.nat(500) }), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, fc.nat(2_000), fc.nat(500), (all, tokensMax, answer) => {
        const given = all.map(({ kind, tokens }) => piece(kind, tokens));
        const made = assemble(given, { tokensMax, answer });
        const needed = given
          .filter(({ kind }) => ["system", "tools", "prompt"].includes(kind))
          .reduce((sum, { tokens }) => sum + tokens, 0);
        expect(made.tokens).toBeLessThanOrEqual(Math.max(needed, tokensMax - answer, 0));
        expect(made.pieces.length + made.left.length).toBe(given.length);
      }),
    );
  });
});
