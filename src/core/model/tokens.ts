// Bounds on tokens and a likely count where a provider does not count them for us, and a check of
// the counts it gives.
import type { Usage } from "#core/model/message.ts";

/**
 * The most an image costs, in tokens: the patch budget of OpenAI's `original` detail. A longer
 * attachment (a PDF's pages) counts one token per four characters of its base64.
 */
export const ATTACHMENT_TOKENS = 10_000;
/** A count beyond this is not a count. */
const COUNT_MAX = 1_000_000_000;

/** No byte-level tokenizer makes more tokens than there are UTF-8 bytes. */
export function tokensAtMost(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}

/** Attachments: data URLs, or Anthropic's base64 sources with their keys in the order we write. */
const ATTACHED =
  /(?:data:[^",;]{0,100};base64,|"type":"base64","media_type":"[^"]{0,100}","data":")([A-Za-z0-9+/=]*)/g;

/** An upper bound for a whole request body, with its attachments in the form of any dialect. */
export function requestTokensAtMost(body: string): number {
  const { words, attached } = withoutAttachments(body);
  const ofAttached = attached.map((chars) => Math.max(ATTACHMENT_TOKENS, Math.ceil(chars / 4)));
  return tokensAtMost(words) + ofAttached.reduce((sum, tokens) => sum + tokens, 0);
}

/**
 * What an image may cost a local model, in tokens. Ollama itself counts 768 (`server/prompt.go`,
 * there called a heuristic); models that cut an image into tiles take about twice that.
 */
export const IMAGE_TOKENS_LIKELY = 1_600;

/** What the request will about need, rather too much than too little: see `tokensLikely`. */
export function requestTokensLikely(body: string): number {
  const { words, attached } = withoutAttachments(body);
  return tokensLikely(words) + attached.length * IMAGE_TOKENS_LIKELY;
}

/** The body without base64, and the lengths of what was taken out, in characters. */
function withoutAttachments(body: string): { words: string; attached: number[] } {
  const attached: number[] = [];
  const note = (data: string) => {
    attached.push(data.length);
    return "";
  };
  const words = body
    .replace(ATTACHED, (_, data: string) => note(data))
    // Ollama's form. Inside a text of the request its quotes would be escaped.
    .replace(/"images":\[("[A-Za-z0-9+/=]*"(,"[A-Za-z0-9+/=]*")*)\]/g, (_, list: string) =>
      list.split(",").map(note).join(""),
    );
  return { words, attached };
}

/**
 * About how many tokens a text has, for models whose tokenizer is not at hand. Measured against the
 * tokenizers of GPT-4o, GPT-4, Llama 3 and Llama 2: 1.05 to 1.5 times the truth for code, prose and
 * JSON of the first three, 0.85 to 1.1 times for Llama 2, up to 3 times for Cyrillic, but only 0.8
 * times for base64. Digits count one each, as Qwen's and Llama 2's tokenizers split them.
 */
export function tokensLikely(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(/[A-Z]?[a-z]+|[A-Z]+|\s+|./gsu)) {
    tokens += pieceTokens(piece, piece.codePointAt(0) ?? 0);
  }
  return Math.ceil(tokens);
}

function pieceTokens(piece: string, code: number): number {
  // One space belongs to the word after it.
  if (piece === " ") return 0;
  if (/^[A-Za-z]/.test(piece)) return Math.ceil(piece.length / 5);
  if (/^[\s\d]/.test(piece)) return 1;
  if (code < 0x80) return 0.8;
  if (code < 0x800) return 0.7;
  return code < 0x10000 ? 1.3 : 3;
}

/** The counts as a provider gave them; undefined where they are not believable. */
export function usageOf(counts: {
  input: number | undefined;
  cached: number | undefined;
  written?: number | undefined;
  output: number | undefined;
  reasoning: number | undefined;
}): Usage | undefined {
  const { input, output } = counts;
  if (!isCount(input) || !isCount(output)) return undefined;
  const cached = isCount(counts.cached) ? Math.min(counts.cached, input) : 0;
  const reasoning = isCount(counts.reasoning) ? Math.min(counts.reasoning, output) : 0;
  const written = isCount(counts.written) ? Math.min(counts.written, input - cached) : 0;
  const usage = { input, cached, output, reasoning, exact: true };
  return written > 0 ? { ...usage, written } : usage;
}

const isCount = (n: number | undefined): n is number =>
  n !== undefined && Number.isInteger(n) && n >= 0 && n <= COUNT_MAX;
