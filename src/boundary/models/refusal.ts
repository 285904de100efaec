// What an error of a provider means: a complete table from HTTP status, error code and words to one
// failure and one stop. Every provider words these differently, and a retry of the wrong one costs
// money or kills the session, so unknown ones are told as they are and never retried on a guess.
import { type Failure, type FailureCode, fail } from "#core/failure.ts";
import {
  type Fields,
  fieldsOf,
  isObject,
  listOf,
  numberAt,
  parsed,
  textAt,
} from "#core/model/json.ts";
import type { Stop } from "#core/model/message.ts";

export type Refusal = { failure: Failure; stop: Stop; retryAfterMs?: number };

/** Who refused what, for the words of a failure. */
export type Asked = { who: string; model: string; host: string; secrets: readonly string[] };

/** Most of an error's text that is shown, in characters. */
const MESSAGE_CHARS_MAX = 600;

type Meaning = { code: FailureCode; stop?: Stop };

/** Statuses by meaning; 4xx not named here are `rejected`, 5xx `overloaded`, 3xx a wrong URL. */
const byStatus: Record<number, Meaning> = {
  401: { code: "unauthorised" },
  402: { code: "quota" },
  403: { code: "unauthorised" },
  404: { code: "not_found" },
  407: { code: "unauthorised" },
  408: { code: "overloaded" },
  409: { code: "overloaded" },
  413: { code: "too_large", stop: "overflow" },
  425: { code: "overloaded" },
  429: { code: "rate_limited" },
  501: { code: "rejected" },
  505: { code: "rejected" },
};

/**
 * Error codes and types by meaning. Sources: OpenAI's error guide and `ResponseError.code` of its
 * types; `exceed_context_size_error` llama.cpp; `ErrorType` and the `error_code`s of Anthropic's
 * types, which several compatible servers pass through.
 */
const byWord = new Map<string, Meaning>(
  Object.entries({
    context_length_exceeded: { code: "overflow", stop: "overflow" },
    exceed_context_size_error: { code: "overflow", stop: "overflow" },
    insufficient_quota: { code: "quota" },
    billing_hard_limit_reached: { code: "quota" },
    billing_not_active: { code: "quota" },
    billing_error: { code: "quota" },
    rate_limit_exceeded: { code: "rate_limited" },
    rate_limit_error: { code: "rate_limited" },
    invalid_api_key: { code: "unauthorised" },
    authentication_error: { code: "unauthorised" },
    permission_error: { code: "unauthorised" },
    permission_denied: { code: "unauthorised" },
    account_deactivated: { code: "unauthorised" },
    unsupported_country_region_territory: { code: "unauthorised" },
    model_not_found: { code: "not_found" },
    server_error: { code: "overloaded" },
    internal_error: { code: "overloaded" },
    internal_server_error: { code: "overloaded" },
    overloaded_error: { code: "overloaded" },
    engine_overloaded: { code: "overloaded" },
    server_is_overloaded: { code: "overloaded" },
    slow_down: { code: "overloaded" },
    service_unavailable: { code: "overloaded" },
    invalid_prompt: { code: "rejected", stop: "filtered" },
    content_filter: { code: "rejected", stop: "filtered" },
    content_policy_violation: { code: "rejected", stop: "filtered" },
    image_content_policy_violation: { code: "rejected", stop: "filtered" },
    bio_policy: { code: "rejected", stop: "filtered" },
    misalignment_policy_violation: { code: "rejected", stop: "filtered" },
    not_found_error: { code: "not_found" },
    request_too_large: { code: "too_large", stop: "overflow" },
    request_body_too_large_after_decoding: { code: "too_large", stop: "overflow" },
    api_error: { code: "overloaded" },
    timeout_error: { code: "overloaded" },
    enforced_spend_limit_reached: { code: "quota" },
    contract_spend_limit_reached: { code: "quota" },
    linked_organization_spend_limit_reached: { code: "quota" },
    linked_organization_billing_unavailable: { code: "quota" },
    ramp_limit_exceeded: { code: "rate_limited" },
  } as const satisfies Record<string, Meaning>),
);

