// How the files of a workspace hang together: which a file imports, which import it, and which tests
// are for it. Made once for a corpus.

import { namedIn, ruleOf } from "#core/context/imports.ts";
import { languageOf } from "#core/context/languages.ts";
import { type FileRole, subjectOf } from "#core/context/paths.ts";
import { resolverOf } from "#core/context/resolve.ts";

export type GraphFile = {
  /** Where it lies, at least one. */
  paths: readonly string[];
  /** The statements that bring something, as they are written. */
  imports: readonly string[];
  /** Modules that it defines, by their whole names. */
  modules: readonly string[];
};

/** Files by their numbers; none is among its own. */
export type CodeGraph = {
  imports(file: number): readonly number[];
  importers(file: number): readonly number[];
  /** Its importers, and those of files that only stand for their folder and hand it on. */
  users(file: number): ReadonlySet<number>;
  /** Tests that import it, and those that share its name. */
  tests(file: number): readonly number[];
};

/** Tests that share a name with code: a name that more have says nothing. */
const NAMESAKES_MAX = 20;

export function graphOf(files: readonly GraphFile[], roles: readonly FileRole[]): CodeGraph {
  const modules = new Map<string, number[]>();
  for (const [file, { modules: own }] of files.entries()) {
    for (const name of own) modules.set(name, [...(modules.get(name) ?? []), file]);
  }
  const paths = files.flatMap((one, file) => one.paths.map((path) => ({ path, file })));
  const resolve = resolverOf(paths, modules);
  const imports = files.map((one, file) => importsOf(one, file, resolve));
  const importers: number[][] = files.map(() => []);
  for (const [file, targets] of imports.entries()) {
    for (const target of targets) importers[target]?.push(file);
  }
  const pathOf = (file: number) => files[file]?.paths[0] ?? "";
  const isTest = (file: number) => roles[file] === "test";
  const users = new Map<number, ReadonlySet<number>>();
  const namesakes = testsBySubject(files, isTest);
  return {
    imports: (file) => imports[file] ?? [],
    importers: (file) => importers[file] ?? [],
    users(file) {
      const known = users.get(file);
      if (known) return known;
      const direct = importers[file] ?? [];
      const on = direct.filter((one) => roles[one] === "entry");
      const all = new Set([...direct, ...on.flatMap((one) => importers[one] ?? [])]);
      users.set(file, all);
      return all;
    },
    tests(file) {
      const same = namesakes.get(subjectOf(pathOf(file))) ?? [];
      const near = same.length <= NAMESAKES_MAX ? same : [];
      const all = new Set([...(importers[file] ?? []).filter(isTest), ...near]);
      all.delete(file);
      return [...all];
    },
  };
}

function importsOf(
  { paths, imports }: GraphFile,
  file: number,
  resolve: ReturnType<typeof resolverOf>,
): number[] {
  const path = paths[0] ?? "";
  const language = languageOf(path)?.name ?? "";
  const rule = ruleOf(language);
  if (!rule) return [];
  const found = new Set<number>();
  for (const statement of imports) {
    for (const named of namedIn(language, statement, path)) {
      for (const target of resolve(named, rule, path)) found.add(target);
    }
  }
  found.delete(file);
  return [...found];
}

function testsBySubject(
  files: readonly GraphFile[],
  isTest: (file: number) => boolean,
): Map<string, number[]> {
  const tests = new Map<string, number[]>();
  for (const [file, { paths }] of files.entries()) {
    if (!isTest(file)) continue;
    const subject = subjectOf(paths[0] ?? "");
    if (subject !== "") tests.set(subject, [...(tests.get(subject) ?? []), file]);
  }
  return tests;
}
