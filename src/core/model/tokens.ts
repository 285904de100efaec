// Bounds on tokens where a provider does not count them for us, and a check of the counts it gives.
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

/** An upper bound for a whole request body; attachments in it are data URLs. */
export function requestTokensAtMost(body: string): number {
  let attached = 0;
  const words = body.replace(/data:[^",;]{0,100};base64,([A-Za-z0-9+/=]*)/g, (_, data: string) => {
    attached += Math.max(ATTACHMENT_TOKENS, Math.ceil(data.length / 4));
    return "";
  });
  return tokensAtMost(words) + attached;
}

/** The four counts as a provider gave them; undefined where they are not believable. */
export function usageOf(counts: {
  input: number | undefined;
  cached: number | undefined;
  output: number | undefined;
  reasoning: number | undefined;
}): Usage | undefined {
  const { input, output } = counts;
  if (!isCount(input) || !isCount(output)) return undefined;
  const cached = isCount(counts.cached) ? Math.min(counts.cached, input) : 0;
  const reasoning = isCount(counts.reasoning) ? Math.min(counts.reasoning, output) : 0;
  return { input, cached, output, reasoning, exact: true };
}

const isCount = (n: number | undefined): n is number =>
  n !== undefined && Number.isInteger(n) && n >= 0 && n <= COUNT_MAX;
