// The rules of the house, executed on the real tree: imports point inward, core does no I/O, words
// come from the glossary, files stay small. docs/architecture.md says why.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = dirname(import.meta.dirname);

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root })
  .toString()
  .split("\n")
  .filter((file) => /\.tsx?$/.test(file) && existsSync(join(root, file)));
const source = files.filter((file) => file.startsWith("src/"));
const shipped = source.filter((file) => !isTest(file));

/** Suites, contracts and samples: loaded by tests alone. */
function isTest(file: string): boolean {
  return /\.test\.tsx?$|contract\.ts$|\/samples\.ts$|\/(boxed|world)\.ts$/.test(file);
}

const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

type Import = { from: string; to: string; typeOnly: boolean };

/** Every import of a file: static, side-effect, re-export, dynamic, and in types. */
function importsOf(file: string): Import[] {
  const text = textOf(file).replaceAll(/^\s*(\/\/|\*).*$/gm, "");
  const found: Import[] = [];
  const statement = /\b(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?"([^"]+)"/g;
  for (const [, type, to = ""] of text.matchAll(statement)) {
    found.push({ from: file, to: resolved(file, to), typeOnly: type !== undefined });
  }
  for (const [, to = ""] of text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) {
    found.push({ from: file, to: resolved(file, to), typeOnly: false });
  }
  return found;
}

function resolved(file: string, to: string): string {
  if (to === "#app" || to === "#config") return `src/${to.slice(1)}.ts`;
  if (to.startsWith("#")) return `src/${to.slice(1)}`;
  if (to.startsWith(".")) return join(dirname(file), to);
  return to;
}

const imports = shipped.flatMap(importsOf);
const folderOf = (file: string): string => file.split("/").slice(0, 3).join("/");
const show = ({ from, to }: Import): string => `${from} → ${to}`;

