// Ollama's own API, `POST /api/chat`. Unlike its OpenAI-compatible one it takes the size of the
// window with each request, and that is what it is here for: Ollama cuts a conversation that does
// not fit its window (4,096 tokens by default on most machines) without a word. So each request
// asks for a window that it fits, forbids the cutting, and ends as `overflow` before it is sent
// where even the model's whole window is too small.
// The wire is from `api/types.go` and `docs/` of github.com/ollama/ollama at v0.33.
import { answerOf } from "#boundary/models/answer.ts";
import { bodyOf, jsonOf } from "#boundary/models/body.ts";
import { ndjsonReader } from "#boundary/models/ndjson.ts";
import { ollamaDecoder } from "#boundary/models/ollama-answer.ts";
import { messageTexts } from "#boundary/models/ollama-messages.ts";
import { askedOf, askOf, type Endpoint } from "#boundary/models/openai-wire.ts";
import type { ModelEnd, ModelPort, ModelRequest, WireRequest } from "#boundary/models/port.ts";
import { fail } from "#core/failure.ts";
import { fieldsOf, numberAt, parsed, valueText } from "#core/model/json.ts";
import { noUsage, type ToolSpec } from "#core/model/message.ts";
import { requestTokensLikely } from "#core/model/tokens.ts";

/**
 * The smallest window asked for, in tokens; larger ones double it. Each change of the window makes
 * Ollama load the model anew (`needsReload` in `server/sched.go`) and read the whole conversation
 * again, so a session of 100,000 tokens changes it three times.
 */
const STEP_TOKENS = 16_384;
/** Room for the answer where the request sets no limit, in tokens. */
const ANSWER_TOKENS = 4_096;
/** With less room than this for an answer a request does not fit. Tokens. */
const ANSWER_TOKENS_MIN = 512;
/** No window is asked for beyond this, in tokens; Ollama keeps to the model's own below it. */
const WINDOW_TOKENS_MAX = STEP_TOKENS * 2 ** 10;

/** `baseUrl` is the server's root: the adapter adds `/api/chat`. */
export function ollama(endpoint: Endpoint): ModelPort {
  return {
    name: `${endpoint.provider}/native`,
    encode,
    async *call(wire, { model, signal, deadlines }) {
      const over = signal.aborted ? undefined : overflowOf(wire.body, model);
      if (over) return yield over;
      const asked = askedOf(endpoint, model);
      const ask = askOf(endpoint, wire);
      const headers = { ...ask.headers, accept: "application/x-ndjson" };
      const decoder = ollamaDecoder(wire.body, asked);
      const options = { asked, reader: ndjsonReader, signal, deadlines };
      yield* answerOf({ ...ask, headers }, decoder, options);
    },
  };
}

function encode(request: ModelRequest): WireRequest {
  const { facts = {}, outputTokensMax } = request;
  // The order of these keys is part of the log: what changes least comes first, then `messages`.
  const head: Record<string, unknown> = {
    model: request.model,
    stream: true,
    // Ollama answers 400 to `think` where the model does not think.
    think: facts.thinking ? request.effort : undefined,
    // Since 0.12.6; older versions ignore both. Without `truncate` a conversation that does not fit
    // is an error, without `shift` an answer that fills the window ends as `length`.
    truncate: false,
    shift: false,
    tools: request.tools.length > 0 ? request.tools.map(toolOf) : undefined,
  };
  const content = bodyOf(head, "messages", messageTexts(request));
  const options = jsonOf({
    num_ctx: windowFor(requestTokensLikely(content), request),
    num_predict: outputTokensMax,
  });
  // Behind the messages: the window grows with the session, and what is before it only grows.
  return { path: "/api/chat", body: `${content.slice(0, -1)},"options":${options}}` };
}

const toolOf = (tool: ToolSpec) => ({
  type: "function",
  function: { name: tool.name, description: tool.about, parameters: tool.schema },
});

/** The window to ask for: what is loaded where that is enough, else a step, never beyond its own. */
function windowFor(tokens: number, { facts = {}, outputTokensMax }: ModelRequest): number {
  const { windowTokens = WINDOW_TOKENS_MAX, loadedTokens = 0 } = facts;
  const wanted = tokens + (outputTokensMax ?? ANSWER_TOKENS);
  let step = STEP_TOKENS;
  while (step < wanted && step < WINDOW_TOKENS_MAX) step *= 2;
  return Math.min(loadedTokens >= wanted ? loadedTokens : step, windowTokens);
}

/** A body without the settings that follow its size: what only grows from request to request. */
export function contentOf(body: string): string {
  const options = valueText(body, "options");
  return options === undefined ? body : `${body.slice(0, -`,"options":${options}}`.length)}}`;
}

/** The end of a call whose request cannot fit the window that it asks for. */
function overflowOf(body: string, model: string): ModelEnd | undefined {
  const tokens = requestTokensLikely(contentOf(body));
  const options = fieldsOf(parsed(valueText(body, "options") ?? ""));
  const window = numberAt(options, "num_ctx") ?? WINDOW_TOKENS_MAX;
  if (tokens + ANSWER_TOKENS_MIN <= window) return undefined;
  const say = `the request has about ${tokens} tokens, and the window of ${model} is ${window}`;
  const fix = "shorten the session (compact it), or choose a model with a larger window";
  const { error: failure } = fail("overflow", say, { fix, detail: { tokens, window } });
  return { type: "end", stop: "overflow", parts: [], usage: noUsage, failure };
}
