// How the providers say a failure of ours: status, body, and how long to wait.
import type { Failure, FailureCode } from "#core/failure.ts";

export type ErrorAnswer = { status: number; headers: Record<string, string>; body: object };

export type Errors = {
  of(failure: Pick<Failure, "code" | "say"> & { retryAfterMs?: number }): ErrorAnswer;
  /** The body that a malformed request is answered with. */
  malformed(message: string): object;
  /** The last event of a stream that fails; left out where the server sends none. */
  event?(body: object): string;
};

/** OpenAI: status and `error.code`. */
const statuses: Partial<Record<FailureCode, [status: number, code: string | null]>> = {
  rate_limited: [429, "rate_limit_exceeded"],
  quota: [429, "insufficient_quota"],
  unauthorised: [401, "invalid_api_key"],
  not_found: [404, "model_not_found"],
  overflow: [400, "context_length_exceeded"],
  too_large: [413, null],
  overloaded: [503, "server_error"],
  rejected: [400, null],
};

/** Anthropic: status and `error.type`, of `ErrorType` in its types and of its guide on errors. */
const types: Partial<Record<FailureCode, [status: number, type: string]>> = {
  rate_limited: [429, "rate_limit_error"],
  quota: [402, "billing_error"],
  unauthorised: [401, "authentication_error"],
  not_found: [404, "not_found_error"],
  overflow: [400, "invalid_request_error"],
  too_large: [413, "request_too_large"],
  overloaded: [529, "overloaded_error"],
  rejected: [400, "invalid_request_error"],
};

type Body = (message: string, code: string | null) => object;

const withStatuses = (body: Body): Errors => ({
  of({ code, say, retryAfterMs }) {
    const [status, named] = statuses[code] ?? [418, null];
    return { status, headers: waiting("retry-after-ms", retryAfterMs), body: body(say, named) };
  },
  malformed: (message) => body(message, null),
});

export const openAiErrors = withStatuses((message, code) => ({
  error: { message, type: "invalid_request_error", param: null, code },
}));

/** `gin.H{"error": …}` throughout `server/routes.go`. */
export const ollamaErrors = withStatuses((message) => ({ error: message }));

export const anthropicErrors: Errors = {
  of({ code, say, retryAfterMs }) {
    const [status, type] = types[code] ?? [418, "invalid_request_error"];
    const tooLong = code === "overflow" ? "prompt is too long: 9 tokens > 8 maximum; " : "";
    const seconds = retryAfterMs === undefined ? undefined : retryAfterMs / 1_000;
    const headers = waiting("retry-after", seconds);
    return { status, headers, body: anthropicError(`${tooLong}${say}`, type) };
  },
  malformed: (message) => anthropicError(message, "invalid_request_error"),
  event: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
};

const anthropicError = (message: string, type: string): object => ({
  type: "error",
  error: { type, message, details: null },
  request_id: "req_stub",
});

const waiting = (name: string, wait: number | undefined): Record<string, string> =>
  wait === undefined ? {} : { [name]: String(wait) };
