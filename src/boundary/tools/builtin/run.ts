// Runs a shell command in the sandbox of the workspace, in the foreground or as a job.
import * as z from "zod/mini";
import type { Jobs } from "#boundary/tools/jobs.ts";
import { type Collected, collected, masked, plainText, shown } from "#boundary/tools/output.ts";
import type { Tool, ToolContext, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import { plainlyShown, seenFacts } from "#boundary/tools/seen-by-command.ts";
import { maskInCommand } from "#boundary/tools/text-file.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import type { CommandEnd } from "#boundary/workspace/sandbox-port.ts";
import { TAIL_CHARS, testsIn } from "#core/evidence/tests.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Words } from "#core/model/surface.ts";
import type { Access } from "#core/security/access.ts";
import type { Fact } from "#core/session/tool-facts.ts";

/** Time limits in seconds. */
const SECONDS = 120;
const SECONDS_MAX = 1_800;
const JOB_SECONDS_MAX = 86_400;
/** Characters of a command. */
const COMMAND_CHARS_MAX = 100_000;

const escalate = z.strictObject({
  kind: z.enum(["network", "path", "protected", "secret", "unsandboxed"]),
  path: z.optional(
    z
      .string()
      .check(z.describe("Path wanted: absolute for path and protected; the file for secret.")),
  ),
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
  "and its temporary folder, has no network, and cannot read secrets of the home folder or secret",
  "files of the workspace (.env, keys; `escalate` of kind secret asks for one). Use it to",
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
      const masked = maskInCommand(given.command);
      if (masked) return masked;
      const asked = accessOf(given, cwd.value, context);
      if (!asked.ok) return asked;
      const may = given.background ? jobs.mayStart(context.session) : ok();
      if (!may.ok) return may;
      return ok({
        access: asked.value,
        effect: "opaque" as const,
        intent: {},
        title: given.command,
        run: (running) => started(jobs, { ...given, cwd: cwd.value }, context, running),
      });
    },
  });
}

/** A secret is asked for as a read of that file, so that leave for it is leave for the file. */
function accessOf(
  { command, escalate: wanted }: Input,
  cwd: string,
  { workspace, sandbox }: ToolContext,
): Result<Access[]> {
  const run = { kind: "run" as const, command, cwd, env: {}, sandboxed: sandbox.kind !== "none" };
  if (!wanted) return ok([run]);
  const { kind, path, ...rest } = wanted;
  if (kind !== "secret") return ok([{ ...run, escalate: { kind, path, ...rest } }]);
  const name = workspace.relative(path ?? "");
  if (!name.ok) return name;
  if (path !== undefined && path !== "" && name.value !== ".") {
    return ok([run, { kind: "read", path: name.value, secret: true }]);
  }
  return fail("bad_input", "`escalate` of kind secret needs the `path` of one file", {
    fix: 'for example {"kind": "secret", "path": ".env", "why": "the tests read it"}',
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
  const may = await context.readable();
  const shows = (path: string) => running.opened.secrets?.includes(path) || may(path, true);
  const spec = { command, cwd, timeoutMs: seconds * 1_000, opened: running.opened, shows };
  // Before it starts: whoever writes at its first moment writes beside it.
  const ended = background ? await context.writing?.(command) : undefined;
  const begun = await context.sandbox.start(spec, signal);
  if (!begun.ok) {
    ended?.();
    return refusal(begun.error);
  }
  if (background) {
    const what = { session: context.session, command, cwd };
    const options = { mask: running.mask, ...(ended ? { ended } : {}) };
    const job = jobs.start(what, begun.value, options);
    const fact: Fact = { type: "jobStarted", job: job.id, command };
    return outcome(`Started as job ${job.id}. Follow or end it with \`${context.words("job")}\`.`, {
      facts: [fact],
    });
  }
  const output = collected();
  for await (const chunk of masked(begun.value.output, running.mask)) {
    output.add(chunk);
    running.progress(plainText(chunk));
  }
  const end = await begun.value.done;
  const seen = await seenFacts(before, { end, output }, context);
  const text = await shown(output, { ...context, mask: running.mask });
  return outcome(
    [text, endLine(end, { seconds, words: context.words }), hiddenLine(end, text)]
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

/** Which secret files the command met without seeing them, and how to see one. */
export function hiddenLine({ hidden = [] }: CommandEnd, text: string): string {
  const met = hidden.filter((path) => text.includes(path.split("/").at(-1) ?? path));
  const some = met.length > 0 || !/permission denied|EACCES/i.test(text) ? met : hidden;
  if (some.length === 0) return "";
  return (
    `(hidden from commands, because they hold secrets: ${some.slice(0, 10).join(", ")}. If the task ` +
    "needs one, call again with escalate, kind secret and that path: the user is asked)"
  );
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
