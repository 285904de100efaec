// Sessions for tests of evidence: what happened, in few words, folded as real events are.
import type { Change } from "#core/evidence/evidence.ts";
import { type Standing, standingOf } from "#core/evidence/standing.ts";
import type { TestCounts } from "#core/evidence/tests.ts";
import type { VerifyCommand } from "#core/evidence/verify.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { finished, given, prompted, toolStarted } from "#core/session/samples.ts";
import type { Session } from "#core/session/state.ts";

/** What happened: an edit, a command to its end, a job begun or followed, files a shell changed. */
export type Step =
  | { edit: string; before?: string; after?: string; diff?: string }
  | {
      run: string;
      cwd?: string;
      code?: number | null;
      tests?: TestCounts;
      edits?: string;
      /** What somebody else changed while it ran. */
      others?: string;
      /** What else could write while it ran. */
      besides?: string;
      /** The mark of what is installed, before it ran. */
      installed?: string;
    }
  | { job: string; as: string; cwd?: string }
  | { follow: string; of: string; code?: number | null; cwd?: string; besides?: string }
  /** `more` is how many besides; `blind`: no tree was recorded around it. */
  | { shell: readonly Change[]; more?: number; blind?: true }
  | { crash: string }
  | { undo: string }
  | { turn: string };

export const described = (...commands: readonly VerifyCommand[]): SessionEvent => ({
  type: "VerifyDescribed",
  commands,
});

export const npmTest: VerifyCommand = { command: "npm test", folder: ".", files: [] };

let calls = 0;

type More = { theirs?: readonly string[]; besides?: readonly string[]; more?: number };

const filesChanged = (files: readonly Change[], more: More = {}) => ({
  type: "filesChanged" as const,
  files: files.map(({ path, before = "100644 b", after = "100644 a" }) => ({
    path,
    before,
    after,
  })),
  more: 0,
  ...more,
});

const jobEnded = ({ of: job, code = 0, besides }: Extract<Step, { follow: string }>) => ({
  type: "jobEnded" as const,
  ...{ job, code },
  ...(besides ? { besides: [besides] } : {}),
});

function eventsOf(step: Step): SessionEvent[] {
  calls += 1;
  const id = `c${calls}`;
  const begin = toolStarted(id);
  if ("turn" in step) return [prompted(step.turn, `t${calls}`)];
  if ("crash" in step) {
    const files = [{ path: step.crash, before: "b", after: "a" }];
    return [{ ...begin, intent: { files } }, finished(id, { end: "interrupted" })];
  }
  if ("shell" in step) {
    if (step.blind) return [{ ...begin, untracked: "git is not installed" }, finished(id)];
    const fact = filesChanged(step.shell, { more: step.more ?? 0 });
    return [begin, finished(id, { facts: [fact] })];
  }
  if ("undo" in step) {
    const { files: changes } = filesChanged([{ path: step.undo }]);
    return [{ type: "RestoreStarted", cause: "undo", present: "p", changes, left: [] }];
  }
  if ("edit" in step) {
    const { edit: path, before = `${path}${id}`, after = `${path}${id}+`, diff } = step;
    const fact = { type: "fileChanged", path, before, after, ...(diff ? { diff } : {}) } as const;
    return [begin, finished(id, { facts: [fact] })];
  }
  if ("job" in step) {
    const fact = { type: "jobStarted", job: step.as, command: step.job } as const;
    return [begin, finished(id, { facts: [fact] })];
  }
  const { code = 0, cwd = "." } = step;
  const command = "run" in step ? step.run : step.follow;
  const tests = "run" in step && step.tests ? { tests: step.tests } : {};
  const ran = { type: "commandEnded", command, cwd, code, durationMs: 1, ...tests } as const;
  const more =
    "run" in step
      ? step.edits === undefined
        ? []
        : [{ type: "fileChanged", path: step.edits, before: "b", after: "a" } as const]
      : [jobEnded(step)];
  const others =
    "run" in step && step.others
      ? [filesChanged([{ path: step.others }], { theirs: [step.others] })]
      : [];
  const besides =
    "run" in step && step.besides ? [filesChanged([], { besides: [step.besides] })] : [];
  const installed =
    "run" in step && step.installed
      ? { installed: [{ path: "node_modules/", mark: step.installed }] }
      : {};
  const facts = [ran, ...more, ...others, ...besides];
  // Following a job only looks: nothing is recorded around it.
  const tree = "run" in step ? { tree: "t" } : {};
  const end = code === 0 ? "ok" : "failed";
  return [{ ...begin, ...tree, ...installed }, finished(id, { end, facts, ...tree })];
}

export function sessionAfter(
  steps: readonly Step[],
  commands: readonly VerifyCommand[] = [npmTest],
): Session {
  return steps.flatMap(eventsOf).reduce(evolve, given(prompted(), described(...commands)));
}

export const standingAfter = (
  steps: readonly Step[],
  commands: readonly VerifyCommand[] = [npmTest],
): Standing => standingOf(sessionAfter(steps, commands).evidence);
