// Commands inside bubblewrap: a read-only view of the system with the workspace writable, no
// network, no secrets, no sockets of the host, and an end that nothing outlives.
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beneath, failureOf, pathAt } from "#boundary/beneath.ts";
import type { Outside } from "#boundary/outside.ts";
import { FIRST_DESCRIPTOR, launch } from "#boundary/workspace/child.ts";
import { checkCommand } from "#boundary/workspace/command.ts";
import { mountsFor, type SandboxFolders } from "#boundary/workspace/command-view.ts";
import { looksDenied } from "#boundary/workspace/denial.ts";
import { baseEnvironment, shellPath } from "#boundary/workspace/environment.ts";
import { Guard, type Watch } from "#boundary/workspace/guard.ts";
import { type HostsNetwork, openHosts } from "#boundary/workspace/hosts-network.ts";
import { findGroups, hold, type Limits } from "#boundary/workspace/limits.ts";
import { type Mount, mountArguments } from "#boundary/workspace/mounts.ts";
import type {
  CommandEnd,
  CommandSpec,
  Opened,
  RunningCommand,
  Sandbox,
} from "#boundary/workspace/sandbox-port.ts";
import type { SecretFile, WorkspaceSecrets } from "#boundary/workspace/secret-files.ts";
import { startUnsandboxed } from "#boundary/workspace/unsandboxed.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { isInside, quoted } from "#core/security/paths.ts";

export type SandboxOptions = SandboxFolders & {
  /** The environment that Aiex was started with; see `baseEnvironment` for what is used of it. */
  host: Readonly<Record<string, string | undefined>>;
  /** Where the proxy of a command that may reach some hosts connects to. */
  outside: Outside;
  /** The secret files of the workspace; without it none is hidden. */
  secrets?: Pick<WorkspaceSecrets, "look">;
  /** What one command may take of the machine; kept as far as `keptHere` says. */
  limits: Limits;
};

/** What this system's bubblewrap can do; made by `findBubblewrap`. */
export type Bubblewrap = {
  program: string;
  flags: readonly string[];
  /** It can mount what a descriptor names (`--bind-fd`: version 0.10, or a patched older one). */
  takesDescriptors: boolean;
};

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
    // What covers a secret file: a program that needs it fails by its name, instead of going on
    // with an empty one, or committing it.
    if (!existsSync(join(scratch, "hidden"))) writeFileSync(join(scratch, "hidden"), "");
    chmodSync(join(scratch, "hidden"), 0o000);
  } catch (error) {
    return failureOf(error, scratch);
  }
  // By its name, a path deep in the workspace could be made to lead elsewhere by a command that
  // runs at the same time, and something else would be mounted.
  const isMountable = (path: string) => wrap.takesDescriptors || /^(\.git\/)?[^/]+$/.test(path);
  const guard = new Guard(workspace, quarantine, isMountable);
  return ok({
    kind: "bubblewrap",
    async start(spec, signal) {
      if (spec.opened.unsandboxed) return startUnsandboxed(spec, options, signal);
      const checked = await check(spec, options);
      if (!checked.ok) return checked;
      const secrets = await hiddenFrom(spec, options);
      if (!secrets.ok) return secrets;
      const watch = spec.onlyReads ? ok(unwatched) : await guard.begin(checked.value.writable);
      if (!watch.ok) return watch;
      const command = { spec, ...checked.value, secrets: secrets.value };
      const running = await startNetworked(wrap, options, command, watch.value, signal);
      if (!running.ok) {
        await watch.value.end();
        return running;
      }
      const hidden = [...new Set(secrets.value.map(({ path }) => path))];
      const done = running.value.done.then((end) => ({ ...end, hidden }));
      return ok({ ...running.value, done });
    },
  });
}

/** What can change nothing needs no watch; and would be one for as long as a server runs. */
const unwatched: Watch = { pinned: [], readOnly: [], end: async () => [] };

/** Mounts for secret files: each costs about 0.3 ms at a command's start. */
const SECRETS_MAX = 1_000;

/** The secret files that a command may not see. */
async function hiddenFrom(
  { shows }: CommandSpec,
  { secrets }: SandboxOptions,
): Promise<Result<readonly SecretFile[]>> {
  const found = secrets ? await secrets.look() : ok([]);
  if (!found.ok) return found;
  const hidden = found.value.filter(({ path }) => !shows?.(path));
  if (hidden.length <= SECRETS_MAX) return ok(hidden);
  return fail("too_large", `the workspace has more than ${SECRETS_MAX} secret files`, {
    fix: "open one of its parts instead",
  });
}

type Checked = { cwd: string; writable: readonly string[] };

