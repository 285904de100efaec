// The one way to a model: stands between the runner and a model's ports, one for each key. It leaves
// a failing endpoint alone for a while, keeps to the rates, and gives each call the first key that
// can take it. A call makes at most one attempt; whether and when another is made, the turn runner
// asks of `core/backoff.ts` and logs. What it knows lives in this process, by port, model and key.
import type { Way as WayState } from "#app";
import { type Clock, systemClock } from "#boundary/models/deadlines.ts";
import type {
  CallOptions,
  ModelEnd,
  ModelItem,
  ModelPort,
  WireRequest,
} from "#boundary/models/port.ts";
import { HERD_MS, WAIT_MS_MAX } from "#core/backoff.ts";
import {
  type Breaker,
  type BreakerEvent,
  breakerClosed,
  evolveBreaker,
  letsThrough,
} from "#core/breaker.ts";
import { type FailureCode, fail } from "#core/failure.ts";
import {
  type Bucket,
  blocked,
  blockedFor,
  bucketFull,
  left,
  type Rate,
  reserve,
  settle,
  tokensAbout,
  waitFor,
} from "#core/model/limits.ts";
import { noUsage } from "#core/model/message.ts";

/** Endpoints remembered at most; the one used longest ago is forgotten first. */
const ENDPOINTS_MAX = 1_000;
/**
 * The longest that a call waits because the other end asked for silence; beyond that it is refused,
 * with how long. For a rate that the user set it waits as long as a whole call may take.
 * Milliseconds.
 */
const SILENCE_MS_MAX = WAIT_MS_MAX;
/** How long a refused or used-up key is left alone where another one is there. Milliseconds. */
export const KEY_REST_MS = 300_000;

/** A way to a model: a port with one key. `account` tells keys apart and is no secret. */
export type Way = { port: ModelPort; account: string };

export type Gateway = {
  /**
   * One port over all ways. What is sent may depend on the key (sealed reasoning belongs to one
   * account), so the way is chosen when a request is encoded, and the request goes no other.
   */
  through(ways: readonly [Way, ...Way[]], rate?: Rate): ModelPort;
  /** How each way to a model is, for people and for routes; empty where it was never asked. */
  health(model: string, ways: readonly Way[], rate?: Rate): readonly WayState[];
};

export type GatewayOptions = {
  clock?: Pick<Clock, "nowMs">;
  random?: () => number;
  /** Waits; ends early, and all the same, when the signal does. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** What is known of one way: its breaker, its rate, the rest of its key, its calls under way. */
type Endpoint = {
  breaker: Breaker;
  bucket: Bucket;
  restUntilMs: number;
  why: string;
  open: number;
};

/** Failures that tell that the endpoint is unwell; any other answer shows that it is there. */
const unwell: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "overloaded",
  "timeout",
  "unreachable",
  "broken",
]);

/** Ends that tell nothing about the endpoint. */
const untold: ReadonlySet<FailureCode> = new Set<FailureCode>(["cancelled", "closed"]);

/** Failures of a key, which say nothing of the other ones. */
const ofTheKey: ReadonlySet<FailureCode> = new Set<FailureCode>(["unauthorised", "quota"]);

/** Failures after which another key may do better. */
const otherKeyHelps: ReadonlySet<FailureCode> = new Set([...unwell, ...ofTheKey, "rate_limited"]);

