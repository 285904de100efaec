// What is known of a workspace, kept beside its objects: so that the first recording of a process
// reads what changed since the last one, and not every file. It may be lost or old at any time.
import { readFile, rename, writeFile } from "node:fs/promises";
import { newId } from "#boundary/digest.ts";
import { noRules, withRules } from "#boundary/trees/ignored.ts";
import type { Known, KnownFolder } from "#boundary/trees/look.ts";

/** Raised whenever the form changes, or what is left out: another one counts as none. */
const FORM = 2;

type Kept = { form: number; folders: [path: string, rules: string | null, rest: KeptFolder][] };
type KeptFolder = Omit<KnownFolder, "rules" | "files" | "folders" | "left"> & {
  files: [string, unknown][];
  folders: [string, unknown][];
  left: [string, unknown][];
};

/** Parents come before what is in them, as in every `Known`. */
export function textOfKnown(known: Known): string {
  const folders = [...known].map(([path, { rules, files, folders, left, ...rest }]) => {
    const own = rules.at(-1);
    const text = own?.folder === path ? own.text : null;
    return [path, text, { ...rest, files: [...files], folders: [...folders], left: [...left] }];
  });
  return JSON.stringify({ form: FORM, folders });
}

export function knownIn(text: string): Known {
  const known: Known = new Map();
  const kept = JSON.parse(text) as Kept;
  if (kept.form !== FORM) return known;
  for (const [path, own, { files, folders, left, ...rest }] of kept.folders) {
    const above = known.get(path === "." ? "" : folderOf(path))?.rules ?? noRules;
    known.set(path, {
      ...rest,
      rules: withRules(above, path, own),
      files: new Map(files as [string, never][]),
      folders: new Map(folders as [string, never][]),
      left: new Map(left as [string, never][]),
    });
  }
  return known;
}

export const folderOf = (path: string): string => {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
};

/** What was kept at the file; nothing where it is missing or damaged. */
export async function loadKnown(file: string): Promise<Known> {
  try {
    return knownIn(await readFile(file, "utf8"));
  } catch {
    return new Map();
  }
}

/** Losing it costs time and nothing else, so a disk that is full is no failure here. */
export async function keepKnown(file: string, known: Known): Promise<void> {
  const draft = `${file}.${newId()}`;
  await writeFile(draft, textOfKnown(known), { mode: 0o600 })
    .then(() => rename(draft, file))
    .catch(() => {});
}
