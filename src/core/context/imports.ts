// What the statements of a file name that bring code from elsewhere, by language: read from their
// text alone, so that a statement is read wherever it stands. Which file each is, `resolve.ts` says.

/** Something that a statement names: a path whose parts are between slashes, without its ending. */
export type Named = {
  /**
   * Where its path begins: at the workspace's root, or anywhere in it; `folder` means every file of
   * a folder, `module` a name that some file defines.
   */
  at: "root" | "anywhere" | "folder" | "module";
  path: string;
  /** Parts at its front that may stand for no folder, and at its end that may be names in a file. */
  front?: number;
  back?: number;
};

export type ImportRule = {
  /** Endings of the files that can be meant, the likeliest first. */
  endings: readonly string[];
  /** Files that stand for their folder. */
  entries: readonly string[];
  /** A file that says that its folder is part of something: no path begins below it. */
  within?: string;
  /** What files of the same name beside it are the same thing: a header's source. */
  beside?: readonly string[];
  /** Statements that no syntax node tells. Always with the flags `gm`. */
  statements?: RegExp;
  /** What a statement names, as it stands in a file of this path. */
  named(statement: string, file: string): readonly Named[];
};

/** Statements of one file that are looked for, beside those that the syntax tells. */
const STATEMENTS_MAX = 500;
/** Things that one statement names. */
const NAMED_MAX = 200;

/** Statements of a language that bring something and that no syntax node tells. */
export function statementsIn(language: string, text: string): string[] {
  const pattern = ruleOf(language)?.statements;
  if (!pattern) return [];
  const found: string[] = [];
  for (const [statement] of text.matchAll(pattern)) {
    found.push(statement.trim());
    if (found.length >= STATEMENTS_MAX) break;
  }
  return found;
}

/** What a statement of a file names; nothing where its language is not known. */
export function namedIn(language: string, statement: string, file: string): readonly Named[] {
  return (ruleOf(language)?.named(statement, file) ?? []).slice(0, NAMED_MAX);
}

export const ruleOf = (language: string): ImportRule | undefined =>
  Object.hasOwn(rules, language) ? rules[language] : undefined;

const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf("/")));

/** A path with its `.` and `..` gone; null where it leads out of the workspace. */
export function joined(folder: string, path: string): string | null {
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join("/");
}

/** A path as it is written beside this file. */
function beside(file: string, path: string): Named[] {
  const whole = joined(folderOf(file), path);
  return whole === null ? [] : [{ at: "root", path: whole }];
}