export function gateway(options: GatewayOptions = {}): Gateway {
  const { clock = systemClock, random = Math.random, sleep = sleeping } = options;
  const endpoints = new Map<string, Endpoint>();

  const keyOf = ({ port, account }: Way, model: string) => `${port.name} ${model} ${account}`;

  function known(way: Way, model: string, rate: Rate): Endpoint {
    const fresh = { breaker: breakerClosed, restUntilMs: 0, why: "", open: 0 };
    const bucket = () => bucketFull(rate, clock.nowMs());
    return endpoints.get(keyOf(way, model)) ?? { ...fresh, bucket: bucket() };
  }

  function change(way: Way, model: string, rate: Rate, to: (e: Endpoint) => Endpoint): void {
    const next = to(known(way, model, rate));
    const key = keyOf(way, model);
    endpoints.delete(key);
    endpoints.set(key, next);
    if (endpoints.size <= ENDPOINTS_MAX) return;
    const idle = [...endpoints].find(([, { open }]) => open === 0);
    if (idle) endpoints.delete(idle[0]);
  }

  /** What keeps a way from taking a request of this size now, and for how long. */
  function obstacle(e: Endpoint, rate: Rate, tokens: number): { waitMs: number; why?: string } {
    const nowMs = clock.nowMs();
    const passage = letsThrough(e.breaker, nowMs);
    const restMs = e.restUntilMs - nowMs;
    if (restMs > 0) return { waitMs: Math.ceil(restMs), why: e.why };
    if (!passage.go) return { waitMs: Math.ceil(passage.inMs), why: passage.why };
    return { waitMs: waitFor(e.bucket, rate, { tokens, nowMs }) };
  }

  /** The ways of a model, those that can take the request soonest first. */
  function inOrder(ways: readonly Way[], model: string, rate: Rate, tokens: number) {
    return ways
      .map((way) => ({ way, ...obstacle(known(way, model, rate), rate, tokens) }))
      .toSorted((a, b) => Number(Boolean(a.why)) - Number(Boolean(b.why)) || a.waitMs - b.waitMs);
  }

  /** A `Retry-After` ends for all waiters at one moment: what they wait longer spreads them. */
  const spreadOf = (bucket: Bucket): number =>
    blockedFor(bucket, clock.nowMs()) > 0 ? Math.floor(random() * HERD_MS) : 0;

  function outcome(end: ModelEnd | undefined): BreakerEvent {
    const nowMs = clock.nowMs();
    const code = end?.failure?.code;
    if (!end || (code && untold.has(code))) return { type: "untold", nowMs };
    if (code && unwell.has(code)) return { type: "failed", nowMs, random: random() };
    return { type: "succeeded", nowMs };
  }

  /** What an end means for the way that it came by. */
  function noted(e: Endpoint, end: ModelEnd | undefined, call: Call): Endpoint {
    const nowMs = clock.nowMs();
    const used = end ? end.usage.input + end.usage.output : call.reserved;
    const bucket = settle(e.bucket, call.rate, {
      reserved: call.reserved,
      used: end?.failure?.code === "unreachable" ? "nothing" : used,
      nowMs,
    });
    const event = outcome(end);
    // Of the calls that end beside the probe of an open breaker only an answer says something.
    const isHeard = e.breaker.state === "closed" || call.isProbe || event.type === "succeeded";
    const { code, say = "" } = end?.failure ?? {};
    const askedMs = code === "rate_limited" || code === "overloaded" ? end?.retryAfterMs : 0;
    const rests = code !== undefined && ofTheKey.has(code) && call.isOneOfMany;
    return {
      breaker: isHeard ? evolveBreaker(e.breaker, event) : e.breaker,
      bucket: askedMs ? blocked(bucket, nowMs, askedMs) : bucket,
      restUntilMs: rests ? nowMs + KEY_REST_MS : e.restUntilMs,
      why: rests ? say : e.why,
      open: e.open - 1,
    };
  }

  /** The way that a call goes, once it may; or the end of one that may not. */
  async function admit(
    ways: readonly Way[],
    rate: Rate,
    tokens: number,
    options: CallOptions,
  ): Promise<{ way: Way; isProbe: boolean } | { end: ModelEnd }> {
    const { model, signal } = options;
    const [first] = inOrder(ways, model, rate, tokens);
    if (!first) throw new Error("a gateway needs a way");
    const { way, waitMs, why } = first;
    const who = `${way.port.name} ${model}`;
    if (why !== undefined) return { end: closedEnd(who, waitMs, why) };
    const update = (to: (bucket: Bucket) => Bucket) =>
      change(way, model, rate, (e) => ({ ...e, bucket: to(e.bucket) }));
    update((b) => reserve(b, rate, { tokens, nowMs: clock.nowMs() }));
    const limited = await waited(waitMs, () => known(way, model, rate).bucket, { who, options });
    const { breaker, ...now } = known(way, model, rate);
    const closed = obstacle({ breaker, ...now }, rate, 0);
    if (!limited && closed.why === undefined && !signal.aborted) {
      // In the same breath as the look at the breaker: of many calls one is the probe.
      const asked: BreakerEvent = { type: "asked", nowMs: clock.nowMs() };
      change(way, model, rate, (e) => ({
        ...e,
        breaker: evolveBreaker(e.breaker, asked),
        open: e.open + 1,
      }));
      return { way, isProbe: breaker.state === "open" };
    }
    const nowMs = clock.nowMs();
    update((b) => settle(b, rate, { reserved: tokens, used: "nothing", nowMs }));
    if (limited) return { end: limited };
    if (signal.aborted || closed.why === undefined) return { end: cancelledEnd(who) };
    return { end: closedEnd(who, closed.waitMs, closed.why) };
  }

  /** Waits for a rate, and on where the other end asks for silence meanwhile; or why it does not. */
  async function waited(
    waitMs: number,
    bucket: () => Bucket,
    { who, options }: { who: string; options: CallOptions },
  ): Promise<ModelEnd | undefined> {
    const { signal, deadlines, waiting } = options;
    const silenceMs = () => blockedFor(bucket(), clock.nowMs());
    const untilMs = clock.nowMs() + deadlines.totalMs;
    for (let leftMs = waitMs; leftMs > 0 && !signal.aborted; leftMs = silenceMs()) {
      if (silenceMs() > SILENCE_MS_MAX) return silencedEnd(who, silenceMs());
      if (clock.nowMs() + leftMs > untilMs) return limitedEnd(who, leftMs);
      const forMs = leftMs + spreadOf(bucket());
      waiting?.(forMs, `the rate of ${who}`);
      await sleep(forMs, signal);
    }
    return undefined;
  }

  async function* callBy(
    way: Way,
    call: Call & { wire: WireRequest; options: CallOptions },
  ): AsyncGenerator<ModelItem, ModelEnd | undefined, void> {
    const { model } = call.options;
    let end: ModelEnd | undefined;
    try {
      for await (const item of way.port.call(call.wire, call.options)) {
        if (item.type === "end") end = item;
        else yield item;
      }
    } finally {
      // Also when the listener leaves in the middle: a probe must give its place back.
      change(way, model, call.rate, (e) => noted(e, end, call));
    }
    return end;
  }

  return {
    through(ways, rate = {}) {
      const chosen = new WeakMap<WireRequest, Way>();

      /** The end of a call by this way, and whether another could be asked at once. */
      function told(end: ModelEnd, way: Way | undefined, call: { model: string; tokens: number }) {
        const helps = end.failure !== undefined && otherKeyHelps.has(end.failure.code);
        const others = helps ? ways.filter((one) => one !== way) : [];
        const [other] = inOrder(others, call.model, rate, call.tokens);
        const isThere = other !== undefined && !other.why && other.waitMs === 0;
        return isThere ? ({ ...end, otherKey: true } as const) : end;
      }

      return {
        name: ways[0].port.name,
        encode(request) {
          const [first] = inOrder(ways, request.model, rate, 1);
          const way = first?.way ?? ways[0];
          const wire = way.port.encode(request);
          // How much it asks for shows only now: another key may have more of its rate left.
          const [roomier] = inOrder(ways, request.model, rate, tokensAbout(wire.body));
          const isOther = roomier !== undefined && roomier.way !== way;
          const [by, sent] = isOther
            ? [roomier.way, roomier.way.port.encode(request)]
            : [way, wire];
          chosen.set(sent, by);
          return sent;
        },
        async *call(wire, callOptions) {
          const { model } = callOptions;
          const tokens = tokensAbout(wire.body);
          const mine = chosen.get(wire);
          const admitted = await admit(mine ? [mine] : ways, rate, tokens, callOptions);
          if ("end" in admitted) return yield told(admitted.end, mine, { model, tokens });
          const { way, isProbe } = admitted;
          const isOneOfMany = ways.length > 1;
          const call = { wire, options: callOptions, rate, reserved: tokens, isOneOfMany, isProbe };
          const end = yield* callBy(way, call);
          if (end) yield told(end, way, { model, tokens });
        },
      };
    },
    health: (model, ways, rate = {}) =>
      ways.map((way) => {
        const e = known(way, model, rate);
        const { waitMs, why } = obstacle(e, rate, 1);
        const { requests, tokens } = left(e.bucket, rate, clock.nowMs());
        return {
          account: way.account,
          breaker: breakerState(e.breaker, clock.nowMs()),
          ...(why === undefined ? {} : { why }),
          waitMs,
          open: e.open,
          left: {
            ...(requests === undefined ? {} : { requests }),
            ...(tokens === undefined ? {} : { tokens }),
          },
        };
      }),
  };
}

