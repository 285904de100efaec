// What is known of each language: which files are in it, what its comments look like, and what in
// its syntax tree defines something. One entry adds a language; one without a grammar is cut by the
// lines that begin a definition.
import { elixirDefinition, opensElixir, rubyDefinition } from "#core/context/language-calls.ts";
import { lineLanguages } from "#core/context/language-lines.ts";
import type { SyntaxNode } from "#core/context/syntax.ts";

export const symbolKinds = [
  "function",
  "method",
  "class",
  "interface",
  "type",
  "enum",
  "module",
  "constant",
  "variable",
  "field",
  "macro",
  "test",
  "section",
] as const;

export type SymbolKind = (typeof symbolKinds)[number];

/** What a node defines, and for what where it does not stand inside of that. */
export type Definition = { name: string; kind: SymbolKind; of?: string };

export type Comments = {
  /** What begins a comment that ends with its line. */
  line?: readonly string[];
  block?: readonly [string, string];
};

export type Language = {
  name: string;
  /** The grammar's name; without one the file is cut by lines. */
  grammar?: string;
  /** Endings of file names, without the dot. */
  endings: readonly string[];
  /** Whole file names. */
  files?: readonly string[];
  comments: Comments;
  /** Types of nodes that define something, and what. */
  defines?: Readonly<Record<string, SymbolKind>>;
  /** Types of defining nodes whose body holds further definitions. */
  contains?: readonly string[];
  /** Types of nodes that stand around a definition, or around several. */
  wraps?: readonly string[];
  /** Types of nodes, besides comments, that go with what follows them. */
  leads?: readonly string[];
  /** Types of nodes that bring names from elsewhere. */
  imports?: readonly string[];
  /** The first expression of a body is its documentation. */
  docstrings?: true;
  /** Definitions that types do not tell. */
  define?(node: SyntaxNode, text: string): Definition | null;
  /** Nodes worth a look inside that types do not tell. */
  opens?(node: SyntaxNode, parent: SyntaxNode, text: string): boolean;
  /** Lines that begin a definition; the first group is its name. For a file without a grammar. */
  heads?: RegExp;
};

const slashes: Comments = { line: ["//"], block: ["/*", "*/"] };
const hash: Comments = { line: ["#"] };
const markup: Comments = { block: ["<!--", "-->"] };

const javascript = {
  comments: slashes,
  defines: {
    function_declaration: "function",
    generator_function_declaration: "function",
    function_signature: "function",
    class_declaration: "class",
    abstract_class_declaration: "class",
    method_definition: "method",
    method_signature: "method",
    abstract_method_signature: "method",
    interface_declaration: "interface",
    type_alias_declaration: "type",
    enum_declaration: "enum",
    internal_module: "module",
    module: "module",
    variable_declarator: "constant",
    public_field_definition: "field",
    field_definition: "field",
  },
  contains: [
    "class_declaration",
    "abstract_class_declaration",
    "interface_declaration",
    "internal_module",
    "module",
  ],
  wraps: [
    "export_statement",
    "lexical_declaration",
    "variable_declaration",
    "ambient_declaration",
    "expression_statement",
  ],
  leads: ["decorator"],
  imports: ["import_statement"],
  define: assigned,
} satisfies Partial<Language>;

const clike = {
  comments: slashes,
  wraps: [
    "linkage_specification",
    "template_declaration",
    "preproc_ifdef",
    "preproc_if",
    "preproc_else",
    "declaration_list",
  ],
  leads: ["attribute_declaration", "access_specifier"],
  imports: ["preproc_include", "using_declaration"],
  defines: {
    function_definition: "function",
    struct_specifier: "class",
    union_specifier: "class",
    class_specifier: "class",
    enum_specifier: "enum",
    type_definition: "type",
    alias_declaration: "type",
    namespace_definition: "module",
    concept_definition: "type",
    preproc_def: "macro",
    preproc_function_def: "macro",
    field_declaration: "field",
  },
  define: declaredInC,
  contains: ["struct_specifier", "class_specifier", "namespace_definition"],
} satisfies Partial<Language>;

