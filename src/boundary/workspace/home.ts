// What a command in the sandbox sees of the user's home: an empty private folder, in which only
// toolchains and the folders of projects appear, read-only. Whatever is not listed is not there, so
// a secret need not be known to be out of reach.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readSmall } from "#boundary/beneath.ts";
import type { Mount } from "#boundary/workspace/mounts.ts";
import { identityOf } from "#core/security/git-settings.ts";

/**
 * Installed programs and their data. Configuration that may hold a token (`.npmrc`,
 * `.m2/settings.xml`, `.cargo/credentials.toml`, `.bundle/config`) is left out by naming only what
 * is needed beside it.
 */
const TOOLCHAINS = [
  ".asdf",
  ".bun/bin",
  ".cabal/bin",
  ".cabal/packages",
  ".cargo/bin",
  ".cargo/config.toml",
  ".cargo/env",
  ".conda",
  ".config/git/attributes",
  ".config/git/ignore",
  ".deno/bin",
  ".dotnet",
  ".elan",
  ".fnm",
  ".gem/ruby",
  ".ghcup",
  ".gitignore",
  ".gitignore_global",
  ".julia",
  ".kerl",
  ".local/bin",
  ".local/lib",
  ".local/pipx",
  ".local/share/fnm",
  ".local/share/gem",
  ".local/share/mise",
  ".local/share/pipx",
  ".local/share/pnpm",
  ".local/share/rtx",
  ".local/share/uv",
  ".mix",
  ".nix-profile",
  ".nvm",
  ".opam",
  ".pyenv",
  ".rbenv",
  ".rustup",
  ".rvm",
  ".sdkman",
  ".stack",
  ".swiftly",
  ".volta",
] as const;

/** Caches that commands write. Each workspace has its own, kept between commands. */
const PRIVATE_CACHES = [".cache", ".npm", ".gradle"] as const;

/**
 * Stores of downloaded packages. The user's own are shown read-only, so that builds work offline;
 * once a command with the network has filled a private one, that is used in its place.
 */
const PACKAGE_STORES = [
  ".bun/install",
  ".cargo/git",
  ".cargo/registry",
  ".hex/packages",
  ".ivy2",
  ".m2/repository",
  ".nuget/packages",
  ".pub-cache",
  ".yarn/berry",
  "go/pkg",
] as const;

const GIT_CONFIG_BYTES_MAX = 64 * 1024;
/** Folders of the home that are shown; each costs a mount. They are where projects live. */
const FOLDERS_MAX = 40;
const PERSONAL = new Set(
  `Desktop Documents Downloads Dropbox Library Movies Music OneDrive Pictures Public Templates
   Videos snap`.split(/\s+/),
);
const SECRET = /secret|credential|password|private|wallet|vault|keys?$/i;

/**
 * The mounts that make the home. `scratch` is a private folder of this workspace; the caches and
 * the made-up git configuration are kept in it.
 */
export function homeMounts(options: {
  home: string;
  scratch: string;
  workspace: string;
  network: boolean;
}): Mount[] {
  const { home, scratch, workspace, network } = options;
  const mounts: Mount[] = [{ kind: "empty", path: home }];
  for (const name of visibleFolders(home, workspace)) {
    mounts.push({ kind: "read", path: join(home, name) });
  }
  for (const name of TOOLCHAINS) {
    if (existsSync(join(home, name))) mounts.push({ kind: "read", path: join(home, name) });
  }
  for (const name of PRIVATE_CACHES) mounts.push(privateMount(home, scratch, name));
  for (const name of PACKAGE_STORES) {
    if (network || isFilled(storeIn(scratch, name))) {
      mounts.push(privateMount(home, scratch, name));
    } else if (existsSync(join(home, name))) {
      mounts.push({ kind: "read", path: join(home, name) });
    }
  }
  const identity = gitIdentity(home);
  if (identity) {
    const from = join(scratch, "gitconfig");
    // By rename: another command may have the present one mounted.
    writeFileSync(`${from}.new`, identity, { mode: 0o600 });
    renameSync(`${from}.new`, from);
    mounts.push({ kind: "read", path: join(home, ".gitconfig"), from });
  }
  return mounts;
}

/** The folder that the workspace is in comes first: a project may build against its siblings. */
function visibleFolders(home: string, workspace: string): string[] {
  const [first = "", ...below] = workspace.startsWith(`${home}/`)
    ? workspace.slice(home.length + 1).split("/")
    : [];
  // Of a hidden folder only the workspace itself appears.
  const own = below.length > 0 && !first.startsWith(".") ? [first] : [];
  const others = readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => !PERSONAL.has(name) && !SECRET.test(name));
  // The store in `go` is mounted by itself, and could not be inside something read-only.
  const go = ["go/bin", "go/src"].filter((name) => existsSync(join(home, name)));
  const folders = [...own, ...others].filter((name) => name !== "go");
  return [...new Set([...folders, ...go])].slice(0, FOLDERS_MAX);
}

function privateMount(home: string, scratch: string, name: string): Mount {
  const from = storeIn(scratch, name);
  mkdirSync(from, { recursive: true, mode: 0o700 });
  return { kind: "write", path: join(home, name), from };
}

const storeIn = (scratch: string, name: string): string =>
  join(scratch, "home", name.replaceAll("/", "+"));

function isFilled(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

function gitIdentity(home: string): string {
  return [".config/git/config", ".gitconfig"]
    .map((name) => readSmall(realOf(join(home, name)), GIT_CONFIG_BYTES_MAX))
    .map((bytes) => (bytes === null ? "" : identityOf(new TextDecoder().decode(bytes))))
    .join("");
}

/** Dotfiles are often links into a repository of their own. */
const realOf = (path: string): string => (existsSync(path) ? realpathSync(path) : path);