const quoted = (statement: string): string[] =>
  [...statement.matchAll(/["'`]([^"'`\n]{1,300})["'`]/g)].map(([, text = ""]) => text);

/** `a.{b, c.d}` and `a::{b}` as whole names; braces inside of braces, too. */
export function spread(name: string): string[] {
  const open = name.indexOf("{");
  if (open < 0) return [name.trim()];
  const close = closing(name, open);
  const head = name.slice(0, open).trim();
  const inner = splitOutside(name.slice(open + 1, close));
  return inner.flatMap((part) => spread(head + part.trim())).slice(0, NAMED_MAX);
}

function closing(name: string, open: number): number {
  let depth = 0;
  for (let at = open; at < name.length; at += 1) {
    if (name[at] === "{") depth += 1;
    if (name[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return name.length;
}

/** At commas that stand in no braces. */
function splitOutside(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (text[at] !== "," || depth > 0) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part.trim() !== "");
}

const javascript: ImportRule = {
  endings: ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "vue", "svelte", "json"],
  entries: ["index", "src/index"],
  statements:
    /^export\b[^;"'()=]{0,2000}?\bfrom\s*["'][^"'\n]{1,300}["']|\b(?:require|import)\(\s*["'`][^"'`$\n]{1,300}["'`]\s*\)|^import\b[^;"'()=]{0,2000}?["'][^"'\n]{1,300}["']/gm,
  named(statement, file) {
    const path = quoted(statement).at(-1);
    if (path === undefined) return [];
    if (/^\.{1,2}(?:\/|$)/.test(path)) return beside(file, path);
    // `#core/a.ts`, `@/a`, `~/a`: names that a configuration gives to folders.
    const alias = /^(?:#|[@~]\/)\/?(.+)/.exec(path)?.[1];
    if (alias !== undefined) return [{ at: "anywhere", path: alias }];
    const own = /^@[\w.-]+\/(.+)/.exec(path)?.[1];
    if (own !== undefined) return [{ at: "anywhere", path: own }];
    return path.includes("/") ? [{ at: "anywhere", path }] : [];
  },
};

const python: ImportRule = {
  endings: ["py", "pyi"],
  entries: ["__init__"],
  within: "__init__.py",
  named(statement, file) {
    const from = /^from\s+(\.*)([\w.]*)\s+import\s+([\s\S]*)$/.exec(statement);
    if (!from) {
      const names = statement.replace(/^import\s+/, "").split(",");
      return names.flatMap((name) => {
        const module = /[\w.]+/.exec(name)?.[0]?.replaceAll(".", "/");
        return module ? [{ at: "anywhere" as const, path: module }] : [];
      });
    }
    const [, dots = "", module = "", list = ""] = from;
    const names = list
      .replace(/#.*$/gm, "")
      .match(/(?<![\w.]|\bas\s+)(?!as\b)[\p{L}_][\p{L}\p{N}_]*/gu);
    const base = module.replaceAll(".", "/");
    const paths = (names ?? []).map((name) => `${base}${base ? "/" : ""}${name}`);
    const all = paths.length > 0 ? paths : [base];
    if (dots === "") return all.map((path) => ({ at: "anywhere", path, back: 1 }));
    const up = joined(folderOf(file), "../".repeat(dots.length - 1));
    if (up === null) return [];
    return all.map((path) => ({ at: "root", path: up ? `${up}/${path}` : path, back: 1 }));
  },
};

/** What comes with Go: none of it is in a workspace that is not Go itself. */
const GO_OWN =
  /^(?:archive|bufio|builtin|bytes|cmd|cmp|compress|container|context|crypto|database|debug|embed|encoding|errors|expvar|flag|fmt|go|hash|html|image|index|internal|io|iter|log|maps|math|mime|net|os|path|plugin|reflect|regexp|runtime|slices|sort|strconv|strings|sync|syscall|testing|text|time|unicode|unsafe)(?:\/|$)/;

const go: ImportRule = {
  endings: ["go"],
  entries: [],
  named: (statement) =>
    quoted(statement).map((path) => ({
      at: "folder",
      path,
      front: GO_OWN.test(path) ? 0 : path.split("/").length - 1,
    })),
};

const rust: ImportRule = {
  endings: ["rs"],
  entries: ["mod", "lib", "main"],
  statements: /^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?mod[ \t]+\w+[ \t]*;/gm,
  named(statement, file) {
    const module = /\bmod\s+(\w+)\s*;$/.exec(statement)?.[1];
    if (module !== undefined) return [{ at: "root", path: `${rustFolder(file)}${module}` }];
    const used = /\b(?:use|extern\s+crate)\s+([\s\S]*?);?$/.exec(statement)?.[1] ?? "";
    return spread(used).flatMap((name) => rustNamed(name.replace(/\s+as\s+\w+$/, ""), file));
  },
};

/** The folder in which the modules of a file are, with its slash. */
function rustFolder(file: string): string {
  const folder = folderOf(file);
  const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.rs$/, "");
  const whole = /^(?:mod|lib|main)$/.test(name) ? folder : joined(folder, name);
  return whole ? `${whole}/` : "";
}

function rustNamed(name: string, file: string): Named[] {
  const parts = name.split("::").map((part) => part.trim());
  const back = parts.length - 1;
  const [first = ""] = parts;
  if (/^(?:std|core|alloc)$/.test(first)) return [];
  const path = (from: number) => parts.slice(from).filter((part) => part !== "*");
  if (first === "crate") {
    const at = file.lastIndexOf("src/");
    const root = at < 0 ? "" : file.slice(0, at + 4);
    return [{ at: "root", path: root + path(1).join("/"), back }];
  }
  if (first === "self" || first === "super") {
    const down = parts.findIndex((part) => part !== "self" && part !== "super");
    const ups = down < 0 ? parts.length : down;
    const above = parts.slice(0, ups).filter((part) => part === "super").length;
    const base = joined(rustFolder(file), "../".repeat(above));
    const whole = base === null ? null : joined(base, path(ups).join("/"));
    return whole === null ? [] : [{ at: "root", path: whole, back }];
  }
  const crate = path(1).join("/");
  const names = [...new Set([first, first.replaceAll("_", "-")])];
  return names.flatMap((own) => [
    { at: "anywhere" as const, path: `${own}/src${crate ? `/${crate}` : ""}`, back },
  ]);
}

const java: ImportRule = {
  endings: ["java", "kt", "scala", "groovy"],
  entries: [],
  statements: /^import[ \t]+[\w.*]+(?:\.\{[^}\n]*\})?/gm,
  named(statement) {
    const name = /\bimport\s+(?:static\s+)?([\w.]+(?:\.\*|\.\{[^}]*\})?)/.exec(statement)?.[1];
    if (!name) return [];
    if (name.endsWith(".*")) {
      const folder = name.slice(0, -2).replaceAll(".", "/");
      return [
        { at: "folder", path: folder },
        { at: "anywhere", path: folder },
      ];
    }
    return spread(name).map((one) => ({
      at: "anywhere",
      path: one.replace(/\.\s*_$/, "").replaceAll(".", "/"),
      back: 1,
    }));
  },
};

