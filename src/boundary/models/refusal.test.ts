// What providers' errors mean: one code each, the right stop, and words fit to be shown.
import { describe, expect, it } from "vitest";
import { refusalOf, retryAfterOf, shown, streamedRefusal } from "#boundary/models/refusal.ts";

const asked = {
  who: "openai",
  model: "gpt-5",
  host: "api.openai.com",
  secrets: ["sk-secret-0123456789"],
};

const meaning = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { failure, stop } = refusalOf({ status, headers, body: text, nowMs: 0 }, asked);
  return `${failure.code} ${stop}`;
};

const error = (message: string, code: string | null = null, type = "invalid_request_error") => ({
  error: { message, code, type, param: null },
});

const anthropic = (message: string, type = "invalid_request_error", error_code?: string) => ({
  type: "error",
  error: { type, message, details: error_code ? { error_code } : null },
  request_id: "req_1",
});

describe("an error response", () => {
  const table: [status: number, body: unknown, means: string][] = [
    [400, error("Unknown parameter: 'x'."), "rejected broken"],
    [400, error("too long", "context_length_exceeded"), "overflow overflow"],
    [400, error("This model's maximum context length is 8192 tokens."), "overflow overflow"],
    [400, error("prompt is too long: 210000 tokens > 200000 maximum"), "overflow overflow"],
    [
      400,
      { error: { code: 400, message: "x", type: "exceed_context_size_error", n_ctx: 4096 } },
      "overflow overflow",
    ],
    [400, error("max_tokens is too large: 100000. It supports at most 16384"), "rejected broken"],
    [400, error("flagged", "content_policy_violation"), "rejected filtered"],
    [400, [{ error: { code: 400, message: "API key not valid." } }], "unauthorised broken"],
    [401, error("Incorrect API key provided", "invalid_api_key"), "unauthorised broken"],
    [402, error("Insufficient Balance"), "quota broken"],
    [
      403,
      error("Country not supported", "unsupported_country_region_territory"),
      "unauthorised broken",
    ],
    [403, error("Your monthly spend limit is reached"), "quota broken"],
    [404, error("The model does not exist", "model_not_found"), "not_found broken"],
    [404, "404 page not found", "not_found broken"],
    [408, "", "overloaded broken"],
    [413, "Request Entity Too Large", "too_large overflow"],
    [422, { detail: [{ loc: ["body"], msg: "bad" }] }, "rejected broken"],
    [429, error("Rate limit reached", "rate_limit_exceeded", "requests"), "rate_limited broken"],
    [429, error("You exceeded your current quota", "insufficient_quota"), "quota broken"],
    [429, error("Organization spend limit reached"), "quota broken"],
    [429, error("Quota exceeded: 10 requests per minute, try again in 6s"), "rate_limited broken"],
    [429, "", "rate_limited broken"],
    [500, error("The server had an error", null, "server_error"), "overloaded broken"],
    [500, "Internal Server Error", "overloaded broken"],
    [501, "", "rejected broken"],
    [502, "<html><title>502 Bad Gateway</title></html>", "overloaded broken"],
    [503, { message: "no healthy upstream" }, "overloaded broken"],
    [504, "", "overloaded broken"],
    [529, error("Overloaded", null, "overloaded_error"), "overloaded broken"],
    [418, error("", "constructor", "__proto__"), "rejected broken"],
    [400, anthropic("Your credit balance is too low to access the Anthropic API."), "quota broken"],
    [400, anthropic("You have reached your specified API usage limits."), "quota broken"],
    [400, anthropic("messages: text content blocks must be non-empty"), "rejected broken"],
    [
      400,
      anthropic("input length and `max_tokens` exceed context limit: 190000 + 21000 > 200000"),
      "overflow overflow",
    ],
    [400, anthropic("Output blocked by content filtering policy"), "rejected filtered"],
    [402, anthropic("x", "billing_error"), "quota broken"],
    [403, anthropic("x", "permission_error"), "unauthorised broken"],
    [404, anthropic("model: claude-x", "not_found_error"), "not_found broken"],
    [413, anthropic("Request exceeds the maximum size", "request_too_large"), "too_large overflow"],
    [
      429,
      anthropic("This request would exceed your account's rate limit.", "rate_limit_error"),
      "rate_limited broken",
    ],
    [429, anthropic("x", "rate_limit_error", "enforced_spend_limit_reached"), "quota broken"],
    [429, anthropic("x", "rate_limit_error", "ramp_limit_exceeded"), "rate_limited broken"],
    [500, anthropic("Internal server error", "api_error"), "overloaded broken"],
    [504, anthropic("x", "timeout_error"), "overloaded broken"],
    [529, anthropic("Overloaded", "overloaded_error"), "overloaded broken"],
  ];
  it.each(table)("%i %j means %s", (status, body, means) => {
    expect(meaning(status, body)).toBe(means);
  });

  it("says who, what and why, and what to do", () => {
    const body = JSON.stringify(
      error("Incorrect API key: sk-secret-0123456789", "invalid_api_key"),
    );
    const { failure } = refusalOf({ status: 401, headers: {}, body, nowMs: 0 }, asked);
    expect(failure.say).toBe("openai refused the key (401): Incorrect API key: [key]");
    expect(failure.fix).toBe("check the key for api.openai.com and what it may use");
  });

  it("that redirects is not followed, and says where it points", () => {
    const headers = { location: "https://elsewhere.example/v1" };
    const { failure } = refusalOf({ status: 308, headers, body: "", nowMs: 0 }, asked);
    expect(failure.say).toContain("redirects to https://elsewhere.example/v1");
  });

  it("is shown in one bounded line without tags, controls and bidi tricks", () => {
    const page = `<html><script>alert(1)</script>\u001b[31mred\u202e ${"x".repeat(5_000)}`;
    const { failure } = refusalOf({ status: 500, headers: {}, body: page, nowMs: 0 }, asked);
    expect(failure.say.length).toBeLessThan(800);
    expect(failure.say).not.toMatch(/[<>\p{Cc}\p{Cf}\n]/u);
    expect(shown("a\r\n\u0007b\u2028c", { secrets: [] })).toBe("a b c");
  });
});

