// Commands inside bubblewrap: a read-only view of the system with the workspace writable, no
// network, no secrets, no sockets of the host, and an end that nothing outlives.
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beneath, codeOf, failureOf, pathAt } from "#boundary/workspace/beneath.ts";
import { launch } from "#boundary/workspace/child.ts";
import { looksDenied } from "#boundary/workspace/denial.ts";
import { baseEnvironment, shellPath } from "#boundary/workspace/environment.ts";
import { Guard, type Watch } from "#boundary/workspace/guard.ts";
import { homeMounts } from "#boundary/workspace/home.ts";
import { isVisible, type Mount, mountArguments } from "#boundary/workspace/mounts.ts";
import type { CommandSpec, Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { startUnsandboxed } from "#boundary/workspace/unsandboxed.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Opened } from "#core/security/access.ts";
import { isInside, quoted, relativeTo } from "#core/security/paths.ts";

export type SandboxOptions = {
  /** The real path of the workspace's root. */
  workspace: string;
  /** A private folder of this workspace, outside it: caches, the temporary folder, pipes. */
  scratch: string;
  /** A private folder outside the workspace, for what is taken out of it. */
  quarantine: string;
  home: string;
  /** Aiex's own folders, and whatever else no command may see. */
  hidden: readonly string[];
  /** Folders to show read-only although they would be hidden: where a tool's program is. */
  shown: readonly string[];
  /** The environment that Aiex was started with; see `baseEnvironment` for what is used of it. */
  host: Readonly<Record<string, string | undefined>>;
};

/** What this system's bubblewrap can do; made by `findBubblewrap`. */
export type Bubblewrap = { program: string; flags: readonly string[] };

/** Readable by root alone, and so by commands of a root user. */
const SYSTEM_SECRETS = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];
/** Folders that hold the host's sockets and other people's temporary files. */
const EMPTIED = ["/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm"];
/** Sockets of the host that are covered one by one, in one command. */
const SOCKETS_MAX = 200;

