// Where a name stands in a text, as a whole word and in the right case, and as what: its definition,
// an import, a call, or only mentioned. Told by the text around it and what the index knows of it.
import type { PlacedSymbol } from "#core/context/symbols.ts";

export const mentionKinds = ["definition", "import", "call", "mention"] as const;
export type MentionKind = (typeof mentionKinds)[number];

export type Mention = {
  line: number;
  /** The line, without what is around it. */
  text: string;
  kind: MentionKind;
  /** Names of what it stands in, outermost first. */
  inside: readonly string[];
};

/** UTF-16 units of a line that are given. */
const LINE_MAX = 240;

const COMMENT_LINE = /^\s*(?:\/\/|\/\*|\*|#(?!\[|include|define|import)|--|%|;|<!--)/;
/** What follows a name that is called, also with types or a macro's mark before the bracket. */
const CALLED = /^(?:\s*\(|!\s*[([{]|(?:::)?<[^<>()\n]{0,80}>\s*\(|\.\()/;

export type MentionsOptions = {
  name: string;
  symbols: readonly PlacedSymbol[];
  /** The text's import statements. */
  imports: readonly string[];
  /** The chunks to look in, in their order: where each begins and ends, and its first line. */
  chunks: readonly { start: number; end: number; line: number }[];
};

/** UTF-16 units of a line that somebody wrote. */
const LINE_UNITS_MAX = 2_000;

/** The lines that have a name, each once, as the most telling thing that it is there. */
export function mentionsIn(text: string, options: MentionsOptions): Mention[] {
  const { name, symbols, imports, chunks } = options;
  const word = wordOf(name);
  const importing = new Set(
    imports.flatMap((statement) => (statement.includes(name) ? statement.split("\n") : [])),
  );
  const imported = new Set([...importing].map((line) => line.trim()));
  const byLine = new Map<number, Mention>();
  for (const chunk of chunks) {
    let line = chunk.line;
    let counted = chunk.start;
    word.lastIndex = chunk.start;
    for (let hit = word.exec(text); hit && hit.index < chunk.end; hit = word.exec(text)) {
      for (let at = counted; at < hit.index; at += 1) if (text.charCodeAt(at) === 10) line += 1;
      counted = hit.index;
      const whole = lineAt(text, hit.index);
      // A line that nobody wrote has one mention: each further one would be looked for in all of it.
      if (whole.length > LINE_UNITS_MAX) word.lastIndex = endOfLine(text, hit.index);
      const isImport =
        imported.has(whole.trim()) || imports.some((statement) => whole.includes(statement));
      const kind = kindOf(text, hit.index, { name, symbols, whole, isImport });
      const known = byLine.get(line);
      if (known && mentionKinds.indexOf(known.kind) <= mentionKinds.indexOf(kind)) continue;
      const inside = kind === "import" ? [] : insideOf(symbols, hit.index, name);
      byLine.set(line, { line, text: shortened(whole), kind, inside });
    }
  }
  return [...byLine.values()];
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function wordOf(name: string): RegExp {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, "gu");
}

function lineAt(text: string, at: number): string {
  const from = text.lastIndexOf("\n", at - 1) + 1;
  const to = text.indexOf("\n", at);
  return text.slice(from, to < 0 ? text.length : to);
}

function shortened(line: string): string {
  const text = line.trim();
  return text.length > LINE_MAX ? `${text.slice(0, LINE_MAX).toWellFormed()}…` : text;
}

type Around = { name: string; symbols: readonly PlacedSymbol[]; whole: string; isImport: boolean };

function kindOf(text: string, at: number, { name, symbols, whole, isImport }: Around): MentionKind {
  const isDefined = symbols.some(
    (symbol) => at >= symbol.start && at < symbol.signature && lastOf(symbol.name) === name,
  );
  // What stands in the signature before it may be something else of the same name: a receiver.
  if (isDefined) return "definition";
  if (isImport) return "import";
  if (COMMENT_LINE.test(whole)) return "mention";
  return CALLED.test(text.slice(at + name.length, at + name.length + 100)) ? "call" : "mention";
}

const lastOf = (name: string): string => name.slice(name.search(/[^.:]*$/));

/** The innermost definition that a place stands in; what is defined there is not inside of itself. */
function insideOf(symbols: readonly PlacedSymbol[], at: number, name: string): readonly string[] {
  let best: PlacedSymbol | null = null;
  for (const symbol of symbols) {
    if (at < symbol.start || at >= symbol.end) continue;
    if (symbol.name === name && at < symbol.signature) continue;
    if (!best || symbol.end - symbol.start < best.end - best.start) best = symbol;
  }
  return best ? [...best.path, best.name] : [];
}
