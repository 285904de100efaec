// How much may be asked of a model in a minute: a token bucket for requests and one for tokens, as a
// pure reducer. What a call will need is taken beforehand and settled by its usage; a caller that
// has to wait has taken already, so that many waiters are let through one after the other.

/** Allowances for each minute; what is left out is unlimited. */
export type Rate = { requestsPerMinute?: number; tokensPerMinute?: number };

/** What is left of a minute's allowance. Below zero: what has been promised to waiters. */
export type Bucket = {
  requests: number;
  tokens: number;
  atMs: number;
  /** The other end asked for silence until then. */
  blockedUntilMs: number;
};

const MINUTE_MS = 60_000;

/** Characters of JSON for a token, about: it only says how long to wait, the usage says the truth. */
const CHARS_PER_TOKEN = 4;

/** What is taken for a request before anybody counted it. */
export const tokensAbout = (body: string): number => Math.ceil(body.length / CHARS_PER_TOKEN);

/** A whole minute's allowance: nobody has asked anything yet. */
export const bucketFull = (rate: Rate, nowMs: number): Bucket => ({
  requests: rate.requestsPerMinute ?? 0,
  tokens: rate.tokensPerMinute ?? 0,
  atMs: nowMs,
  blockedUntilMs: 0,
});

/** The same bucket later: it fills evenly, up to one minute's allowance. */
function filled(bucket: Bucket, rate: Rate, nowMs: number): Bucket {
  const passedMs = Math.max(0, nowMs - bucket.atMs);
  const more = (have: number, perMinute = 0) =>
    Math.min(perMinute, have + (perMinute * passedMs) / MINUTE_MS);
  return {
    ...bucket,
    requests: more(bucket.requests, rate.requestsPerMinute),
    tokens: more(bucket.tokens, rate.tokensPerMinute),
    atMs: Math.max(nowMs, bucket.atMs),
  };
}

/** A request larger than a minute's allowance goes when the bucket is full. */
const asked = (tokens: number, rate: Rate): number =>
  Math.min(tokens, rate.tokensPerMinute ?? tokens);

/** How long a request of this many tokens would wait now. Milliseconds. */
export function waitFor(
  bucket: Bucket,
  rate: Rate,
  need: { tokens: number; nowMs: number },
): number {
  const now = filled(bucket, rate, need.nowMs);
  const until = (have: number, wanted: number, perMinute?: number) =>
    perMinute === undefined ? 0 : (Math.max(0, wanted - have) * MINUTE_MS) / perMinute;
  const waitMs = Math.max(
    blockedFor(bucket, need.nowMs),
    until(now.requests, 1, rate.requestsPerMinute),
    until(now.tokens, asked(need.tokens, rate), rate.tokensPerMinute),
  );
  // What a sum of parts is short of by rounding is no wait.
  return Math.max(0, Math.ceil(waitMs - 1e-6));
}

/** Takes what a request needs; `waitFor` said before how long it has to wait for that. */
export function reserve(
  bucket: Bucket,
  rate: Rate,
  need: { tokens: number; nowMs: number },
): Bucket {
  const now = filled(bucket, rate, need.nowMs);
  return { ...now, requests: now.requests - 1, tokens: now.tokens - asked(need.tokens, rate) };
}

/** Replaces what was taken by what was used. Nothing used gives all of it back. */
export function settle(
  bucket: Bucket,
  rate: Rate,
  call: { reserved: number; used: number | "nothing"; nowMs: number },
): Bucket {
  const now = filled(bucket, rate, call.nowMs);
  const { reserved, used } = call;
  const requests = used === "nothing" ? now.requests + 1 : now.requests;
  const tokens = now.tokens + asked(reserved, rate) - (used === "nothing" ? 0 : used);
  return {
    ...now,
    requests: Math.min(rate.requestsPerMinute ?? 0, requests),
    tokens: Math.min(rate.tokensPerMinute ?? 0, tokens),
  };
}

/** The other end asked to wait: nobody asks it again before. */
export const blocked = (bucket: Bucket, nowMs: number, forMs: number): Bucket => ({
  ...bucket,
  blockedUntilMs: Math.max(bucket.blockedUntilMs, nowMs + forMs),
});

/** How much longer the other end asked for silence. Milliseconds. */
export const blockedFor = (bucket: Bucket, nowMs: number): number =>
  Math.max(0, bucket.blockedUntilMs - nowMs);

/** Requests and tokens that may be asked at once, for people; undefined where there is no limit. */
export function left(bucket: Bucket, rate: Rate, nowMs: number) {
  const now = filled(bucket, rate, nowMs);
  const whole = (n: number) => Math.max(0, Math.floor(n));
  return {
    requests: rate.requestsPerMinute === undefined ? undefined : whole(now.requests),
    tokens: rate.tokensPerMinute === undefined ? undefined : whole(now.tokens),
    blockedForMs: blockedFor(bucket, nowMs),
  };
}
