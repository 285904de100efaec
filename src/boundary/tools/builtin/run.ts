// Runs a shell command in the sandbox of the workspace, in the foreground or as a job.
import * as z from "zod/mini";
import type { Jobs } from "#boundary/tools/jobs.ts";
import { type Collected, collected, plainText, shown } from "#boundary/tools/output.ts";
import type { Tool, ToolContext, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import { plainlyShown, seenFacts } from "#boundary/tools/seen-by-command.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import type { CommandEnd } from "#boundary/workspace/sandbox-port.ts";
import { TAIL_CHARS, testsIn } from "#core/evidence/tests.ts";
import { ok } from "#core/failure.ts";
import type { Words } from "#core/model/surface.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Time limits in seconds. */
const SECONDS = 120;
const SECONDS_MAX = 1_800;
const JOB_SECONDS_MAX = 86_400;
/** Characters of a command. */
const COMMAND_CHARS_MAX = 100_000;

const escalate = z.strictObject({
  kind: z.enum(["network", "path", "protected", "unsandboxed"]),
  path: z.optional(z.string().check(z.describe("Absolute path wanted, for path and protected."))),
  hosts: z.optional(
    z
      .array(z.string().check(z.maxLength(300)))
      .check(
        z.maxLength(100),
        z.describe('For network: the hosts needed, e.g. ["registry.npmjs.org", "*.docs.rs"].'),
      ),
  ),
  why: z.string().check(z.minLength(1), z.maxLength(500)),
});

const input = z.strictObject({
  command: z.string().check(z.minLength(1), z.maxLength(COMMAND_CHARS_MAX)),
  cwd: z.optional(z.string().check(z.describe("Folder inside the workspace. Default: the root."))),
  timeoutSeconds: z.optional(z.int().check(z.minimum(1), z.maximum(JOB_SECONDS_MAX))),
  background: z.optional(
    z.boolean().check(z.describe("Return at once; follow and kill it with `job`.")),
  ),
  escalate: z.optional(escalate),
});

type Input = z.output<typeof input>;

const about = [
  "Run a shell command (bash) in the workspace, in a sandbox: it may write only in the workspace",
  "and its temporary folder, has no network, and cannot read secrets of the home folder. Use it to",
  "build, test, lint, use git, or start a server (`background`). Do not use it to read, search or",
  "edit files: `read`, `search` and `edit` do that better. Each call is a fresh shell: `cd` and",
  "variables do not last. A command that waits for input gets none.",
  'For the network name each host: `escalate: {kind: "network", hosts: ["registry.npmjs.org"], why}`',
  "(ports 443 and 80; others as `localhost:3000`); HTTP and HTTPS reach those hosts through a proxy",
  'that the environment names. Only for other protocols (ssh, a database) ask for `hosts: ["*"]`.',
  `Default limit ${SECONDS} s, at most ${SECONDS_MAX} s in the foreground. Long output is shown as head and`,
  "tail. If the sandbox refuses what the task needs, call again with `escalate`: the user is asked.",
].join(" ");

export function run(jobs: Jobs): Tool {
  return defineTool({
    name: "run",
    effect: "opaque",
    about,
    input,
    example: { command: "npm test", timeoutSeconds: 300 },
    async prepare(given, context) {
      const cwd = context.workspace.relative(given.cwd ?? ".");
      if (!cwd.ok) return cwd;
      const may = given.background ? jobs.mayStart(context.session) : ok();
      if (!may.ok) return may;
      return ok({
        access: [
          {
            kind: "run" as const,
            command: given.command,
            cwd: cwd.value,
            env: {},
            sandboxed: context.sandbox.kind !== "none",
            ...(given.escalate ? { escalate: given.escalate } : {}),
          },
        ],
        effect: "opaque" as const,
        intent: {},
        title: given.command,
        run: (running) => started(jobs, { ...given, cwd: cwd.value }, context, running),
      });
    },
  });
}

async function started(
  jobs: Jobs,
  given: Input & { cwd: string },
  context: ToolContext,
  running: ToolRun,
): Promise<ToolOutcome> {
  const { command, cwd, background } = given;
  const limit = background ? JOB_SECONDS_MAX : SECONDS_MAX;
  const seconds = Math.min(given.timeoutSeconds ?? (background ? limit : SECONDS), limit);
  // A job outlives its call, so it must not die with the call's signal.
  const signal = background ? new AbortController().signal : running.signal;
  const before = background ? [] : await plainlyShown(command, cwd, context);
  const spec = { command, cwd, timeoutMs: seconds * 1_000, opened: running.opened };
  const begun = await context.sandbox.start(spec, signal);
  if (!begun.ok) return refusal(begun.error);
  if (background) {
    const job = jobs.start({ session: context.session, command, cwd }, begun.value);
    const ended = context.writing?.(command);
    if (ended) void job.done.then(ended);
    const fact: Fact = { type: "jobStarted", job: job.id, command };
    return outcome(`Started as job ${job.id}. Follow or end it with \`${context.words("job")}\`.`, {
      facts: [fact],
    });
  }
  const output = collected();
  for await (const chunk of begun.value.output) {
    output.add(chunk);
    running.progress(plainText(chunk));
  }
  const end = await begun.value.done;
  const seen = await seenFacts(before, { end, output }, context);
  const text = await shown(output, context);
  return outcome(
    [text, endLine(end, { seconds, words: context.words })]
      .filter((line) => line !== "")
      .join("\n"),
    {
      failed: end.code !== 0,
      facts: [...factsOf({ command, cwd, output }, end), ...seen],
    },
  );
}

/** What a finished command tells the session. */
export function factsOf(
  { command, cwd, output }: { command: string; cwd: string; output: Collected },
  end: CommandEnd,
): Fact[] {
  const { durationMs, quarantined } = end;
  // What was stopped has no exit code of its own, whatever it answered to the signal.
  const code = end.ended === "exit" ? end.code : null;
  const tests = testsIn(closing(output));
  const facts: Fact[] = [
    { type: "commandEnded", command, cwd, code, durationMs, ...(tests ? { tests } : {}) },
  ];
  if (end.hosts && end.hosts.reached.length + end.hosts.refused.length > 0) {
    const refused = end.hosts.refused.map(({ host }) => host);
    facts.push({ type: "hostsTried", reached: end.hosts.reached, refused });
  }
  if (quarantined.length > 0) facts.push({ type: "quarantined", paths: quarantined });
  return facts;
}

/** The end of an output, where runners count their tests. */
function closing(output: Collected): string {
  const { begin, end } = output.bytes();
  return plainText(Buffer.concat([begin, end]).subarray(-TAIL_CHARS));
}

/** How it ended, and what to do about what the sandbox kept from it. */
export function endLine(
  end: CommandEnd,
  { seconds, words }: { seconds: number; words: Words },
): string {
  const lines: string[] = [];
  if (end.ended === "timeout") {
    const more = `raise ${words("run.timeoutSeconds")} or use ${words("run.background")}`;
    lines.push(`(stopped after its limit of ${seconds} s; ${more})`);
  } else if (end.ended === "killed") lines.push("(killed)");
  else if (end.code !== 0) lines.push(`(exit ${end.code ?? end.signal})`);
  else lines.push("(exit 0)");
  if (end.exceeded) {
    lines.push(
      end.exceeded === "memory"
        ? "(it needed more memory than one command may have, and a process of it was killed; do less at a time)"
        : "(it wanted more processes than one command may have; run fewer at a time)",
    );
  }
  if (end.quarantined.length > 0) {
    lines.push(
      `(protected paths were changed and put back: ${end.quarantined.join(", ")}; tell the user if the task needs them)`,
    );
  }
  const refused = end.hosts?.refused ?? [];
  if (refused.length > 0) {
    const names = refused.map(({ host, why }) => `${host} (${why})`).join(", ");
    lines.push(
      `(not reached: ${names}. If the task needs one, call again with escalate, kind network and hosts that name it too)`,
    );
  } else if (end.sandboxDenied) {
    lines.push(
      "(the sandbox refused something. If the task needs it, call again with escalate and why; its kind is network with hosts, path, protected or unsandboxed)",
    );
  }
  return lines.join("\n");
}
