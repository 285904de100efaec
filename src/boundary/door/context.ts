// What a first request to a model would hold, in which order, what it costs, and why each piece is
// there. Nothing is sent, and no server is asked.
import type { Answers, Query } from "#app";
import { codePieces } from "#boundary/code-pieces.ts";
import { countingFor } from "#boundary/counting.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { assemble, type Piece } from "#core/context/assemble.ts";
import { ok, type Result } from "#core/failure.ts";
import { factsOf } from "#core/model/catalog.ts";
import type { Counting } from "#core/model/count.ts";
import { costOf } from "#core/model/money.ts";
import { systemPrompt } from "#core/prompt/system.ts";

/** Tokens of code that are looked for where none go with a prompt by themselves. */
const SHOWN_CODE_TOKENS = 2_000;
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
  const counting = await countingFor(model.value, family);
  const pieceOf = pieceBy(counting);
  const code = await codeFor(parts, { path, text }, counting);
  if (!code.ok) return code;
  const pieces = [
    pieceOf("system", "system prompt", system, "every request begins with it"),
    pieceOf("tools", "tools", JSON.stringify(tools.value.specs), "what the model may ask for"),
    ...(await instructionPieces(parts, path, pieceOf)),
    ...code.value,
    pieceOf("prompt", "prompt", text, "what you ask"),
  ];
  const limit = parts.defaults.contextTokens;
  const tokensMax = Math.min(limit, facts.windowTokens ?? limit);
  const answer = Math.min(ANSWER_TOKENS, Math.floor(tokensMax / 4));
  const { codeTokens } = parts.defaults;
  const room = { tokensMax, answer, kinds: { code: codeTokens, map: codeTokens } };
  const made = assemble(pieces, room);
  const usage = { input: made.tokens, cached: 0, output: 0, reasoning: 0, exact: false };
  const nanoDollars = costOf(usage, facts.price)?.nanoDollars ?? null;
  const { within } = counting;
  return ok({ model: model.value, window: tokensMax, nanoDollars, within, ...made });
}

type MakePiece = (kind: Piece["kind"], name: string, text: string, why: string) => Piece;

const pieceBy =
  ({ count }: Counting): MakePiece =>
  (kind, name, text, why) => ({ kind, name, text, why, tokens: count(text) });

async function instructionPieces(
  parts: DoorParts,
  path: string,
  pieceOf: MakePiece,
): Promise<Piece[]> {
  const place = await parts.placeAt(path);
  if (!place.ok) return [];
  const { found } = await place.value.instructions(["."]);
  return found.map(({ path: from, text }) =>
    pieceOf("instructions", from, text, "instructions that hold here"),
  );
}

/** The code that the prompt is about: as much of it as there is room for, or would be. */
async function codeFor(
  parts: DoorParts,
  { path, text }: { path: string; text: string },
  counting: Counting,
): Promise<Result<readonly Piece[]>> {
  const code = await parts.codeAt(path, counting);
  if (!code.ok) return code;
  const tokens = parts.defaults.codeTokens || SHOWN_CODE_TOKENS;
  return await codePieces({ ...code.value, readable: () => true }, text, tokens);
}
