// Commands that run in the background of a node. They end with it, and say so to whoever asks later.
import { newId } from "#boundary/digest.ts";
import { type Collected, collected, masked } from "#boundary/tools/output.ts";
import type { CommandEnd, RunningCommand } from "#boundary/workspace/sandbox-port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Mask } from "#core/security/mask.ts";

/** Jobs of one session at a time. */
export const JOBS_MAX = 8;

export type Job = {
  id: string;
  session: string;
  command: string;
  /** The folder it runs in, workspace-relative. */
  cwd: string;
  output: Collected;
  end: CommandEnd | null;
  /** What else ran until its end and could write. */
  besides: readonly string[];
  done: Promise<CommandEnd>;
  kill(): void;
};

export type Jobs = {
  /** `ended` is told of its end, and answers what else ran meanwhile. */
  start(
    what: Pick<Job, "session" | "command" | "cwd">,
    running: RunningCommand,
    options: { mask: Mask; ended?: () => readonly string[] },
  ): Job;
  mayStart(session: string): Result<void>;
  find(session: string, id: string): Result<Job>;
  /** Kills the jobs of a session; resolves when they are dead. */
  endOf(session: string): Promise<void>;
  /** Kills every job; resolves when all are dead. */
  close(): Promise<void>;
};

export function jobsOfNode(): Jobs {
  const jobs = new Map<string, Job>();
  const running = (session: string) =>
    [...jobs.values()].filter((job) => job.session === session && !job.end);
  return {
    mayStart(session) {
      if (running(session).length < JOBS_MAX) return ok();
      return fail("too_large", `${JOBS_MAX} jobs of this session are running`, {
        fix: "end one of them first",
      });
    },
    start(what, run, { mask, ended = () => [] }) {
      const output = collected();
      const done = run.done.then((end) => {
        job.end = end;
        job.besides = ended();
        return end;
      });
      const job: Job = {
        id: newId().slice(0, 6),
        ...what,
        output,
        end: null,
        besides: [],
        done,
        kill: run.kill,
      };
      void drain(masked(run.output, mask), output);
      jobs.set(job.id, job);
      return job;
    },
    find(session, id) {
      const job = jobs.get(id);
      if (job?.session === session) return ok(job);
      const known = [...jobs.values()].filter((other) => other.session === session);
      return fail("not_found", `there is no job ${id}`, {
        fix:
          known.length > 0
            ? `the jobs are: ${known.map((other) => other.id).join(", ")}`
            : "a job ends with the Aiex process that ran it; start it again",
      });
    },
    endOf: (session) => ended(running(session)),
    close: () => ended([...jobs.values()].filter((job) => !job.end)),
  };
}

async function ended(jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) job.kill();
  await Promise.all(jobs.map((job) => job.done));
}

async function drain(chunks: AsyncIterable<Uint8Array>, output: Collected): Promise<void> {
  for await (const chunk of chunks) output.add(chunk);
}