export function bubblewrapSandbox(wrap: Bubblewrap, options: SandboxOptions): Result<Sandbox> {
  const { workspace, scratch, quarantine, home } = options;
  if (isInside(workspace, home)) {
    return fail("denied", `${quoted(workspace)} holds your home folder`, {
      fix: "open the folder of a project",
    });
  }
  if ([scratch, quarantine].some((folder) => isInside(workspace, folder))) {
    return fail("bad_input", "the sandbox's own folders are inside the workspace");
  }
  if (options.hidden.some((folder) => isInside(folder, workspace))) {
    return fail("denied", `${quoted(workspace)} is inside a folder of Aiex itself`);
  }
  try {
    for (const folder of [scratch, quarantine, join(scratch, "tmp")]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    writeFileSync(join(scratch, "nothing"), "", { mode: 0o600 });
    chmodSync(join(scratch, "nothing"), 0o400);
  } catch (error) {
    return failureOf(error, scratch);
  }
  const guard = new Guard(workspace, quarantine);
  return ok({
    kind: "bubblewrap",
    async start(spec, signal) {
      if (spec.opened.unsandboxed) return startUnsandboxed(spec, options, signal);
      const checked = await check(spec, options);
      if (!checked.ok) return checked;
      const watch = await guard.begin(checked.value.writable);
      if (!watch.ok) return watch;
      const running = await startWrapped(
        wrap,
        options,
        { spec, ...checked.value },
        watch.value,
        signal,
      );
      if (!running.ok) await watch.value.end();
      return running;
    },
  });
}

type Checked = { cwd: string; writable: readonly string[] };

async function check(spec: CommandSpec, options: SandboxOptions): Promise<Result<Checked>> {
  const { workspace } = options;
  const cwd = relativeTo(workspace, spec.cwd);
  if (!cwd.ok) return cwd;
  const folder = await beneath(workspace, cwd.value, { links: "inside" }, async (spot) => {
    const found = lstatSync(pathAt(spot.folder, spot.name));
    if (found.isDirectory()) return ok(spot.relative);
    return fail("not_found", `${quoted(cwd.value)} is not a folder`);
  });
  if (!folder.ok) return folder;
  const bad = Object.entries(spec.env ?? {}).find(
    ([name, value]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes("\0"),
  );
  if (bad) return fail("bad_input", `${quoted(bad[0])} cannot be set in an environment`);
  const words = typeof spec.command === "string" ? [spec.command] : spec.command;
  if (words.length === 0 || words.some((word) => word.includes("\0"))) {
    return fail("bad_input", "the command is empty or has a NUL in it");
  }
  const writable = writableOf(spec.opened, options);
  return writable.ok ? ok({ cwd: folder.value, writable: writable.value }) : writable;
}

/** The paths a permission opened; none may uncover what is hidden from every command. */
function writableOf(opened: Opened, options: SandboxOptions): Result<string[]> {
  const kept = [options.workspace, options.home, options.scratch, ...options.hidden];
  const writable: string[] = [];
  for (const path of opened.write ?? []) {
    if (!path.startsWith("/")) return fail("bad_input", `${quoted(path)} is not absolute`);
    if (isInside(options.workspace, path)) {
      writable.push(path);
      continue;
    }
    if (!existsSync(path)) {
      return fail("not_found", `${quoted(path)} does not exist, so it cannot be opened`, {
        fix: `ask for ${dirname(path)} instead`,
      });
    }
    const real = realpathSync(path);
    const covers = kept.find((folder) => isInside(real, folder));
    if (covers !== undefined) {
      return fail("denied", `opening ${quoted(path)} would open ${quoted(covers)} too`, {
        fix: "ask for a folder that holds less",
      });
    }
    const own = options.hidden.find((folder) => isInside(folder, real));
    if (own !== undefined) return fail("denied", `${quoted(path)} is Aiex's own`);
    writable.push(real);
  }
  return ok(writable);
}

async function startWrapped(
  wrap: Bubblewrap,
  options: SandboxOptions,
  command: Checked & { spec: CommandSpec },
  watch: Watch,
  signal: AbortSignal,
) {
  const { workspace, scratch } = options;
  const { spec, cwd, writable } = command;
  const network = spec.opened.network === true;
  const mounts = mountsFor(options, { network, writable, watch });
  const homeIsReal = options.home !== "/" && existsSync(options.home);
  const env = {
    ...baseEnvironment({
      host: options.host,
      home: homeIsReal ? options.home : "/tmp",
      temporary: "/tmp",
      workspace,
    }),
    ...(network ? {} : { CARGO_NET_OFFLINE: "true" }),
    ...spec.env,
  };
  const settings = Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]);
  const args = [
    ...wrap.flags,
    ...(network ? ["--share-net"] : []),
    ...mountArguments(mounts),
    ...settings,
    "--chdir",
    join(workspace, cwd),
    "--json-status-fd",
    "4",
  ];
  const words = typeof spec.command === "string" ? [shellPath(), "-c", spec.command] : spec.command;
  return launch({
    program: wrap.program,
    args: ["--args", "3", "--", ...words],
    wrapped: args.map((arg) => `${arg}\0`).join(""),
    env: {},
    cwd: "/",
    scratch,
    timeoutMs: spec.timeoutMs,
    signal,
    after: () => watch.end(),
    isDenied: looksDenied,
  });
}

type View = { network: boolean; writable: readonly string[]; watch: Watch };

