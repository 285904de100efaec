// The user's leave: for what exactly it was given, and for how long. A permission is bound to the
// hash of what would be done, so that what was shown is what is done.
import type { Access, Opened } from "#core/security/access.ts";

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
      return ["read", access.path];
    case "write":
      return exact ? ["write", access.path, access.diff] : ["write", access.path];
    case "fetch":
      return exact ? ["fetch", access.url] : ["fetch", hostOf(access.url)];
    case "run": {
      const env = Object.entries(access.env).sort(([a], [b]) => (a < b ? -1 : 1));
      const { network = false, write = [], unsandboxed = false } = opens;
      const opened = [network, [...write].sort(), unsandboxed];
      return ["run", access.command, access.cwd, env, opened];
    }
  }
}

/** Whether a grant covers an access. */
export function isGranted(
  grants: readonly Grant[],
  access: Access,
  opens: Opened,
  sha256: (text: string) => string,
): boolean {
  return grants.some(({ scope, key }) => permissionKey(access, opens, scope, sha256) === key);
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

function isHostName(name: string): boolean {
  const labels = name.split(".");
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) return false;
  // An address is four decimal numbers; 0x7f.1, 017700000001 and the like are not names either.
  if (!/^(0x[0-9a-f]*|\d+)$/.test(labels.at(-1) ?? "")) return name.length <= 253;
  return (
    labels.length === 4 &&
    labels.every((label) => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) < 256)
  );
}