/** What is remembered of a call until it ends. */
type Call = {
  rate: Rate;
  reserved: number;
  isOneOfMany: boolean;
  /** It was let through an open breaker, to see. */
  isProbe: boolean;
};

function breakerState(breaker: Breaker, nowMs: number): WayState["breaker"] {
  if (breaker.state === "closed") return "closed";
  return breaker.probing || nowMs >= breaker.untilMs ? "half-open" : "open";
}

const ended = (failure: NonNullable<ModelEnd["failure"]>, retryAfterMs?: number): ModelEnd => ({
  type: "end",
  stop: "broken",
  parts: [],
  usage: noUsage,
  failure,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

const secondsOf = (ms: number): number => Math.ceil(ms / 1_000);

function closedEnd(who: string, inMs: number, why: string): ModelEnd {
  const say = `${who} ${why}; it is left alone for ${secondsOf(inMs)} s more`;
  const detail = { breaker: "open", inMs };
  const fix = "wait, or choose another model";
  return ended(fail("overloaded", say, { fix, detail }).error, inMs);
}

function limitedEnd(who: string, inMs: number): ModelEnd {
  const say = `the rate of ${who} is used up for ${secondsOf(inMs)} s more`;
  const fix = "wait, raise it in `rates`, or choose another model";
  return ended(fail("rate_limited", say, { fix, detail: { inMs } }).error, inMs);
}

function silencedEnd(who: string, inMs: number): ModelEnd {
  const say = `${who} asked to be left alone for ${secondsOf(inMs)} s more`;
  const fix = "wait, or choose another model";
  return ended(fail("rate_limited", say, { fix, detail: { inMs } }).error, inMs);
}

const cancelledEnd = (who: string): ModelEnd =>
  ended(fail("cancelled", `the call to ${who} was called off`).error);

function sleeping(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
