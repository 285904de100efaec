// The roles that a child can have in a folder: those of the user, in Aiex's home, before those of the
// project, which count only where the user trusts the location, before our own.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Locations } from "#boundary/locations.ts";
import { plainFile } from "#boundary/plain-file.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { Result } from "#core/failure.ts";
import { surfaces } from "#core/model/surfaces/index.ts";
import { ownRoles, type Role, roleFrom } from "#core/role.ts";

/** Where the user and a project keep roles, in Aiex's home and in the workspace. */
const OWN = "agents";
export const PROJECT_ROLES = ".aiex/agents";
/** Bytes of a role's file, and files of one folder, that are read. */
const FILE_BYTES_MAX = 65_536;
const FILES_MAX = 100;

/** A file that is no role, and why. */
export type BadRole = { from: string; say: string };
export type RolesFound = { roles: readonly Role[]; bad: readonly BadRole[] };

export type RolesParts = {
  home: string;
  /** The real path of the workspace's root. */
  path: string;
  workspace: Workspace;
  locations: Pick<Locations, "find">;
  /** Our tools, by name. */
  tools: readonly string[];
};

/** The first role of a name counts. */
export async function rolesIn(parts: RolesParts): Promise<RolesFound> {
  const own = await ofUser(join(parts.home, OWN));
  const located = await parts.locations.find(parts.path);
  const isTrusted = located.ok && located.value.isTrusted;
  const project = isTrusted ? await ofProject(parts.workspace) : [];
  if (own.length + project.length === 0) return { roles: ownRoles, bad: [] };
  const toolNamed = await namesOf(parts.tools);
  const roles: Role[] = [];
  const bad: BadRole[] = [];
  for (const { from, name, text } of [...own, ...project]) {
    const role = text === null ? null : roleFrom({ name, text }, toolNamed);
    // Which model is asked is the user's choice, and not a project's.
    if (role?.ok && from.startsWith(PROJECT_ROLES)) role.value.model = undefined;
    if (role?.ok) roles.push({ ...role.value, from });
    else bad.push({ from, say: role ? role.error.say : tooLong });
  }
  roles.push(...ownRoles);
  const first = roles.filter((role, i) => roles.findIndex(({ name }) => name === role.name) === i);
  return { roles: first, bad };
}

const tooLong = `it is no plain file of at most ${FILE_BYTES_MAX} bytes`;

type File = { from: string; name: string; text: string | null };

async function ofUser(folder: string): Promise<File[]> {
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(
    rolesAmong(names).map(async (file) => {
      const path = join(folder, file);
      const read = await plainFile(path, { bytesMax: FILE_BYTES_MAX });
      const isWhole = read !== null && read.size <= FILE_BYTES_MAX;
      return { from: path, name: nameOf(file), text: isWhole ? read.bytes.toString() : null };
    }),
  );
}

/** Through the port of the workspace, which follows no link that leads out. */
async function ofProject(workspace: Workspace): Promise<File[]> {
  const entries = await workspace.list(PROJECT_ROLES);
  if (!entries.ok) return [];
  return await Promise.all(
    rolesAmong(entries.value.map(({ name }) => name)).map(async (file) => {
      const path = `${PROJECT_ROLES}/${file}`;
      const bytes: Result<Uint8Array> = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
      const text = bytes.ok ? new TextDecoder().decode(bytes.value) : null;
      return { from: path, name: nameOf(file), text };
    }),
  );
}

const rolesAmong = (names: readonly string[]): string[] =>
  names
    .filter((name) => name.endsWith(".md"))
    .sort()
    .slice(0, FILES_MAX);

const nameOf = (file: string): string => file.slice(0, -".md".length);

/** Our name of a tool, for our name of it and for what any model family calls it. */
async function namesOf(tools: readonly string[]): Promise<(name: string) => string | undefined> {
  const names = new Map(tools.map((name) => [name.toLowerCase(), name]));
  for (const load of Object.values(surfaces)) {
    const surface = await load?.();
    for (const { spec, inner } of surface?.tools ?? []) {
      if (!names.has(spec.name.toLowerCase())) names.set(spec.name.toLowerCase(), inner);
    }
  }
  return (name) => names.get(name.toLowerCase());
}
