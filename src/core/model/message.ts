// What is said to a model and what it answers, in our own form: every dialect is converted from
// this and to this. Parts keep the order in which the model gave them, and what a provider wants
// to see again untouched (reasoning, signatures, item ids) travels in `opaque`, byte for byte.

/** Bytes kept elsewhere, named by the SHA-256 of their content. */
export type BlobRef = { hash: string; bytes: number; media: string; name?: string };

/** What stands in a text for bytes that cannot be shown. */
export const aboutBlob = ({ hash, bytes, media, name }: BlobRef): string =>
  `${name ?? `attachment-${hash.slice(0, 8)}`} (${media}, ${bytes} bytes)`;

/** Provider data that goes back unchanged to the same `model` and to no other. */
export type Opaque = { model: string; data: string };

export type TextPart = { type: "text"; text: string; opaque?: Opaque };
export type BlobPart = { type: "blob"; blob: BlobRef };
/** What the model thought; `opaque` holds what the provider wants back, `text` what may be shown. */
export type ReasoningPart = { type: "reasoning"; text: string; opaque?: Opaque };
/** A request to run a tool. `input` is the raw argument text exactly as the model wrote it. */
export type CallPart = {
  type: "call";
  id: string;
  tool: string;
  input: string;
  opaque?: Opaque;
};

export type UserPart = TextPart | BlobPart;
export type AnswerPart = TextPart | ReasoningPart | CallPart;
export type ToolCall = Omit<CallPart, "type">;

/**
 * Why a message of ours exists; models see only the text, screens see the difference. A `notice`
 * wants something of the model, a word on its `environment` does not.
 */
export const origins = [
  "prompt",
  "steer",
  "instructions",
  "notice",
  "environment",
  "compaction",
] as const;
export type Origin = (typeof origins)[number];

export type Message = (
  | { role: "user"; origin: Origin; parts: readonly UserPart[] }
  | { role: "assistant"; parts: readonly AnswerPart[] }
  | { role: "tool"; callId: string; failed: boolean; parts: readonly UserPart[] }
) & {
  /** The version of the event that made it, for us: no request has it. */
  at?: number;
};

export function withoutPlace<M extends Message>(message: M): M {
  const { at: _, ...said } = message;
  return said as M;
}

/**
 * Why an answer stopped, the same in every dialect: `done` it is finished · `calls` it wants tools
 * run · `length` the output limit cut it · `refused` the model declined · `filtered` the provider
 * withheld it · `paused` the provider wants to be asked again to continue · `overflow` the request
 * did not fit the window · `broken` the stream ended before the answer was whole.
 */
export const stops = [
  "done",
  "calls",
  "length",
  "refused",
  "filtered",
  "paused",
  "overflow",
  "broken",
] as const;
export type Stop = (typeof stops)[number];

/** How much a model is asked to think, where it can be asked. */
export const efforts = ["low", "medium", "high"] as const;
export type Effort = (typeof efforts)[number];

/**
 * Tokens of model calls. `input` counts all of the request, `cached` the share of it read from the
 * provider's cache, `written` the share of it newly kept there, where that costs more than plain
 * input (1.25 times at Anthropic), `output` all of the answer, `reasoning` its hidden share.
 * `exact` is false where the provider did not say and an upper bound stands in.
 */
export type Usage = {
  input: number;
  cached: number;
  /** Left out where nothing was written or the provider does not charge for it. */
  written?: number;
  output: number;
  reasoning: number;
  exact: boolean;
  /** What it cost by the prices of the moment at which it was settled, where they were known. */
  cost?: Cost;
};

/** Whole nano-dollars. `whole` is false where a price was missing for some of the tokens. */
export type Cost = { nanoDollars: number; whole: boolean };

export const noUsage: Usage = { input: 0, cached: 0, output: 0, reasoning: 0, exact: true };

export function addUsage(a: Usage, b: Usage): Usage {
  const written = (a.written ?? 0) + (b.written ?? 0);
  const cost = a.cost || b.cost ? addCost(costIn(a), costIn(b)) : undefined;
  return {
    input: a.input + b.input,
    cached: a.cached + b.cached,
    ...(written > 0 ? { written } : {}),
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    exact: a.exact && b.exact,
    ...(cost ? { cost } : {}),
  };
}

const addCost = (a: Cost, b: Cost): Cost => ({
  nanoDollars: a.nanoDollars + b.nanoDollars,
  whole: a.whole && b.whole,
});

/** No tokens cost nothing; tokens without a price cost what nobody knows. */
const costIn = ({ cost, input, output }: Usage): Cost =>
  cost ?? { nanoDollars: 0, whole: input + output === 0 };

/**
 * A tool as a model is told of it: `schema` is the JSON Schema of its arguments. `freeform` is how
 * the same input is written without JSON, for dialects that have such tools; others ignore it.
 */
export type ToolSpec = {
  name: string;
  about: string;
  schema: Record<string, unknown>;
  freeform?: { about: string; syntax: "lark" | "regex"; grammar: string };
};

export function toolCallsOf(parts: readonly AnswerPart[]): ToolCall[] {
  return parts.flatMap((part) => {
    if (part.type !== "call") return [];
    const { type: _, ...call } = part;
    return [call];
  });
}

export function textOf(parts: readonly (AnswerPart | UserPart)[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}