describe("an error inside a stream", () => {
  const table: [error: unknown, means: string][] = [
    [{ code: "server_error", message: "x" }, "overloaded broken"],
    [{ code: "rate_limit_exceeded", message: "x" }, "rate_limited broken"],
    [{ code: "context_length_exceeded", message: "x" }, "overflow overflow"],
    [{ code: "insufficient_quota", message: "x" }, "quota broken"],
    [{ code: "bio_policy", message: "x" }, "rejected filtered"],
    [{ code: "invalid_image", message: "x" }, "rejected broken"],
    [{ code: 429, message: "slow" }, "rate_limited broken"],
    [{ code: 502, message: "Provider returned error" }, "overloaded broken"],
    [{ type: "overloaded_error", message: "Overloaded" }, "overloaded broken"],
    [{ type: "api_error", message: "x" }, "overloaded broken"],
    [{ type: "rate_limit_error", message: "x" }, "rate_limited broken"],
    [
      { type: "invalid_request_error", message: "Output blocked by content filtering policy" },
      "rejected filtered",
    ],
    ["it broke", "overloaded broken"],
    [{}, "overloaded broken"],
  ];
  it.each(table)("%j means %s", (value, means) => {
    const { failure, stop } = streamedRefusal(value, asked);
    expect(`${failure.code} ${stop}`).toBe(means);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
  const table: [headers: Record<string, string>, ms: number | undefined][] = [
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "86400" }, 86_400_000],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT" }, 30_000],
    [{ "retry-after": "Wed, 21 Oct 2026 07:00:00 GMT" }, 0],
    [{ "retry-after-ms": "1200", "retry-after": "2" }, 1_200],
    [{ "x-ms-retry-after-ms": "300" }, 300],
    [{ "retry-after-ms": "-1", "retry-after": "3" }, 3_000],
    [{}, undefined],
  ];
  it.each(table)("%j is %s ms", (headers, ms) => {
    expect(retryAfterOf(headers, now)).toBe(ms);
  });

  it("is read off Anthropic's limits where it is missing, and only when they refuse", () => {
    const wait = (status: number, headers: Record<string, string>) =>
      refusalOf({ status, headers, body: "", nowMs: now }, asked).retryAfterMs;
    const used = {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2026-10-21T07:28:05Z",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-10-21T07:28:20Z",
      "anthropic-ratelimit-output-tokens-remaining": "900",
      "anthropic-ratelimit-output-tokens-reset": "2026-10-21T07:29:00Z",
    };
    expect(wait(429, used)).toBe(20_000);
    expect(wait(429, { ...used, "retry-after": "3" })).toBe(3_000);
    expect(wait(529, used)).toBeUndefined();
    const plan = { "anthropic-ratelimit-unified-reset": String(now / 1_000 + 3_600) };
    expect(wait(429, { ...used, ...plan })).toBe(3_600_000);
    const full = { ...used, "anthropic-ratelimit-input-tokens-reset": "soon" };
    expect(wait(429, full)).toBe(5_000);
    expect(wait(429, {})).toBeUndefined();
  });
});
