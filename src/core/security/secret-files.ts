// Files that hold secrets, by their names: what programs keep keys, passwords and tokens in. Models
// get them only with the user's leave for that very file, by a tool or by the shell. Sources: the
// names that git hosts and scanners warn of (github.com/github/gitignore; gitleaks' path rules).

/** Names that say that a file holds secrets, as regular expressions over a name in lower case. */
const ALWAYS = [
  /^\.env$|^\.env[._-].+$|^[^.].*\.env$|^\.envrc$/,
  /^\.dev\.vars/,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/,
  /\.(ppk|p12|pfx|jks|keystore|kdbx|kdb|ovpn|agekey)$/,
  /^[._]netrc$|^\.pgpass$|^\.my\.cnf$|^\.pypirc$|^\.s3cfg$|^\.boto$|^\.git-credentials$|^\.htpasswd$/,
  /^(aws_)?credentials(\.(json|ya?ml|toml|ini|csv|db))?$/,
  /^client_secrets?.*\.json$|^application_default_credentials\.json$/,
  /^service[-_]?account.*\.json$|firebase-adminsdk.*\.json$/,
  /^secrets?\.(json|ya?ml|toml|ini|properties|env|tfvars)$/,
  /^master\.key$|^\.vault[-_](token|pass.*)$|^vault[-_]pass(word)?(\.txt)?$/,
  /^kubeconfig$|\.kubeconfig$/,
  /^\.terraformrc$|^credentials\.tfrc\.json$|\.tfstate(\.backup)?$/,
];

/** Files that often hold a secret and often none: one is, where something in it would be masked. */
const PERHAPS = [
  /\.(pem|key|asc|tfvars)$|\.auto\.tfvars$/,
  /^\.npmrc$|^\.yarnrc(\.yml)?$|^\.bunfig\.toml$/,
  /^auth\.json$|^\.dockercfg$|^nuget\.config$|^settings\.xml$|^gradle\.properties$/,
];

/** Templates, which are made to be shown. */
const TEMPLATE =
  /(^|[._-])(example|sample|template|tmpl|dist|defaults?|schema)([._-]|$)|\.enc$|\.pub$/;

/** Folders whose `config`, `config.json` or `credentials` hold secrets. */
const FOLDERS: Readonly<Record<string, RegExp>> = {
  ".aws": /^(credentials|config)$/,
  ".docker": /^config\.json$/,
  ".kube": /^config$/,
  ".ssh": /^(?!known_hosts|authorized_keys|config$)/,
  ".gnupg": /./,
};

export type Secrecy = "always" | "perhaps";

/** How sure it is by its name that a workspace-relative path is a secret file; null: it is none. */
export function secrecyOf(path: string): Secrecy | null {
  const names = path.split("/").map((name) => name.normalize("NFKC").toLowerCase());
  const name = names.at(-1) ?? "";
  if (TEMPLATE.test(name)) return null;
  const folder = names.at(-2) ?? "";
  const isKept = Object.hasOwn(FOLDERS, folder) && FOLDERS[folder]?.test(name);
  if (isKept || ALWAYS.some((form) => form.test(name))) return "always";
  return PERHAPS.some((form) => form.test(name)) ? "perhaps" : null;
}

/** Whether a path is a secret file by its name alone. */
export const isSecretFile = (path: string): boolean => secrecyOf(path) === "always";

/** Values in the text of a secret file that are long enough to be told from ordinary words. */
export function valuesIn(text: string): string[] {
  const found = new Set<string>();
  for (const line of text.split(/\r?\n/).slice(0, LINES_MAX)) {
    const trimmed = line.replace(/^[\s#;]+/, "").trim();
    if (trimmed === "" || trimmed.startsWith("-----")) continue;
    const value = /^(?:export\s+)?[\w.-]+\s*[=:]\s*(.+)$/.exec(trimmed)?.[1] ?? trimmed;
    const bare = value.replace(/^(["'`])(.*)\1[,;]?$/, "$2");
    for (const part of [bare, ...bare.split(/[\s"'`,;=]+|:\/\/|[:@](?=\S)/)]) {
      if (isTelling(part)) found.add(part);
    }
  }
  return [...found].slice(0, VALUES_MAX);
}

/** Lines looked at of one secret file, and values taken of it. */
const LINES_MAX = 5_000;
const VALUES_MAX = 500;
const CHARS_MIN = 8;
const CHARS_MAX = 4_096;

/** No word, number, host or path that also stands in ordinary text. */
function isTelling(value: string): boolean {
  if (value.length < CHARS_MIN || value.length > CHARS_MAX) return false;
  if (/^[a-z]+$/i.test(value) || /^[\d.:-]+$/.test(value)) return false;
  if (
    /^(?:[a-z]+:\/\/)?(?:localhost|127\.0\.0\.1|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+)?\/?$/i.test(
      value,
    )
  ) {
    return /\d.*\d.*\d/.test(value.replace(/:\d+\/?$/, ""));
  }
  return /\d/.test(value) || value.length >= 20 || /[^\w\s./-]/.test(value);
}