describe("rule 1: imports point inward", () => {
  it("core imports core, and the schemas' library", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith("src/core/") && !to.startsWith("src/core/") && !coreLibraries.has(to),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it("boundary imports core, its own folder, and another folder's port", () => {
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        from.startsWith("src/boundary/") &&
        to.startsWith("src/") &&
        !to.startsWith("src/core/") &&
        !(to.startsWith("src/boundary/") && mayMeet(from, to)) &&
        !(to === "src/app.ts" && typeOnly),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it("an interface imports the door, the configuration, core, and itself", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith("src/interfaces/") &&
        to.startsWith("src/") &&
        !to.startsWith("src/core/") &&
        !["src/app.ts", "src/config.ts"].includes(to) &&
        folderOf(to) !== folderOf(from) &&
        folderOf(to) !== "src/interfaces/wire",
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it("every import has its extension and no file is a barrel", () => {
    const local = imports.filter(({ to }) => to.startsWith("src/"));
    expect(local.filter(({ to }) => !existsSync(join(root, to))).map(show)).toEqual([]);
    const barrels = shipped.filter((file) => /^export .* from "/m.test(textOf(file)));
    expect(barrels).toEqual([]);
  });

  it("no circle of imports", () => {
    expect(circles(imports.filter(({ typeOnly }) => !typeOnly))).toEqual([]);
  });
});

const coreLibraries = new Set(["zod/mini", "diff"]);

/** Parts of the boundary that stand beside the ports and may know each other. */
const rootParts = /^src\/boundary\/[\w-]+\.ts$/;

function mayMeet(from: string, to: string): boolean {
  if (folderOf(from) === folderOf(to)) return true;
  if (/(^|[/-])port\.ts$/.test(to) || to.endsWith("/parts.ts")) return true;
  if (rootParts.test(to)) return true;
  return rootParts.test(from) && /^src\/boundary\/(turn|door|children)\//.test(to);
}

function circles(edges: readonly Import[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

describe("rule 2: core does no I/O", () => {
  it("reads no clock, rolls no dice, names nothing of Node or the browser", () => {
    const banned =
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|fetch\(|console\.|globalThis|Buffer\.)/;
    const core = shipped.filter((file) => file.startsWith("src/core/"));
    const code = (file: string) => textOf(file).replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
    expect(core.filter((file) => banned.test(code(file)))).toEqual([]);
  });
});

describe("rule 4: one word, one concept", () => {
  it("no file or exported name is called what says nothing", () => {
    const empty =
      /manager|coordinator|orchestrator|handler|service|utils?\b|helpers?\b|common|misc|shared|distributed/i;
    expect(source.filter((file) => empty.test(file))).toEqual([]);
    const exported = /^export (?:async )?(?:function|const|class|type) (\w+)/gm;
    const names = shipped.flatMap((file) =>
      [...textOf(file).matchAll(exported)].map(([, name = ""]) => `${file}: ${name}`),
    );
    const jobs = /manager|coordinator|orchestrator|handler|service|distributed/i;
    expect(names.filter((name) => jobs.test(name.split(": ")[1] ?? ""))).toEqual([]);
  });
});

describe("rule 6: a failure is a value", () => {
  it("core and boundary throw only what is a bug", () => {
    const throwing = /throw new (?!Error\()/;
    expect(shipped.filter((file) => throwing.test(textOf(file)))).toEqual([]);
  });
});

/** Libraries whose parts a screen is made of, by the folder of that screen. */
const screens: Record<string, string> = {
  "@earendil-works/pi-tui": "src/interfaces/cli/chat/",
};

describe("rule 7: a port has a contract", () => {
  it("each port says its promises in words", () => {
    const ports = source.filter((file) => /(^|[/-])port\.ts$/.test(file));
    expect(ports.filter((file) => !/[Pp]romises/.test(textOf(file)))).toEqual([]);
  });

  it("few files know a library", () => {
    const libraries = imports.filter(
      ({ to }) => !to.startsWith("src/") && !to.startsWith("node:") && !to.startsWith("zod"),
    );
    const users = Map.groupBy(libraries, ({ to }) => to);
    const many = [...users].filter(([, by]) => new Set(by.map(({ from }) => from)).size > 2);
    expect(many.map(([library]) => library).filter((name) => !(name in screens))).toEqual([]);
  });

  it("a library that draws a screen is known to that screen's folder only", () => {
    const elsewhere = imports.filter(
      ({ from, to }) => to in screens && !from.startsWith(screens[to] ?? ""),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe("rule 9: small", () => {
  it("no file has more than about 400 lines, no line more than 100 columns", () => {
    const long = files.filter((file) => textOf(file).split("\n").length > 420);
    expect(long).toEqual([]);
    const prose = "src/core/prompt/";
    const wide = files.filter(
      (file) =>
        !file.startsWith(prose) &&
        textOf(file)
          .split("\n")
          .some((line) => line.length > 100 && !/["'`/]/.test(line)),
    );
    expect(wide).toEqual([]);
  });

  it("no function has more than about 60 lines", () => {
    const long = shipped.flatMap((file) => longFunctions(file));
    expect(long).toEqual([]);
  });

  it("every file opens with what it is", () => {
    expect(files.filter((file) => !textOf(file).startsWith("// "))).toEqual([]);
  });
});

/**
 * Functions over the limit, nested ones counted by themselves and not with what holds them. A
 * factory that returns an object is as long as its verbs, which are functions of their own.
 */
function longFunctions(file: string): string[] {
  const lines = textOf(file).split("\n");
  const lengthAt = (start: number, indent: string): number => {
    const end = lines.findIndex((other, j) => j > start && other === `${indent}}`);
    const body = lines.slice(start + 1, end);
    const nested = body.flatMap((inner, i) =>
      new RegExp(`^${indent}  (async )?function`).test(inner)
        ? [lengthAt(start + 1 + i, `${indent}  `)]
        : [],
    );
    return end - start - nested.reduce((sum, n) => sum + n, 0);
  };
  return lines.flatMap((line, i) => {
    const [, indent = "", name] = /^( *)(?:export )?(?:async )?function\*? (\w+)/.exec(line) ?? [];
    if (!name) return [];
    const end = lines.findIndex((other, j) => j > i && other === `${indent}}`);
    const isFactory = lines
      .slice(i, end)
      .some((inner) => new RegExp(`^${indent}  (return|const \\w+: \\w+ =) \\{$`).test(inner));
    const length = lengthAt(i, indent);
    return length > 65 && !isFactory ? [`${file}: ${name} (${length} lines)`] : [];
  });
}

describe("rule 10: nothing pretends", () => {
  it("no unfinished words, no switched-off checks, no skipped tests without a reason", () => {
    const signs =
      /\b(TODO|FIXME|XXX|HACK)\b|placeholder value|@ts-ignore|@ts-expect-error|biome-ignore|\bas any\b|\.only\(/;
    const self = "test/tidy.test.ts";
    expect(files.filter((file) => file !== self && signs.test(textOf(file)))).toEqual([]);
  });
});