const php: ImportRule = {
  endings: ["php"],
  entries: [],
  statements: /\b(?:require|include)(?:_once)?\b[^;\n]{0,200}?["'][^"'\n]{1,300}["']/gm,
  named(statement, file) {
    if (/^(?:require|include)/.test(statement)) {
      const path = quoted(statement).at(-1)?.replace(/^\/+/, "") ?? "";
      return [...beside(file, path), { at: "anywhere", path }];
    }
    const used = /\buse\s+(?:function\s+|const\s+)?([^;]+)/.exec(statement)?.[1] ?? "";
    return splitOutside(used)
      .flatMap(spread)
      .map((name) => {
        const parts = name
          .replace(/\s+as\s+\w+$/, "")
          .split("\\")
          .filter(Boolean);
        // A namespace begins at a folder that a configuration gives it.
        return { at: "anywhere", path: parts.join("/"), front: Math.max(0, parts.length - 2) };
      });
  },
};

const csharp: ImportRule = {
  endings: ["cs"],
  entries: [],
  named(statement) {
    const name = /\busing\s+(?:static\s+)?(?:\w+\s*=\s*)?([\w.]+)/.exec(statement)?.[1] ?? "";
    const parts = name.split(".").filter(Boolean);
    if (/^(?:System|Microsoft)$/.test(parts[0] ?? "System")) return [];
    return [{ at: "folder", path: parts.join("/"), front: parts.length - 1 }];
  },
};

const ruby: ImportRule = {
  endings: ["rb"],
  entries: [],
  statements: /^[ \t]*(?:require|require_relative|load|autoload)\b[ (][^\n]{1,300}/gm,
  named(statement, file) {
    const path = quoted(statement).at(-1);
    if (path === undefined) return [];
    if (statement.startsWith("require_relative") || path.startsWith(".")) return beside(file, path);
    return [{ at: "anywhere", path }];
  },
};

const c: ImportRule = {
  endings: ["h", "hpp", "hh", "hxx", "c", "cc", "cpp", "cxx", "inl", "ipp"],
  entries: [],
  beside: ["c", "cc", "cpp", "cxx"],
  named(statement, file) {
    const found = /#\s*(?:include|import)\s*(["<])([^">\n]+)[">]/.exec(statement);
    const path = found?.[2];
    if (path === undefined) return [];
    if (found?.[1] === '"') return [...beside(file, path), { at: "anywhere", path }];
    return path.includes("/") ? [{ at: "anywhere", path }] : [];
  },
};

const elixir: ImportRule = {
  endings: ["ex", "exs"],
  entries: [],
  statements:
    /^[ \t]*(?:alias|import|use|require)[ \t]+[A-Z][\w.]*(?:\{[^}]{0,2000}\})?|^[ \t]*@behaviour[ \t]+[A-Z][\w.]*/gm,
  named(statement) {
    const name = /(?:alias|import|use|require|@behaviour)\s+([\s\S]+)/.exec(statement)?.[1] ?? "";
    return spread(name).map((path) => ({ at: "module", path }));
  },
};

const bash: ImportRule = {
  endings: ["sh", "bash", "zsh", "bats"],
  entries: [],
  statements: /^[ \t]*(?:source|\.|load)[ \t]+[^\n;&|]{1,300}/gm,
  named(statement, file) {
    const word = statement.replace(/^\s*(?:source|\.|load)\s+/, "").replace(/\s+#.*$/, "");
    // What a variable or a command gives is not known; what follows it is.
    const path = word.replace(/["']/g, "").replace(/^.*[$`)}][^/]*\//, "");
    if (path === "" || /[$`]/.test(path)) return [];
    return [...beside(file, path.trim()), { at: "anywhere", path: path.trim() }];
  },
};

const rules: Readonly<Record<string, ImportRule>> = {
  ...{ typescript: javascript, tsx: javascript, javascript, vue: javascript },
  ...{ python, go, rust, java, kotlin: java, scala: java, php, c_sharp: csharp, ruby },
  ...{ c, cpp: c, "objective-c": c, elixir, bash },
};
