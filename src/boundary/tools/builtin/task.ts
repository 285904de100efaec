// Gives a piece of work to a child: a session of its own, in the same folder, whose last message is
// the result of the call. Several calls of one answer run side by side. A call that is repeated after
// a crash finds the child that it began.
import * as z from "zod/mini";
import type { Jobs } from "#boundary/tools/jobs.ts";
import type { Child, ChildReport, Tool, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import { fail, ok } from "#core/failure.ts";
import type { ChildEnd } from "#core/session/child.ts";
import { TASK } from "#core/session/tool-facts.ts";

const TITLE_CHARACTERS_MAX = 100;
const PROMPT_CHARACTERS_MAX = 100_000;
const MINUTES_MAX = 1_440;
/** Paths that a result names. */
const NAMED_MAX = 20;

export function task(jobs: Jobs): Tool {
  return defineTool({
    name: TASK,
    effect: "keyed",
    about: [
      "Give a piece of work to a child: an assistant with a context of its own, in the same folder.",
      "For a search through much code, or for pieces that do not depend on each other: calls of one",
      "answer run side by side, at most 8. It knows nothing of this conversation, so `prompt` holds",
      "all that it needs and what to answer; its last message is the result. Not for what a call or",
      "two of your own would do.",
    ].join(" "),
    input: z.strictObject({
      title: z
        .string()
        .check(z.minLength(1), z.maxLength(TITLE_CHARACTERS_MAX), z.describe("A few words.")),
      prompt: z.string().check(z.minLength(1), z.maxLength(PROMPT_CHARACTERS_MAX)),
      role: z.optional(z.string().check(z.minLength(1), z.maxLength(40))),
      minutes: z.optional(
        z
          .int()
          .check(z.minimum(1), z.maximum(MINUTES_MAX), z.describe("It is ended after so many.")),
      ),
    }),
    example: {
      title: "find the callers of sum()",
      prompt: "Find every caller of sum() from src/sum.ts. Answer with path:line of each.",
      role: "explore",
    },
    async prepare(given, context) {
      if (!context.child) {
        return fail("not_supported", "there are no children here", { fix: "do the work yourself" });
      }
      const { title, prompt, role, minutes } = given;
      const child = await context.child({
        ...{ title, prompt },
        ...(role === undefined ? {} : { role }),
        ...(minutes === undefined ? {} : { minutes }),
      });
      if (!child.ok) return child;
      const { id, harmless } = child.value;
      return ok({
        access: [],
        effect: "keyed" as const,
        intent: { key: id, child: id },
        title: `${child.value.role}: ${title}`,
        ...(harmless ? { harmless } : {}),
        run: (running) => ran(child.value, jobs, running),
      });
    },
  });
}

async function ran(child: Child, jobs: Jobs, running: ToolRun): Promise<ToolOutcome> {
  const done = await child.run(running);
  // Nobody could follow them any more, and what they write would be nobody's.
  await jobs.endOf(child.id);
  if (!done.ok) return refusal(done.error);
  const report = done.value;
  const fact = {
    type: "childEnded" as const,
    child: child.id,
    role: child.role,
    end: report.end,
    steps: report.steps,
    tokens: report.tokens,
  };
  const text = [headOf(report), ...changesOf(report), "", report.text || "(it said nothing)"];
  const facts = [fact];
  return {
    ...outcome(text.join("\n"), { facts, failed: !isWhole(report.end) }),
    changed: report.changed,
  };
}

/** Whether its last message is the report that it meant to give. */
const isWhole = (end: ChildEnd): boolean => end === "done" || end === "unproven";

const says: Record<ChildEnd, string> = {
  done: "The child is done",
  unproven: "The child is done, and what it changed is unproven",
  cancelled: "The child was called off",
  failed: "The child failed",
  refused: "The child's model refused",
  filtered: "The child's answer was withheld by its provider",
  limit: "The child stopped at a limit",
  deadline: "The child's time was over before it was done",
  stuck: "The child was ended, since its last steps changed nothing",
  lost: "The child was ended, since nobody ran it any more",
};

function headOf({ end, failure, steps, tookMs }: ChildReport): string {
  const why = failure ? `: ${failure.say}` : "";
  const seconds = Math.max(1, Math.round(tookMs / 1_000));
  const last = isWhole(end) ? "It answers:" : "What it said last:";
  return `${says[end]}${why} (${steps === 1 ? "1 answer" : `${steps} answers`} in ${seconds} s). ${last}`;
}

/** The files of now are not those that its parent read. */
function changesOf({ changed }: ChildReport): string[] {
  if (changed.length === 0) return [];
  const named = changed.slice(0, NAMED_MAX).join(", ");
  const more = changed.length - NAMED_MAX;
  return [`It changed: ${named}${more > 0 ? ` and ${more} more` : ""}`];
}
