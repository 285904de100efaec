// Which language servers a machine has for a project: looked for by name, never run. A project's own
// counts before the user's; both are run in the sandbox only.
import { access, constants, lstat, readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { endingOf, type LanguageServer } from "#core/code/language-servers.ts";

/** Names that are looked at in the root and in each of the folders just below it. */
const NAMES_MAX = 400;
const FOLDERS_MAX = 40;

/** A server, and the whole path of its program. */
export type FoundServer = { server: LanguageServer; program: string };

export type Where = {
  root: string;
  /** Folders of programs outside the project. */
  path: readonly string[];
  /** Where rustup keeps its toolchains, if not in the home. */
  rustup?: string | undefined;
};

/** The servers of this table that the project at `root` has files for and that are installed. */
export async function foundServers(
  table: readonly LanguageServer[],
  where: Where,
): Promise<readonly FoundServer[]> {
  const names = await namesNear(where.root);
  const endings = new Set([...names].map(endingOf));
  const wanted = table.filter(
    ({ markers, languages }) =>
      markers.some((name) => names.has(name)) ||
      Object.keys(languages).some((ending) => endings.has(ending)),
  );
  const found = await Promise.all(wanted.map((server) => foundOne(server, where)));
  return found.flatMap((one) => (one ? [one] : []));
}

async function foundOne(server: LanguageServer, where: Where): Promise<FoundServer | null> {
  if (!(await hasNeeds(server, where.root))) return null;
  for (const folder of [join(where.root, "node_modules/.bin"), ...where.path]) {
    const program = join(folder, server.program);
    if (await isProgram(program, where.rustup)) return { server, program };
  }
  return null;
}

async function isProgram(path: string, rustup = join(homedir(), ".rustup")): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const real = await realpath(path);
    if (!(await stat(real)).isFile()) return false;
    return basename(real) !== "rustup" || (await hasInToolchain(rustup, basename(path)));
  } catch {
    return false;
  }
}

/** Rustup puts a link to itself for each program there could be, installed or not. */
async function hasInToolchain(rustup: string, name: string): Promise<boolean> {
  const folder = join(rustup, "toolchains");
  const chains = await readdir(folder).catch(() => []);
  const has = chains
    .slice(0, FOLDERS_MAX)
    .map((chain) => isThere(join(folder, chain, "bin", name)));
  return (await Promise.all(has)).includes(true);
}

async function hasNeeds({ needs = [] }: LanguageServer, root: string): Promise<boolean> {
  return (await Promise.all(needs.map((need) => isThere(join(root, need))))).every(Boolean);
}

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => null)) !== null;

/** The names in the root and in the folders just below it. */
async function namesNear(root: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const first = entries.slice(0, NAMES_MAX);
  const folders = first
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .slice(0, FOLDERS_MAX);
  const below = await Promise.all(
    folders.map(({ name }) => readdir(join(root, name)).catch(() => [])),
  );
  return new Set([
    ...first.map(({ name }) => name),
    ...below.flatMap((b) => b.slice(0, NAMES_MAX)),
  ]);
}
