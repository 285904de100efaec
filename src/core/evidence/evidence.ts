// Whether what a session changed is proven, by its log alone: no word of a model counts, only files
// that changed and commands that ended. A run proves the files below its folder if it was a verify
// command as it is, ended with 0, ran a test where it counts them, and began after the last change.
// Bounded, as all of `Session` is.
import { isCheck, isGenerated } from "#core/evidence/checks.ts";
import type { TestCounts } from "#core/evidence/tests.ts";
import { matched, type VerifyCommand } from "#core/evidence/verify.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import type { Fact } from "#core/session/tool-facts.ts";
import type { PathChange } from "#core/tree/entry.ts";

/** Paths remembered by name in each list; more are only counted, and then nothing clears them. */
const PATHS_MAX = 200;
/** Calls and jobs under way whose beginning is remembered. */
const BEGUN_MAX = 64;

/** A run that holds for the files below its folder as they are. */
export type Proof = {
  command: string;
  folder: string;
  tests: TestCounts | null;
  files: readonly string[];
};

/**
 * When a call or a job began, as the number of changes before it. Of one that is `blind` nobody can
 * say what it changed; of one that is `seen` the trees can, if there is one behind it, too.
 */
type Begun = {
  id: string;
  changes: number;
  files: readonly string[];
  sight?: "blind" | "seen";
  /** What else could write while it ran. */
  beside?: string;
};

/** A folder of what is installed, and what tells whether anything in it is another. */
export type Installed = { path: string; mark: string };

export type Evidence = {
  commands: readonly VerifyCommand[];
  changes: number;
  /** Files that changed and that no run has proven since. */
  unproven: readonly string[];
  unprovenMore: number;
  proofs: readonly Proof[];
  /** Verify commands whose last run failed: until one of theirs ends well, nothing is proven. */
  failing: readonly Pick<VerifyCommand, "command" | "folder">[];
  /** Commands that counted their tests once: a run of theirs without a count is none. */
  counted: readonly string[];
  /** Tests and configuration of runners that changed, with the hash they had at first. */
  checks: readonly { path: string; before: string | null }[];
  checksMore: number;
  calls: readonly Begun[];
  jobs: readonly Begun[];
  /** The last look at the workspace, and whether a job ran at any time since. */
  looked: { tree: string; jobs: boolean } | null;
  /** Marks of what is installed, as it was when this session first ran a command. */
  installed: readonly Installed[] | null;
  /** Why the newest run that looked like evidence is none. */
  refused: string | null;
  /** Whether this turn changed or proved anything. */
  touched: boolean;
};

export const emptyEvidence: Evidence = {
  commands: [],
  changes: 0,
  unproven: [],
  unprovenMore: 0,
  proofs: [],
  failing: [],
  counted: [],
  checks: [],
  checksMore: 0,
  calls: [],
  jobs: [],
  looked: null,
  installed: null,
  refused: null,
  touched: false,
};

/** One event more. `root` is the absolute path of the session's workspace. */
export function evidenceAfter(e: Evidence, event: SessionEvent, root: string): Evidence {
  return lookedBy(afterEvent(e, event, root), event);
}

/** A job may have changed what it liked between two looks, with no call around it. */
function lookedBy(e: Evidence, event: SessionEvent): Evidence {
  const jobs = e.jobs.length > 0;
  const tree = "tree" in event && event.tree ? event.tree : null;
  if (tree !== null) return { ...e, looked: { tree, jobs } };
  return e.looked && jobs && !e.looked.jobs ? { ...e, looked: { ...e.looked, jobs } } : e;
}

function afterEvent(e: Evidence, event: SessionEvent, root: string): Evidence {
  switch (event.type) {
    case "VerifyDescribed": {
      const failing = e.failing.filter((one) => event.commands.some(isOf(one)));
      return { ...e, commands: event.commands, failing };
    }
    case "TurnStarted":
      return { ...e, touched: false, refused: null };
    case "ToolStarted":
      return called(event.installed ? installed(e, event.installed) : e, event);
    case "ToolFinished":
      return changed(finished(e, event, root), othersIn(event.facts));
    case "FilesFound":
      return unnamedIn(changed(e, filesIn(event.files)), { ...event, type: "filesChanged" });
    case "RestoreStarted":
      return changed(e, filesIn(event.changes));
    default:
      return e;
  }
}

function called(e: Evidence, event: EventOf<"ToolStarted">): Evidence {
  const files = (event.intent.files ?? []).map(({ path }) => path);
  const call = { id: event.callId, changes: e.changes, files, ...sightOf(event) };
  // What runs beside a job could change what that job reads, and put it back.
  const jobs = call.sight ? e.jobs.map((job) => ({ ...job, beside: event.title })) : e.jobs;
  return { ...e, jobs, calls: begun(e.calls, call) };
}

