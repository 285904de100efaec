// Follows or kills a command that `run` started in the background.
import * as z from "zod/mini";
import { endLine, factsOf, hiddenLine } from "#boundary/tools/builtin/run.ts";
import type { Job, Jobs } from "#boundary/tools/jobs.ts";
import { collected, shown } from "#boundary/tools/output.ts";
import type { Tool, ToolContext, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";
import { briefly, type Fact } from "#core/session/tool-facts.ts";

/** How long `follow` waits for more output or the end, in seconds. */
const WAIT_SECONDS_MAX = 60;

const input = z.strictObject({
  job: z.string().check(z.minLength(1), z.maxLength(20)),
  action: z.enum(["follow", "kill"]),
  from: z.optional(z.int().check(z.minimum(0), z.describe("Byte of the output to start from."))),
  waitSeconds: z.optional(z.int().check(z.minimum(0), z.maximum(WAIT_SECONDS_MAX))),
});

export function job(jobs: Jobs): Tool {
  return defineTool({
    name: "job",
    effect: "opaque",
    about: [
      "Follow (new output, and whether it still runs) or kill a job that `run` started with",
      `background. \`waitSeconds\` (at most ${WAIT_SECONDS_MAX} s) waits for its end first. Not for commands`,
      "in the foreground. Jobs end with the Aiex process that runs them.",
    ].join(" "),
    input,
    example: { job: "k3x9ab", action: "follow", waitSeconds: 10 },
    async prepare(given, context) {
      const found = jobs.find(context.session, given.job);
      if (!found.ok) return found;
      return ok({
        access: [],
        effect: given.action === "follow" ? ("pure" as const) : ("opaque" as const),
        intent: {},
        title: `${given.action} job ${given.job}`,
        run: (running) => looked(found.value, given, context, running),
      });
    },
  });
}

async function looked(
  found: Job,
  given: z.output<typeof input>,
  context: ToolContext,
  { signal, mask }: ToolRun,
): Promise<ToolOutcome> {
  if (given.action === "kill") {
    found.kill();
    await found.done;
  } else if (given.waitSeconds) {
    await Promise.race([found.done, waited(given.waitSeconds, signal)]);
  }
  const { begin, end } = found.output.bytes();
  const fresh = collected();
  fresh.add(Buffer.concat([begin, end]).subarray(given.from ?? 0));
  const text = await shown(fresh, { ...context, mask });
  const state = found.end
    ? endLine(found.end, { seconds: 0, words: context.words })
    : `(still running; follow again from ${found.output.length})`;
  const { id, besides } = found;
  const beside = besides.length > 0 ? { besides: briefly(besides) } : {};
  const facts: Fact[] = found.end
    ? [...factsOf(found, found.end), { type: "jobEnded", job: id, code: found.end.code, ...beside }]
    : [];
  const hidden = found.end ? hiddenLine(found.end, text) : "";
  return outcome([text, state, hidden].filter((line) => line !== "").join("\n"), { facts });
}

function waited(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1_000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
