// The language servers that Aiex knows, found on a machine and never brought along. A new one is an
// entry here: how it is started, which files are its, and what it needs to work.

export type LanguageServer = {
  name: string;
  program: string;
  args: readonly string[];
  /** Its own names of the languages, by the ending of a file. */
  languages: Readonly<Record<string, string>>;
  /** Files in a project's root that say that the project is in its languages. */
  markers: readonly string[];
  /** Without these, relative to the project's root, it cannot start. */
  needs?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Folders of the project that it writes, where they are there: it gets its own in their place. */
  writes?: readonly string[];
  /** What it is told at its start, and answered when it asks for its settings. */
  options?: Readonly<Record<string, unknown>>;
  /** `tsserver`: its diagnostics are asked of the tsserver behind it, which says when it is done. */
  asks?: "tsserver";
};

const script = { ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript" };
const typed = { ".ts": "typescript", ".mts": "typescript", ".cts": "typescript" };
const markup = { ".tsx": "typescriptreact", ".jsx": "javascriptreact" };

/** In the order of preference: of two for a language the first that is found is taken. */
export const languageServers: readonly LanguageServer[] = [
  {
    name: "typescript-language-server",
    program: "typescript-language-server",
    args: ["--stdio"],
    languages: { ...typed, ...script, ...markup },
    markers: ["tsconfig.json", "jsconfig.json", "package.json"],
    needs: ["node_modules/typescript/lib/tsserver.js"],
    // Its second server, of syntax alone, would answer while the project is read: a part of a rename.
    options: {
      disableAutomaticTypingAcquisition: true,
      tsserver: { useSyntaxServer: "never" },
    },
    asks: "tsserver",
  },
  {
    name: "typescript",
    program: "tsc",
    args: ["--lsp", "--stdio"],
    languages: { ...typed, ...script, ...markup },
    markers: ["tsconfig.json", "jsconfig.json", "package.json"],
    // From version 7 on it is its own language server.
    needs: ["node_modules/typescript/lib/getExePath.js"],
    // A name that is imported is renamed where it comes from, too, and not by `a as b`.
    options: { preferences: { useAliasesForRenames: false } },
  },
  {
    name: "pyright",
    program: "pyright-langserver",
    args: ["--stdio"],
    languages: { ".py": "python", ".pyi": "python" },
    markers: ["pyproject.toml", "setup.py", "pyrightconfig.json", "requirements.txt"],
  },
  {
    name: "gopls",
    program: "gopls",
    args: ["serve"],
    languages: { ".go": "go" },
    markers: ["go.mod", "go.work"],
  },
  {
    name: "rust-analyzer",
    program: "rust-analyzer",
    args: [],
    languages: { ".rs": "rust" },
    markers: ["Cargo.toml"],
    env: { CARGO_TARGET_DIR: "/tmp/rust-analyzer" },
    options: { checkOnSave: false },
  },
  {
    name: "elixir-ls",
    program: "elixir-ls",
    args: [],
    languages: { ".ex": "elixir", ".exs": "elixir", ".heex": "phoenix-heex" },
    markers: ["mix.exs"],
    writes: [".elixir_ls"],
  },
];

/** The ending of a path, with its dot; empty where it has none. */
export function endingOf(path: string): string {
  return /\.[^./]+$/.exec(path)?.[0] ?? "";
}

/** Whether a file is in a language of this server. */
export function isFileOf(server: LanguageServer, path: string): boolean {
  return endingOf(path) in server.languages;
}
