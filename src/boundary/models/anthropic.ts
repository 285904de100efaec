// Anthropic's Messages API, and servers that speak it. Thinking goes back signed and untouched to the
// model it came from; everything the API keeps in its cache is read from there by the next request.

import { createHash } from "node:crypto";
import { answerOf } from "#boundary/models/answer.ts";
import { messagesDecoder } from "#boundary/models/anthropic-answer.ts";
import {
  CACHE_MARK,
  isResult,
  isThinking,
  messageTexts,
  turnsOf,
  type WireTurn,
} from "#boundary/models/anthropic-messages.ts";
import { bodyOf } from "#boundary/models/body.ts";
import type { HttpAsk } from "#boundary/models/http.ts";
import type { ModelPort, ModelRequest, WireRequest } from "#boundary/models/port.ts";
import type { Asked } from "#boundary/models/refusal.ts";
import { sseReader } from "#boundary/models/sse.ts";
import type { ToolSpec } from "#core/model/message.ts";

export type AnthropicOptions = {
  provider: string;
  /** Where the API begins, before `/v1/messages`; a `/v1` at its end is not doubled. */
  baseUrl: string;
  /** How the request proves whose it is: by a key or by a token, never both (the API answers 401). */
  proof: { type: "key" | "token"; secret: string } | undefined;
};

/** The only version there is: https://platform.claude.com/docs/en/api/versioning */
const VERSION = "2023-06-01";

export function anthropic(options: AnthropicOptions): ModelPort {
  const name = `${options.provider}/messages`;
  const { host } = new URL(options.baseUrl);
  // Signatures are the server's own and may be an account's: another server, key or model must not
  // be sent them.
  const account = createHash("sha256").update(`${host}\n${options.proof?.secret ?? ""}`);
  const fingerprint = account.digest("hex").slice(0, 8);
  const ownerOf = (model: string) => `${name}/${model}@${fingerprint}`;
  // A short one is no secret of a real server and would hollow out every message.
  const secrets = [options.proof?.secret ?? ""].filter((secret) => secret.length >= 8);
  return {
    name,
    encode: (request) => encode(request, ownerOf(request.model)),
    call(wire, { model, signal, deadlines }) {
      const asked: Asked = { who: options.provider, model, host, secrets };
      const decoder = messagesDecoder(ownerOf(model), asked);
      return answerOf(askOf(options, wire, model), decoder, {
        asked,
        reader: sseReader,
        signal,
        deadlines,
      });
    },
  };
}

function askOf({ baseUrl, proof }: AnthropicOptions, wire: WireRequest, model: string): HttpAsk {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "") + wire.path;
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "aiex",
    "anthropic-version": VERSION,
  };
  if (thinkingOf(model) === "budget") headers["anthropic-beta"] = INTERLEAVED;
  if (proof?.type === "key") headers["x-api-key"] = proof.secret;
  if (proof?.type === "token") headers.authorization = `Bearer ${proof.secret}`;
  return { method: "POST", url, headers, body: wire.body };
}

/** Lets models that think within a budget think between calls too; adaptive ones do it anyway. */
const INTERLEAVED = "interleaved-thinking-2025-05-14";

/**
 * Output tokens where no limit is set, thinking included: what every model of the kind can give, or
 * half of it. The newest give 128,000, Opus 4.1 and before 32,000, Claude 3 4,096. A limit is only
 * that: neither money nor rate limits count what is not used.
 * https://platform.claude.com/docs/en/about-claude/models/overview
 */
const OUTPUT_TOKENS: Record<Thinking, number> = {
  adaptive: 64_000,
  budget: 32_000,
  none: 4_096,
  other: 32_000,
};