/** All languages, in no order. */
export const languages: readonly Language[] = [
  {
    ...javascript,
    name: "typescript",
    grammar: "typescript",
    endings: ["ts", "mts", "cts"],
  },
  { ...javascript, name: "tsx", grammar: "tsx", endings: ["tsx"] },
  {
    ...javascript,
    name: "javascript",
    grammar: "javascript",
    endings: ["js", "mjs", "cjs", "jsx"],
  },
  {
    name: "python",
    grammar: "python",
    endings: ["py", "pyi"],
    comments: hash,
    defines: {
      function_definition: "function",
      class_definition: "class",
      assignment: "variable",
      type_alias_statement: "type",
    },
    contains: ["class_definition"],
    wraps: ["decorated_definition", "expression_statement", "if_statement", "try_statement"],
    imports: ["import_statement", "import_from_statement", "future_import_statement"],
    docstrings: true,
  },
  {
    name: "go",
    grammar: "go",
    endings: ["go"],
    comments: slashes,
    defines: {
      function_declaration: "function",
      method_declaration: "method",
      type_spec: "type",
      type_alias: "type",
      const_spec: "constant",
      var_spec: "variable",
      method_elem: "method",
      field_declaration: "field",
    },
    wraps: ["type_declaration", "const_declaration", "var_declaration", "var_spec_list"],
    imports: ["import_declaration"],
    define: methodOfGo,
  },
  {
    name: "rust",
    grammar: "rust",
    endings: ["rs"],
    comments: slashes,
    defines: {
      function_item: "function",
      function_signature_item: "function",
      struct_item: "class",
      union_item: "class",
      enum_item: "enum",
      trait_item: "interface",
      impl_item: "class",
      mod_item: "module",
      macro_definition: "macro",
      const_item: "constant",
      static_item: "variable",
      type_item: "type",
      associated_type: "type",
    },
    contains: ["trait_item", "impl_item", "mod_item"],
    wraps: ["foreign_mod_item"],
    leads: ["attribute_item", "inner_attribute_item"],
    imports: ["use_declaration", "extern_crate_declaration"],
  },
  {
    name: "java",
    grammar: "java",
    endings: ["java"],
    comments: slashes,
    defines: {
      class_declaration: "class",
      interface_declaration: "interface",
      annotation_type_declaration: "interface",
      enum_declaration: "enum",
      record_declaration: "class",
      method_declaration: "method",
      constructor_declaration: "method",
      field_declaration: "field",
    },
    contains: [
      "class_declaration",
      "interface_declaration",
      "enum_declaration",
      "record_declaration",
    ],
    wraps: ["enum_body_declarations"],
    imports: ["import_declaration"],
  },
  {
    name: "ruby",
    grammar: "ruby",
    endings: ["rb", "rake", "gemspec", "ru"],
    files: ["Rakefile", "Gemfile"],
    comments: hash,
    defines: {
      method: "method",
      singleton_method: "method",
      class: "class",
      module: "module",
    },
    contains: ["class", "module", "singleton_class"],
    wraps: ["singleton_class"],
    define: rubyDefinition,
  },
  { ...clike, name: "c", grammar: "c", endings: ["c", "h"] },
  {
    ...clike,
    name: "cpp",
    grammar: "cpp",
    endings: ["cpp", "cc", "cxx", "hpp", "hh", "hxx", "ipp", "inl"],
  },
  {
    name: "c_sharp",
    grammar: "c_sharp",
    endings: ["cs"],
    comments: slashes,
    defines: {
      class_declaration: "class",
      struct_declaration: "class",
      record_declaration: "class",
      interface_declaration: "interface",
      enum_declaration: "enum",
      delegate_declaration: "type",
      method_declaration: "method",
      constructor_declaration: "method",
      property_declaration: "field",
      namespace_declaration: "module",
    },
    contains: [
      "class_declaration",
      "struct_declaration",
      "record_declaration",
      "interface_declaration",
      "namespace_declaration",
    ],
    imports: ["using_directive"],
  },
  {
    name: "php",
    grammar: "php",
    endings: ["php", "phtml"],
    comments: { line: ["//", "#"], block: ["/*", "*/"] },
    defines: {
      function_definition: "function",
      method_declaration: "method",
      class_declaration: "class",
      interface_declaration: "interface",
      trait_declaration: "class",
      enum_declaration: "enum",
    },
    contains: [
      "class_declaration",
      "interface_declaration",
      "trait_declaration",
      "enum_declaration",
    ],
    wraps: ["namespace_definition"],
    imports: ["namespace_use_declaration"],
  },
  {
    name: "elixir",
    grammar: "elixir",
    endings: ["ex", "exs"],
    comments: hash,
    leads: ["unary_operator"],
    define: elixirDefinition,
    opens: opensElixir,
  },
  {
    name: "bash",
    grammar: "bash",
    endings: ["sh", "bash", "zsh", "bats"],
    comments: hash,
    defines: { function_definition: "function", variable_assignment: "variable" },
  },
  // HEEx has no grammar that could be had; as HTML its tags are found, its code is text.
  {
    name: "html",
    grammar: "html",
    endings: ["html", "htm", "heex", "eex", "leex"],
    comments: markup,
  },
  { name: "css", grammar: "css", endings: ["css"], comments: { block: ["/*", "*/"] } },
  { name: "json", grammar: "json", endings: ["json"], comments: {} },
  { name: "yaml", grammar: "yaml", endings: ["yml", "yaml"], comments: hash },
  {
    name: "toml",
    grammar: "toml",
    endings: ["toml"],
    comments: hash,
    defines: { table: "section", table_array_element: "section" },
  },
  {
    name: "markdown",
    grammar: "markdown",
    endings: ["md", "markdown", "mdx", "livemd"],
    comments: markup,
    defines: { section: "section" },
    contains: ["section"],
  },
  ...lineLanguages,
];

