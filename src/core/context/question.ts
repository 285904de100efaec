// What a question asks for: its terms with a weight each, the paths and the code it names. A short
// question is one line; a long one (an issue, a report) has regions, and a term counts as much as
// the best region it stands in.
import { emptyWords, isCompound, scanText, termsOfIdentifier } from "#core/context/terms.ts";

export type Term = {
  term: string;
  weight: number;
  /** What it weighs among the words of the title; 0 where it is not there. */
  title: number;
  /** What may stand for it, and for how much of it. */
  like?: readonly { term: string; share: number }[];
};

export type Question = {
  terms: readonly Term[];
  /** Paths that are named, in lower case, with `/` between their parts. */
  paths: readonly string[];
  /** Identifiers that stand as code in the prose. */
  code: readonly string[];
  /** Identifiers of the title, in its order. */
  title: readonly string[];
  /** Words of the part that the title says it is about: `fix(cli): …`, `parser/http: …`. */
  scope: readonly string[];
  isLong: boolean;
};

/** Weights of the regions; measured in `bench -- retrieval`. */
export type RegionWeights = {
  title: number;
  code: number;
  prose: number;
  block: number;
  trace: number;
  /** Of the whole of an identifier with several parts, by which its weight is multiplied. */
  compound: number;
};

export const usualRegions: RegionWeights = {
  title: 2,
  code: 2,
  prose: 1,
  block: 1,
  trace: 0.5,
  compound: 2,
};

/** UTF-16 units of a question that are read: some ten thousand words. */
const UNITS_MAX = 100_000;
/** Terms that are looked for, those of the most weight first. */
const TERMS_MAX = 600;
/** Identifiers in code whose definitions are looked for. */
const CODE_MAX = 200;
/** A question of fewer words is a short one. */
const LONG_WORDS_MIN = 25;

/** Lines of the forms that issues are written in, and what stands in them when nobody filled it in. */
const BOILERPLATE =
  /^(?:#+\s*)?(?:describe the bug|steps to reproduce|expected (?:behavior|behaviour|result)|actual (?:behavior|behaviour|result)|to reproduce|additional context|environment|versions?|screenshots?|checklist|your environment|possible solution|context|how to reproduce|system info|reproduction|logs?|description|summary|motivation|bug report|feature request|is your feature request related to a problem.*|describe the solution.*|describe alternatives.*|what happened\??|what did you expect.*|- \[[ x]\].*)\s*:?$/i;
const TRACE =
  /^\s*(?:File "[^"]+", line \d+|at .+\(.+:\d+(?::\d+)?\)|at .+:\d+:\d+|\*\* \(|\S+\.\w+:\d+: |Traceback|goroutine \d+|thread '.+' panicked)/;
const PATH = /^(?:[\w@.-]+\/)*[\w@.-]*\.[A-Za-z]\w{0,5}$/;
/** Characters of a path that is named, and of a line's beginning by which it is told apart. */
const PATH_MAX = 300;
const LINE_MAX = 300;

/** Reads a question. The first line of a long one is its title. */
export function questionOf(text: string, weights: RegionWeights = usualRegions): Question {
  const asked = withoutComments(text.slice(0, UNITS_MAX));
  const [title = "", ...rest] = asked.trim().split(/\r?\n/);
  const heading = title.replace(/^#+\s*/, "");
  const found = new Map<string, Term>();
  const code: string[] = [];
  const words = { count: 0 };

  const add = (part: string, weight: number, inTitle: number) =>
    scanText(part, (identifier) => {
      words.count += 1;
      const terms = termsOfIdentifier(identifier);
      const isWhole = isCompound(identifier);
      for (const [i, term] of terms.entries()) {
        const factor = isWhole && i === terms.length - 1 ? weights.compound : 1;
        const known = found.get(term) ?? { term, weight: 0, title: 0 };
        known.weight = Math.max(known.weight, weight * factor);
        known.title = Math.max(known.title, inTitle * factor);
        found.set(term, known);
      }
    });

  const inline = (line: string, weight: number, inTitle: number) => {
    for (const [i, part] of line.split("`").entries()) {
      const isCode = i % 2 === 1;
      add(part, isCode ? Math.max(weights.code, weight) : weight, inTitle);
      if (isCode) code.push(...(part.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []));
    }
  };

  inline(heading, weights.title, 1);
  let fence: string | null = null;
  for (const line of rest) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? null;
    if (mark && (fence === null || mark.startsWith(fence))) {
      fence = fence === null ? mark : null;
      continue;
    }
    const head = line.slice(0, LINE_MAX);
    if (BOILERPLATE.test(head.trim())) continue;
    if (TRACE.test(head)) add(line, weights.trace, 0);
    else if (fence !== null || /^(?: {4}|\t)\S/.test(line)) add(line, weights.block, 0);
    else inline(line, weights.prose, 0);
  }
  const terms = [...found.values()].filter(({ term }) => !emptyWords.has(term));
  terms.sort((a, b) => b.weight - a.weight);
  return {
    terms: terms.slice(0, TERMS_MAX),
    paths: pathsIn(asked),
    code: [...new Set(code)].slice(0, CODE_MAX),
    title: heading.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [],
    scope: scopeOf(heading),
    isLong: words.count >= LONG_WORDS_MIN,
  };
}

/** As commits and issues are titled: a kind with a scope in brackets, or the scope alone. */
function scopeOf(title: string): string[] {
  const found = /^(?:\w+\(([^)]{1,60})\)!?|([\w/.-]{2,60})):\s/.exec(title);
  const scope = found?.[1] ?? found?.[2] ?? "";
  const words = scope.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.filter((word) => !KINDS.test(word));
}

/** Kinds of a change by themselves: they say nothing about its place. */
const KINDS =
  /^(?:feat|feature|fix|bugfix|bug|chore|docs?|refactor|test|tests|perf|style|ci|build|revert)$/;

/** Without what a form says in comments to whoever fills it in. */
function withoutComments(text: string): string {
  let said = "";
  let at = 0;
  for (;;) {
    const begin = text.indexOf("<!--", at);
    const end = begin < 0 ? -1 : text.indexOf("-->", begin);
    if (end < 0) return said + text.slice(at);
    said += text.slice(at, begin);
    at = end + 3;
  }
}

function pathsIn(text: string): string[] {
  const words = text.replaceAll("\\", "/").match(/[\w@./-]+/g) ?? [];
  const paths = words
    .filter((word) => word.length <= PATH_MAX)
    .map((word) => word.replace(/\.+$/, ""))
    .filter((word) => PATH.test(word))
    .map((path) => path.toLowerCase().replace(/^(?:\.{0,2}\/)+/, ""));
  return [...new Set(paths)];
}
