// Where the grammars are: in the packages they come from while Aiex runs from its sources, beside
// the bundle where it was built. A grammar's name is the one of its language.

/** The `.wasm` of each grammar, as its package has it. */
export const grammarFiles: Readonly<Record<string, string>> = {
  bash: "@vscode/tree-sitter-wasm/wasm/tree-sitter-bash.wasm",
  c: "tree-sitter-c/tree-sitter-c.wasm",
  c_sharp: "@vscode/tree-sitter-wasm/wasm/tree-sitter-c-sharp.wasm",
  cpp: "@vscode/tree-sitter-wasm/wasm/tree-sitter-cpp.wasm",
  css: "@vscode/tree-sitter-wasm/wasm/tree-sitter-css.wasm",
  elixir: "tree-sitter-elixir/tree-sitter-elixir.wasm",
  go: "@vscode/tree-sitter-wasm/wasm/tree-sitter-go.wasm",
  html: "@kerebron/wasm/assets/tree-sitter-html/tree-sitter-html.wasm",
  java: "@vscode/tree-sitter-wasm/wasm/tree-sitter-java.wasm",
  javascript: "@vscode/tree-sitter-wasm/wasm/tree-sitter-javascript.wasm",
  json: "@kerebron/wasm/assets/tree-sitter-json/tree-sitter-json.wasm",
  markdown: "@kerebron/wasm/assets/tree-sitter-markdown/tree-sitter-markdown.wasm",
  php: "@vscode/tree-sitter-wasm/wasm/tree-sitter-php.wasm",
  python: "@vscode/tree-sitter-wasm/wasm/tree-sitter-python.wasm",
  ruby: "@vscode/tree-sitter-wasm/wasm/tree-sitter-ruby.wasm",
  rust: "@vscode/tree-sitter-wasm/wasm/tree-sitter-rust.wasm",
  toml: "@kerebron/wasm/assets/tree-sitter-toml/tree-sitter-toml.wasm",
  tsx: "@vscode/tree-sitter-wasm/wasm/tree-sitter-tsx.wasm",
  typescript: "@vscode/tree-sitter-wasm/wasm/tree-sitter-typescript.wasm",
  yaml: "@kerebron/wasm/assets/tree-sitter-yaml/tree-sitter-yaml.wasm",
};

/** The parser itself, which all grammars share. */
const RUNTIME = "web-tree-sitter/web-tree-sitter.wasm";

/** The folder beside the bundle that the build copies them to. */
export const GRAMMARS_FOLDER = "grammars";

/** Names of the files that the build copies, by where they come from. */
export const shippedGrammars: readonly { from: string; name: string }[] = [
  { from: RUNTIME, name: "runtime.wasm" },
  ...Object.entries(grammarFiles).map(([name, from]) => ({ from, name: `${name}.wasm` })),
];

export const runtimeUrl = (): URL => located("runtime.wasm", RUNTIME);

export function grammarUrl(name: string): URL | null {
  const file = grammarFiles[name];
  return file === undefined ? null : located(`${name}.wasm`, file);
}

function located(name: string, file: string): URL {
  // The sources are run as they are; a bundle has another ending.
  return import.meta.url.endsWith(".ts")
    ? new URL(`../../../node_modules/${file}`, import.meta.url)
    : new URL(`${GRAMMARS_FOLDER}/${name}`, import.meta.url);
}
