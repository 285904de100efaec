// How much of the machine one command in the sandbox may take: memory and processes, kept by
// control groups of the kernel where this process may make some, and otherwise as far as limits of
// single processes go. Never in the way: where nothing can be kept, a command runs all the same.
import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { codeOf } from "#boundary/beneath.ts";
import type { SandboxKind } from "#core/security/access.ts";

export type Limits = { processes: number; memoryBytes: number };

/** What the kernel keeps here, and by which means. */
export type Kept = {
  processes: "group" | "process" | "none";
  memory: "group" | "none";
};

/** One command's hold on its limits. */
export type Hold = {
  /** Words that keep to a limit by themselves, before those of the command. */
  before: readonly string[];
  /** Takes a process in that has started nothing yet. */
  take(pid: number): void;
  /** Which limit it ran into; read before `release`. */
  exceeded(): "memory" | "processes" | null;
  /** After the last process is gone. */
  release(): Promise<void>;
};

/**
 * Of a build on every core of a large machine some hundreds run at a time; a fork bomb has as many
 * in its first milliseconds, and the kernel's own bound for all of a user is some ten thousands.
 */
const PROCESSES_MAX = 4_096;
/** The rest is for what else the user runs, this program among it. */
const MEMORY_SHARE = 0.8;
/**
 * When memory runs out in spite of all, the kernel counts a command as if it had half the machine's
 * more than it has, and so ends it before what else the user runs: proc_pid_oom_score_adj(5).
 */
const FIRST_TO_GO = 500;

export function usualLimits(): Limits {
  // In a container the container's, where it has one.
  const memory = Math.min(totalmem(), process.constrainedMemory() || totalmem());
  return { processes: PROCESSES_MAX, memoryBytes: Math.floor(memory * MEMORY_SHARE) };
}

/** Folders of control groups below which this process may make its own, by what they keep. */
export type Groups = { version: 1; pids: string; memory: string } | { version: 2; both: string };

const PRLIMIT = "/usr/bin/prlimit";

export function keptHere(groups: Groups | null): Kept {
  if (groups) return { processes: "group", memory: "group" };
  // The kernel does not count the processes of the root user, not even inside the sandbox.
  const counts = process.getuid?.() !== 0 && existsSync(PRLIMIT);
  return { processes: counts ? "process" : "none", memory: "none" };
}

/** What is kept on this machine, in words, for `aiex doctor`. */
export function limitsHere(sandbox: SandboxKind): string {
  if (sandbox === "none") return "none: they come with the sandbox";
  return keptText(usualLimits(), keptHere(findGroups()));
}

export function keptText({ processes, memoryBytes }: Limits, kept: Kept): string {
  if (kept.memory === "group") {
    const gigabytes = (memoryBytes / 1024 ** 3).toFixed(1);
    return `a command may have ${processes} processes and ${gigabytes} GiB of memory`;
  }
  const many = kept.processes === "process" ? `${processes}` : "any number of";
  return (
    `a command may have ${many} processes and any amount of memory, and is the first to end when ` +
    "that runs out: no control group with memory and pids can be made here"
  );
}

/** Where control groups are mounted; `cgroups(7)`. */
const MOUNT = "/sys/fs/cgroup";

/**
 * Looks where groups can be made: below our own, or beside it where the kernel wants processes in
 * leaves only. `mount` and `own` (the text of `/proc/self/cgroup`) are what the system has.
 */
export function findGroups(mount = MOUNT, own = textAt("/proc/self/cgroup") ?? ""): Groups | null {
  if (process.platform !== "linux") return null;
  const path = (controller: string) =>
    own
      .split("\n")
      .find((line) => line.split(":")[1]?.split(",").includes(controller))
      ?.replace(/^\d+:[^:]*:/, "");
  const unified = path("");
  if (unified !== undefined) {
    const at = join(mount, unified);
    const both = (unified === "/" ? [at] : [at, dirname(at)]).find(isOurs);
    if (both) return { version: 2, both };
  }
  const [pids, memory] = [path("pids"), path("memory")];
  if (pids === undefined || memory === undefined) return null;
  const groups = { pids: join(mount, "pids", pids), memory: join(mount, "memory", memory) };
  return Object.values(groups).every(mayMove) ? { version: 1, ...groups } : null;
}

