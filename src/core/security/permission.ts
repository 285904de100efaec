// The user's leave: for what exactly it was given, and for how long. A permission is bound to the
// hash of what would be done, so that what was shown is what is done.
import type { Access, Opened } from "#core/security/access.ts";
import { hostsOver, isHostName } from "#core/security/hosts.ts";
import { isSecretFile } from "#core/security/secret-files.ts";

/**
 * `once` for this very call · `session` until the session ends · `workspace` for all sessions at
 * this location · `always` for the user everywhere.
 */
export const scopes = ["once", "session", "workspace", "always"] as const;
export type Scope = (typeof scopes)[number];

/** `key` is what `permissionKey` answered for the access that the user was shown. */
export type Grant = { scope: Scope; key: string };

/**
 * Names what a permission covers, as the hash of its exact content. A command: its words, folder,
 * environment and what is opened, in every scope. A write: path and diff when allowed once, the
 * path when longer. A fetch: the whole URL when allowed once, the host when longer.
 */
export function permissionKey(
  access: Access,
  opens: Opened,
  scope: Scope,
  sha256: (text: string) => string,
): string {
  return sha256(JSON.stringify(contentOf(access, opens, scope === "once")));
}

function contentOf(access: Access, opens: Opened, exact: boolean): unknown[] {
  switch (access.kind) {
    case "read":
      return ["read", access.path, ...(isSecretRead(access) ? ["secret"] : [])];
    case "write":
      return exact ? ["write", access.path, access.diff] : ["write", access.path];
    case "fetch":
      return exact ? ["fetch", access.url] : ["fetch", hostOf(access.url)];
    case "run": {
      const env = Object.entries(access.env).sort(([a], [b]) => (a < b ? -1 : 1));
      const { network = false, write = [], unsandboxed = false, hosts = [] } = opens;
      const opened = [network, [...write].sort(), unsandboxed];
      if (hosts.length > 0) opened.push([...hosts].sort());
      return ["run", access.command, access.cwd, env, opened];
    }
  }
}

/** Whether a read shows secrets: those of a secret file, or those that are masked elsewhere. */
export const isSecretRead = (access: Access): boolean =>
  access.kind === "read" && (access.secret === true || isSecretFile(access.path));

/**
 * What a lasting answer covers, each by its key: a command with hosts by one key for each of them,
 * so that it need not be asked about again when it wants fewer.
 */
export function lastingKeys(
  access: Access,
  opens: Opened,
  sha256: (text: string) => string,
): string[] {
  return keySets(access, opens, sha256).flatMap(([own = ""]) => own);
}

/** For each thing a lasting answer must cover, the keys that do; the first is its own. */
function keySets(access: Access, opens: Opened, sha256: (text: string) => string): string[][] {
  const keyOf = (opened: Opened) => permissionKey(access, opened, "session", sha256);
  if (access.kind !== "run" || !opens.hosts?.length) return [[keyOf(opens)]];
  return opens.hosts.map((host) =>
    hostsOver(host).map((over) => keyOf({ ...opens, hosts: [over] })),
  );
}

/** Whether grants cover an access: one given for exactly it, or lasting ones for all it opens. */
export function isGranted(
  grants: readonly Grant[],
  access: Access,
  opens: Opened,
  sha256: (text: string) => string,
): boolean {
  const exact = permissionKey(access, opens, "once", sha256);
  if (grants.some(({ scope, key }) => scope === "once" && key === exact)) return true;
  const lasting = new Set(grants.filter(({ scope }) => scope !== "once").map(({ key }) => key));
  return keySets(access, opens, sha256).every((keys) => keys.some((key) => lasting.has(key)));
}

/**
 * The host of an http or https URL, in lower case and with its port where it is not the usual one;
 * null for anything that is not plainly such a URL. The grammar is strict on purpose: what two
 * parsers may read differently is refused.
 */
export function hostOf(url: string): string | null {
  const form =
    /^(https?):\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:[/?#][\x21-\x7e]*)?$/;
  const parts = form.exec(url);
  if (!parts) return null;
  const [, scheme, host = "", port] = parts;
  const name = host.toLowerCase().replace(/\.$/, "");
  if (!name.startsWith("[") && !isHostName(name)) return null;
  const usual = scheme === "https" ? "443" : "80";
  return port === undefined || port === usual ? name : `${name}:${port}`;
}
