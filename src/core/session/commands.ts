// What may be asked of a session. Imperative; `decide` turns a command into events or refuses it.
// What a command cannot know (ids, blobs of attachments) the door adds before it asks.
import * as z from "zod/mini";
import { strictness } from "#core/evidence/standing.ts";
import { efforts } from "#core/model/message.ts";
import { scopes } from "#core/security/permission.ts";
import { modes } from "#core/session/tool-facts.ts";

/** Longest prompt in characters; more belongs into a file that is attached or read. */
export const PROMPT_CHARS_MAX = 1_000_000;

const text = z.string().check(z.minLength(1), z.maxLength(PROMPT_CHARS_MAX));
const whole = z.int().check(z.minimum(0));
const line = z.string().check(z.minLength(1), z.maxLength(200));
const blob = z.object({
  hash: z.string(),
  bytes: z.number(),
  media: z.string(),
  name: z.optional(z.string()),
});
const attachments = z.readonly(z.array(blob).check(z.maxLength(100)));

export const sessionCommands = {
  /** Starts a turn, or queues the prompt behind the running one. */
  SubmitPrompt: z.object({
    turn: z.string(),
    text,
    attachments,
    /** The turn may end as done only with evidence. */
    evidence: z.optional(z.enum(strictness)),
  }),
  /** Words that the running turn's model reads with its next step. */
  Steer: z.object({ text, attachments }),
  /** Ends the running turn: what runs is stopped, every open call gets its one result. */
  Cancel: z.object({ why: line }),
  /** Takes a queued prompt back. */
  Unqueue: z.object({ turn: z.string() }),
  /** The user's answer, bound by `hash` to exactly what was asked. */
  AnswerPermission: z.object({
    callId: z.string(),
    answer: z.enum(["allow", "deny"]),
    scope: z.enum(scopes),
    hash: z.string(),
    say: z.optional(z.string().check(z.maxLength(2_000))),
  }),
  Rename: z.object({ title: line }),
  SwitchModel: z.object({ model: line }),
  SwitchMode: z.object({ mode: z.enum(modes) }),
  SwitchEffort: z.object({ effort: z.nullable(z.enum(efforts)) }),
  /** What the session may have spent in all; null: no limit of its own. `say` for people. */
  SetBudget: z.object({ nanoDollars: z.nullable(whole), tokens: z.nullable(whole), say: line }),
  /** Replaces old messages by a digest now, between turns, instead of when the context is full. */
  Compact: z.object({}),
  /** Removes the content of the session for good; the chain of its records stays valid. */
  Erase: z.object({ why: line }),
};

export type SessionCommandType = keyof typeof sessionCommands;
export type SessionCommand = {
  [T in SessionCommandType]: { type: T } & Fields<(typeof sessionCommands)[T]>;
}[SessionCommandType];

/** The fields of a schema; one without fields would otherwise forbid the `type` beside it. */
export type Fields<S extends z.ZodMiniType> = {
  [K in keyof z.infer<S> as string extends K ? never : K]: z.infer<S>[K];
};
