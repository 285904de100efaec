// For tests: a workspace in a real sandbox, with a home and a host around it that have secrets.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Outside, theOutside } from "#boundary/outside.ts";
import { findSandbox } from "#boundary/workspace/index.ts";
import { type Limits, usualLimits } from "#boundary/workspace/limits.ts";
import type { CommandEnd, CommandSpec, Sandbox } from "#boundary/workspace/sandbox-port.ts";

/** What no command may ever print. */
export const CANARY = "canary-7f3a9c";

export type Boxed = {
  top: string;
  root: string;
  home: string;
  quarantine: string;
  hidden: string;
  sandbox: Sandbox;
  run(command: CommandSpec["command"], more?: Partial<CommandSpec>): Promise<Ran>;
  /** Writes a file of the workspace from outside, its folders too. */
  put(path: string, text: string): void;
  close(): void;
};

export type Ran = CommandEnd & { text: string };

/**
 * Makes one below `parent`, which is not in `/tmp` where a test wants the sandbox's own `/tmp`.
 * `name` is the name of the workspace's folder.
 */
export async function boxed(
  name = "app",
  parent = tmpdir(),
  outside: Outside = theOutside,
  limits: Limits = usualLimits(),
): Promise<Boxed> {
  const top = realpathSync(mkdtempSync(join(parent, "aiex-box-")));
  const at = (path: string) => join(top, path);
  const root = at(`home/src/${name}`);
  const [home, quarantine, hidden] = [at("home"), at("quarantine"), at("aiex")];
  for (const folder of [root, home, quarantine, hidden]) mkdirSync(folder, { recursive: true });
  for (const path of SECRETS) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), CANARY);
  }
  writeFileSync(join(hidden, "keys.json"), CANARY);
  const sandbox = await findSandbox({
    workspace: root,
    scratch: at("scratch"),
    quarantine,
    home,
    hidden: [hidden],
    shown: [],
    host: { PATH: process.env.PATH, CANARY, SSH_AUTH_SOCK: at("agent") },
    outside,
    limits,
  });
  return {
    top,
    root,
    home,
    quarantine,
    hidden,
    sandbox,
    async run(command, more = {}) {
      const spec = { command, cwd: ".", timeoutMs: 20_000, opened: {}, ...more };
      const running = await sandbox.start(spec, AbortSignal.timeout(60_000));
      if (!running.ok) throw new Error(running.error.say);
      const chunks: Uint8Array[] = [];
      for await (const chunk of running.value.output) chunks.push(chunk);
      return { ...(await running.value.done), text: Buffer.concat(chunks).toString() };
    },
    put(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    close: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Where secrets are in a home, as far as tools are known to keep them there. */
export const SECRETS = [
  ".ssh/id_ed25519",
  ".ssh/config",
  ".aws/credentials",
  ".gnupg/private-keys-v1.d/key",
  ".kube/config",
  ".docker/config.json",
  ".netrc",
  ".git-credentials",
  ".config/gh/hosts.yml",
  ".config/gcloud/credentials.db",
  ".config/git/credentials",
  ".config/op/config",
  ".npmrc",
  ".pypirc",
  ".pgpass",
  ".my.cnf",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".m2/settings.xml",
  ".gradle/gradle.properties",
  ".bundle/config",
  ".hex/hex.config",
  ".terraform.d/credentials.tfrc.json",
  ".vault-token",
  ".azure/accessTokens.json",
  ".claude/.credentials.json",
  ".codex/auth.json",
  ".gemini/oauth_creds.json",
  ".local/share/keyrings/login.keyring",
  ".local/state/aiex/log.db",
  ".mozilla/firefox/p/logins.json",
  ".password-store/x.gpg",
  ".bash_history",
  ".zsh_history",
  ".viminfo",
  ".env",
  "secrets/key",
  "Documents/taxes.txt",
] as const;

/** Why a test cannot run here, for `ctx.skip`; null where the sandbox works. */
export function missing(box: Boxed): string | null {
  return box.sandbox.kind === "none" ? `no sandbox: ${box.sandbox.missing}` : null;
}
