// A script: what a model that is not one will say, as JSON. For tests and the demo. Which answer
// comes next is read off the conversation itself, so that a restarted process goes on rightly, and
// a script that does not fit the conversation says so instead of answering anyway.
import * as z from "zod/mini";
import { type FailureCode, fail, failureCodes, ok, type Result } from "#core/failure.ts";
import { parsed } from "#core/model/json.ts";
import { stops } from "#core/model/message.ts";

const milliseconds = z.int().check(z.minimum(0), z.maximum(600_000));
const count = z.int().check(z.minimum(0));

/** What the messages since the last answer must hold; several expectations must all hold. */
const expectation = z.strictObject({
  /** Whose messages are looked at; both where this is left out. */
  from: z.optional(z.enum(["user", "tool"])),
  /** A text that at least one of them contains. */
  contains: z.optional(z.string()),
  /** A regular expression that at least one of them matches. */
  matches: z.optional(z.string().check(z.refine(isPattern, "not a regular expression"))),
  /** A text that none of them contains. */
  lacks: z.optional(z.string()),
});

const failure = z.strictObject({
  code: z.enum(Object.keys(failureCodes) as [FailureCode, ...FailureCode[]]),
  say: z.string(),
  retryAfterMs: z.optional(milliseconds),
  /** Characters of the answer that still come; none where this is left out. */
  afterChars: z.optional(count),
  /** How often this answer fails before it is given, counted per process; always where left out. */
  times: z.optional(count),
});

const answer = z.strictObject({
  expect: z.optional(z.union([expectation, z.array(expectation)])),
  reasoning: z.optional(z.string()),
  text: z.optional(z.string()),
  /** `input` is sent as its JSON text; a string is sent as it is, be it JSON or not. */
  calls: z.optional(
    z.array(z.strictObject({ tool: z.string(), input: z.unknown(), id: z.optional(z.string()) })),
  ),
  stop: z.optional(z.enum(stops)),
  usage: z.optional(
    z.strictObject({ input: count, cached: count, output: count, reasoning: count }),
  ),
  /** Wait before the first word, and between two pieces of the answer. */
  delayMs: z.optional(milliseconds),
  pauseMs: z.optional(milliseconds),
  failure: z.optional(failure),
});

const script = z.strictObject({ answers: z.array(answer) });

export type Expectation = z.infer<typeof expectation>;
export type ScriptedAnswer = z.infer<typeof answer>;
export type Script = z.infer<typeof script>;

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
}

/** Reads a script; `name` is how a failure calls it. */
export function readScript(json: string, name: string): Result<Script> {
  const value = parsed(json);
  if (value === undefined) return fail("bad_input", `${name} is not JSON`);
  const read = script.safeParse(value);
  if (read.success) return ok(read.data);
  const [issue] = read.error.issues;
  const where = issue?.path.join(".") || "the top";
  return fail("bad_input", `${name} is not a script: at ${where}: ${issue?.message}`);
}

/** A conversation as a script sees it, whatever the dialect. */
export type Heard = { role: "user" | "assistant" | "tool"; text: string };

export type Cue = { answer: ScriptedAnswer; position: number };

/** The answer that is due: as many answers as the conversation holds were given before it. */
export function cueIn(script: Script, heard: readonly Heard[]): Result<Cue> {
  const position = heard.filter(({ role }) => role === "assistant").length;
  const answer = script.answers[position];
  if (!answer) {
    const had = script.answers.length;
    return fail(
      "bad_input",
      `the script has ${had} answers and is asked for number ${position + 1}`,
    );
  }
  const last = heard.findLastIndex(({ role }) => role === "assistant");
  const news = heard.slice(last + 1);
  for (const expected of [answer.expect ?? []].flat()) {
    const why = misfit(expected, news);
    if (why) return fail("bad_input", `answer ${position + 1} of the script does not fit: ${why}`);
  }
  return ok({ answer, position });
}

function misfit(expected: Expectation, news: readonly Heard[]): string | undefined {
  const { from, contains, matches, lacks } = expected;
  const texts = news.filter((m) => from === undefined || m.role === from).map((m) => m.text);
  const whose = from === undefined ? "message" : `${from} message`;
  const got = texts.map((text) => JSON.stringify(text.slice(0, 300))).join(", ") || "none";
  if (contains !== undefined && !texts.some((text) => text.includes(contains))) {
    return `no ${whose} contains ${JSON.stringify(contains)}; it got ${got}`;
  }
  if (matches !== undefined && !texts.some((text) => new RegExp(matches).test(text))) {
    return `no ${whose} matches /${matches}/; it got ${got}`;
  }
  if (lacks !== undefined && texts.some((text) => text.includes(lacks))) {
    return `a ${whose} contains ${JSON.stringify(lacks)}; it got ${got}`;
  }
  return undefined;
}

/** The argument text of a scripted call. */
export function inputText(input: unknown): string {
  return typeof input === "string" ? input : JSON.stringify(input ?? {});
}

/** The id of a scripted call: given, or made from its place. */
export function callIdOf(position: number, at: number, given: string | undefined): string {
  return given ?? `call_${position + 1}_${at + 1}`;
}

/** Longest piece in which a scripted text is streamed, in characters. */
const PIECE_CHARS = 24;

/** A text in the pieces in which it is streamed: words, and parts of long ones. */
export function piecesOf(text: string): string[] {
  const words = text.match(/\s*\S+\s*$|\s*\S+|\s+/gu) ?? [];
  return words.flatMap((word) => {
    const units = Array.from(word);
    return Array.from({ length: Math.ceil(units.length / PIECE_CHARS) }, (_, i) =>
      units.slice(i * PIECE_CHARS, (i + 1) * PIECE_CHARS).join(""),
    );
  });
}
