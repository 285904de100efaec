// The environment of a command: built up from what is named here, never inherited, so that nothing
// a shell, a project or another program left in ours can steer what runs.
import { existsSync, realpathSync } from "node:fs";
import { isInside } from "#core/security/paths.ts";

/** Searched after the user's own entries. */
const SYSTEM_PATH = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
] as const;

/** Where toolchains were installed; passed on when the value is a path outside the workspace. */
const TOOLCHAINS = [
  "ASDF_DATA_DIR",
  "ASDF_DIR",
  "BUN_INSTALL",
  "CONDA_PREFIX",
  "DENO_DIR",
  "DOTNET_ROOT",
  "FNM_DIR",
  "GOROOT",
  "JAVA_HOME",
  "MISE_DATA_DIR",
  "NVM_DIR",
  "PNPM_HOME",
  "PYENV_ROOT",
  "RBENV_ROOT",
  "RUSTUP_HOME",
  "SDKMAN_DIR",
  "VOLTA_HOME",
] as const;

/** Spelling of languages and zones; anything else is not passed on. */
const LOCALE = /^[A-Za-z0-9_.@/+-]{1,64}$/;

/**
 * The environment of a command without what the caller names. `host` is the environment that Aiex
 * was started with, of which only paths, locale and zone are used.
 */
export function baseEnvironment(options: {
  host: Readonly<Record<string, string | undefined>>;
  home: string;
  temporary: string;
  workspace: string;
}): Record<string, string> {
  const { host, home, temporary, workspace } = options;
  const env: Record<string, string> = {
    PATH: searchPath(host.PATH ?? "", workspace).join(":"),
    HOME: home,
    USER: "user",
    LOGNAME: "user",
    SHELL: shellPath(),
    TERM: "dumb",
    TMPDIR: temporary,
    LANG: host.LANG && LOCALE.test(host.LANG) ? host.LANG : "C.UTF-8",
    // A pager or a prompt would wait for somebody who is not there.
    PAGER: "cat",
    GIT_PAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
  };
  for (const name of ["LC_ALL", "TZ"]) {
    const value = host[name];
    if (value && LOCALE.test(value)) env[name] = value;
  }
  for (const name of TOOLCHAINS) {
    const value = host[name];
    if (value && isUsable(value, workspace)) env[name] = value;
  }
  return env;
}

/** The user's PATH entries that exist outside the workspace, then the system's. */
export function searchPath(path: string, workspace: string): string[] {
  const own = path.split(":").filter((entry) => isUsable(entry, workspace));
  return [...new Set([...own, ...SYSTEM_PATH])];
}

/** The shell that gets a command with `-c`. */
export function shellPath(): string {
  return existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
}

function isUsable(path: string, workspace: string): boolean {
  if (!path.startsWith("/") || !existsSync(path)) return false;
  // Also by its real name: a link is no way to get a program of the project to the front.
  return !isInside(workspace, path) && !isInside(workspace, realpathSync(path));
}