/** In version 2 the controllers must be on for children, or be let on by us. */
function isOurs(folder: string): boolean {
  const has = (name: string) => {
    const words = textAt(join(folder, name))?.split(/\s+/) ?? [];
    return words.includes("memory") && words.includes("pids");
  };
  if (!mayMove(folder) || !has("cgroup.controllers")) return false;
  if (!has("cgroup.subtree_control")) {
    quietly(() => writeFileSync(join(folder, "cgroup.subtree_control"), "+memory +pids"));
  }
  return has("cgroup.subtree_control");
}

/** The kernel asks for both to move a process from our own group into one below this. */
function mayMove(folder: string): boolean {
  return quietly(() => {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, "cgroup.procs"), constants.W_OK);
  });
}

/** Makes room for one command. */
export function hold(groups: Groups | null, limits: Limits): Hold {
  if (groups === null) return ungrouped(limits);
  sweep(groups);
  const name = `aiex-${process.pid}-${randomBytes(6).toString("hex")}`;
  const { processes, memoryBytes } = limits;
  const settings: [folder: string, file: string, value: number][] =
    groups.version === 2
      ? [
          [join(groups.both, name), "pids.max", processes],
          [join(groups.both, name), "memory.max", memoryBytes],
        ]
      : [
          [join(groups.pids, name), "pids.max", processes],
          [join(groups.memory, name), "memory.limit_in_bytes", memoryBytes],
        ];
  const folders = [...new Set(settings.map(([folder]) => folder))];
  for (const [folder, file, value] of settings) {
    quietly(() => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, file), String(value));
    });
  }
  const [pids = "", memory = pids] = folders;
  return {
    before: [],
    take(pid) {
      letGoFirst(pid);
      for (const folder of folders) {
        quietly(() => writeFileSync(join(folder, "cgroup.procs"), String(pid)));
      }
    },
    exceeded() {
      const events = groups.version === 2 ? "memory.events" : "memory.oom_control";
      if (counted(join(memory, events), "oom_kill") > 0) return "memory";
      return counted(join(pids, "pids.events"), "max") > 0 ? "processes" : null;
    },
    async release() {
      for (const folder of folders) await removed(folder);
    },
  };
}

function ungrouped({ processes }: Limits): Hold {
  const { processes: by } = keptHere(null);
  return {
    // Inside, where only the command's own processes are counted and not all of the user's.
    before: by === "process" ? [PRLIMIT, `--nproc=${processes}:${processes}`, "--"] : [],
    take: letGoFirst,
    exceeded: () => null,
    release: async () => {},
  };
}

function letGoFirst(pid: number): void {
  quietly(() => writeFileSync(`/proc/${pid}/oom_score_adj`, String(FIRST_TO_GO)));
}

function counted(file: string, word: string): number {
  const found = new RegExp(`^${word} (\\d+)$`, "m").exec(textAt(file) ?? "");
  return Number(found?.[1] ?? 0);
}

/** Rounds of trying to remove a group: what was killed may take a moment to be gone. */
const ROUNDS_MAX = 20;

async function removed(folder: string): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (!existsSync(folder) || quietly(() => rmdirSync(folder))) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Removes empty groups of an Aiex that was killed. */
function sweep(groups: Groups): void {
  const folders = groups.version === 2 ? [groups.both] : [groups.pids, groups.memory];
  for (const folder of folders) {
    quietly(() => {
      for (const name of readdirSync(folder)) {
        const pid = /^aiex-(\d+)-/.exec(name)?.[1];
        if (pid && !existsSync(`/proc/${pid}`)) quietly(() => rmdirSync(join(folder, name)));
      }
    });
  }
}

/** Whether it could be done; what the system refuses is no failure here. */
function quietly(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return false;
  }
}

function textAt(path: string): string | null {
  let text: string | null = null;
  quietly(() => {
    text = readFileSync(path, "utf8");
  });
  return text;
}
