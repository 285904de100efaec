// What a first request to a model would hold, in which order, what it costs, and why each piece is
// there. Nothing is sent, and no server is asked.
import type { Answers, Query } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { placeOf, shownCode } from "#boundary/found-code.ts";
import { assemble, type Piece } from "#core/context/assemble.ts";
import { ok, type Result } from "#core/failure.ts";
import { factsOf } from "#core/model/catalog.ts";
import { costOf } from "#core/model/money.ts";
import { tokensLikely } from "#core/model/tokens.ts";
import { systemPrompt } from "#core/prompt/system.ts";

/** Places in the code that are looked at, the best first. */
const HITS = 12;
/** Tokens kept free for the answer. */
const ANSWER_TOKENS = 4_096;

type Asked = Extract<Query, { type: "Context" }>;

export async function contextOf(
  parts: DoorParts,
  { path, text, model: named }: Asked,
): Promise<Result<Answers["Context"]>> {
  const model = named === undefined ? await parts.defaultModel() : ok(named);
  if (!model.ok) return model;
  const { facts } = factsOf(model.value);
  const mode = parts.defaults.mode;
  const family = await parts.familyOf(model.value);
  const tools = await parts.toolsNow(family, path);
  if (!tools.ok) return tools;
  const system = systemPrompt(family, await parts.environmentOf(path, mode));
  const code = await codePieces(parts, { path, text });
  if (!code.ok) return code;
  const pieces = [
    pieceOf("system", "system prompt", system, "every request begins with it"),
    pieceOf("tools", "tools", JSON.stringify(tools.value.specs), "what the model may ask for"),
    ...(await instructionPieces(parts, path)),
    ...code.value,
    pieceOf("prompt", "prompt", text, "what you ask"),
  ];
  const limit = parts.defaults.contextTokens;
  const tokensMax = Math.min(limit, facts.windowTokens ?? limit);
  const answer = Math.min(ANSWER_TOKENS, Math.floor(tokensMax / 4));
  const room = { tokensMax, answer, kinds: { code: parts.defaults.codeTokens } };
  const made = assemble(pieces, room);
  const usage = { input: made.tokens, cached: 0, output: 0, reasoning: 0, exact: false };
  const nanoDollars = costOf(usage, facts.price)?.nanoDollars ?? null;
  return ok({ model: model.value, window: tokensMax, nanoDollars, ...made });
}

const pieceOf = (kind: Piece["kind"], name: string, text: string, why: string): Piece => ({
  ...{ kind, name, text, why },
  tokens: tokensLikely(text),
});

async function instructionPieces(parts: DoorParts, path: string): Promise<Piece[]> {
  const place = await parts.placeAt(path);
  if (!place.ok) return [];
  const { found } = await place.value.instructions(["."]);
  return found.map(({ path: from, text }) =>
    pieceOf("instructions", from, text, "instructions that hold here"),
  );
}

/** Places in the code that the prompt is about. */
async function codePieces(
  parts: DoorParts,
  { path, text }: { path: string; text: string },
): Promise<Result<Piece[]>> {
  const index = await parts.indexAt(path);
  if (!index.ok) return index;
  const hits = await index.value.search(text, HITS);
  if (!hits.ok) return hits;
  return ok(
    hits.value.map((hit) => pieceOf("code", placeOf(hit), shownCode(hit), hit.why.join(", "))),
  );
}
