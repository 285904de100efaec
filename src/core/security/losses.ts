// Which paths a shell command is about to delete or overwrite, as far as its text says so: to name,
// before it runs, what no tree holds and no undo could bring back. It only reads what is written
// plainly; what a script does is not in its text.
import { relativeTo } from "#core/security/paths.ts";
import { readShell } from "#core/security/shell.ts";
import type { LeftReason } from "#core/tree/entry.ts";
import { isWithin } from "#core/tree/paths.ts";

/**
 * A path that goes, with all below it; `glob`: only names in it that a `*` matches; `byGit`: git
 * does it, which spares its own data.
 */
export type Loss = { path: string; glob: boolean; byGit?: true };

/** Programs whose plain words are the paths that go. */
const DELETING = new Set(["rm", "unlink", "shred", "rmdir", "truncate", "trash"]);
/** What git throws away, by its verb: everything that it does not keep itself. */
const GIT_THROWS: Readonly<Record<string, RegExp>> = {
  clean: /^-(?:[a-z]*f|-force)/,
  reset: /^--(?:hard|merge|keep)$/,
  checkout: /^(?:--|\.|-f|--force|:\/)$/,
  restore: /^[^-]|^--/,
  stash: /^(?:-u|-a|--all|--include-untracked)$/,
};
/** Words that only say how the next command runs. */
const WRAPPERS = new Set(["sudo", "command", "nice", "nohup", "time", "env"]);

/** Paths are workspace-relative; `cwd` is where the command runs. Outside ones are not told. */
export function lossesIn(command: string, cwd: string, root: string): Loss[] {
  const reading = readShell(command);
  if (reading.kind === "opaque") return roughly(command, cwd, root);
  let folder = cwd;
  const losses: Loss[] = [];
  for (const words of reading.commands) {
    const [program = "", ...args] = unwrapped(words);
    if (program === "cd") folder = joined(root, folder, args[0] ?? ".") ?? folder;
    else losses.push(...lossesOf(program, args, { folder, root }));
  }
  return losses;
}

function unwrapped(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word) => !WRAPPERS.has(word) && !/^[A-Z_]+=/i.test(word));
  return words.slice(Math.max(0, at));
}

type Where = { folder: string; root: string };

function lossesOf(program: string, args: readonly string[], where: Where): Loss[] {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const plain = args.filter((word) => !word.startsWith("-"));
  if (DELETING.has(name)) return pathsOf(plain, where);
  if (name === "find" && args.some((word) => word === "-delete" || word === "rm")) {
    const roots = plain.slice(
      0,
      Math.max(
        1,
        args.findIndex((word) => word.startsWith("-")),
      ),
    );
    return pathsOf(roots, where);
  }
  if (name === "rsync" && args.some((word) => word.startsWith("--delete"))) {
    return pathsOf(plain.slice(-1), where);
  }
  if (name !== "git") return [];
  const verb = plain[0] ?? "";
  const throws = GIT_THROWS[verb];
  const rest = args.slice(args.indexOf(verb) + 1);
  const isThrown = throws !== undefined && rest.some((word) => throws.test(word));
  return isThrown ? pathsOf(["."], where).map((loss) => ({ ...loss, byGit: true as const })) : [];
}

const pathsOf = (paths: readonly string[], { folder, root }: Where): Loss[] =>
  paths.flatMap((path) => {
    const at = joined(root, folder, path);
    return at === null ? [] : [{ path: at, glob: false }];
  });

function joined(root: string, folder: string, path: string): string | null {
  const name = relativeTo(root, path.startsWith("/") ? path : `${folder}/${path}`);
  return name.ok ? name.value : null;
}

/** Of a text with globs, variables or scripts in it: the words behind a deleting program. */
function roughly(command: string, cwd: string, root: string): Loss[] {
  return [...command.matchAll(/(?:^|[\s;&|(])(rm|shred|unlink)\s+([^;&|\n)]*)/g)].flatMap(
    ([, , words = ""]) =>
      words
        .split(/\s+/)
        .filter((word) => word !== "" && !word.startsWith("-") && !/[$`"'\\]/.test(word))
        .flatMap((word): Loss[] => {
          const star = word.search(/[*?[]/);
          const plain = star === -1 ? word : word.slice(0, star).replace(/[^/]*$/, "") || ".";
          const at = joined(root, cwd, plain);
          return at === null ? [] : [{ path: at, glob: star !== -1 }];
        }),
  );
}

/** Whether what was left out goes with a loss. A `*` matches no name that begins with a dot. */
export function isLost({ path, glob, byGit }: Loss, name: string, why: LeftReason): boolean {
  if (!isWithin(path, name) || (byGit && why === "repository data")) return false;
  if (!glob) return true;
  const below = path === "." ? name : name.slice(path.length + 1);
  return below !== "" && !below.startsWith(".");
}