/** Another mark than at first: what the tests run on is another, wherever in it that is. */
function installed(e: Evidence, now: readonly Installed[]): Evidence {
  if (e.installed === null) return { ...e, installed: now };
  const before = new Map(e.installed.map(({ path, mark }) => [path, mark]));
  const changed = now.filter(({ path, mark }) => before.get(path) !== mark);
  const known = new Set(e.checks.map(({ path }) => path));
  const fresh = changed.filter(({ path }) => !known.has(path));
  const checks = fresh.map(({ path }) => ({ path, before: before.get(path) ?? null }));
  return { ...e, checks: [...e.checks, ...checks].slice(-PATHS_MAX) };
}

/** A call that names its files tells by their hashes what it changed. */
function sightOf({ intent, tree, untracked }: EventOf<"ToolStarted">): Pick<Begun, "sight"> {
  if ((intent.files ?? []).length > 0) return {};
  if (untracked !== undefined) return { sight: "blind" };
  return tree === undefined ? {} : { sight: "seen" };
}

const begun = (all: readonly Begun[], one: Begun): readonly Begun[] =>
  [...all.filter(({ id }) => id !== one.id), one].slice(-BEGUN_MAX);

function finished(e: Evidence, event: EventOf<"ToolFinished">, root: string): Evidence {
  const call = e.calls.find(({ id }) => id === event.callId);
  const calls = e.calls.filter(({ id }) => id !== event.callId);
  // What it meant to change may be changed, and nobody saw it.
  const lost = event.end === "interrupted" ? (call?.files ?? []) : [];
  const named = changed({ ...e, calls }, [...lost.map(pathOnly), ...changesIn(event.facts)]);
  const isBlind = call?.sight === "blind" || (call?.sight === "seen" && event.tree === undefined);
  const after = event.facts.reduce(unnamedIn, isBlind ? changedUnseen(named, 1) : named);
  const started = event.facts.find((fact) => fact.type === "jobStarted");
  if (started && call) return withJob(after, { ...call, id: started.job, files: [] });
  const ended = event.facts.find((fact) => fact.type === "jobEnded");
  const began = ended ? e.jobs.find(({ id }) => id === ended.job) : call;
  const jobs = ended ? after.jobs.filter(({ id }) => id !== ended.job) : after.jobs;
  const ran = event.facts.find((fact) => fact.type === "commandEnded");
  // A job is followed once: what is shown of it again later is no run.
  if (!ran || (ended && !began)) return { ...after, jobs };
  // What it changed itself came with it; everything else must lie before it began.
  const isStale = began?.changes !== e.changes;
  const beside = ended ? (ended.besides?.[0] ?? began?.beside) : besideIn(e, event);
  return judged({ ...after, jobs }, ran, { root, isStale, beside });
}

/** Two jobs at once can each change what the other reads. */
function withJob(e: Evidence, job: Begun): Evidence {
  const others = e.jobs.filter(({ id }) => id !== job.id);
  const [other] = others;
  const beside = other ? { beside: `job ${other.id}` } : {};
  const jobs = others.map((one) => ({ ...one, beside: `job ${job.id}` }));
  return { ...e, jobs: begun(jobs, { ...job, ...beside }) };
}

/** What else could write while a call ran: the trees say it, or else what is known of jobs. */
function besideIn(e: Evidence, { facts, tree }: EventOf<"ToolFinished">): string | undefined {
  const changed = facts.find((fact) => fact.type === "filesChanged");
  const [first] = changed?.besides ?? [];
  const [job] = tree === undefined ? e.jobs : [];
  return first ?? (job ? `job ${job.id}` : undefined);
}

export type Change = { path: string; before?: string; after?: string; diff?: string };

const pathOnly = (path: string): Change => ({ path });

/** The changes that facts tell of. */
function changesIn(facts: readonly Fact[]): Change[] {
  return facts.flatMap((fact): Change[] => {
    switch (fact.type) {
      case "fileChanged":
        return [fact];
      case "fileGone":
        return [{ path: fact.path, after: "absent" }];
      case "filesChanged":
        return filesIn(fact.files).filter(({ path }) => !fact.theirs?.includes(path));
      default:
        return [];
    }
  });
}

/** What others changed while a call ran: no run of its own speaks for that. */
const othersIn = (facts: readonly Fact[]): Change[] =>
  facts.flatMap((fact) =>
    fact.type === "filesChanged"
      ? filesIn(fact.files).filter(({ path }) => fact.theirs?.includes(path))
      : [],
  );

/** Folders come and go with the files in them. */
const filesIn = (changes: readonly PathChange[]): Change[] =>
  changes.filter(({ before, after }) => before.includes(" ") || after.includes(" "));

/**
 * These files are others now, whoever changed them: what was proven of them is not any more. Traces
 * of runs that no edit made are left out, or no run could be followed by another command.
 */
export function changed(e: Evidence, files: readonly Change[]): Evidence {
  return files
    .filter(({ path, diff }) => diff !== undefined || !isGenerated(path))
    .reduce((now, file) => checked(changedOne(now, file.path), file), e);
}

/** So many files changed, and nobody knows which: nothing that was proven is, any more. */
const changedUnseen = (e: Evidence, files: number): Evidence => ({
  ...e,
  changes: e.changes + files,
  unproven: [...new Set([...e.unproven, ...e.proofs.flatMap((proof) => proof.files)])].slice(
    -PATHS_MAX,
  ),
  unprovenMore: e.unprovenMore + files,
  proofs: [],
  touched: true,
});