function encode(request: ModelRequest, owner: string): WireRequest {
  const named = thinkingOf(request.model);
  const tokensMax = request.outputTokensMax ?? OUTPUT_TOKENS[named];
  const kind = request.facts?.thinking === false ? "none" : named;
  const turns = turnsOf(request.messages, request.blobs, owner);
  // The order of these keys is part of the log: what changes least comes first, `messages` last.
  // Tools and system are marked each for itself: other sessions have the tools in common.
  const head: Record<string, unknown> = {
    model: request.model,
    stream: true,
    max_tokens: tokensMax,
    thinking: thinkingFor(kind, { request, turns, tokensMax }),
    output_config:
      takesEffort(request.model) && request.effort ? { effort: request.effort } : undefined,
    tools: request.tools.length > 0 ? request.tools.map(toolOf) : undefined,
    system: request.system.trim() === "" ? undefined : [systemBlock(request.system)],
  };
  return { path: "/v1/messages", body: bodyOf(head, "messages", messageTexts(turns)) };
}

const systemBlock = (text: string) => ({ type: "text", text, cache_control: CACHE_MARK });

const toolOf = (tool: ToolSpec, at: number, all: readonly ToolSpec[]) => ({
  name: tool.name,
  description: tool.about,
  input_schema: tool.schema,
  cache_control: at === all.length - 1 ? CACHE_MARK : undefined,
});

/**
 * How a model thinks, by its name. `adaptive`: as much as it finds right, with `effort` as a hint
 * (4.6 and later, and the only way to think from 4.7 on) · `budget`: up to a number of tokens (3.7
 * to 4.5) · `none` · `other`: not Anthropic's, and nothing is known. `ThinkingTypes` of the official
 * types; https://github.com/anthropics/skills, claude-api/SKILL.md, "Thinking & Effort".
 */
type Thinking = "adaptive" | "budget" | "none" | "other";

export function thinkingOf(model: string): Thinking {
  if (!/claude/i.test(model)) return "other";
  // `claude-opus-4-8`, `claude-haiku-4-5-20251001`, `claude-3-7-sonnet`, `claude-sonnet-4.5`.
  const [, major, minor = "0"] =
    /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/i.exec(model) ?? [];
  if (major === undefined) return "adaptive";
  const version = Number(major) * 100 + Number(minor);
  if (version >= 406) return "adaptive";
  return version >= 307 ? "budget" : "none";
}

/** Of the models that think within a budget only Opus 4.5 takes `effort` as well. */
const takesEffort = (model: string): boolean =>
  thinkingOf(model) === "adaptive" || /claude-opus-4[-.]5/i.test(model);

/**
 * Tokens of thinking by effort, for models that want a number. The API takes 1,024 and more, and
 * above 32,000 its documentation advises against streaming.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
const budgets = { low: 4_096, medium: 12_288, high: 32_000 };
const BUDGET_MIN = 1_024;

function thinkingFor(
  kind: Thinking,
  given: { request: ModelRequest; turns: readonly WireTurn[]; tokensMax: number },
): object | undefined {
  const { request, turns, tokensMax } = given;
  // Shown as a summary: since 4.7 it would come without its text, which reads as a long silence.
  if (kind === "adaptive") return { type: "adaptive", display: "summarized" };
  if (kind === "none" || request.effort === undefined || !mayThink(turns)) return undefined;
  // Thinking counts as output: half of it is left for the answer.
  const budget = Math.min(budgets[request.effort], Math.floor(tokensMax / 2));
  return budget < BUDGET_MIN ? undefined : { type: "enabled", budget_tokens: budget };
}

/**
 * With a budget, "a final `assistant` message must start with a thinking block (preceeding the
 * lastmost set of `tool_use` and `tool_result` blocks)": where the calls that are being answered
 * were another model's, this request goes without. https://github.com/anomalyco/opencode/issues/3077
 */
function mayThink(turns: readonly WireTurn[]): boolean {
  const begin = turns.findLastIndex(({ role, blocks }) => role === "user" && !isResult(blocks[0]));
  const answer = turns[begin + 1];
  return answer === undefined || isThinking(answer.blocks[0]);
}
