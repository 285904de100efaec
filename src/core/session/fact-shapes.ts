// The shapes of what a call teaches its session (tool-facts.ts), as events hold them.
import * as z from "zod/mini";
import { childEnds } from "#core/session/child.ts";

const text = z.string();
const count = z.number();
export const change = z.object({ path: text, before: text, after: text });
export const todo = z.object({ text, state: z.enum(["open", "doing", "done"]) });
export const tests = z.object({ passed: count, failed: count, skipped: count });
export const fact = z.discriminatedUnion("type", [
  z.object({ type: z.literal("fileSeen"), path: text, hash: text }),
  z.object({
    type: z.literal("fileChanged"),
    path: text,
    before: text,
    after: text,
    diff: z.optional(text),
    unread: z.optional(z.literal(true)),
  }),
  z.object({ type: z.literal("fileGone"), path: text }),
  z.object({
    type: z.literal("filesChanged"),
    files: z.readonly(z.array(change)),
    more: count,
    theirs: z.optional(z.readonly(z.array(text))),
    besides: z.optional(z.readonly(z.array(text))),
  }),
  z.object({ type: z.literal("todo"), items: z.readonly(z.array(todo)) }),
  z.object({
    type: z.literal("commandEnded"),
    command: text,
    cwd: z.optional(text),
    code: z.nullable(count),
    durationMs: count,
    tests: z.optional(tests),
  }),
  z.object({ type: z.literal("quarantined"), paths: z.readonly(z.array(text)) }),
  z.object({
    type: z.literal("hostsTried"),
    reached: z.readonly(z.array(text)),
    refused: z.readonly(z.array(text)),
  }),
  z.object({ type: z.literal("jobStarted"), job: text, command: text }),
  z.object({
    type: z.literal("jobEnded"),
    job: text,
    code: z.nullable(count),
    besides: z.optional(z.readonly(z.array(text))),
  }),
  z.object({
    type: z.literal("childEnded"),
    child: text,
    role: text,
    end: z.enum(childEnds),
    steps: count,
    tokens: count,
  }),
]);