/** How providers word "the request does not fit": OpenAI, Anthropic, vLLM, llama.cpp, LM Studio. */
const OVERFLOW =
  /context[ _]?(length|window|size)|exceed context limit|maximum (model|prompt) length|prompt is too long|input is too long|too many (input )?tokens|reduce the length|exceeds? the (available |model'?s? )?context|context (the )?overflow/i;
/** … and "your money is used up", under a status that otherwise means "slow down". */
const QUOTA = /quota|billing|spend(ing)? limit|credit balance|insufficient (balance|credit|funds)/i;
/** … and under 400, as Anthropic says it: https://github.com/anthropics/claude-code/issues/66314 */
const SPENT = /credit balance is too low|reached your specified (workspace )?api usage limits/i;
/** "Output blocked by content filtering policy": https://github.com/anthropics/claude-code/issues/58367 */
const FILTERED = /blocked by content filtering/i;
/** A server that wants a moment: tells a per-minute "quota" from a used-up one. */
const PER_TIME = /per[ -](second|minute|hour|day)|try again in|retry in/i;

/** Codes inside a stream that say the request was at fault: `ResponseError.code` of the types. */
const FAULTY = /^(invalid_|unsupported_|image_|empty_image|failed_to_download)/;

/** Meaning of a response whose status is not 2xx. `nowMs` is wall time, for HTTP dates. */
export function refusalOf(
  answer: { status: number; headers: NodeJS.Dict<string | string[]>; body: string; nowMs: number },
  asked: Asked,
): Refusal {
  const error = errorIn(parsed(answer.body)) ?? { message: htmlFree(answer.body) };
  const { status, headers, nowMs } = answer;
  const resetMs = status === 429 ? resetAfterOf(headers, nowMs) : undefined;
  const retryAfterMs = retryAfterOf(headers, nowMs) ?? resetMs;
  if (status >= 300 && status < 400) {
    const to = String(headers.location ?? "elsewhere");
    const say = `${asked.who} redirects to ${shown(to, asked)}, which is not followed`;
    return {
      failure: fail("rejected", say, { fix: "correct its base URL" }).error,
      stop: "broken",
    };
  }
  const refusal = refusalFrom(error, status, asked);
  return retryAfterMs === undefined ? refusal : { ...refusal, retryAfterMs };
}

/** Meaning of an error that came inside a stream that had begun well. */
export function streamedRefusal(error: unknown, asked: Asked): Refusal {
  const fields = errorIn({ error }) ?? {};
  // OpenRouter and others put the HTTP status into `code`.
  return refusalFrom(fields, numberAt(fields, "code") ?? 500, asked);
}

function refusalFrom(error: Fields, status: number, asked: Asked): Refusal {
  const message = shown(textAt(error, "message") ?? "", asked);
  const { code, stop = "broken" } = meaningOf(error, message, status);
  const say = sayings(asked, message, status)[code] ?? `${asked.who} refused the request`;
  const words = message && !say.includes(message) ? `${say}: ${message}` : say;
  const detail = { status, code: textAt(error, "code"), type: textAt(error, "type") };
  return { failure: fail(code, words, { fix: fixOf(code, asked), detail }).error, stop };
}

function meaningOf(error: Fields, message: string, status: number): Meaning {
  const word = wordsOf(error)
    .map((name) => (name === undefined ? undefined : byWord.get(name.toLowerCase())))
    .find((meaning) => meaning !== undefined);
  if (word?.stop === "overflow" || word?.code === "quota") return word;
  if (FILTERED.test(message)) return { code: "rejected", stop: "filtered" };
  if (status === 400 && SPENT.test(message)) return { code: "quota" };
  const mayOverflow = [400, 413, 422, 500].includes(status);
  if (mayOverflow && OVERFLOW.test(message)) return { code: "overflow", stop: "overflow" };
  if ((status === 429 || status === 403) && QUOTA.test(message) && !PER_TIME.test(message)) {
    return { code: "quota" };
  }
  // Google's compatible endpoint answers 400 to a wrong key.
  if (status === 400 && /api key not valid/i.test(message)) return { code: "unauthorised" };
  const ofStatus = byStatus[status];
  if (ofStatus) return ofStatus;
  if (word) return word;
  const name = textAt(error, "code") ?? textAt(error, "type") ?? "";
  if (FAULTY.test(name)) return { code: "rejected" };
  return { code: status >= 500 ? "overloaded" : "rejected" };
}

/** What an error calls itself, the most exact name first. */
const wordsOf = (error: Fields): (string | undefined)[] => [
  textAt(fieldsOf(error.details), "error_code"),
  textAt(error, "code"),
  textAt(error, "type"),
];

const sayings = (
  asked: Asked,
  message: string,
  status: number,
): Partial<Record<FailureCode, string>> => ({
  unauthorised: `${asked.who} refused the key (${status})`,
  not_found: `${asked.who} does not know the model ${asked.model}, or the path (${status})`,
  rate_limited: `${asked.who} asks to slow down (${status})`,
  quota: `the account at ${asked.who} is used up (${status})`,
  overloaded: `${asked.who} is failing or overloaded (${status})`,
  too_large: `the request is too large for ${asked.who} (${status})`,
  overflow: `the request does not fit the context window of ${asked.model}`,
  rejected: `${asked.who} rejected the request (${status})${message ? "" : " without a reason"}`,
});

function fixOf(code: FailureCode, asked: Asked): string | undefined {
  switch (code) {
    case "unauthorised":
      return `check the key for ${asked.host} and what it may use`;
    case "not_found":
      return "check the model's name and the base URL";
    case "quota":
      return "check the plan and billing of the account; asking again does not help";
    case "too_large":
    case "overflow":
      return "shorten the session (compact it) or take out large attachments";
    default:
      return undefined;
  }
}

/** The error object of the forms in use: `{error:{…}}`, `{error:"…"}`, `[{error}]`, `{message}`, `{detail}`. */
function errorIn(json: unknown): Fields | undefined {
  const top = fieldsOf(Array.isArray(json) ? listOf(json)[0] : json);
  const { error, detail } = top;
  if (isObject(error)) return error;
  if (typeof error === "string") return { message: error };
  if (typeof top.message === "string") return top;
  if (typeof detail === "string") return { message: detail };
  if (detail !== undefined) return { message: JSON.stringify(detail) };
  return undefined;
}

/** `retry-after-ms` (OpenAI, Azure), else `retry-after` in seconds or as an HTTP date; ms ≥ 0. */
export function retryAfterOf(
  headers: NodeJS.Dict<string | string[]>,
  nowMs: number,
): number | undefined {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const ms = decimal(headers[name]);
    if (ms !== undefined) return ms;
  }
  const value = headers["retry-after"];
  const seconds = decimal(value);
  if (seconds !== undefined) return seconds * 1_000;
  // Only the full form of a date: Date.parse takes "-5" for one.
  if (typeof value !== "string" || !/^[A-Z][a-z]{2},/.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Anthropic's limits, each with what remains and when it is full again. */
const LIMITS = ["requests", "tokens", "input-tokens", "output-tokens"];

/**
 * When a limit that is used up is lifted, where `retry-after` does not say: the time of a plan's
 * window (seconds since 1970), else the last of the limits of which nothing remains (RFC 3339).
 * https://platform.claude.com/docs/en/api/rate-limits and
 * https://github.com/lidge-jun/opencodex/pull/3809
 */
function resetAfterOf(headers: NodeJS.Dict<string | string[]>, nowMs: number): number | undefined {
  const seconds = decimal(headers["anthropic-ratelimit-unified-reset"]);
  const times = LIMITS.flatMap((limit) => {
    const named = `anthropic-ratelimit-${limit}`;
    const at = Date.parse(String(headers[`${named}-reset`] ?? ""));
    return headers[`${named}-remaining`] === "0" && !Number.isNaN(at) ? [at] : [];
  });
  const at = seconds === undefined ? Math.max(...times) : seconds * 1_000;
  return Number.isFinite(at) ? Math.max(0, at - nowMs) : undefined;
}

function decimal(value: string | string[] | undefined): number | undefined {
  return typeof value === "string" && /^\s*\d{1,12}(\.\d+)?\s*$/.test(value)
    ? Number(value)
    : undefined;
}

/** The words of a page: its title where it has one, else its text without tags. */
function htmlFree(body: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(body)?.[1];
  return (title ?? body).replace(/<[^>]*>?/g, " ");
}

/** A foreign text, fit for a terminal, a page and a log: one line, bounded, no secrets, no controls. */
export function shown(text: string, asked: Pick<Asked, "secrets">): string {
  let clean = text;
  for (const secret of asked.secrets) {
    if (secret.length > 0) clean = clean.replaceAll(secret, "[key]");
  }
  clean = clean
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/[<>]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > MESSAGE_CHARS_MAX ? `${clean.slice(0, MESSAGE_CHARS_MAX)}…` : clean;
}
