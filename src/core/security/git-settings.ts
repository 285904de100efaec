// What may be believed of a git configuration. Git runs programs for many of its keys, so a file is
// harmless only when every line of it is known to be; reading is by line and strict, because a
// line that is not understood here may well be understood by git.

const BOOLEAN = /^(true|false|yes|no|on|off|0|1)$/i;
const PLAIN = /^[^"\\#;\r]{1,200}$/;
/** A URL or path that git fetches without running a helper: no `ext::`, no leading dash. */
const ADDRESS =
  /^((https?|ssh|git|file):\/\/[^\s"\\#;]+|[\w.-]+@[\w.-]+:[^\s"\\#;:]+|\.{0,2}\/[^\s"\\#;:]*)$/;
const REFSPEC = /^\+?refs\/[\w./*-]+(:refs\/[\w./*-]+)?$/;

const harmless: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  core: {
    repositoryformatversion: /^[01]$/,
    filemode: BOOLEAN,
    bare: BOOLEAN,
    logallrefupdates: BOOLEAN,
    ignorecase: BOOLEAN,
    precomposeunicode: BOOLEAN,
    symlinks: BOOLEAN,
    autocrlf: /^(true|false|input)$/i,
    eol: /^(lf|crlf|native)$/i,
  },
  init: { defaultbranch: /^[\w./-]+$/ },
  extensions: { objectformat: /^sha(1|256)$/, refstorage: /^(files|reftable)$/ },
  user: { name: PLAIN, email: PLAIN },
  remote: { url: ADDRESS, fetch: REFSPEC, tagopt: /^--(no-)?tags$/ },
  branch: { remote: /^[\w./-]+$/, merge: REFSPEC, rebase: BOOLEAN },
  submodule: { url: ADDRESS, active: BOOLEAN },
  pull: { rebase: BOOLEAN },
};

type Setting = { section: string; name: string; key: string; value: string };

/** Whether no line of this configuration makes git run or reach anything by itself. */
export function isHarmlessGitConfig(text: string): boolean {
  const settings = settingsOf(text);
  return settings?.every(isHarmless) ?? false;
}

/** Whether `after` differs from `before` only in lines that are harmless. */
export function isHarmlessGitChange(before: string, after: string): boolean {
  const old = settingsOf(before);
  const now = settingsOf(after);
  if (old === null || now === null) return before === after;
  const kept = old.map((setting) => JSON.stringify(setting));
  for (const setting of now) {
    if (isHarmless(setting)) continue;
    const at = kept.indexOf(JSON.stringify(setting));
    if (at === -1) return false;
    kept.splice(at, 1);
  }
  return true;
}

/**
 * The part of a user's own configuration that commands in the sandbox get to see: who commits, and
 * how lines end. Tokens, helpers and aliases stay outside.
 */
export function identityOf(text: string): string {
  const lines: string[] = [];
  for (const { section, key, value } of settingsOf(text, { skipUnknown: true }) ?? []) {
    if (!["user", "init", "core", "pull"].includes(section) || value.includes('"')) continue;
    if (!harmless[section]?.[key]?.test(value)) continue;
    lines.push(`[${section}]`, `\t${key} = "${value}"`);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function isHarmless({ section, key, value }: Setting): boolean {
  return harmless[section]?.[key]?.test(value) ?? false;
}

/** The settings of a file, or null where a line is of a form that is not known here. */
function settingsOf(text: string, options?: { skipUnknown: true }): Setting[] | null {
  const settings: Setting[] = [];
  let section: { section: string; name: string } | null = null;
  for (const line of text.split("\n")) {
    if (/^\s*([#;].*[^\\]|[#;])?$/.test(line)) continue;
    const head = /^\s*\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\]\s*$/.exec(line);
    if (head) {
      section = { section: (head[1] ?? "").toLowerCase(), name: head[2] ?? "" };
      continue;
    }
    const pair = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"([^"\\]*)"|([^"\\#;]*?))\s*$/.exec(line);
    if (pair && section) {
      const [, key = "", inQuotes, plain = ""] = pair;
      settings.push({ ...section, key: key.toLowerCase(), value: inQuotes ?? plain });
      continue;
    }
    if (!options?.skipUnknown) return null;
    // A continued line would make its successor look like a setting of its own.
    if (line.endsWith("\\")) return settings;
    if (line.trim().startsWith("[")) section = null;
  }
  return settings;
}