/** What a fact counts without naming it is of the weight of what it names last, or of less. */
function unnamedIn(e: Evidence, fact: Fact): Evidence {
  if (fact.type !== "filesChanged" || fact.more === 0) return e;
  const last = fact.files.at(-1)?.path ?? "";
  if (isGenerated(last)) return e;
  const unseen = changedUnseen(e, fact.more);
  // A script that a verify command names has no name of its own kind.
  const mayBeCheck =
    isCheck(last) || e.commands.some(({ files }) => !files.every((f) => isCheck(f)));
  return mayBeCheck ? { ...unseen, checksMore: unseen.checksMore + 1 } : unseen;
}

function changedOne(e: Evidence, path: string): Evidence {
  return {
    ...withUnproven(e, [path]),
    changes: e.changes + 1,
    proofs: e.proofs.filter(({ folder }) => !isBelow(path, folder)),
    touched: true,
  };
}

/** A change of a test or a runner's configuration is remembered until the file is as it was. */
function checked(e: Evidence, { path, before, after, diff }: Change): Evidence {
  const known = e.checks.find((check) => check.path === path);
  if (known) {
    if (known.before === null || known.before !== after) return e;
    return { ...e, checks: e.checks.filter((check) => check !== known) };
  }
  const isNamed = e.commands.some(({ files }) =>
    // A script may be named without its extension.
    files.some((file) => path === file || path.startsWith(`${file}.`)),
  );
  if (!isNamed && !isCheck(path, diff)) return e;
  if (e.checks.length >= PATHS_MAX) return { ...e, checksMore: e.checksMore + 1 };
  return { ...e, checks: [...e.checks, { path, before: before ?? null }] };
}

function withUnproven(e: Evidence, paths: readonly string[]): Evidence {
  const all = [...new Set([...e.unproven, ...paths])];
  const more = Math.max(0, all.length - PATHS_MAX);
  return { ...e, unproven: all.slice(-PATHS_MAX), unprovenMore: e.unprovenMore + more };
}

function judged(
  e: Evidence,
  ran: Extract<Fact, { type: "commandEnded" }>,
  { root, isStale, beside }: { root: string; isStale: boolean; beside: string | undefined },
): Evidence {
  const { command: text, cwd, code, tests = null } = ran;
  // Runs of before there was evidence do not say where they were.
  if (cwd === undefined) return e;
  const found = matched({ text, cwd, root }, e.commands);
  if (found.is === "other") return e;
  const { command } = found;
  const refused = (why: string): Evidence => ({
    ...e,
    refused: `\`${command.command}\` ran, but ${why}`,
  });
  if (found.is === "near") return refused(found.why);
  if (code !== 0 || (tests && tests.failed > 0)) return failed(e, command);
  if (isStale) return refused("files changed after it began");
  if (beside !== undefined) {
    return refused(`\`${beside}\` ran at the same time: end that and run this again`);
  }
  if (tests && tests.passed < 1) return refused("it ran no test");
  if (!tests && (command.counts || e.counted.includes(command.command))) {
    return refused("it did not count its tests, as it does when they run");
  }
  return proven(e, { command: command.command, folder: command.folder, tests });
}

/** What rested on it rests on nothing. */
function failed(e: Evidence, command: VerifyCommand): Evidence {
  const others = e.failing.filter((one) => !isOf(one)(command));
  const lost = e.proofs.filter(({ folder }) => folder === command.folder);
  const files = lost.flatMap((proof) => proof.files);
  return {
    ...withUnproven(e, files),
    proofs: e.proofs.filter(({ folder }) => folder !== command.folder),
    failing: [...others, { command: command.command, folder: command.folder }],
    refused: null,
    touched: true,
  };
}

function proven(e: Evidence, { command, folder, tests }: Omit<Proof, "files">): Evidence {
  const isThis = isOf({ command, folder });
  const before = e.proofs.find(isThis)?.files ?? [];
  const now = e.unproven.filter((path) => isBelow(path, folder));
  const files = [...new Set([...before, ...now])].slice(-PATHS_MAX);
  return {
    ...e,
    unproven: e.unproven.filter((path) => !isBelow(path, folder)),
    // Where those are is not known: only a command of the root speaks for them.
    unprovenMore: folder === "." ? 0 : e.unprovenMore,
    proofs: [...e.proofs.filter((proof) => !isThis(proof)), { command, folder, tests, files }],
    failing: e.failing.filter((one) => !isThis(one)),
    counted: tests ? [...new Set([...e.counted, command])].slice(-BEGUN_MAX) : e.counted,
    refused: null,
    touched: true,
  };
}

type Named = { command: string; folder: string };

const isOf =
  (one: Named) =>
  (other: Named): boolean =>
    one.command === other.command && one.folder === other.folder;

const isBelow = (path: string, folder: string): boolean =>
  folder === "." || path.startsWith(`${folder}/`);
