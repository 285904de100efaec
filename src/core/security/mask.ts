// Masks secrets in text before it is logged, shown or sent: tokens by their form, private keys,
// passwords in URLs and headers, values assigned to key-like names by their entropy, and the very
// values of the secret files of a workspace, plain or encoded. Lines stay where they are. Each pass
// is linear in the text: every repetition has a bound, and no pass looks back.
import { secretRules } from "#core/security/secret-rules.ts";

/** A value that must not be seen, wherever it comes from, and where it is kept. */
export type KnownSecrets = readonly string[];

export type MaskOptions = {
  known?: KnownSecrets;
  /** Texts that the user allowed to be seen: what stands in one of them is not masked. */
  allowed?: readonly string[];
};

export type Mask = (text: string) => string;

export const maskFor = (id: string): string => `[secret: ${id}]`;

/** A mask in a text, for those that must not take it for what it stands for. */
export const MASKED = /\[secret: ([a-z0-9-]{2,40})\]/g;

/** Shortest value that is masked wherever it stands: a shorter one would hide ordinary words. */
export const KNOWN_CHARS_MIN = 8;

/** The mask of these options; made once for many texts. */
export function masker({ known = [], allowed = [] }: MaskOptions = {}): Mask {
  const isAllowed = (secret: string) => allowed.some((text) => text.includes(secret));
  const knownMask = maskKnown(known);
  return (text) => {
    const replace = (id: string, secret: string): string =>
      isAllowed(secret) ? secret : maskOver(id, secret);
    return maskAssigned(maskForms(maskKeys(knownMask(text), replace), replace), replace);
  };
}

type Replace = (id: string, secret: string) => string;

/** The mask with as many line ends as what it stands for. */
const maskOver = (id: string, secret: string): string =>
  maskFor(id) + (secret.includes("\n") ? "\n".repeat(secret.split("\n").length - 1) : "");

const forms = new RegExp(
  `(?<![A-Za-z0-9_])(?:${secretRules.map(({ form }) => `(${form})`).join("|")})`,
  "g",
);

/** No form matches more characters than half of this; a longer word is looked at in windows. */
const WORD_CHARS_MAX = 20_000;
/**
 * What a form can be in: no form has a character beside these, or is shorter. Looking for these
 * first is several times as fast.
 */
const LONG_WORD = new RegExp(String.raw`[\w.~][\w.~%|=+/:@\\-]{14,${WORD_CHARS_MAX}}`, "g");

function maskForms(text: string, replace: Replace): string {
  let out = "";
  let done = 0;
  LONG_WORD.lastIndex = 0;
  for (let word = LONG_WORD.exec(text); word; word = LONG_WORD.exec(text)) {
    const isWhole = word[0].length <= WORD_CHARS_MAX;
    // Of a word that goes on, what begins in the second half is found whole by the next window.
    const until = word.index + (isWhole ? word[0].length : WORD_CHARS_MAX / 2);
    const to = word.index + word[0].length;
    const masked = maskWindow(text, { from: Math.max(done, word.index), until, to }, replace);
    out += text.slice(done, Math.max(done, word.index)) + masked.text;
    done = masked.end;
    LONG_WORD.lastIndex = Math.max(done, until);
  }
  return out + text.slice(done);
}