/** The file system of one command, from what covers most to what covers last. */
export function mountsFor(options: SandboxOptions, view: View): Mount[] {
  const { workspace, scratch, quarantine, home } = options;
  const { network, writable, watch } = view;
  const mounts: Mount[] = [];
  const outside = writable.filter((path) => !isInside(workspace, path));
  const own = [workspace, home, ...outside, ...options.shown];
  for (const path of EMPTIED.filter(isFolder)) {
    // The temporary folder outlives a command, so that the next one finds what it left; but where
    // something of ours has to appear in it, a command could have prepared the way.
    const isKept = path === "/tmp" && !own.some((other) => isInside("/tmp", other));
    if (isKept) mounts.push({ kind: "write", path, from: join(scratch, "tmp") });
    else mounts.push({ kind: "empty", path });
  }
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !isInside("/root", home) && isFolder("/root")) {
    mounts.push({ kind: "empty", path: "/root" });
  }
  if (network) mounts.push(...nameService());
  mounts.push(...gitFolders(workspace));
  if (home !== "/" && isFolder(home)) {
    mounts.push(...homeMounts({ home, scratch, workspace, network }));
  }
  for (const path of options.shown) mounts.push({ kind: "read", path });
  for (const path of outside) mounts.push({ kind: "write", path });
  mounts.push({ kind: "write", path: workspace });
  const secrets = [...options.hidden, scratch, quarantine, ...(isRoot ? SYSTEM_SECRETS : [])];
  for (const path of secrets) mounts.push(...covered(mounts, path, scratch));
  const inside = (path: string) => join(workspace, path);
  for (const path of watch.pinned) mounts.push({ kind: "write", path: inside(path) });
  for (const path of watch.readOnly) mounts.push({ kind: "read", path: inside(path) });
  for (const path of hostSockets()) mounts.push(...covered(mounts, path, scratch));
  return mounts;
}

/** The mount that hides a path of the host, if it would be seen; a link by what it leads to. */
function covered(mounts: readonly Mount[], path: string, scratch: string): Mount[] {
  if (!existsSync(path)) return [];
  const real = realpathSync(path);
  if (!isVisible(mounts, real)) return [];
  if (isFolder(real)) return [{ kind: "empty", path: real }];
  return [{ kind: "read", path: real, from: join(scratch, "nothing") }];
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** With the network, names must resolve: the resolver's settings are often a link into `/run`. */
function nameService(): Mount[] {
  if (!existsSync("/etc/resolv.conf")) return [];
  const real = realpathSync("/etc/resolv.conf");
  return real === "/etc/resolv.conf" ? [] : [{ kind: "read", path: real }];
}

/**
 * The repository of a linked worktree is somewhere else; it is shown where it would be hidden, and
 * read-only, so git can read in a worktree and cannot commit.
 */
function gitFolders(workspace: string): Mount[] {
  const folder = gitLink(join(workspace, ".git"), /^gitdir: (\/[^\n]+)\n?$/);
  if (folder === null || isInside(workspace, folder)) return [];
  const common = gitLink(join(folder, "commondir"), /^([^\n]+)\n?$/);
  const real = common === null ? folder : join(folder, common);
  // Only what git made itself is shown: a repository with a worktree in it that names this one.
  const back = gitLink(join(folder, "gitdir"), /^(\/[^\n]+)\n?$/);
  if (back !== join(workspace, ".git") || !existsSync(join(real, "objects"))) return [];
  return [{ kind: "read", path: real }];
}

function gitLink(path: string, form: RegExp): string | null {
  try {
    return lstatSync(path).isFile() ? (form.exec(readFileSync(path, "utf8"))?.[1] ?? null) : null;
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  }
}

/**
 * Sockets of the host that have a name in the file system: a read-only mount does not keep anybody
 * from connecting, so each that would be seen is covered.
 */
function hostSockets(): string[] {
  try {
    accessSync("/proc/net/unix", constants.R_OK);
    const paths = readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .flatMap((line) => /^\S+: (?:\S+ ){5}\s*\d+ (\/.*)$/.exec(line)?.[1] ?? []);
    return [...new Set(paths)].filter(isSocket).slice(0, SOCKETS_MAX);
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return [];
  }
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}
