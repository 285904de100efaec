// The code index of one folder. Promises, proved for each way to keep it by contract.ts:
// - `refresh` brings it up to date with the files as they are: what changed is read, nothing else;
//   called off or killed, what was done stays, and the next one goes on there;
// - an answer is of the files as they were at the newest refresh; a hit names the lines of that text;
// - files that ignore files hide, secret files, and files over 1 MB are in none of it;
// - everything works without network and without a model.
import type { SyntaxParser } from "#boundary/parse/port.ts";
import type { SymbolKind } from "#core/context/languages.ts";
import type { Mention } from "#core/context/references.ts";
import type { Result } from "#core/failure.ts";

/** Opens a parser for the thread that asks. */
export type Parsing = () => Promise<SyntaxParser>;

export type RefreshProgress = {
  /** Files read so far, of those that have to be, and their bytes. */
  files: number;
  of: number;
  bytes: number;
  ofBytes: number;
};

export type Refreshed = {
  /** Files that the folder has; those that were read; contents that were new to the index. */
  files: number;
  read: number;
  contents: number;
  bytes: number;
  /** Commits that were new. */
  commits: number;
};

export type FileHit = {
  path: string;
  /** Of this question only; at most 1. */
  score: number;
  why: readonly string[];
};

export type CodeHit = FileHit & {
  /** Lines from 1, both included. */
  line: number;
  endLine: number;
  /** Names of what it stands in, outermost first, and of what is defined in it. */
  inside: readonly string[];
  symbols: readonly string[];
  text: string;
};

/** A definition. */
export type SymbolHit = {
  path: string;
  name: string;
  kind: SymbolKind;
  /** Names of what it stands in, outermost first. */
  inside: readonly string[];
  line: number;
  endLine: number;
  /** Its first words, in one line. */
  signature: string;
  /** 1: exactly what was asked for; less: a name that is alike. */
  score: number;
};

export type Reference = Mention & { path: string };

/** Definitions first, then by path; `total` counts those, too, that the limit left out. */
export type References = { places: readonly Reference[]; total: number };

/** The most referred symbols of a repository with their signatures, by file. */
export type RepoMap = {
  text: string;
  symbols: number;
  files: number;
  /** About how many tokens the text has. */
  tokens: number;
};

export type MapOptions = {
  tokens: number;
  /** What it is to be about, in words and paths. */
  focus?: string;
  /** Which files may be in it; without it all. */
  only?: (path: string) => boolean;
};

/** Code that uses what was asked for: in which definition, from which line on, and how often. */
export type User = {
  path: string;
  line: number;
  inside: readonly string[];
  times: number;
  calls: boolean;
  /** Its file imports the one with the definition, is of its package, or is that. */
  certain: boolean;
};

export type Impact = {
  definitions: readonly SymbolHit[];
  users: readonly User[];
  /** Files that import what defines it, and at depth 2 those that import these. */
  importers: readonly { path: string; depth: 1 | 2 }[];
  /** Those that use the very thing first. */
  tests: readonly string[];
};

export type IndexStatus = {
  /** When it was last brought up to date, in milliseconds of Unix time; null: never. */
  at: number | null;
  files: number;
  chunks: number;
  symbols: number;
  segments: number;
  commits: number;
  bytes: number;
  file: string;
};

export type Watching = {
  /** Resolves when the index was next brought up to date, or the watch ends. */
  changed(): Promise<void>;
  /** Whether some folders could not be watched: a refresh looks at everything then. */
  isPartial(): boolean;
  /** Resolves when all that was seen to change is in the index. */
  settled(): Promise<void>;
  close(): void;
};

export type CodeIndex = {
  refresh(
    signal: AbortSignal,
    progress?: (progress: RefreshProgress) => void,
  ): Promise<Result<Refreshed>>;
  /** Keeps it up to date from now on, until it is closed or called off: a refresh then is no look. */
  watch(signal: AbortSignal): Promise<Result<Watching>>;
  /** Forgets everything, so that the next refresh makes it anew. */
  clear(): Promise<Result<void>>;
  files(question: string, limit: number): Promise<Result<readonly FileHit[]>>;
  search(question: string, limit: number): Promise<Result<readonly CodeHit[]>>;
  /** Definitions by name, `Class.method` or a part of one; the exact ones first. */
  symbols(
    name: string,
    options: { limit: number; kind?: SymbolKind },
  ): Promise<Result<readonly SymbolHit[]>>;
  /** Lines that have a name as a whole word, in the right case. */
  references(name: string, limit: number): Promise<Result<References>>;
  map(options: MapOptions): Promise<Result<RepoMap>>;
  /** What breaks if this symbol, or the file of this path, becomes another. */
  impact(nameOrPath: string, limit: number): Promise<Result<Impact>>;
  status(): Promise<Result<IndexStatus>>;
  close(): void;
};