/** `int parse(const char *);` and `int limit = 1;`: declared, not defined, and looked for all the same. */
function declaredInC(node: SyntaxNode, text: string): Definition | null {
  if (node.type !== "declaration") return null;
  const declarator = node.children.find(({ field }) => field === "declarator");
  if (!declarator) return null;
  const words = text.slice(declarator.start, Math.min(declarator.end, declarator.start + 200));
  const name = /^[*&\s(]*([\w:~]+)/.exec(words)?.[1];
  const isFunction = /^[^={]*\(/.test(words);
  return name ? { name, kind: isFunction ? "function" : "variable" } : null;
}

/** `func (r *Reader) Read()`: a method of `Reader`, though it stands beside it. */
function methodOfGo(node: SyntaxNode, text: string): Definition | null {
  if (node.type !== "method_declaration") return null;
  const head = text.slice(node.start, Math.min(node.end, node.start + 300));
  const found = /^func\s*\(\s*(?:\w+\s+)?\*?\s*(\w+)[^)]*\)\s*(\w+)/.exec(head);
  const [, of = "", name = ""] = found ?? [];
  return found ? { name, kind: "method", of } : null;
}

/** `exports.parse = function …`, `Router.prototype.route = …`: a name is given to a function. */
function assigned(node: SyntaxNode, text: string): Definition | null {
  if (node.type !== "assignment_expression") return null;
  const [left, right] = node.children;
  if (left?.type !== "member_expression" || !right) return null;
  if (!/^(?:arrow_function|function_expression|function|class)$/.test(right.type)) return null;
  const name = text.slice(left.start, left.end).split(".").at(-1);
  return name ? { name, kind: right.type === "class" ? "class" : "function" } : null;
}

const byEnding = new Map(languages.flatMap((l) => l.endings.map((ending) => [ending, l] as const)));
const byName = new Map(languages.flatMap((l) => (l.files ?? []).map((file) => [file, l] as const)));

/** The language of a file, by its name; null where none is known. */
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const known = byName.get(name);
  if (known) return known;
  const dot = name.lastIndexOf(".");
  if (dot < 0) return byName.get(name.split(".", 1)[0] ?? "") ?? null;
  const ending = name.slice(dot + 1);
  return byEnding.get(ending) ?? byEnding.get(ending.toLowerCase()) ?? null;
}

/** A text in no language that is known. */
export const plainText: Language = languages.find(({ name }) => name === "text") as Language;
