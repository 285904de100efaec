// What a project ignores: the rules of its `.gitignore` files, from the root to each folder.
import ignore, { type Ignore } from "ignore";

/** Rules read of one file, in bytes; the rest of a longer one is not obeyed. */
export const RULES_BYTES_MAX = 512 * 1024;
export const RULES_FILE = ".gitignore";

/** The rules that hold in a folder, nearest last. */
export type Rules = readonly { folder: string; text: string; rules: Ignore }[];

export const noRules: Rules = [];

/** The rules of a folder, with those of its own file; the same value where it has none. */
export function withRules(rules: Rules, folder: string, text: string | null): Rules {
  if (text === null) return rules;
  return [...rules, { folder, text, rules: ignore({ allowRelativePaths: true }).add(text) }];
}

/** Whether a path is ignored, given that no folder above it is. The nearest word counts. */
export function isIgnoredBy(rules: Rules, path: string, { folder }: { folder: boolean }): boolean {
  for (const { folder: base, rules: own } of rules.toReversed()) {
    const name = base === "." ? path : path.slice(base.length + 1);
    const said = own.test(folder ? `${name}/` : name);
    if (said.ignored) return true;
    if (said.unignored) return false;
  }
  return false;
}

/** Whether two chains of rules say the same. */
export const isSameRules = (a: Rules, b: Rules): boolean =>
  a.length === b.length &&
  a.every((one, i) => one === b[i] || (one.folder === b[i]?.folder && one.text === b[i]?.text));
