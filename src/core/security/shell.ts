// Reads a shell command as far as it can be read without running it: words and quotes with nothing
// in them that a shell would expand, joined by `&&`, `||`, `;`, `|` and line ends. Everything else
// is opaque, which is no accusation: it only means that no rule may judge it by its parts.

/** Simple commands in one text; nobody reads what a longer one allows. */
const COMMANDS_MAX = 50;
const CHARACTERS_MAX = 10_000;

export type ShellReading =
  /** What runs, in order of appearance: exactly these words and nothing else. */
  { kind: "literal"; commands: readonly (readonly string[])[] } | { kind: "opaque"; why: string };

/** Words that a shell takes for its own grammar where a command begins. */
const KEYWORDS = new Set(
  "if then else elif fi case esac for select while until do done in function time coproc".split(
    " ",
  ),
);

type Token = { type: "word"; text: string; raw: string } | { type: "operator"; text: string };

/** Reads a command for bash or a POSIX shell. */
export function readShell(text: string): ShellReading {
  if (text.length > CHARACTERS_MAX) return opaque(`it has more than ${CHARACTERS_MAX} characters`);
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) return opaque("it has control characters in it");
  if (!text.isWellFormed()) return opaque("it is not well-formed Unicode");
  const tokens = tokensOf(text);
  if (typeof tokens === "string") return opaque(tokens);
  const commands: string[][] = [];
  let words: string[] = [];
  let joined: string | null = null;
  const close = () => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (const token of tokens) {
    if (token.type === "word") {
      const wrong = words.length === 0 ? defectOfFirst(token.raw) : null;
      if (wrong) return opaque(wrong);
      words.push(token.text);
      joined = null;
    } else if (token.text === "\n") {
      close();
    } else if (words.length === 0) {
      return opaque(`there is no command before \`${token.text}\``);
    } else {
      close();
      joined = token.text === ";" ? null : token.text;
    }
  }
  close();
  if (joined !== null) return opaque(`there is no command after \`${joined}\``);
  if (commands.length === 0) return opaque("there is no command in it");
  if (commands.length > COMMANDS_MAX) return opaque(`it has more than ${COMMANDS_MAX} commands`);
  return { kind: "literal", commands };
}

const opaque = (why: string): ShellReading => ({ kind: "opaque", why });

function defectOfFirst(raw: string): string | null {
  if (KEYWORDS.has(raw)) return `\`${raw}\` begins a construct`;
  if (/^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(raw)) return "it sets a variable";
  return null;
}

/** What stands for itself without quotes; a `#` only within a word, a `~` only after a letter. */
const PLAIN = /[A-Za-z0-9_@%+=:,./^~#\p{L}\p{N}\p{M}-]+/uy;
const BLANKS = /[ \t]+/y;
/**
 * Redirections that discard output or join it: they touch no file. Of one digit, because of more
 * bash makes a descriptor and dash a word.
 */
const HARMLESS =
  /(?:[0-9]?>>?|&>|[0-9]?<)[ \t]*\/dev\/null(?=[ \t\n;|&]|$)|[0-9]?>&[12](?=[ \t\n;|&]|$)/y;
const OPERATOR = /&&|\|\|(?!&)|\|(?![&|])|;(?!;)|\n/y;
const SINGLE = /'([^']*)'/y;
const DOUBLE = /"([^"$`\\]*)"/y;

/** The tokens of a text, or why it is opaque. */
function tokensOf(text: string): Token[] | string {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    if (take(BLANKS) || take(HARMLESS)) continue;
    const operator = take(OPERATOR);
    if (operator) {
      tokens.push({ type: "operator", text: operator[0] });
      continue;
    }
    const start = at;
    const word = wordAt(take);
    if (at === start) return reasonAt(text, at);
    // A quote left open, or a `$` in it, ends the word at that quote; `reasonAt` will say which.
    const isDescriptor = /^\d+$/.test(text.slice(start, at)) && /[<>]/.test(text[at] ?? "");
    if (isDescriptor) return "it redirects a descriptor";
    const wrong = defectOf(word.raw, text.slice(start, at));
    if (wrong) return wrong;
    tokens.push({ type: "word", ...word });
  }
  return tokens;
}

function wordAt(take: (pattern: RegExp) => RegExpExecArray | null) {
  let text = "";
  let raw = "";
  for (;;) {
    const plain = take(PLAIN);
    const quoted = plain ? null : (take(SINGLE) ?? take(DOUBLE));
    if (!plain && !quoted) return { text, raw };
    text += plain?.[0] ?? quoted?.[1] ?? "";
    // A quote keeps its place, so that `'a'=b` is not read as an assignment.
    raw += plain?.[0] ?? '"';
  }
}

function defectOf(raw: string, source: string): string | null {
  if (source.startsWith("#")) return "it has a comment";
  if (/(^|[:=])~/.test(raw)) return "`~` stands for a home folder";
  return null;
}

function reasonAt(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  switch (character) {
    case "$":
    case "`":
      return "the shell would put something in place of a part of it";
    case '"':
      return /^"[^"]*$/.test(text.slice(at))
        ? "a quote is left open"
        : "the shell would put something in place of a part of it";
    case "'":
      return "a quote is left open";
    case "*":
    case "?":
    case "[":
    case "{":
      return `\`${character}\` stands for names that only the shell knows`;
    case "<":
    case ">":
      return "it redirects to or from a file";
    case "&":
      return "it leaves something running in the background";
    case "(":
    case ")":
      return "it has a subshell or a function in it";
    case "\\":
      return "a backslash changes how it is read";
    default:
      return `${JSON.stringify(character)} is not judged`;
  }
}
