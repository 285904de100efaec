// Which files of a workspace a statement means by what it names: paths from the root or from
// anywhere, with and without endings, the nearest where several could be meant.
import { type ImportRule, joined, type Named } from "#core/context/imports.ts";

/** Files of a folder that one statement brings. */
const FILES_MAX = 500;
/** Files of one name that are compared. */
const ALIKE_MAX = 2_000;

/** The files, by their numbers, that are meant in a file of this path. */
export type Resolver = (named: Named, rule: ImportRule, from: string) => readonly number[];

type Known = { path: string; bare: string; ending: string; file: number };

/** `modules`: which files define a module of this name. */
export function resolverOf(
  paths: readonly { path: string; file: number }[],
  modules: ReadonlyMap<string, readonly number[]>,
): Resolver {
  const byPath = new Map<string, Known>();
  const byName = new Map<string, Known[]>();
  const folders = new Map<string, Known[]>();
  const foldersByName = new Map<string, Set<string>>();
  for (const { path, file } of paths) {
    const dot = path.lastIndexOf(".");
    const hasEnding = dot > path.lastIndexOf("/") + 1;
    const bare = hasEnding ? path.slice(0, dot) : path;
    const known = { path, bare, ending: hasEnding ? path.slice(dot + 1) : "", file };
    byPath.set(path, known);
    push(byName, lastOf(bare), known);
    const folder = folderOf(path);
    push(folders, folder, known);
    for (let at = folder; at !== ""; at = folderOf(at)) {
      const same = foldersByName.get(lastOf(at)) ?? new Set();
      if (same.has(at)) break;
      foldersByName.set(lastOf(at), same.add(at));
    }
  }

  function atRoot(path: string, { endings, entries }: ImportRule): Known | undefined {
    const exact = byPath.get(path);
    if (exact) return exact;
    // `./a.js` is what `a.ts` becomes.
    const bare = path.replace(/\.(?:[cm]?js|jsx)$/, "");
    for (const stem of bare === path ? [path] : [path, bare]) {
      for (const ending of endings) {
        const found = byPath.get(`${stem}.${ending}`);
        if (found) return found;
      }
    }
    for (const entry of entries) {
      for (const ending of endings) {
        const found = byPath.get(joined(path, `${entry}.${ending}`) ?? "");
        if (found) return found;
      }
    }
    return undefined;
  }

  /** Files whose path ends with this one. */
  function anywhere(path: string, rule: ImportRule): Known[] {
    const isMeant = ({ path: own, bare, ending }: Known) => {
      if (!isTail(own, path) && !(isTail(bare, path) && rule.endings.includes(ending)))
        return false;
      const before = own.slice(0, Math.max(0, bare.length - path.length - 1));
      return !rule.within || !byPath.has(joined(before, rule.within) ?? "");
    };
    const stem = lastOf(path);
    const dot = stem.lastIndexOf(".");
    const named = [
      ...(byName.get(stem) ?? []),
      ...(dot > 0 ? (byName.get(stem.slice(0, dot)) ?? []) : []),
    ];
    const files = named.slice(0, ALIKE_MAX).filter(isMeant);
    if (files.length > 0) return files;
    return [...(foldersByName.get(stem) ?? [])].flatMap((folder) => {
      if (!isTail(folder, path)) return [];
      const before = folder.slice(0, Math.max(0, folder.length - path.length - 1));
      if (rule.within && byPath.has(joined(before, rule.within) ?? "")) return [];
      const entry = atRoot(folder, rule);
      return entry && entry.path !== folder ? [entry] : [];
    });
  }

  function inFolder(path: string, { endings }: ImportRule, from: string): Known[] {
    const of = (folder: string) =>
      (folders.get(folder) ?? []).filter(({ ending }) => endings.includes(ending));
    const exact = of(path);
    if (exact.length > 0) return exact;
    const alike = [...(foldersByName.get(lastOf(path)) ?? [])]
      .filter((folder) => isTail(folder, path) && of(folder).length > 0)
      .map((folder) => ({ path: folder }));
    const best = nearest(alike, from);
    return best ? of(best.path) : [];
  }

  function found(path: string, { at }: Named, rule: ImportRule, from: string): Known[] {
    if (at === "folder") return inFolder(path, rule, from).slice(0, FILES_MAX);
    const one = at === "root" ? atRoot(path, rule) : nearest(anywhere(path, rule), from);
    if (!one) return [];
    const same = (rule.beside ?? []).flatMap((ending) => byPath.get(`${one.bare}.${ending}`) ?? []);
    return [one, ...same.filter(({ file }) => file !== one.file)];
  }

  return (named, rule, from) => {
    if (named.at === "module") return modules.get(named.path) ?? [];
    const parts = named.path.split("/");
    const front = named.front ?? 0;
    for (let off = 0; off <= (named.back ?? 0) && off < parts.length; off += 1) {
      for (let on = 0; on <= front && on < parts.length - off; on += 1) {
        const path = parts.slice(on, parts.length - off).join("/");
        const files = found(path, named, rule, from);
        if (files.length > 0) return files.map(({ file }) => file);
      }
    }
    return [];
  };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

const isTail = (whole: string, tail: string): boolean =>
  whole === tail || (whole.endsWith(tail) && whole[whole.length - tail.length - 1] === "/");

/** The one that has most folders in common with a path; of several the shortest, then the first. */
function nearest<T extends { path: string }>(all: readonly T[], from: string): T | undefined {
  const own = from.split("/");
  const near = ({ path }: T) => {
    const parts = path.split("/");
    let depth = 0;
    while (depth < own.length - 1 && parts[depth] === own[depth]) depth += 1;
    return depth;
  };
  return all
    .map((one) => ({ one, depth: near(one) }))
    .sort(
      (a, b) =>
        b.depth - a.depth ||
        a.one.path.length - b.one.path.length ||
        (a.one.path < b.one.path ? -1 : 1),
    )[0]?.one;
}
