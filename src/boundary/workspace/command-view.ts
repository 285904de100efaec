// What a command in the sandbox sees of the file system: the system read-only, the workspace
// writable, and neither secrets nor sockets nor anybody's temporary files.
import { existsSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { readSmall } from "#boundary/beneath.ts";
import { homeMounts } from "#boundary/workspace/home.ts";
import { hostSockets } from "#boundary/workspace/host-sockets.ts";
import { isVisible, type Mount } from "#boundary/workspace/mounts.ts";
import type { SecretFile } from "#boundary/workspace/secret-files.ts";
import { isInside } from "#core/security/paths.ts";

/** Readable by root alone, and so by commands of a root user. */
const SYSTEM_SECRETS = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];
/** Folders that hold the host's sockets and other people's temporary files. */
const EMPTIED = ["/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm"];

export type SandboxFolders = {
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
};

/** What one command may reach beyond that, and what is covered for it. */
export type CommandView = {
  network: boolean;
  hosts: boolean;
  writable: readonly string[];
  guarded: readonly Mount[];
  secrets: readonly SecretFile[];
  onlyReads?: { own: readonly string[] };
};

/** The file system of one command, from what covers most to what covers last. */
export function mountsFor(options: SandboxFolders, view: CommandView): Mount[] {
  const { workspace, scratch, quarantine, home } = options;
  const { network, hosts, writable } = view;
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
  if (home !== "/" && isFolder(home)) {
    mounts.push(...homeMounts({ home, scratch, workspace, network: network || hosts }));
  }
  mounts.push(...gitFolders(workspace));
  for (const path of options.shown) mounts.push({ kind: "read", path });
  for (const path of outside) mounts.push({ kind: "write", path });
  mounts.push({ kind: view.onlyReads ? "read" : "write", path: workspace });
  for (const name of view.onlyReads?.own ?? []) mounts.push(...ownFolder(options, name));
  const secrets = [...options.hidden, scratch, quarantine, ...(isRoot ? SYSTEM_SECRETS : [])];
  for (const path of secrets) mounts.push(...covered(mounts, path, scratch));
  mounts.push(...view.guarded);
  for (const { real } of view.secrets) {
    if (isVisible(mounts, real) || isInside(workspace, real)) {
      mounts.push({ kind: "read", path: real, from: join(scratch, "hidden") });
    }
  }
  for (const path of hostSockets()) mounts.push(...covered(mounts, path, scratch));
  return mounts;
}

/** A private folder in the place of one of the workspace. */
function ownFolder({ workspace, scratch }: SandboxFolders, name: string): Mount[] {
  if (!isFolder(join(workspace, name))) return [];
  const from = join(scratch, "own", name.replaceAll("/", "+"));
  mkdirSync(from, { recursive: true, mode: 0o700 });
  return [{ kind: "write", path: join(workspace, name), from }];
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
  const isWhole = ["HEAD", "objects", "refs"].every((name) => existsSync(join(real, name)));
  if (back !== join(workspace, ".git") || !isWhole) return [];
  return [{ kind: "read", path: real }];
}

function gitLink(path: string, form: RegExp): string | null {
  const bytes = readSmall(path, 4_096);
  return bytes && (form.exec(new TextDecoder().decode(bytes))?.[1] ?? null);
}
