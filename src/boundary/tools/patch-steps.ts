// Carries out what a patch or a rename comes to: one file after the other, each only if it still is
// what it was when the change was prepared, and tells of every one.
import type { PatchReport, PatchStep } from "#boundary/tools/patched-files.ts";
import type { ToolOutcome } from "#boundary/tools/port.ts";
import { outcome, reported } from "#boundary/tools/tool.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { keptDiff } from "#core/code/diff.ts";
import { ok, sentenceOf } from "#core/failure.ts";
import type { Fact, FileChange } from "#core/session/tool-facts.ts";

/** UTF-16 units of all reports on operations; of further ones the first line is shown. */
const REPORT_CHARACTERS_MAX = 20_000;

/** Writes and removes as planned; what cannot be done is told and holds nothing else up. */
export async function carryOut(
  steps: readonly PatchStep[],
  workspace: Workspace,
  told: readonly PatchReport[],
  someFailed: boolean,
): Promise<ToolOutcome> {
  const facts: Fact[] = [];
  const problems: string[] = [];
  const undone = new Set<string>();
  for (const { change, diff, now, after, unread } of steps) {
    const { path, before } = change;
    if (after !== undefined && undone.has(after)) {
      undone.add(path);
      problems.push(`${path} was kept, because ${after} could not be written`);
      continue;
    }
    const done = await stepTaken(workspace, change, now);
    if (!done.ok) {
      undone.add(path);
      problems.push(`${path} was not changed: ${sentenceOf(done.error)}`);
      continue;
    }
    const kept = keptDiff(diff, { of: steps.length });
    const fact = { type: "fileChanged", path, before, after: change.after, diff: kept } as const;
    facts.push(unread ? { ...fact, unread } : fact);
    if (unread) continue;
    if (change.after === "absent") facts.push({ type: "fileGone", path });
    else facts.push({ type: "fileSeen", path, hash: change.after });
  }
  const head = facts.length + problems.length > 0 ? [] : ["nothing had to be changed"];
  // An operation is told as done only where all of it was; of another, what was done of it.
  const whole = told.filter(({ paths }) => !paths.some((path) => undone.has(path)));
  const named = new Set(whole.flatMap(({ paths }) => paths));
  const parts = steps
    .filter(({ change: { path } }) => !undone.has(path) && !named.has(path))
    .map(({ change: { path }, now }) => `${path} was ${now ? "written" : "removed"}`);
  return outcome(reportOf([...problems, ...head, ...parts, ...whole]), {
    failed: someFailed || problems.length > 0,
    facts,
  });
}

/** Reports one below the other, as far as there is room. */
export const reportOf = (reports: readonly (string | PatchReport)[]): string =>
  reported(
    reports.map((one) => (typeof one === "string" ? one : one.say)),
    REPORT_CHARACTERS_MAX,
  );

async function stepTaken(workspace: Workspace, change: FileChange, now: PatchStep["now"]) {
  const { path, before } = change;
  if (now !== null) {
    const { bytes, mode } = now;
    return workspace.write(path, bytes, {
      expect: before,
      ...(mode === undefined ? {} : { mode }),
    });
  }
  return before === "absent" ? ok() : workspace.remove(path, { expect: before });
}