/** Masks what begins between two places and ends before a third; `end`: how far that looked. */
function maskWindow(
  text: string,
  { from, until, to }: { from: number; until: number; to: number },
  replace: Replace,
): { text: string; end: number } {
  // With the character before it: a form begins where no word does.
  const before = Math.max(0, from - 1);
  const window = text.slice(before, to);
  let out = "";
  let done = from - before;
  forms.lastIndex = done;
  for (let found = forms.exec(window); found; found = forms.exec(window)) {
    if (before + found.index >= until) break;
    const at = found.slice(1).findIndex((group) => group !== undefined);
    out += window.slice(done, found.index) + replace(secretRules[at]?.id ?? "token", found[0]);
    done = found.index + found[0].length;
  }
  const end = Math.max(before + done, until);
  return { text: out + window.slice(done, end - before), end };
}

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** The body of a key, in a file or in a string of a program; at least a line of it. */
const KEY_BODY =
  /(?:\s|\\[nr]|["'+,])*(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n)*[\sA-Za-z0-9+/=\\"',:]{16,}/y;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;

function maskKeys(text: string, replace: Replace): string {
  if (!text.includes("PRIVATE KEY")) return text;
  let out = "";
  let from = 0;
  for (const begin of text.matchAll(KEY_BEGIN)) {
    if (begin.index < from) continue;
    KEY_BODY.lastIndex = begin.index + begin[0].length;
    const body = KEY_BODY.exec(text);
    if (!body) continue;
    KEY_END.lastIndex = KEY_BODY.lastIndex;
    const end = KEY_END.test(text) ? KEY_END.lastIndex : body.index + body[0].length;
    out += text.slice(from, begin.index) + replace("private-key", text.slice(begin.index, end));
    from = end;
  }
  return out + text.slice(from);
}

const OPERATOR = /[=:]/g;
const VALUE = /[=>]?[ \t]{0,3}(["'`]?)((?:(?:Bearer|Basic|Token) )?)([^\s"'`,;(){}<>[\]|]{8,400})/y;
/** Before an operator: a name, perhaps quoted. */
const NAME = /([\w.-]{1,50})["'`\]]{0,2}[ \t]{0,3}[:?=]{0,2}$/;
const KEYISH =
  /passw|passphrase|pwd|secret|token|credential|creds|authorization|api|access|auth|key|dsn/i;
const URL_PASSWORD = /[^\s:/?#@"'`<>]{0,200}:([^\s/?#@"'`<>]{3,200})@/y;
const STRONG = /passw|passphrase|pwd|secret|token|credential|creds|authorization|api[._-]?key/i;
/** Names that end so are about keys and hold none. */
const HARMLESS =
  /public|hash|digest|checksum|integrity|fingerprint|cache|primary|foreign|sort|partition|count|keyboard|keyword|limit|max|min|length|size|url|path|file|name|type|hint|index|expires|ttl/i;

/** Values of names that sound like keys, and passwords in URLs. */
function maskAssigned(text: string, replace: Replace): string {
  let out = "";
  let from = 0;
  OPERATOR.lastIndex = 0;
  for (let op = OPERATOR.exec(text); op; op = OPERATOR.exec(text)) {
    const after = op.index + 1;
    const found = text.startsWith("//", after)
      ? urlPassword(text, after + 2)
      : assigned(text, op.index);
    if (!found) continue;
    const { at, id, value } = found;
    // What is long and no secret is not looked through again at each sign in it.
    OPERATOR.lastIndex = at + value.length;
    if (id === null) continue;
    out += text.slice(from, at) + replace(id, value);
    from = at + value.length;
  }
  return from === 0 ? text : out + text.slice(from);
}

/** `id` null: a long value that is none. */
type Found = { id: string | null; at: number; value: string };

function urlPassword(text: string, at: number): Found | null {
  URL_PASSWORD.lastIndex = at;
  const value = URL_PASSWORD.exec(text)?.[1];
  if (value === undefined || isStandIn(value)) return null;
  return { id: "password-in-url", at: URL_PASSWORD.lastIndex - value.length - 1, value };
}

/** Characters before an operator that are looked at for its name. */
const NAME_CHARS = 60;
/** A value that is longer is passed over at once where it is no secret. */
const LONG_CHARS = 64;

function assigned(text: string, index: number): Found | null {
  VALUE.lastIndex = index + 1;
  const match = VALUE.exec(text);
  if (!match) return null;
  const [, quote = "", scheme = "", value = ""] = match;
  const at = VALUE.lastIndex - value.length;
  const none = value.length > LONG_CHARS ? { id: null, at, value } : null;
  if (!/\d/.test(value) && scheme === "") return none;
  const name = NAME.exec(text.slice(Math.max(0, index - NAME_CHARS), index))?.[1] ?? "";
  if (!KEYISH.test(name)) return null;
  if (scheme !== "") return { id: "authorization", at, value };
  const isSetting = /^[A-Z][A-Z0-9_]*$/.test(name);
  const isOne = isSecret(value, { name, plain: quote === "" && !isSetting });
  return isOne ? { id: "assigned", at, value } : none;
}

/** Bits of entropy a character, from which a value is taken for random (gitleaks: 3.5). */
const ENTROPY_MIN = 3.5;
/** The same for names that can hold nothing else than a secret. */
const ENTROPY_MIN_STRONG = 2.6;

/** Whether a value that is assigned to a name like a key's is one. `plain`: not quoted, as in code. */
function isSecret(value: string, { name, plain }: { name: string; plain: boolean }): boolean {
  const isStrong = STRONG.test(name);
  if (isStandIn(value) || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  if (HARMLESS.test(name) && !/passw|secret/i.test(name)) return false;
  if (value.length < (isStrong ? KNOWN_CHARS_MIN : 16)) return false;
  // Names and paths of a program: `config.keys2`, `./a/b1`, `someName1`.
  if (/^[./~]|^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$|:\/\//.test(value)) return false;
  if (plain && (value.match(/\d/g) ?? []).length < 2) return false;
  return entropyOf(value) >= (isStrong && !plain ? ENTROPY_MIN_STRONG : ENTROPY_MIN);
}

/** What stands where a secret would: a variable, an example, a mask. */
const isStandIn = (value: string): boolean =>
  /^(?:[$<{%*[]|x{4}|your|change|example|dummy|sample|none|null|true|false|undefined|process\.|os\.|env\.|import\.)/i.test(
    value,
  ) || /^(.)\1*$/.test(value);

/** Shannon's, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const size = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return [...counts.values()].reduce((bits, n) => bits - (n / size) * Math.log2(n / size), 0);
}

/**
 * Masks values wherever they stand, whatever their number: two characters that no value begins with
 * are passed over at once, else the first eight are looked up.
 */
function maskKnown(known: KnownSecrets): Mask {
  const byStart = new Map<string, string[]>();
  const isFirst = new Uint8Array(PAIRS);
  for (const value of known) {
    if (value.length < KNOWN_CHARS_MIN) continue;
    const start = value.slice(0, KNOWN_CHARS_MIN);
    const others = byStart.get(start) ?? [];
    byStart.set(
      start,
      [...others, value].sort((a, b) => b.length - a.length),
    );
    isFirst[pairOf(value.charCodeAt(0), value.charCodeAt(1))] = 1;
  }
  if (byStart.size === 0) return (text) => text;
  return (text) => {
    let out = "";
    let from = 0;
    let next = text.charCodeAt(0);
    for (let at = 0; at <= text.length - KNOWN_CHARS_MIN; at += 1) {
      const code = next;
      next = text.charCodeAt(at + 1);
      if (isFirst[pairOf(code, next)] === 0) continue;
      const some = byStart.get(text.slice(at, at + KNOWN_CHARS_MIN));
      const value = some?.find((one) => text.startsWith(one, at));
      if (value === undefined) continue;
      out += text.slice(from, at) + maskOver("secret-file", value);
      from = at + value.length;
      at = from - 1;
      next = text.charCodeAt(from);
    }
    return from === 0 ? text : out + text.slice(from);
  };
}

const PAIRS = 1 << 14;
const pairOf = (a: number, b: number): number => ((a & 0x7f) << 7) | (b & 0x7f);
