// Files are cut at their declarations, and joined again they are the files: on the grammars' own
// corpora, on real code, and on whatever else a text may be.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { cutText } from "#boundary/cut.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";
import { type Chunk, chunkStrategies, chunksOf, opening, usualSizes } from "#core/context/chunk.ts";
import { type Language, languageOf, languages, plainText } from "#core/context/languages.ts";
import type { SyntaxNode } from "#core/context/syntax.ts";

const fixtures = process.env.AIEX_FIXTURES ?? join(import.meta.dirname, "../../../shared/fixtures");
const corpora = join(fixtures, "tree-sitter");
const hasCorpora = existsSync(corpora) || process.env.CI !== undefined;

let parser: SyntaxParser;
beforeAll(async () => {
  parser = await syntaxParser();
});

const named = (name: string): Language => {
  const language = languages.find((one) => one.name === name);
  if (!language) throw new Error(`no language ${name}`);
  return language;
};

const joined = (text: string, chunks: readonly Chunk[]) =>
  chunks.map(({ start, end }) => text.slice(start, end)).join("");

const symbolsOf = async (language: string, text: string) =>
  (await cutText(parser, named(language), text)).flatMap(({ symbols }) =>
    symbols.map(({ path, name, kind }) => `${kind} ${[...path, name].join(".")}`),
  );

/** Starts of all named nodes of a text. */
async function startsOf(language: Language, text: string): Promise<Set<number>> {
  await parser.load(language.grammar ?? "");
  const outline = parser.outline(language.grammar ?? "", text, () => Number.POSITIVE_INFINITY);
  const starts = new Set<number>();
  const add = (node: SyntaxNode) => {
    starts.add(node.start);
    node.children.forEach(add);
  };
  if (outline.ok) add(outline.value.root);
  return starts;
}

/** Cut so small that there are boundaries in examples of a few lines. */
function smallChunks(language: Language, text: string): readonly Chunk[] {
  const sizes = { max: 200, alone: 20, min: 5 };
  const { grammar = "" } = language;
  const outline = parser.outline(grammar, text, opening(language, text, sizes));
  return outline.ok ? chunksOf(text, language, outline.value.root, { sizes }) : [];
}

/** The examples of a corpus: what stands between a heading and the tree that is expected. */
function examplesIn(folder: string): string[] {
  return globSync("**/*.txt", { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return text
      .split(/^=+\n.*\n=+\n/m)
      .slice(1)
      .map((part) => part.split(/^---+\n/m)[0] ?? "");
  });
}

describe.skipIf(!hasCorpora)("the corpora of the grammars (they are in AIEX_FIXTURES)", () => {
  for (const [folder, name] of [
    ["elixir-corpus", "elixir"],
    ["typescript-corpus", "typescript"],
  ] as const) {
    it(`in every example of ${name} every boundary falls on a named node`, async () => {
      const examples = examplesIn(join(corpora, folder));
      expect(examples.length).toBeGreaterThan(80);
      const language = named(name);
      await parser.load(name);
      let boundaries = 0;
      for (const text of [...examples, examples.join("\n")]) {
        const chunks = smallChunks(language, text);
        expect(joined(text, chunks)).toBe(text);
        const starts = await startsOf(language, text);
        for (const { start } of chunks.slice(1)) {
          expect(starts.has(start), text.slice(start, start + 80)).toBe(true);
          boundaries += 1;
        }
      }
      expect(boundaries).toBeGreaterThan(60);
    });
  }
});