async function check(spec: CommandSpec, options: SandboxOptions): Promise<Result<Checked>> {
  const cwd = await checkCommand(spec, options.workspace);
  if (!cwd.ok) return cwd;
  const writable = writableOf(spec.opened, options);
  return writable.ok ? ok({ cwd: cwd.value, writable: writable.value }) : writable;
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

/** Starts a command, with a proxy that lives as long as it does where hosts were opened. */
async function startNetworked(
  wrap: Bubblewrap,
  options: SandboxOptions,
  command: Command,
  watch: Watch,
  signal: AbortSignal,
): Promise<Result<RunningCommand>> {
  const { network, hosts = [] } = command.spec.opened;
  if (network || hosts.length === 0) {
    return await startWrapped(wrap, options, { ...command, through: null }, watch, signal);
  }
  const opened = await openHosts(hosts, options);
  if (!opened.ok) return opened;
  const through = opened.value;
  const running = await startWrapped(wrap, options, { ...command, through }, watch, signal);
  if (!running.ok) {
    await through.proxy.close();
    return running;
  }
  const done = running.value.done.then(async (end) => {
    await through.proxy.close();
    return { ...end, hosts: through.proxy.tried() };
  });
  return ok({ ...running.value, done });
}

type Command = Checked & { spec: CommandSpec; secrets: readonly SecretFile[] };

async function startWrapped(
  wrap: Bubblewrap,
  options: SandboxOptions,
  command: Command & { through: HostsNetwork | null },
  watch: Watch,
  signal: AbortSignal,
): Promise<Result<RunningCommand>> {
  const { workspace, scratch } = options;
  const { spec, cwd, writable, through, secrets } = command;
  const network = spec.opened.network === true;
  const held = await guarded(wrap, workspace, watch);
  if (!held.ok) return held;
  const descriptors = held.value.flatMap((mount) => ("held" in mount ? (mount.held ?? []) : []));
  try {
    const { onlyReads } = spec;
    const own = { guarded: held.value, secrets, ...(onlyReads && { onlyReads }) };
    const view = { network, hosts: through !== null, writable, ...own };
    const mounts = [...mountsFor(options, view), ...(through?.mounts ?? [])];
    const environment = environmentFor(options, spec, through?.env ?? {});
    const settings = Object.entries(environment).flatMap((pair) => ["--setenv", ...pair]);
    const args = [
      ...wrap.flags,
      ...(network ? ["--share-net"] : []),
      ...mountArguments(mounts, (fd) => FIRST_DESCRIPTOR + descriptors.indexOf(fd)),
      ...settings,
      "--chdir",
      join(workspace, cwd),
      "--json-status-fd",
      "4",
    ];
    const shell = typeof spec.command === "string" ? [shellPath(), "-c", spec.command] : null;
    const limit = hold(findGroups(), options.limits);
    const words = [...limit.before, ...(shell ?? spec.command)];
    let exceeded: CommandEnd["exceeded"] = null;
    const running = await launch({
      program: wrap.program,
      args: ["--args", "3", "--", ...(through?.behind(words) ?? words)],
      wrapped: { text: args.map((arg) => `${arg}\0`).join(""), descriptors },
      env: {},
      cwd: "/",
      scratch,
      timeoutMs: spec.timeoutMs,
      talks: spec.talks,
      signal,
      begun: limit.take,
      async after() {
        exceeded = limit.exceeded();
        await limit.release();
        return await watch.end();
      },
      isDenied: looksDenied,
    });
    if (!running.ok) {
      await limit.release();
      return running;
    }
    const done = running.value.done.then((end) => ({ ...end, ...(exceeded && { exceeded }) }));
    return ok({ ...running.value, done });
  } catch (error) {
    return failureOf(error, workspace);
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

function environmentFor(
  { host, home, workspace }: SandboxOptions,
  spec: CommandSpec,
  network: HostsNetwork["env"],
): Record<string, string> {
  const isOffline = !spec.opened.network && Object.keys(network).length === 0;
  const homeIsReal = home !== "/" && existsSync(home);
  return {
    ...baseEnvironment({ host, home: homeIsReal ? home : "/tmp", temporary: "/tmp", workspace }),
    ...(isOffline ? { CARGO_NET_OFFLINE: "true" } : {}),
    ...network,
    ...spec.env,
  };
}

/** Linux's flag for a descriptor that only names a file; node has no word for it. */
const O_PATH = 0o10000000;

/** The mounts that keep protected paths as they are, each with its descriptor. */
async function guarded(
  wrap: Bubblewrap,
  workspace: string,
  watch: Watch,
): Promise<Result<Mount[]>> {
  const wanted = [
    ...watch.pinned.map((path) => ({ kind: "write" as const, path })),
    ...watch.readOnly.map((path) => ({ kind: "read" as const, path })),
  ];
  const mounts: Mount[] = [];
  for (const { kind, path } of wanted) {
    const full = join(workspace, path);
    if (!wrap.takesDescriptors) {
      mounts.push({ kind, path: full });
      continue;
    }
    const fd = await beneath(workspace, path, { links: "none" }, async ({ folder, name }) =>
      ok(openSync(pathAt(folder, name), O_PATH | constants.O_NOFOLLOW)),
    );
    if (fd.ok) mounts.push({ kind, path: full, held: fd.value });
    else {
      for (const mount of mounts) if ("held" in mount && mount.held) closeSync(mount.held);
      return fail("busy", `${quoted(path)} was moved while a command was about to start`, {
        fix: "try again",
      });
    }
  }
  return ok(mounts);
}
