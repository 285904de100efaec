// Fills a window with pieces in the order of their worth, and sends them in an order that keeps
// what changes least in front: a provider's cache of prompts then holds from request to request.

/** What a piece is, in the order in which pieces are sent. */
export const pieceKinds = [
  "system",
  "tools",
  "instructions",
  "map",
  "history",
  "pinned",
  "code",
  "prompt",
] as const;
export type PieceKind = (typeof pieceKinds)[number];

/**
 * The same kinds in the order of their worth. What comes first is always sent; the rest as long as
 * there is room: what the user asked for before what was found, code before a map of it.
 */
const byWorth: readonly PieceKind[] = [
  "system",
  "tools",
  "prompt",
  "instructions",
  "pinned",
  "history",
  "code",
  "map",
];

/** Kinds without which there is no request. */
const fixed: ReadonlySet<PieceKind> = new Set(["system", "tools", "prompt"]);

export type Piece = {
  kind: PieceKind;
  /** What a person calls it: a path, a place, the name of a section. */
  name: string;
  text: string;
  tokens: number;
  /** Why it is there. */
  why: string;
};

export type PieceLeft = Pick<Piece, "kind" | "name" | "tokens"> & { why: string };

export type Assembled = {
  /** In the order in which they are sent. */
  pieces: readonly Piece[];
  /** What there was no room for. */
  left: readonly PieceLeft[];
  tokens: number;
  /** Tokens that the pieces may have together. */
  room: number;
};

export type Room = {
  /** Tokens of the request, at most: the smaller of the user's limit and the model's window. */
  tokensMax: number;
  /** Tokens that are kept free for the answer. */
  answer: number;
  /** Tokens of one kind, at most. */
  kinds?: Readonly<Partial<Record<PieceKind, number>>>;
};

/**
 * Chooses pieces, those given first of a kind before the others of it. One that does not fit is
 * left out, and smaller ones after it are still tried. The fixed kinds are always in it.
 */
export function assemble(
  given: readonly Piece[],
  { tokensMax, answer, kinds = {} }: Room,
): Assembled {
  const room = Math.max(0, tokensMax - answer);
  const chosen = new Set<Piece>();
  const left: PieceLeft[] = [];
  let tokens = 0;
  for (const kind of byWorth) {
    let used = 0;
    for (const piece of given.filter((one) => one.kind === kind)) {
      const why = noRoom(piece, { free: room - tokens, ofKind: (kinds[kind] ?? room) - used });
      if (why && !fixed.has(kind)) {
        left.push({ kind, name: piece.name, tokens: piece.tokens, why });
        continue;
      }
      chosen.add(piece);
      tokens += piece.tokens;
      used += piece.tokens;
    }
  }
  const order = (piece: Piece) => pieceKinds.indexOf(piece.kind);
  const pieces = given.filter((piece) => chosen.has(piece)).sort((a, b) => order(a) - order(b));
  return { pieces, left, tokens, room };
}

function noRoom(
  { kind, tokens }: Piece,
  { free, ofKind }: { free: number; ofKind: number },
): string | null {
  if (tokens > free) return "no room left in the window";
  return tokens > ofKind ? `no room left for ${kind}` : null;
}