describe("cutting", () => {
  it("leaves every file of this project and of its packages' sources whole", async () => {
    const root = join(import.meta.dirname, "../..");
    const files = globSync(
      ["{src,test,bench,scripts,docs}/**/*.{ts,md,js,json}", "node_modules/zod/src/**/*.ts"],
      { cwd: root },
    ).slice(0, 900);
    expect(files.length).toBeGreaterThan(500);
    for (const file of files) {
      const text = readFileSync(join(root, file), "utf8");
      const chunks = await cutText(parser, languageOf(file) ?? plainText, text);
      expect(joined(text, chunks), file).toBe(text);
      for (const { start, end } of chunks) {
        expect(end - start, file).toBeLessThanOrEqual(4 * usualSizes.max);
      }
    }
  });

  it("leaves any text whole, whatever language it is said to be in", async () => {
    const pieces = fc.constantFrom(
      ..."def class { } ( ) \" ' ` /* */ // # \n \n\n end do => ; é 😀 \ud800 \0 <a> </a> - : \t x1".split(
        " ",
      ),
    );
    const texts = fc.array(pieces, { maxLength: 120 }).map((all) => all.join(" "));
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom(...languages), async (text, language) => {
        const long = text.repeat(8);
        const chunks = await cutText(parser, language, long);
        expect(joined(long, chunks)).toBe(long);
        for (const { start, end } of chunks) expect(end >= start).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("cuts a file of one huge line, and one that is nested without end", async () => {
    const line = `x = "${"a".repeat(50_000)}"`;
    const nested = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    for (const text of [line, nested]) {
      const chunks = await cutText(parser, named("python"), text);
      expect(joined(text, chunks)).toBe(text);
      expect(chunks.length).toBeGreaterThan(3);
    }
  });

  it("cuts by declarations, by size, or by both, as it is asked to", async () => {
    const language = named("typescript");
    const one = (i: number) => `export function f${i}() {\n${"  call();\n".repeat(40)}}\n\n`;
    const text = Array.from({ length: 12 }, (_, i) => one(i)).join("");
    await parser.load("typescript");
    const outline = parser.outline("typescript", text, opening(language, text));
    if (!outline.ok) throw new Error(outline.error.say);
    const counts = chunkStrategies.map((strategy) => {
      const chunks = chunksOf(text, language, outline.value.root, { strategy });
      expect(joined(text, chunks)).toBe(text);
      return chunks.length;
    });
    // Each function is a chunk, except where only the room decides: four of them fit.
    expect(chunkStrategies).toEqual(["semantic", "size", "hybrid"]);
    expect(counts).toEqual([12, 3, 12]);
  });

  it("keeps the documentation with what it is for", async () => {
    const filler = `const filler = [\n${"  1,\n".repeat(300)}];\n`;
    const text = `${filler}\n/** Says hello. */\nexport function hello() {\n  return 1;\n}\n`;
    const chunks = await cutText(parser, named("typescript"), text.repeat(2));
    const heads = chunks.map(({ start }) => text.repeat(2).slice(start, start + 10));
    expect(heads).toContain("/** Says h");
  });

  it("sees through exports, decorators, templates and attributes what is defined", async () => {
    expect(
      await symbolsOf(
        "typescript",
        "export default class A { m() {} x = 1 }\nexport const f = () => 1, g = 2;\n" +
          "export type T = 1;\ndeclare module 'm' {}\nexports.h = function () {};",
      ),
    ).toEqual([
      "class A",
      "method A.m",
      "field A.x",
      "function f",
      "constant g",
      "type T",
      "module 'm'",
      "function h",
    ]);
    expect(
      await symbolsOf("python", "@d\ndef f():\n  pass\nclass A:\n  async def m(self): pass\n"),
    ).toEqual(["function f", "class A", "function A.m"]);
    expect(await symbolsOf("rust", "#[a]\npub fn f() {}\nimpl T for B { fn m(&self) {} }")).toEqual(
      ["function f", "class B", "function B.m"],
    );
    expect(
      await symbolsOf("go", "func (r *R) M() {}\ntype (A int; B = string)\nconst C = 1\n"),
    ).toEqual(["method R.M", "type A", "type B", "constant C"]);
    expect(
      await symbolsOf(
        "elixir",
        'defmodule A.B do\n @doc "x"\n def f(a), do: a\n test "t u" do\n end\nend\n',
      ),
    ).toEqual(["module A.B", "function A.B.f", "test A.B.t u"]);
    expect(
      await symbolsOf(
        "ruby",
        "module A\n class B < C\n  def m; end\n  def self.s; end\n end\nend\n",
      ),
    ).toEqual(["module A", "class A.B", "method A.B.m", "method A.B.s"]);
    expect(
      await symbolsOf(
        "c",
        "#define X 1\nstatic int *f(int a) { return 0; }\nstruct s { int a; };\n",
      ),
    ).toEqual(["macro X", "function f", "class s", "field s.a"]);
    expect(
      await symbolsOf(
        "cpp",
        "namespace n { class A { int m() { return 1; } }; }\nvoid A::d() {}\n",
      ),
    ).toEqual(["module n", "class n.A", "function n.A.m", "function A::d"]);
    expect(await symbolsOf("java", "class A { int f; A() {} void m() {} enum E { X } }\n")).toEqual(
      ["class A", "field A.f", "method A.A", "method A.m", "enum A.E"],
    );
    expect(
      await symbolsOf("c_sharp", "namespace N { class A { int P { get; } void M() {} } }\n"),
    ).toEqual(["module N", "class N.A", "field N.A.P", "method N.A.M"]);
    expect(await symbolsOf("php", "<?php\nfunction f() {}\nclass A { function m() {} }\n")).toEqual(
      ["function f", "class A", "method A.m"],
    );
    expect(await symbolsOf("bash", "f() { echo; }\nX=1\n")).toEqual(["function f", "variable X"]);
    expect(await symbolsOf("markdown", "# T\n\ntext\n\n## S\n\nmore\n")).toEqual([
      "section T",
      "section T.S",
    ]);
    expect(await symbolsOf("erlang", "f(A) ->\n  A.\ng() -> ok.\n")).toEqual([
      "function f",
      "function g",
    ]);
  });

  it("has a grammar for each language that names one", async () => {
    for (const { grammar } of languages) {
      if (grammar) expect(await parser.load(grammar), grammar).toBe(true);
    }
  });

  it("knows what is worth a look inside", () => {
    const language = named("typescript");
    const node = { type: "statement_block", field: "body", start: 0, end: 20, children: [] };
    const outer = { ...node, type: "function_declaration", field: null };
    expect(opening(language, "")(node, outer)).toBe(0);
    expect(opening(language, "")({ ...node, end: 9_000 }, outer)).toBe(Number.POSITIVE_INFINITY);
  });
});
