// Finds what a session said and did before its old messages were shortened, by words, and brings any
// event back whole or in part by its number. It reads the session's own log and nothing else.
import * as z from "zod/mini";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { defineTool, inOneLine, outcome, refusal } from "#boundary/tools/tool.ts";
import { excerpt, ranked } from "#core/context/rank.ts";
import { fail, ok } from "#core/failure.ts";
import { type Piece, RECALL } from "#core/session/recall.ts";

/** Hits of one answer; in a small window fewer. */
const HITS_MAX = 5;
const HITS_MIN = 3;
/** Bytes that a hit has before there are fewer of them. */
const HIT_BYTES = 400;
/** UTF-16 units of a hit's text. */
const HIT_CHARACTERS_MAX = 800;
/** Bytes of an answer that are not text of pieces. */
const NOTES_BYTES = 300;
/** UTF-16 units of a question. */
const QUESTION_CHARACTERS_MAX = 1_000;
/** UTF-16 units of a piece's name. */
const NAME_CHARACTERS = 80;

export const recall = defineTool({
  name: RECALL,
  effect: "pure",
  about: [
    "Look up what was said and done in this session and is not in the conversation any more:",
    "`words` finds prompts, answers, calls and their results, the best hits first; `event` brings",
    "one back whole, by the number that a digest or a hit names as #number.",
  ].join(" "),
  input: z.strictObject({
    words: z.optional(
      z
        .string()
        .check(
          z.minLength(1),
          z.maxLength(QUESTION_CHARACTERS_MAX),
          z.describe("A question, or names and words to find."),
        ),
    ),
    event: z.optional(z.int().check(z.gte(1), z.describe("Number of an event."))),
    from: z.optional(z.int().check(z.gte(0), z.describe("With `event`: character to start from."))),
    skip: z.optional(z.int().check(z.gte(0), z.describe("With `words`: hits to leave out."))),
  }),
  example: { words: "Which port does the test server use?" },
  async prepare({ words, event, from = 0, skip = 0 }, context) {
    if ((words === undefined) === (event === undefined)) {
      return fail("bad_input", "give either `words` or `event`", {
        fix: 'for example {"words": "port of the test server"}, or {"event": 42}',
      });
    }
    const title = words === undefined ? `recall event ${event}` : `recall ${words}`;
    const run = () =>
      words === undefined ? brought(event ?? 0, from, context) : found(words, skip, context);
    return ok({ access: [], effect: "pure" as const, intent: {}, title, run });
  },
});

async function found(words: string, skip: number, context: ToolContext): Promise<ToolOutcome> {
  const pieces = await context.history();
  if (!pieces.ok) return refusal(pieces.error);
  const sources = pieces.value.map(({ name, text }) => ({ name, text }));
  const hits = ranked(sources, words);
  if (hits.length === 0) {
    const many = `${pieces.value.length} earlier pieces`;
    return outcome(`Nothing of these words is in the ${many} of this session. Try other words.`);
  }
  const room = Math.max(0, context.resultBytesMax - NOTES_BYTES);
  const count = Math.max(HITS_MIN, Math.min(HITS_MAX, Math.floor(room / HIT_BYTES)));
  const shown = hits.slice(skip, skip + count);
  const each = Math.floor(room / count);
  const lines = shown.flatMap(({ source, from, text }) => {
    const piece = pieces.value[source];
    if (!piece) return [];
    const head = `#${piece.at} ${titleOf(piece)}`;
    const charsMax = Math.min(HIT_CHARACTERS_MAX, Math.max(0, each - Buffer.byteLength(head) - 30));
    const part = around(piece.text, { from, text }, words, charsMax);
    const isPart = part.text.length < piece.text.length;
    const where = isPart ? ` (from character ${part.from})` : "";
    return [`${head}${where}\n${part.text.trim()}`];
  });
  const left = hits.length - skip - shown.length;
  const more = left > 0 ? [`(${left} more: again with skip: ${skip + shown.length})`] : [];
  const none = shown.length === 0 ? [`There are only ${hits.length} hits.`] : [];
  return outcome([...none, ...lines, ...more].join("\n\n"));
}

/** The passage with what is around it, or the best part of it, as far as there is room. */
function around(
  whole: string,
  passage: { from: number; text: string },
  words: string,
  charsMax: number,
): { from: number; text: string } {
  const more = Math.floor((charsMax - passage.text.length) / 2);
  if (more < 0) {
    const part = excerpt(passage.text, words, charsMax);
    return { from: passage.from + part.from, text: part.text };
  }
  const from = Math.max(0, passage.from - more);
  return {
    from,
    text: whole.slice(from, passage.from + passage.text.length + more).toWellFormed(),
  };
}

async function brought(at: number, from: number, context: ToolContext): Promise<ToolOutcome> {
  const pieces = await context.history(at);
  if (!pieces.ok) return refusal(pieces.error);
  const [piece] = pieces.value;
  if (!piece) {
    const say = `event ${at} of this session said nothing that could be brought back`;
    return refusal(fail("not_found", say, { fix: "find it by `words`" }).error);
  }
  const { text } = piece;
  if (from >= text.length) {
    const say = `event ${at} has ${text.length} characters, so there is none at ${from}`;
    return refusal(fail("bad_input", say, { fix: "start from an earlier one" }).error);
  }
  const part = fittingPart(text, from, context.resultBytesMax - NOTES_BYTES);
  const left = text.length - from - part.length;
  const more =
    left > 0 ? [`(${left} more characters: again with from: ${from + part.length})`] : [];
  return outcome([`#${at} ${titleOf(piece)}`, part, ...more].join("\n"));
}

/** What fits from there on, up to the end of a line where that is not far. */
function fittingPart(text: string, from: number, bytesMax: number): string {
  let part = text.slice(from, from + Math.max(1, bytesMax));
  while (part.length > 1 && Buffer.byteLength(part) > bytesMax) {
    part = part.slice(0, Math.floor((part.length * bytesMax) / Buffer.byteLength(part)));
  }
  if (from + part.length >= text.length) return part;
  const line = part.lastIndexOf("\n");
  return line > part.length / 2 ? part.slice(0, line + 1) : part;
}

const kinds: Record<Piece["kind"], string> = {
  prompt: "the user asked",
  steer: "the user said meanwhile",
  answer: "you said",
  result: "result of",
  instructions: "instructions",
  notice: "notice",
};

function titleOf({ kind, name, undone }: Piece): string {
  const named = kind === "result" || kind === "instructions" ? ` ${inOneLine(name)}` : "";
  const title = `${kinds[kind]}${named}`;
  const short = title.length > NAME_CHARACTERS ? `${title.slice(0, NAME_CHARACTERS)}…` : title;
  return undone ? `${short} (in a turn that the user took back)` : short;
}
